#!/bin/sh
# Makes the speech samples of this folder again. Needs the Debian packages espeak-ng and sox.
set -eu
cd "$(dirname "$0")"

say() { # file, voice, words a minute, text
    espeak-ng -v "$2" -s "$3" -w "$1.raw.wav" "$4"
    sox -R "$1.raw.wav" -r 16000 -c 1 -b 16 "$1.wav" norm -3 silence 1 0.01 0.1%
    rm "$1.raw.wav"
}

say hello         en-us 165 "Hello, how are you today?"
say station       en-us 165 "Where is the train station?"
say coffee        en-gb 165 "A cup of coffee, please."
say thanks        en-us 165 "Thank you very much."
say hospital      en-us+f5 150 "I would like to go to the hospital."
say ni-hao        cmn   165 "你好，谢谢。"
sox -R hello.wav -r 44100 -c 2 -b 16 hello-44k-stereo.wav trim 0 1.1

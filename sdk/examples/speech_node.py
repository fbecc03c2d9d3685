"""A node that really translates speech, English to Spanish, on a CPU and without a network.

    pip install pocketsphinx ./sdk                    # recognition, with a model of US English
    apt install apertium apertium-eng-spa espeak-ng   # translation and synthesis
    python sdk/examples/speech_node.py                # PARLEY_URL and PARLEY_TOKEN say where

With --check it only says what is missing. PARLEY_NODE_ID gives it a name that outlives it.

Its steps are small and make mistakes. What is around them every node needs: it loads its model and
only then registers, claims only what it can do, and keeps long work out of the event loop.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from itertools import pairwise
from typing import Any

from parley import Job, Node, Profile, Result
from parley.audio import pcm16_from_wav
from parley.frames import ServiceTimings
from parley.usage import on_cpu

FILLERS = {"ah", "eh", "er", "hmm", "mm", "uh", "um"}
GREETINGS = {"hello", "hey", "hi", "oh"}
QUESTIONS = {"are", "can", "do", "does", "how", "is", "what", "when", "where", "who", "why", "will"}
decoder: Any  # of pocketsphinx, in the process that recognises


def missing() -> list[str]:
    """What has to be installed before this node can work."""
    parts = [] if importlib.util.find_spec("pocketsphinx") else ["pocketsphinx (pip)"]
    parts += [f"{name} (apt)" for name in ("apertium", "espeak-ng") if not shutil.which(name)]
    pairs = shutil.which("apertium") and subprocess.check_output(["apertium", "-l"], text=True)
    return parts if "eng-spa" in (pairs or "") else [*parts, "apertium-eng-spa (apt)"]


# 1. Recognition. The decoder keeps Python's lock while it works: it has a process of its own.


def load_decoder() -> None:
    """Called once in that process, which ends when this one tells it to, or is no more."""
    global decoder
    from pocketsphinx import Decoder

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    # Speech that a machine has made has perfect silence in it, which the model has never heard:
    # dither makes it noise. The limit saves a third of the time and hardly any words.
    decoder = Decoder(samprate=16_000, dither=True, seed=1, maxhmmpf=10_000, loglevel="FATAL")


def end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def recognise(pcm16: bytes) -> str:
    """The words of 16 kHz mono speech, in small letters; empty if there are none."""
    decoder.start_utt()
    decoder.process_raw(pcm16, full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return best.hypstr if best else ""


# 2. Semantic repair: what a recogniser leaves out and the next step needs.


def tidy_english(words: str) -> str:
    """`um hello how are you` becomes `Hello, how are you?`."""
    kept = [word for word in words.split() if word not in FILLERS]
    kept = ["I" + word[1:] if word.partition("'")[0] == "i" else word for word in kept]
    greeting = [word + "," for word in kept[:1] if word in GREETINGS and kept[1:]]
    said = kept[len(greeting) :]
    text = " ".join(greeting + said) + ("?" if {*said[:1]} & QUESTIONS else ".")
    return text[:1].upper() + text[1:] if kept else ""


def tidy_spanish(text: str) -> str:
    """A question in Spanish is opened as well as closed: `Hola, ¿cómo eres?`."""
    greeting, comma, question = text.strip().rpartition(", ")
    return f"{greeting}{comma}¿{question}" if question.endswith("?") else text.strip()


# 3 and 4. Translation and synthesis are programs: text in, text or a WAV out.


async def pipe(text: str, *command: str) -> bytes:
    """What a program makes of a text. Raises `CalledProcessError`, which fails the job."""
    return await asyncio.to_thread(subprocess.check_output, command, input=text.encode())


async def speak(spanish: str) -> bytes:
    wav = await pipe(spanish, "espeak-ng", "-v", "es", "-b", "1", "--stdin", "--stdout")
    return await asyncio.to_thread(pcm16_from_wav, wav)


async def translate(job: Job, pool: Executor) -> Result:
    """All four, and how long they took."""
    laps = [time.monotonic()]
    if not (english := job.text):
        hearing = asyncio.get_running_loop().run_in_executor(pool, recognise, job.audio)
        english = tidy_english(await hearing)
    if not english:
        return Result(extra={"reason": "ASR_EMPTY"})
    await job.partial(english, is_final=True)
    laps.append(time.monotonic())
    spanish = tidy_spanish((await pipe(english, "apertium", "-u", "eng-spa")).decode())
    laps.append(time.monotonic())
    audio = await speak(spanish) if job.pipeline.use_tts else b""
    laps.append(time.monotonic())
    asr_ms, nmt_ms, tts_ms = (round(1000 * (end - start)) for start, end in pairwise(laps))
    timings = ServiceTimings(asr_ms, nmt_ms, tts_ms, total_ms=asr_ms + nmt_ms + tts_ms)
    return Result(english, spanish, audio, timings=timings)


def main() -> None:
    if parts := missing():
        print(f"This node can't work without {', '.join(parts)}.", file=sys.stderr)
        sys.exit(2)
    if "--check" in sys.argv:
        return
    profile = Profile(
        ["en", "es"],
        asr_languages=["en"],
        nmt_pairs=[("en", "es")],
        tts_languages=["es"],
        audio_formats=["pcm16", "text"],
        concurrency=1,
        usage=on_cpu,
    )
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, initializer=load_decoder) as pool:
        pool.submit(recognise, bytes(16_000)).result()
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        node = Node(profile=profile, node_id=os.environ.get("PARLEY_NODE_ID"))

        @node.translate
        async def handle(job: Job) -> Result:
            try:
                return await translate(job, pool)
            except BrokenExecutor:  # the recogniser has died: another node is to start
                stopping.add(asyncio.create_task(node.stop()))
                raise

        stopping: set[asyncio.Task[None]] = set()
        node.run()
        for recogniser in multiprocessing.active_children():
            recogniser.kill()  # what it may still listen to was cancelled


if __name__ == "__main__":
    main()

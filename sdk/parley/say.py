"""Sends WAV files and shows what comes back: `python -m parley.say FILE.wav --from en --to zh`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from parley.audio import AudioError, duration_ms, load_wav
from parley.codes import ErrorCode, advice
from parley.frames import AsrPartial, Error
from parley.notice import Notice
from parley.outcome import Answer, Event, Missing, SessionError
from parley.session import Session

CONNECT_S = 10.0


async def say(files: Sequence[Path], session: Session, *, save: Path | None = None) -> bool:
    """Says the files in turn, prints partials and outcomes, and saves the spoken answers.

    They are saved at `save`, or else each in this folder, named after its file and the language.
    Returns whether all were translated. Raises `AudioError`, `OSError`, `SessionError`.
    """
    speech = [load_wav(file) for file in files]
    talk = _Talk(files, [duration_ms(pcm16) for pcm16 in speech], session.init.tgt_lang, save)
    async with contextlib.AsyncExitStack() as stack:
        await _open(session, stack)
        for pcm16 in speech:
            await session.send(pcm16)
        session.finish()
        async for event in session:
            talk.show(event)
    return talk.all_answered


class _Talk:
    """What is printed and saved of one session."""

    def __init__(
        self, files: Sequence[Path], lengths_ms: list[int], lang: str, save: Path | None
    ) -> None:
        self.all_answered = True
        self._files = files
        self._lengths_ms = lengths_ms
        self._lang = lang
        self._save = save
        self._shown = -1

    def show(self, event: Event) -> None:
        match event:
            case AsrPartial():
                self._head(event.utterance_index)
                print(f"  …      {event.text}", flush=True)
            case Answer():
                self._head(event.index)
                self._show_answer(event)
            case Missing():
                self._head(event.index)
                self._show_missing(event)

    def _head(self, index: int) -> None:
        """Which file the next lines are about."""
        if index != self._shown:
            print(f"{self._files[index].name} ({self._lengths_ms[index] / 1000:.1f} s)")
            self._shown = index

    def _show_answer(self, answer: Answer) -> None:
        print(f"  heard  {answer.text_asr}")
        print(f"  said   {answer.text_translated}")
        if answer.node_ms is not None:
            print(f"  took   {answer.node_ms:.0f} ms on the node")
        if answer.wav:
            path = self._path(answer.index)
            path.write_bytes(answer.wav)
            print(f"  spoken {path}")
        sys.stdout.flush()

    def _show_missing(self, missing: Missing) -> None:
        told = ": ".join(part for part in (missing.code, missing.frame.message) if part)
        print(f"  no translation ({missing.reason}) {told}")
        if missing.code and missing.advice() != missing.frame.message:
            print(f"  {missing.advice()}", flush=True)
        self.all_answered = False

    def _path(self, index: int) -> Path:
        if self._save is None:
            return Path(f"{self._files[index].stem}.{self._lang}.wav")
        return self._save if index == 0 else self._save.with_stem(f"{self._save.stem}-{index + 1}")


async def _open(session: Session, stack: contextlib.AsyncExitStack) -> None:
    """A session tries for ever to connect; a person at a terminal doesn't."""
    try:
        async with asyncio.timeout(CONNECT_S):
            await stack.enter_async_context(session)
    except TimeoutError:
        message = f"no answer from {session.url} within {CONNECT_S:.0f} s"
        raise SessionError(ErrorCode.WS_DISCONNECTED, message) from None


def _show_notice(notice: Notice) -> None:
    """Errors of the session; those of an utterance come as its outcome, too."""
    if isinstance(notice, Error) and not (notice.details and "utterance_index" in notice.details):
        print(f"  {notice.code}: {notice.message} {advice(notice.code)}", file=sys.stderr)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.wav")
    parser.add_argument("--from", dest="src_lang", default="auto", help="default: %(default)s")
    parser.add_argument("--to", dest="tgt_lang", required=True)
    parser.add_argument(
        "--save", type=Path, metavar="ANSWER.wav", help="default: FILE.LANG.wav in this folder"
    )
    parser.add_argument("--url", help="the server; default: PARLEY_URL, else ws://localhost:5010")
    parser.add_argument("--token", help="default: PARLEY_TOKEN")


def run(options: argparse.Namespace) -> int:
    """0 when everything was translated, 1 when something was not, 2 for a wrong file or server."""
    try:
        session = Session(
            options.url,
            src_lang=options.src_lang,
            tgt_lang=options.tgt_lang,
            token=options.token,
            on_notice=_show_notice,
        )
        return 0 if asyncio.run(say(options.files, session, save=options.save)) else 1
    except (AudioError, OSError, SessionError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m parley.say", description="Says WAV files and shows their translation."
    )
    add_arguments(parser)
    return run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())

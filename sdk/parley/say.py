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
from parley.outcome import Answer, Missing, SessionError
from parley.session import DEFAULT_URL, Notice, Session

CONNECT_S = 10.0


async def say(files: Sequence[Path], session: Session, *, save: Path | None = None) -> bool:
    """Says the files in turn and prints partials and outcomes; whether all were translated.

    Raises `AudioError`, `OSError`, `SessionError`.
    """
    speech = [load_wav(file) for file in files]
    all_answered = True
    async with contextlib.AsyncExitStack() as stack:
        await _open(session, stack)
        for pcm16 in speech:
            await session.send(pcm16)
        session.finish()
        async for event in session:
            if isinstance(event, AsrPartial):
                print(f"         … {event.text}", flush=True)
                continue
            seconds = duration_ms(speech[event.index]) / 1000
            print(f"{files[event.index].name} ({seconds:.1f} s)")
            if isinstance(event, Answer):
                _show_answer(event, save)
            else:
                _show_missing(event)
                all_answered = False
    return all_answered


async def _open(session: Session, stack: contextlib.AsyncExitStack) -> None:
    """A session tries for ever to connect; a person at a terminal doesn't."""
    try:
        async with asyncio.timeout(CONNECT_S):
            await stack.enter_async_context(session)
    except TimeoutError:
        message = f"no answer from {session.url} within {CONNECT_S:.0f} s"
        raise SessionError(ErrorCode.WS_DISCONNECTED, message) from None


def _show_answer(answer: Answer, save: Path | None) -> None:
    print(f"  heard  {answer.text_asr}")
    print(f"  said   {answer.text_translated}")
    if answer.node_ms is not None:
        print(f"  took   {answer.node_ms:.0f} ms on the node")
    if save is not None and answer.wav:
        path = save if answer.index == 0 else save.with_stem(f"{save.stem}-{answer.index + 1}")
        path.write_bytes(answer.wav)
        print(f"  spoken {path}")
    sys.stdout.flush()


def _show_missing(missing: Missing) -> None:
    told = ": ".join(part for part in (missing.code, missing.frame.message) if part)
    print(f"  no translation ({missing.reason}) {told}")
    if missing.code:
        print(f"  {missing.advice()}", flush=True)


def _show_notice(notice: Notice) -> None:
    if isinstance(notice, Error):
        print(f"  {notice.code}: {notice.message} {advice(notice.code)}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything was translated, 1 when something was not, 2 for a wrong file or server."""
    options = _parser().parse_args(arguments)
    session = Session(
        options.url,
        src_lang=options.src_lang,
        tgt_lang=options.tgt_lang,
        token=options.token,
        on_notice=_show_notice,
    )
    try:
        return 0 if asyncio.run(say(options.files, session, save=options.save)) else 1
    except (AudioError, OSError, SessionError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m parley.say", description="Says WAV files and shows their translation."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.wav")
    parser.add_argument("--from", dest="src_lang", default="auto", help="default: %(default)s")
    parser.add_argument("--to", dest="tgt_lang", required=True)
    parser.add_argument("--url", default=DEFAULT_URL)
    parser.add_argument("--token")
    parser.add_argument("--save", type=Path, help="where to write the spoken answer, a WAV")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""A Python program of this repository as a process of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from scheduler_site.supervisor.options import ROOT


class Program:
    """``words`` is a file of the repository and its arguments; it runs in ``folder``."""

    process: Process

    def __init__(
        self, words: Sequence[object], environ: Mapping[str, str], *, folder: Path
    ) -> None:
        self._words = [str(ROOT / str(words[0])), *map(str, words[1:])]
        self._environ = {**os.environ, "PYTHONPATH": str(ROOT / "sdk"), **environ}
        self._folder = folder

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._words,
            env=self._environ,
            cwd=self._folder,
            stdout=PIPE,
            stderr=STDOUT,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.terminate()
            try:
                await self.ended()
            except TimeoutError:
                self.process.kill()
                raise

    async def says(self, text: str, within_s: float = 30.0) -> str:
        """The next line with this text in it; what is before is skipped."""
        assert self.process.stdout is not None
        before = []
        async with asyncio.timeout(within_s):
            while line := (await self.process.stdout.readline()).decode():
                if text in line:
                    return line.rstrip("\n")
                before.append(line)
        raise AssertionError(f"it ended without {text!r}:\n{''.join(before)}")

    async def ended(self, within_s: float = 30.0) -> tuple[int, list[str]]:
        """Waits for its end: the exit status, and the lines not yet read."""
        async with asyncio.timeout(within_s):
            rest, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, rest.decode().splitlines()

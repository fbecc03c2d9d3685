"""A node that does with each job what its utterance is fated to, and comes back when it is lost."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from contextlib import suppress

from websockets.exceptions import ConnectionClosed

from tests.harness.actors import HandNode, hand_node
from tests.harness.frames import Json, job_result
from tests.jobs.once.steps import TICK_S, End, Say, Stream

Fates = Mapping[str, Say | Stream]


def name_of(job: Json) -> str:
    """Which utterance a job is: a whole one by its trace, part of a stream by its first packet."""
    if job["trace_id"].startswith("u-"):
        return str(job["trace_id"])
    sound = base64.b64decode(job["audio"])
    number, packet = divmod(int.from_bytes(sound[2:6], "little"), 1_000)
    return f"u-{number}.{packet}"


class Worker:
    """``fates``: by utterance. ``kept``: jobs that it has not answered yet, and may at the end."""

    def __init__(self, url: str, name: str, languages: tuple[str, str], fates: Fates) -> None:
        self.name = name
        self.kept: list[Json] = []
        self.is_in = asyncio.Event()
        self._url = url
        self._languages = list(languages)
        self._fates = fates
        self._hand: HandNode | None = None

    async def live(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                with suppress(AssertionError, OSError, ConnectionClosed):
                    joining = hand_node(self._url, self.name, languages=self._languages, slots=3)
                    async with joining as self._hand:
                        self.is_in.set()
                        while True:
                            job = await self._hand.job(within_s=60)
                            group.create_task(self._work(job))
                self._hand = None
                await asyncio.sleep(TICK_S)

    async def answer_what_it_kept(self) -> None:
        """Too late, mostly."""
        for job in self.kept:
            await self._send(job, text_translated=name_of(job))

    async def _work(self, job: Json) -> None:
        name = name_of(job)
        fate = self._fates[name.partition(".")[0]]
        await asyncio.sleep(fate.ticks * TICK_S)
        match fate.end:
            case End.NEVER:
                self.kept.append(job)
            case End.LOST_NODE if job["attempt_id"] == 1 and self._hand is not None:
                self._hand.vanishes()
                self.kept.append(job)
            case End.RETRIED if job["attempt_id"] == 1:
                await self._fails(job, "INTERNAL_ERROR")
            case End.FAILED:
                await self._fails(job, "INVALID_SPEECH")
            case End.SILENT:
                await self._send(job, extra={"reason": "ASR_EMPTY"})
            case _:
                await self._send(job, text_translated=name)
        if fate.end is End.TWICE:
            await self._send(job, text_translated=f"{name} again")

    async def _fails(self, job: Json, code: str) -> None:
        await self._send(job, success=False, error={"code": code, "message": "it went wrong"})

    async def _send(self, job: Json, **fields: object) -> None:
        """Over the connection that it has now, or the next one."""
        frame = job_result(job, self.name, **{"text_asr": "", **fields})
        while True:
            with suppress(ConnectionClosed):
                if self._hand is not None:
                    await self._hand.peer.send(frame)
                    return
            await asyncio.sleep(TICK_S)

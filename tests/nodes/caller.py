"""Stands for a session's process: dispatches jobs and reads what becomes of them."""

import asyncio
from collections.abc import Callable
from typing import Any, Self, TypeVar

import msgspec

from lua import ids, mailbox, scripts
from lua.client import Cells, StoreSettings
from lua.mailbox import Message
from lua.scripts import Need, NewJob

M = TypeVar("M")
PAYLOAD = {"session_id": "s-1", "trace_id": "trace-1", "audio_format": "pcm16", "audio": "QUJD"}


class Caller:
    """One session in cell 0."""

    def __init__(self, store: StoreSettings) -> None:
        self.cells = Cells(store)
        self.process = f"web-{ids.new_token()}"
        self.session = ids.new_session(0, self.cells.count)
        self.messages: list[Message] = []
        self._came = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self._index = 0

    async def __aenter__(self) -> Self:
        await self.cells.start()
        await scripts.renew_lease(self.cells, cell=0, process=self.process)
        await self.open()
        self._tasks = [asyncio.create_task(self._renew()), asyncio.create_task(self._read())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.cells.close()

    async def open(self) -> None:
        session = scripts.NewSession(session=self.session, process=self.process, tenant="")
        await scripts.open_session(self.cells, cell=0, session=session)

    def new_job(self, *, pools: str = "auto:en-zh", has: str = "", **changes: Any) -> NewJob:
        need = Need(tuple(pools.split()), tuple(has.split()))
        self._index += 1
        fields: dict[str, Any] = {
            "job": ids.new_job(0, self.cells.count),
            "session": self.session,
            "index": self._index,
            "request": "",
            "digest": "",
            "tenant": "",
            "src": "en",
            "tgt": "zh",
            "need": need.text,
            "sig": need.sig,
            "preferred": "",
            "avoid": [],
            "deadline_ms": -1,
            "priority": 3,
            "size": 1,
            "retries": 2,
            "trace": "trace-1",
        }
        return NewJob(**{**fields, **changes})

    async def dispatch(
        self, job: NewJob | None = None, payload: bytes = b"", **changes: Any
    ) -> Any:
        """The script's answer."""
        job = job or self.new_job(**changes)
        payload = payload or msgspec.json.encode(PAYLOAD)
        return await scripts.dispatch(self.cells, cell=0, job=job, payload=payload)

    async def expect(
        self, kind: type[M], within_s: float = 5.0, where: Callable[[M], bool] = lambda _: True
    ) -> M:
        """The first message of a kind, waited for."""

        def found() -> M | None:
            return next((m for m in self.messages if isinstance(m, kind) and where(m)), None)

        try:
            async with asyncio.timeout(within_s), self._came:
                await self._came.wait_for(lambda: found() is not None)
        except TimeoutError:
            raise AssertionError(f"no {kind.__name__}; came: {self.messages}") from None
        message = found()
        assert message is not None
        return message

    async def result(self, job: str, size: int) -> dict[str, Any]:
        body = await self.cells.result(0, job, size=size)
        assert body is not None
        return msgspec.json.decode(body)  # type: ignore[no-any-return]

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            await scripts.renew_lease(self.cells, cell=0, process=self.process)

    async def _read(self) -> None:
        async for batch in mailbox.read(self.cells, 0, self.process):
            async with self._came:
                self.messages += batch
                self._came.notify_all()

"""Leadership of a periodic task: one worker does it, and finds out when its time is over."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from redis.exceptions import LockError
from redis.lock import Lock

from lua.client import StoreSettings
from lua.keys import cell_prefix
from lua.reader import client


class Leadership:
    """A lease on a task, in the first cell."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    def still_holds(self) -> bool:
        """Renew the lease. False: it has ended, and another may lead; change nothing more."""
        try:
            return bool(self._lock.reacquire())
        except LockError:
            return False


@contextmanager
def lead(store: StoreSettings, name: str, *, ttl_ms: int) -> Iterator[Leadership | None]:
    """Lead the task ``name`` while the block runs, or None while another does.

    The lease ends after ``ttl_ms`` unless it is renewed, so a dead leader blocks nobody.
    """
    key = f"{cell_prefix(store.prefix, 0)}lock:{name}"
    lock = Lock(client(store), key, timeout=ttl_ms / 1000, blocking=False)
    if not lock.acquire():
        yield None
        return
    try:
        yield Leadership(lock)
    finally:
        with suppress(LockError):
            lock.release()

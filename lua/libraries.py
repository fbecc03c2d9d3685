"""The functions that Redis keeps of the scripts: those of earlier versions stay there."""

from contextlib import suppress

from redis.exceptions import NoPermissionError, ResponseError

from lua import composer, loader
from lua.client import StoreSettings
from lua.reader import client


def forget_unused(store: StoreSettings) -> int:
    """Delete the scripts of other versions, and of other limits; returns how many these were.

    A process that still uses one loads it again with its next call. A user who may not see
    functions has none. Raises RedisError.
    """
    ours = {composer.compose(source, store.limits).name for source in loader.scripts()}
    try:
        kept = client(store).function_list(library=f"{composer.LIBRARIES}*")
    except NoPermissionError:
        return 0
    unused = {about[about.index(b"library_name") + 1].decode() for about in kept} - ours
    for name in unused:
        with suppress(ResponseError):  # another worker was quicker
            client(store).function_delete(name)
    return len(unused)

"""Drains one stream in small batches until it is killed: ``drain_for_ever.py URL PREFIX``.

Forks a new drain whenever one is gone, and writes each one's process id; so a test can kill
hundreds of them without waiting for Python to start.
"""

import os
import sys

import django

django.setup()

from jobs import audit  # noqa: E402
from lua.client import StoreSettings  # noqa: E402


def drain(url: str, prefix: str) -> None:
    store = StoreSettings(url=url, prefix=prefix)
    while True:
        audit.drain(store, 0, batch=3)


def main() -> None:
    while True:
        child = os.fork()
        if child == 0:
            drain(*sys.argv[1:])
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()

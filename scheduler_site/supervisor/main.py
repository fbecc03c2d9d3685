"""The life of ``make up``: take the locks, start one thing after the other, watch, stop."""

import argparse
import os
import signal
import socket
import subprocess
import time

from scheduler_site import valkey
from scheduler_site.supervisor import address, own_nodes, plan, readiness
from scheduler_site.supervisor.child import die_with_parent
from scheduler_site.supervisor.console import say, warn
from scheduler_site.supervisor.family import CannotStart, Family
from scheduler_site.supervisor.listener import PortTaken, open_listener
from scheduler_site.supervisor.lock import FileLock
from scheduler_site.supervisor.options import ROOT, BadOption, Options
from scheduler_site.supervisor.signals import Signals, StopRequested

# Each group's share of the 5 s in which everything has stopped.
STOP_LIMITS_S = {plan.SERVING: 3.2, plan.DEMO: 0.4, plan.STORE: 0.8}
# What an earlier Parley still holds is free as soon as its last process is gone.
HANDOVER_S = 3.0
TICK_S = 0.5


class Supervisor:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.family = Family(Signals())

    def run(self) -> int:
        """Exit status: 0 after a stop that was asked for, 1 when it could not start."""
        try:
            self._start()
            self._announce()
            while True:
                self.family.look_after(TICK_S)
        except StopRequested:
            say("Stopping …")
        except CannotStart as reason:
            say(f"Parley did not start: {reason}")
            return 1
        finally:
            self.family.stop(STOP_LIMITS_S)
        say("Parley has stopped.")
        return 0

    def _start(self) -> None:
        self.options.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Kept as long as this object, so as long as this process.
        self._lock = self._take_lock()
        self._listener = self._listen()
        self._empty_logs()
        if self.options.own_valkey:
            self._start_valkey()
        self._prepare()
        since_ms = int(time.time() * 1000)
        for child in plan.serving(self.options, self._listener.fileno()):
            self.family.launch(child)
        waiting = readiness.Waiting()
        self.family.until(lambda: waiting.over(readiness.missing(self.options, since_ms=since_ms)))
        # From here on a death is no reason to give up.
        self.family.settled = True
        self._start_nodes()

    def _take_lock(self) -> FileLock:
        lock = FileLock(self.options.folder / address.NAME)
        if not lock.take():
            raise CannotStart(
                f"one is running already ({lock.read()}).\n"
                "Stop that one first, or start this one with another PARLEY_VAR= and PORT=."
            )
        lock.write(address.describe(self.options.url("/")))
        return lock

    def _listen(self) -> socket.socket:
        opened: list[socket.socket] = []

        def attempt() -> bool:
            try:
                opened.append(open_listener(self.options.host, self.options.port))
            except PortTaken:
                return False
            except OSError as error:
                raise CannotStart(f"cannot listen on HOST {self.options.host}: {error}") from error
            return True

        if not self.family.within(HANDOVER_S, attempt):
            raise CannotStart(f"port {self.options.port} is in use; choose another with PORT=.")
        return opened[0]

    def _empty_logs(self) -> None:
        folder = plan.log_folder(self.options)
        folder.mkdir(exist_ok=True)
        for log in folder.glob("*.log"):
            log.unlink()

    def _start_valkey(self) -> None:
        lock = FileLock(self.options.folder / "valkey.lock")
        if not self.family.within(HANDOVER_S, lock.take):
            raise CannotStart(f"another Valkey still uses {self.options.folder}.")
        valkey.make_socket_folder(self.options.folder)
        self.family.launch(plan.store(self.options, lock.descriptor))
        socket_path = valkey.socket_path(self.options.folder)
        self.family.until(lambda: valkey.answers(socket_path), every_s=0.02)

    def _prepare(self) -> None:
        parent = os.getpid()
        process = subprocess.Popen(
            plan.prepare(self.options),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent),
        )
        try:
            self.family.until(lambda: process.poll() is not None)
        finally:
            process.kill()
        if process.wait() != 0:
            raise CannotStart("the database could not be prepared.")

    def _start_nodes(self) -> None:
        """Until all have registered, or are not to be waited for any longer."""
        nodes = plan.demo_nodes(self.options)
        if self.options.speech_node and self._can_speak():
            nodes.append(plan.speech_node(self.options))
        for node in nodes:
            self.family.launch(node)
        waiting = readiness.Waiting()
        self.family.within(own_nodes.LIMIT_S, lambda: waiting.over(own_nodes.missing(nodes)))
        for complaint in own_nodes.complaints(nodes):
            warn(complaint)

    def _can_speak(self) -> bool:
        """Without what the speech node needs, everything else runs all the same."""
        found = subprocess.run(
            plan.speech_check(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if found.returncode != 0:
            warn(f"no speech node: {found.stderr.decode().strip()}")
        return found.returncode == 0

    def _announce(self) -> None:
        url = self.options.url
        say("Parley is ready")
        say(f"  talk      {url('/talk/')}")
        say(f"  sessions  {url('/ws/session', scheme='ws')}")
        say(f"  nodes     {url('/ws/node', scheme='ws')}")
        say(f"  admin     {url('/admin/')}")
        say(f"  REST      {url('/api/v1/docs/')}")
        say(f"  logs      {plan.log_folder(self.options)}")
        if self.options.risk:
            warn(self.options.risk)
        say("Ctrl-C stops it.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scheduler_site.supervisor", description=__doc__)
    parser.add_argument(
        "--stop-with-parent",
        action="store_true",
        help="stop when the process that started this one ends, as make does after kill -9",
    )
    if parser.parse_args().stop_with_parent:
        die_with_parent(os.getppid(), signal.SIGTERM)
    try:
        options = Options.read(os.environ)
    except BadOption as error:
        say(str(error))
        return 2
    # The children work elsewhere than the caller may have meant a relative path.
    os.environ["PARLEY_VAR"] = str(options.folder)
    return Supervisor(options).run()

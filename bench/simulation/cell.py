"""A cell of a real server with a fleet in it, registered by the product's scripts."""

import asyncio
import json

from bench.nodes import described, registration
from bench.simulation.fleet import CONFIGURATION, PAIRS, Machine
from bench.simulation.link import Link
from bench.simulation.parley import PROCESS
from lua import loader
from lua.client import Cells, StoreSettings
from lua.composer import Edit, compose
from lua.given_time import START_MS, at_given_time
from lua.keys import cell_prefix
from lua.limits import Limits
from lua.scripts import Need
from pools.ask import Ask
from pools.configuration import encode
from pools.routes import Route
from pools.snapshot import Snapshot

PREFIX = "sim:"
SCRIPTS = (
    "dispatch",
    "finish",
    "heartbeat",
    "reap",
    "register_node",
    "renew_lease",
    "take",
    "write_config",
)
LONG_MS = 1_000_000_000


def limits(sample_k: int) -> Limits:
    """The product's, but jobs wait and run as long as it takes, as they do with the others, and
    what they leave behind is soon gone.
    """
    return Limits(
        sample_k=sample_k,
        wait_limit_ms=LONG_MS,
        max_wait_ms=LONG_MS,
        job_timeout_ms=LONG_MS,
        job_life_ms=LONG_MS,
        payload_ttl_ms=LONG_MS,
        final_ttl_ms=1_000,
    )


def load_scripts(link: Link, sample_k: int, edit: Edit = at_given_time) -> dict[str, str]:
    """Give the server the scripts; the functions' names by theirs."""
    scripts = [compose(loader.read(name), limits(sample_k), edit) for name in SCRIPTS]
    link.ask(*(("FUNCTION", "LOAD", "REPLACE", whole.library) for whole in scripts))
    return {name: whole.name for name, whole in zip(SCRIPTS, scripts, strict=True)}


def fill(link: Link, number: int, fleet: list[Machine], scripts: dict[str, str]) -> str:
    """Register a fleet in an empty cell at the beginning of time; returns the cell's prefix."""
    cell, now_us = cell_prefix(PREFIX, number), START_MS * 1000
    content = encode(
        disabled=(),
        drained=(),
        pools=CONFIGURATION.pools,
        auto=CONFIGURATION.auto,
        choosing=CONFIGURATION.choosing,
    )
    calls: list[tuple[str, tuple[bytes | str | int, ...]]] = [
        ("write_config", (CONFIGURATION.version, content)),
        ("renew_lease", (PROCESS, "epoch")),
        *(("register_node", (_registration(machine),)) for machine in fleet),
    ]
    for name, arguments in calls:
        reply = link.ask(("FCALL", scripts[name], 1, cell, *arguments, now_us))[0]
        assert reply[0] in (b"TAUGHT", b"LEASE", b"OK"), reply
    return cell


def needs(url: str, number: int) -> list[Need]:
    """Where jobs of each pair may go, as a process of the product finds out from the cell."""
    return asyncio.run(_read_needs(url, number))


async def _read_needs(url: str, number: int) -> list[Need]:
    snapshot, found = Snapshot(number + 1), []
    async with Cells(StoreSettings(url=url, prefix=PREFIX, cells=number + 1)) as cells:
        for src, tgt in PAIRS:
            found.append(await snapshot.need(cells, number, Ask(Route(src, tgt), "wav")))
    return [need for need in found if isinstance(need, Need)]


def _registration(machine: Machine) -> bytes:
    given = machine.of.memberships
    about = described(
        capacity=machine.capacity,
        pools=given.pools,
        has=given.has,
        definition=given.definition.encoded().decode() if given.definition else "",
        reasons=json.dumps(given.reasons),
        config=CONFIGURATION.version,
    )
    return registration(machine.name, about, conn=PROCESS, process=PROCESS)

"""Simulated nodes: `python -m parley.demo --count 3 --languages en,zh`.

They translate nothing. Every answer is marked `[demo]` and spoken as a tone, so that a whole system
can be tried where no real node is.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass

from parley.audio import tone
from parley.frames import Gpu, ServiceTimings
from parley.job import Job, JobFailed, Result
from parley.node import Node
from parley.profile import Profile
from parley.signals import serve_until_signalled
from parley.usage import idle

DRAIN_S = 2.0
VERSION = "demo (simulated)"


@dataclass(frozen=True)
class Behaviour:
    """How a simulated node works: after `latency_ms` ± `jitter_ms`, and failing for a part."""

    latency_ms: int = 300
    jitter_ms: int = 0
    failure_rate: float = 0.0

    async def __call__(self, job: Job) -> Result:
        latency_ms = self.latency_ms + random.randint(-self.jitter_ms, self.jitter_ms)
        half_ms = max(0, latency_ms) // 2
        spoken = f"[demo] {job.duration_ms / 1000:.1f} s of speech in {job.src_lang}"
        heard = job.text or spoken
        await asyncio.sleep(half_ms / 1000)
        await job.partial(heard)
        await asyncio.sleep(half_ms / 1000)
        if random.random() < self.failure_rate:
            raise JobFailed("PROCESSING_ERROR", "[demo] this node fails as it was asked to")
        return Result(
            text_asr=heard,
            text_translated=f"[demo] the same, said in {job.tgt_lang}",
            audio=tone(0.4),
            timings=ServiceTimings(asr_ms=half_ms, nmt_ms=half_ms, total_ms=2 * half_ms),
        )


def demo_node(
    url: str | None,
    node_id: str,
    *,
    languages: Sequence[str],
    behaviour: Behaviour,
    concurrency: int = 2,
    token: str | None = None,
) -> Node:
    """One simulated node."""
    profile = Profile(
        languages,
        concurrency=concurrency,
        gpus=[Gpu("simulated", 8)],
        version=VERSION,
        audio_formats=["pcm16", "text"],
        usage=idle,
    )
    node = Node(url, node_id=node_id, token=token, profile=profile)
    node.translate(behaviour)
    return node


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything but how many, which each command asks for in its own way."""
    parser.add_argument("--languages", default="en,zh,es,ja", help="default: %(default)s")
    parser.add_argument("--latency-ms", type=_natural, default=300, help="default: %(default)s")
    parser.add_argument("--jitter-ms", type=_natural, default=0, help="more or less than that")
    parser.add_argument("--failure-rate", type=_share, default=0.0, help="from 0 to 1")
    parser.add_argument("--concurrency", type=_natural, default=2, help="jobs at once on each")
    parser.add_argument("--name", help="what their ids begin with; default: demo-en-zh-…")
    parser.add_argument("--url", help="the server; default: PARLEY_URL, else ws://localhost:5010")
    parser.add_argument("--token", help="default: PARLEY_TOKEN")


def serve(options: argparse.Namespace, *, count: int, node_id: str | None = None) -> None:
    """Serves until SIGTERM or Ctrl-C; `options` are those of `add_arguments`."""
    languages = [tag.strip() for tag in options.languages.split(",") if tag.strip()]
    name = options.name or "-".join(["demo", *languages])
    node_ids = [node_id] if node_id else [f"{name}-{number}" for number in range(1, count + 1)]
    nodes = [
        demo_node(
            options.url,
            each,
            languages=languages,
            behaviour=Behaviour(options.latency_ms, options.jitter_ms, options.failure_rate),
            concurrency=options.concurrency,
            token=options.token,
        )
        for each in node_ids
    ]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    print(f"{', '.join(node_ids)}: simulated, translating nothing", flush=True)
    asyncio.run(serve_until_signalled(nodes, DRAIN_S))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m parley.demo", description="Simulated nodes.")
    parser.add_argument("--count", type=_natural, default=1, help="how many")
    parser.add_argument("--node-id", help="the id of a single one")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    serve(options, count=options.count, node_id=options.node_id)


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1")
    return share


if __name__ == "__main__":
    main()

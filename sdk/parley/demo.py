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

from parley.audio import duration_ms, tone
from parley.frames import Gpu, ServiceTimings
from parley.job import Job, JobFailed, Result
from parley.node import DEFAULT_URL, Node, serve_until_signalled
from parley.profile import Profile
from parley.usage import idle

DRAIN_S = 2.0
VERSION = "demo (simulated)"


@dataclass(frozen=True)
class Behaviour:
    """How a simulated node works: a delay of `delay_ms` ± `jitter_ms`, and a part that fails."""

    delay_ms: int = 300
    jitter_ms: int = 0
    failure_rate: float = 0.0

    async def __call__(self, job: Job) -> Result:
        delay_ms = max(0, self.delay_ms + random.randint(-self.jitter_ms, self.jitter_ms))
        seconds = duration_ms(job.audio, job.sample_rate) / 1000
        heard = f"[demo] {seconds:.1f} s of speech in {job.src_lang}"
        await asyncio.sleep(delay_ms / 2000)
        await job.partial(heard)
        await asyncio.sleep(delay_ms / 2000)
        if random.random() < self.failure_rate:
            raise JobFailed("PROCESSING_ERROR", "[demo] this node fails as it was asked to")
        return Result(
            text_asr=heard,
            text_translated=f"[demo] the same, said in {job.tgt_lang}",
            audio=tone(0.4),
            timings=ServiceTimings(asr_ms=delay_ms // 2, nmt_ms=delay_ms // 2, total_ms=delay_ms),
        )


def demo_node(
    url: str,
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
        usage=idle,
    )
    node = Node(url, node_id=node_id, token=token, profile=profile)
    node.translate(behaviour)
    return node


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGTERM or Ctrl-C."""
    options = _parser().parse_args(arguments)
    languages = [tag.strip() for tag in options.languages.split(",") if tag.strip()]
    behaviour = Behaviour(options.delay_ms, options.jitter_ms, options.failure_rate)
    names = [options.node_id] if options.node_id else []
    names = names or [f"demo-{number}" for number in range(1, options.count + 1)]
    nodes = [
        demo_node(
            options.url,
            name,
            languages=languages,
            behaviour=behaviour,
            concurrency=options.concurrency,
            token=options.token,
        )
        for name in names
    ]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    print(f"{', '.join(names)}: simulated, translating nothing, {' '.join(languages)}", flush=True)
    asyncio.run(serve_until_signalled(nodes, DRAIN_S))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m parley.demo", description="Simulated nodes.")
    parser.add_argument("--url", default=DEFAULT_URL)
    parser.add_argument("--token")
    names = parser.add_mutually_exclusive_group()
    names.add_argument("--node-id", help="the id of a single node")
    names.add_argument("--count", type=int, default=1, help="that many, demo-1, demo-2, …")
    parser.add_argument("--languages", default="en,zh,es,ja", help="default: %(default)s")
    parser.add_argument("--concurrency", type=int, default=2, help="jobs at once on each")
    parser.add_argument("--delay-ms", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--jitter-ms", type=int, default=0, help="more or less than the delay")
    parser.add_argument("--failure-rate", type=float, default=0.0, help="from 0 to 1")
    return parser


if __name__ == "__main__":
    main()

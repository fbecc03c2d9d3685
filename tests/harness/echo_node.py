"""A node as a process: ``python -m tests.harness.echo_node URL NAME DELAY_MS SLOTS``.

It answers with which utterance it was and a digest of what it heard, and says the same again.
"""

import asyncio
import hashlib
import sys

from parley import Job, Node, Profile, Result
from parley.frames import Gpu
from parley.usage import idle


def digest(audio: bytes) -> str:
    """What the answer to this sound says was heard."""
    return hashlib.sha256(audio).hexdigest()


def main(url: str, name: str, delay_ms: str, slots: str) -> None:
    """Serves until SIGTERM."""
    gpus = [Gpu("simulated", 8)]
    profile = Profile(["en", "zh"], concurrency=int(slots), gpus=gpus, usage=idle)
    node = Node(url, node_id=name, profile=profile)

    @node.translate
    async def echo(job: Job) -> Result:
        await asyncio.sleep(int(delay_ms) / 1000)
        which = f"{job.assign.session_id} {job.assign.session_utterance_index}"
        return Result(text_asr=digest(job.audio), text_translated=which, audio=job.audio)

    node.run()


if __name__ == "__main__":
    main(*sys.argv[1:])

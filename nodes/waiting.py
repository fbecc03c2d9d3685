"""Frames of a node, or answers to those that can't be understood, while its registration waits."""

from collections import deque

import structlog

from nodes.settings import NodeSettings
from parley.frames import Error, NodeFrame

log = structlog.get_logger(__name__)


class Waiting:
    """In the order in which they came; those over the bounds of the settings are left out."""

    def __init__(self, settings: NodeSettings) -> None:
        self._most_frames = settings.waiting_frames
        self._most_bytes = settings.waiting_bytes
        self._frames: deque[tuple[NodeFrame | Error, int]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: NodeFrame | Error, size: int) -> None:
        """``size``: bytes of the frame."""
        if len(self._frames) >= self._most_frames or self._bytes + size > self._most_bytes:
            log.warning("a frame is left out while its node registers", bytes=size)
            return
        self._frames.append((frame, size))
        self._bytes += size

    def next(self) -> NodeFrame | Error:
        """The first of them, which waits no more. IndexError when there is none."""
        frame, size = self._frames.popleft()
        self._bytes -= size
        return frame

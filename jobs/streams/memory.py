"""How much sound of utterances that are still being spoken a process holds."""


class Memory:
    """Of all open streams of a process: ``used`` bytes of ``utterances``, never more than
    ``limit_bytes``.

    The last quarter is for utterances that have begun: so it is the newest that find no room, and
    those before them come to their end.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used = 0
        self.utterances = 0

    def figures(self) -> dict[str, int]:
        """What there is now, for metrics."""
        return {"utterances": self.utterances, "bytes": self.used}

    def may_begin(self, size: int) -> bool:
        """Whether there is room for a new utterance whose first chunk has so many bytes."""
        return self.used + size <= self.limit_bytes * 3 // 4

    def may_grow(self, size: int) -> bool:
        """Whether there is room for further bytes of an utterance."""
        return self.used + size <= self.limit_bytes

    def change(self, before: int, after: int) -> None:
        """An utterance that had so many bytes has so many now."""
        self.used += after - before
        self.utterances += (after > 0) - (before > 0)

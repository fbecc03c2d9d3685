"""How long frames were on their way, as far as that can be known.

From a client or a node hither by the time that it puts in its frame, with its clock; from here to
a node by how soon it acknowledged the job. How long a result is on its way to the client only the
client can know: from ``scheduler_sent_at_ms``.
"""

BELIEVED_MS = 60_000
"""A clock that is further off than this says nothing of the way."""

_LOW = 2**32


def way_by_clocks_ms(sent_ms: float | None, received_ms: float) -> int | None:
    """From one clock to another; None when they differ too much."""
    if sent_ms is None:
        return None
    way = round(received_ms - sent_ms)
    return way if 0 <= way <= BELIEVED_MS else None


def way_of_low_bits_ms(sent_ms: int, received_ms: int) -> int | None:
    """The same where only the low 32 bits of the time were sent; 0 stands for none."""
    way = (received_ms - sent_ms) % _LOW
    return way if sent_ms and way <= BELIEVED_MS else None


def way_there_ms(round_ms: int | None, back_ms: int | None) -> int | None:
    """Of a frame that was acknowledged after ``round_ms``: without the way back, or half of it
    where that is not known, or was longer for a frame of another size.
    """
    if round_ms is None:
        return None
    if back_ms is None or back_ms > round_ms:
        return round(round_ms / 2)
    return round_ms - back_ms

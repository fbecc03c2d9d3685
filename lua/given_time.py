"""Scripts whose time is handed in: the one seam for tests and simulations. No service uses it.

``include/clock.lua`` asks Redis for its ``TIME`` in one line, and nothing else in the scripts knows
any time. With :func:`at_given_time` as the ``edit`` of :func:`lua.composer.compose` that line reads
the last argument of the call instead, in microseconds, after all that the header names::

    dispatch = compose(read("dispatch"), limits, at_given_time)
    client.execute_command("EVAL", dispatch.text, 1, cell, *arguments, now_us)

The microseconds of the second are also the seed by which ``choose`` draws lots, so they should
differ from call to call. What Redis itself ends (a TTL) goes by its own clock.
"""

from lua.composer import strip

CLOCK = "instant = call('TIME')"
GIVEN_CLOCK = (
    "instant = { math.floor(tonumber(ARGV[#ARGV]) / 1000000), tonumber(ARGV[#ARGV]) % 1000000 }"
)
START_MS = 1_800_000_000_000
"""A time to begin at: later than what the scripts count from, 2026."""


def at_given_time(text: str) -> str:
    """A file's text as it is sent, with the time taken from the call's last argument."""
    return strip(text.replace(CLOCK, GIVEN_CLOCK))

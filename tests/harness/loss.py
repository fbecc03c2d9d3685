"""Redis loses what it knows: of one test, whose keys have a prefix of their own."""

import redis

FORGET = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', key) end"


def forget_everything(url: str, prefix: str) -> None:
    """As FLUSHALL, at one moment, for all keys that begin with this."""
    with redis.Redis.from_url(url, protocol=2) as client:
        client.eval(FORGET, 0, f"{prefix}*")

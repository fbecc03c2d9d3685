"""The service's times, in seconds: the defaults, unless the variable of a setting says otherwise.

A service of the suite's own is started with `SHORT`.
"""

from __future__ import annotations

import os

SHORT = {
    "PARLEY_INIT_TIMEOUT_MS": "2000",
    "PARLEY_REGISTER_TIMEOUT_MS": "2500",
    "PARLEY_PAUSE_MS": "1000",
    "PARLEY_FLUSH_MS": "1000",
    "PARLEY_GAP_MS": "1000",
    "PARLEY_PATIENT_GAP_MS": "1500",
    "PARLEY_WAIT_LIMIT_MS": "1500",
    "PARLEY_STREAM_TIMEOUT_MS": "500",
}
DEFAULTS = {
    "PARLEY_INIT_TIMEOUT_MS": 10_000,
    "PARLEY_REGISTER_TIMEOUT_MS": 30_000,
    "PARLEY_PAUSE_MS": 5_000,
    "PARLEY_FLUSH_MS": 2_000,
    "PARLEY_GAP_MS": 5_000,
    "PARLEY_PATIENT_GAP_MS": 8_000,
    "PARLEY_WAIT_LIMIT_MS": 10_000,
    "PARLEY_STREAM_TIMEOUT_MS": 3_000,
}
IS_OWN = "PARLEY_URL" not in os.environ


def seconds(variable: str) -> float:
    """Of a setting of the service under test."""
    told = SHORT.get(variable) if IS_OWN else os.environ.get(variable)
    return int(told or DEFAULTS[variable]) / 1000

"""docs/protocol.md names every message, field, code and setting that the code has, and no other."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec.structs import fields

from jobs.settings import SocketSettings
from parley.codes import ErrorCode
from parley.frames import NodeFrame, SessionFrame, ToNode, ToSession, frame_type

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
QUOTED = set(re.findall(r"`([^`\n]+)`", TEXT))
FRAMES = {
    frame_type(frame): frame
    for union in (NodeFrame, SessionFrame, ToNode, ToSession)
    for frame in get_args(union)
}


@pytest.mark.parametrize("name", sorted(FRAMES))
def test_every_message_is_there(name: str) -> None:
    assert name in QUOTED


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_every_field_is_there(frame: type[msgspec.Struct]) -> None:
    assert {field.encode_name for field in fields(frame)} <= QUOTED


def test_every_code_is_there_and_no_other() -> None:
    section = TEXT.split("### 1.6 Codes")[1].split("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]+)`", section)) == {*ErrorCode}


def test_the_largest_frame_is_that_of_the_settings() -> None:
    assert f"{SocketSettings().max_frame_bytes // 2**20} MiB" in TEXT

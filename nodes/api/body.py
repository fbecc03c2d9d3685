"""The bodies of a node's requests: frames of its socket, but for what the path says already."""

from typing import Any

import msgspec

from parley.frames import FrameError, NodeFrame, decode_node_frame

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def frame_from(raw: bytes, type_: str, **given: Any) -> NodeFrame:
    """A frame of that type. ``given``: fields that the path says; a body may repeat them.

    Raises FrameError.
    """
    try:
        body = _decode(raw or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FrameError("The body is not a JSON object.", expected="object") from None
    for name, value in {"type": type_, **given}.items():
        encoded = _encode(value)
        said = body.setdefault(name, msgspec.Raw(encoded))
        if bytes(said) != encoded:
            raise FrameError(
                f"{type_}: {name} is not that of the path.",
                field=name,
                expected=encoded.decode(),
                type=type_,
            )
    return decode_node_frame(_encode(body))

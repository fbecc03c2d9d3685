"""From sound to the frame that a session sends for it."""

from __future__ import annotations

import uuid
from typing import Final

from parley.audio import SAMPLE_RATE, AudioError
from parley.frames import SessionInit, Utterance, to_base64

MOST_BYTES: Final = (8 * 2**20 - 4096) // 4 * 3
"""Of the sound of one utterance: in base64 it has to fit in a frame, which may have 8 MiB."""


def utterance_of(init: SessionInit, pcm16: bytes) -> Utterance:
    """Made as the session was; its index and the id of its session are not known yet.

    Raises `AudioError` for sound that is too long: the server would end the connection.
    """
    if len(pcm16) > MOST_BYTES:
        raise AudioError(f"an utterance has at most {MOST_BYTES // (2 * SAMPLE_RATE)} s of sound")
    return Utterance(
        session_id="",
        utterance_index=0,
        manual_cut=True,
        src_lang=init.src_lang,
        tgt_lang=init.tgt_lang,
        audio_format="pcm16",
        sample_rate=SAMPLE_RATE,
        audio=to_base64(pcm16),
        dialect=init.dialect,
        features=init.features,
        mode=init.mode,
        lang_a=init.lang_a,
        lang_b=init.lang_b,
        auto_langs=init.auto_langs,
        enable_streaming_asr=init.enable_streaming_asr,
        trace_id=uuid.uuid4().hex,
    )

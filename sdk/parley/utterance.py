"""From sound to the frame that a session sends for it."""

from __future__ import annotations

import uuid

from parley.audio import SAMPLE_RATE
from parley.frames import SessionInit, Utterance, to_base64


def utterance_of(init: SessionInit, pcm16: bytes) -> Utterance:
    """Made as the session was; its index and the id of its session are not known yet."""
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

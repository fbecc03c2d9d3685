"""What a node says of itself when it registers and with every heartbeat."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from parley.frames import (
    Capability,
    Features,
    Gpu,
    Hardware,
    InstalledModel,
    InstalledService,
    LangCapabilities,
    NodeHeartbeat,
    NodeRegister,
)
from parley.usage import Measured, Usage, memory_gb

CORE_TYPES = ("asr", "nmt", "tts", "semantic")
PLATFORMS = {"Windows": "windows", "Darwin": "macos"}


@dataclass
class Profile:
    """A node's capabilities. Languages are BCP-47 tags; what is None is as `languages`.

    `types` are the services that it offers (asr, nmt, tts, semantic, tone); without semantic repair
    a node is in no pool. `nmt_pairs` None means any pair. `concurrency` is how many jobs it takes
    at once; 0 lets it queue for its own GPU.
    """

    languages: Sequence[str]
    asr_languages: Sequence[str] | None = None
    tts_languages: Sequence[str] | None = None
    nmt_pairs: Sequence[tuple[str, str]] | None = None
    types: Sequence[str] = CORE_TYPES
    concurrency: int = 2
    gpus: Sequence[Gpu] = ()
    models: Sequence[InstalledModel] = ()
    features: Features = field(default_factory=Features)
    accept_public_jobs: bool = True
    audio_formats: Sequence[str] = ("pcm16",)
    version: str = "parley-sdk 0.1.0"
    usage: Usage = field(default_factory=Measured)

    def register(
        self, node_id: str | None, running: Sequence[str] | None, *, ready: bool
    ) -> NodeRegister:
        """The first message; `running` are the jobs kept over a reconnect."""
        return NodeRegister(
            version=self.version,
            platform=PLATFORMS.get(platform.system(), "linux"),
            hardware=Hardware(os.cpu_count() or 1, memory_gb(), list(self.gpus) or None),
            installed_models=list(self.models),
            capability_by_type=self._capabilities(ready=ready),
            features_supported=self.features,
            accept_public_jobs=self.accept_public_jobs,
            node_id=node_id,
            capability_schema_version="2.0",
            installed_services=self._services(),
            language_capabilities=self._languages(),
            max_concurrent_jobs=self.concurrency,
            nmt_pairs=None if self.nmt_pairs is None else list(self.nmt_pairs),
            running_job_ids=None if running is None else list(running),
            audio_formats=list(self.audio_formats),
        )

    def heartbeat(self, node_id: str, running: int, *, ready: bool) -> NodeHeartbeat:
        """The state now; `ready` false asks for no more jobs."""
        return NodeHeartbeat(
            node_id=node_id,
            timestamp=time.time_ns() // 1_000_000,
            resource_usage=self.usage(running),
            installed_services=self._services(),
            capability_by_type=self._capabilities(ready=ready),
            language_capabilities=self._languages(),
            max_concurrent_jobs=self.concurrency,
        )

    def _capabilities(self, *, ready: bool) -> list[Capability]:
        reason = None if ready else "draining"
        return [Capability(name, ready, reason) for name in self.types]

    def _services(self) -> list[InstalledService]:
        device = "gpu" if self.gpus else "cpu"
        return [InstalledService(name, name, device, "running") for name in self.types]

    def _languages(self) -> LangCapabilities:
        every = list(self.languages)
        asr, tts = self.asr_languages, self.tts_languages
        return LangCapabilities(
            asr_languages=every if asr is None else list(asr),
            tts_languages=every if tts is None else list(tts),
            semantic_languages=every if "semantic" in self.types else [],
            semantic_core_ready="semantic" in self.types,
        )

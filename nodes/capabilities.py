"""What a node says of itself, and what selection must know of it.

A :class:`Description` is made of a ``node_register`` and kept up to date by the heartbeats; it
becomes the ``Node`` that :func:`lua.scripts.register_node` and ``heartbeat`` take.
"""

from collections.abc import Collection
from typing import Self

import msgspec

from lua.scripts import Node
from nodes.settings import NodeSettings
from parley.frames import (
    Capability,
    Features,
    Hardware,
    InstalledModel,
    InstalledService,
    LangCapabilities,
    NodeHeartbeat,
    NodeRegister,
)
from pools.configuration import Configuration
from pools.definition import Capabilities, ready_types
from pools.languages import own_code, primaries, primary
from pools.matching import match
from pools.modules import CORE_TYPES, dialect_value

MOST_SLOTS = 10_000  # the packed record of a node counts to 65,535


class Description(msgspec.Struct, omit_defaults=True):
    """Everything a node has told of itself, with the names it has on the wire."""

    version: str
    platform: str
    hardware: Hardware
    installed_models: list[InstalledModel]
    installed_services: list[InstalledService]
    capability_by_type: list[Capability]
    features_supported: Features
    accept_public_jobs: bool
    language_capabilities: LangCapabilities
    advanced_features: list[str] = []
    max_concurrent_jobs: int | None = None
    nmt_pairs: list[tuple[str, str]] | None = None
    audio_formats: list[str] | None = None
    audio_ref: bool = False
    gpu_seen: bool = False

    @classmethod
    def of(cls, frame: NodeRegister) -> Self:
        """As registered."""
        return cls(
            version=frame.version,
            platform=frame.platform,
            hardware=frame.hardware,
            installed_models=frame.installed_models,
            installed_services=frame.installed_services or [],
            capability_by_type=frame.capability_by_type,
            features_supported=frame.features_supported,
            accept_public_jobs=frame.accept_public_jobs,
            language_capabilities=frame.language_capabilities or LangCapabilities(),
            advanced_features=frame.advanced_features or [],
            max_concurrent_jobs=frame.max_concurrent_jobs,
            nmt_pairs=frame.nmt_pairs,
            audio_formats=frame.audio_formats,
            audio_ref=bool(frame.audio_ref),
            gpu_seen=bool(frame.hardware.gpus),
        )

    @classmethod
    def read(cls, caps: bytes) -> Self:
        """As it is kept with the node, in JSON."""
        return msgspec.json.decode(caps, type=cls)

    def update(self, beat: NodeHeartbeat) -> None:
        """What a heartbeat leaves out stays as it was."""
        self.installed_services = beat.installed_services
        self.capability_by_type = beat.capability_by_type
        if beat.installed_models is not None:
            self.installed_models = beat.installed_models
        if beat.language_capabilities is not None:
            self.language_capabilities = beat.language_capabilities
        if beat.max_concurrent_jobs is not None:
            self.max_concurrent_jobs = beat.max_concurrent_jobs
        if beat.resource_usage.gpu_mem_percent is not None:
            self.gpu_seen = True

    def codes(self, src: str, tgt: str) -> tuple[str, str]:
        """The languages of a job in this node's own codes."""
        known = self.language_capabilities
        heard = known.asr_languages or known.semantic_languages or []
        said = known.semantic_languages or known.tts_languages or []
        return own_code(src, tuple(heard)), own_code(tgt, tuple(said))

    def ready_types(self, out: Collection[str] = ()) -> frozenset[str]:
        """Types that work, but for those whose every ready service is in ``out`` (service ids)."""
        return ready_types(
            [(entry.type, entry.ready) for entry in self.capability_by_type],
            ((one.service_id, one.type, one.status) for one in self.installed_services),
            semantic_core=bool(self.language_capabilities.semantic_core_ready),
            out=out,
        )

    def capabilities(self, out: Collection[str] = ()) -> Capabilities:
        """What decides its pools."""
        known = self.language_capabilities
        return Capabilities(
            types=self.ready_types(out),
            semantic=primaries(known.semantic_languages or ()),
            asr=_languages(known.asr_languages),
            tts=_languages(known.tts_languages),
            pairs=_pairs(self.nmt_pairs),
            formats=_formats(self.audio_formats),
            audio_ref=self.audio_ref,
            models=frozenset(model.kind for model in self._models()),
            dialects=frozenset(filter(None, map(_dialect, self._models()))),
        )

    def _models(self) -> list[InstalledModel]:
        """Those that are in use."""
        return [model for model in self.installed_models if model.enabled is not False]

    def node(
        self,
        node: str,
        configuration: Configuration,
        settings: NodeSettings,
        *,
        hot: bool = False,
        out: Collection[str] = (),
    ) -> Node:
        """What the scripts are told of the node named ``node``."""
        capabilities = self.capabilities(out)
        memberships = match(capabilities, configuration)
        slots = self.max_concurrent_jobs
        if slots is None:
            slots = settings.max_concurrent_jobs
        definition = memberships.definition
        return Node(
            capacity=min(slots, MOST_SLOTS),
            arbitrates=slots == 0,
            public=self.accept_public_jobs,
            enabled=node not in configuration.disabled,
            core=capabilities.types >= CORE_TYPES,
            gpu=self.gpu_seen or not settings.require_gpu,
            hot=hot,
            config=configuration.version,
            pools=list(memberships.pools),
            has=list(memberships.has),
            out=sorted(out),
            definition=definition.encoded().decode() if definition else "",
            reasons=msgspec.json.encode(memberships.reasons, order="sorted").decode(),
            caps=msgspec.json.encode(self).decode(),
        )


def is_hot(beat: NodeHeartbeat, settings: NodeSettings) -> bool:
    """Whether CPU, GPU or memory is at the threshold or over it."""
    usage = beat.resource_usage
    loads = (usage.cpu_percent, usage.gpu_percent, usage.mem_percent)
    return any(load is not None and load >= settings.resource_threshold_percent for load in loads)


def _dialect(model: InstalledModel) -> str:
    """The dialect that a model of speech recognition is for, as a ``has:`` value, or empty."""
    if model.kind != "asr" or not model.dialect or not model.src_lang:
        return ""
    return dialect_value(primary(model.src_lang), model.dialect)


def _languages(tags: list[str] | None) -> frozenset[str] | None:
    return None if tags is None else primaries(tags)


def _pairs(pairs: list[tuple[str, str]] | None) -> frozenset[tuple[str, str]] | None:
    if pairs is None:
        return None
    return frozenset((primary(src), primary(tgt)) for src, tgt in pairs)


def _formats(names: list[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(name.lower() for name in names)

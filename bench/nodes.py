"""How benches describe and register a node."""

from collections.abc import Collection

from lua.scripts import Node, Registration


def described(
    *,
    capacity: int,
    pools: Collection[str],
    has: Collection[str],
    definition: str,
    reasons: str = "{}",
    caps: str = "{}",
    config: int = 0,
) -> Node:
    """A public node that is well and has every core type."""
    return Node(
        capacity=capacity,
        arbitrates=False,
        public=True,
        enabled=True,
        core=True,
        gpu=True,
        hot=False,
        config=config,
        pools=list(pools),
        has=list(has),
        out=[],
        definition=definition,
        reasons=reasons,
        caps=caps,
    )


def registration(node: str, about: Node, *, conn: str, process: str) -> bytes:
    """What ``register_node`` takes of a node that holds nothing."""
    return Registration(
        node=node,
        conn=conn,
        process=process,
        credential="",
        address="192.0.2.1",
        draining=False,
        about=about,
        running=None,
        held=None,
    ).packed()

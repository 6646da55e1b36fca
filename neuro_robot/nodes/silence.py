"""Why nothing arrives on a topic, in words that name the remedy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from neuro_robot.bags.topics import EVENT_PACKET


@dataclass(frozen=True)
class Endpoint:
    """A publisher or subscriber as discovery shows it."""

    node: str
    type: str
    reliable: bool = True
    transient_local: bool = False
    type_hash: str = ""  # empty where the distribution has none


def publishers(node: Node, topic: str) -> list[Endpoint]:
    """Who publishes on a topic (full name)."""
    return [_endpoint(info) for info in node.get_publishers_info_by_topic(topic)]


def subscribers(node: Node, topic: str) -> list[Endpoint]:
    """Who subscribes to a topic (full name)."""
    return [_endpoint(info) for info in node.get_subscriptions_info_by_topic(topic)]


def event_topics(node: Node) -> list[str]:
    """Topics on which somebody publishes event packets."""
    names = [name for name, kinds in node.get_topic_names_and_types() if EVENT_PACKET in kinds]
    return [name for name in names if node.count_publishers(name)]


def no_packets(
    topic: str, found: Sequence[Endpoint], others: Sequence[str], *, reliable: bool, type_hash: str, silent_s: float
) -> str:
    """Why no event packets come on `topic`, whose publishers are `found`; `others` are topics that have packets.

    `reliable`: what the subscription asks for; `type_hash`: of the message that this process was built with.
    """
    if not found:
        elsewhere = [name for name in others if name != topic]
        if elsewhere:
            return (
                f"nobody publishes on {topic}; event packets are on {', '.join(elsewhere)}: remap events to that topic"
            )
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        return (f"nobody publishes on {topic}, and no other topic has event packets: start a camera driver or player, "
                f"in the same ROS_DOMAIN_ID (here {domain}) and discovery range")  # fmt: skip
    good = [one for one in found if one.type == EVENT_PACKET]
    if not good:
        kinds = ", ".join(sorted({one.type for one in found}))
        return f"{topic} carries {kinds}, not {EVENT_PACKET}: set the driver to event packets, or remap events"
    names = ", ".join(sorted({one.node for one in good}))
    if reliable and not any(one.reliable for one in good):
        return (f"{names} publishes {topic} best effort, and this node asks for reliable (QoS): "
                "set its parameter reliable to false")  # fmt: skip
    hashes = {one.type_hash for one in good} - {""}
    if type_hash and hashes and type_hash not in hashes:
        return f"{names} has another definition of {EVENT_PACKET} (type hash): build both with the same message package"
    return (f"{names} publishes {topic}, but no packet has come for {silent_s:.0f} s: is the camera streaming, "
            "or the player paused or at its end?")  # fmt: skip


def no_viewer(topic: str, found: Sequence[Endpoint]) -> str:
    """Why nobody sees the pictures on `topic`, though `found` ask for them; empty when nobody asks."""
    if not found:
        return ""
    names = ", ".join(sorted({one.node for one in found}))
    if all(one.transient_local for one in found):
        return f"{names} asks for {topic} transient local (QoS), and pictures are volatile: set it to volatile there"
    return f"{names} asks for {topic}, but is not connected: another type of message, or discovery is not through yet"


def _endpoint(info: Any) -> Endpoint:  # noqa: ANN401 - TopicEndpointInfo
    space = info.node_namespace.rstrip("/")
    profile = info.qos_profile
    hashed = getattr(info, "topic_type_hash", None)
    return Endpoint(
        node=f"{space}/{info.node_name}",
        type=info.topic_type,
        reliable=profile.reliability != ReliabilityPolicy.BEST_EFFORT,
        transient_local=profile.durability == DurabilityPolicy.TRANSIENT_LOCAL,
        type_hash="" if hashed is None else str(hashed),
    )

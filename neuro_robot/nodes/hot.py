"""Subscriptions on the fast path: taken straight from the middleware, past the executor.

rclpy's executor builds a wait set of everything a node has for each callback (a lifecycle node has a dozen services):
0.2 to 0.3 ms a message, too slow for 500 packets a second through three processes. What is hot is waited for and taken
here; everything else stays with the executor, which looks in every few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

Callback = Callable[[Any, dict[str, int]], None]  # message (or its bytes) and info: source_timestamp in ns, ...


class HiddenGroup(CallbackGroup):  # type: ignore[misc] # rclpy has no types here
    """A callback group whose members no executor may run."""

    def can_execute(self, entity: object) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def beginning_execution(self, entity: object) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def ending_execution(self, entity: object) -> None:
        """Nothing began."""


class HotSubscriptions:
    """A node's fast subscriptions, served in the order in which they were added."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._group = HiddenGroup()
        self._entries: list[tuple[Subscription, Callback]] = []

    def add(self, kind: Any, topic: str, callback: Callback, profile: QoSProfile, raw: bool = False) -> None:  # noqa: ANN401
        """Subscribe; `raw` hands the serialised bytes on."""
        subscription = self._node.create_subscription(
            kind, topic, lambda _message: None, profile, callback_group=self._group, raw=raw
        )
        self._entries.append((subscription, callback))

    def wait(self, timeout_s: float) -> None:
        """Until a message is there, at most timeout_s."""
        handles = [subscription.handle for subscription, _ in self._entries]
        waiting = _rclpy.WaitSet(len(handles), 0, 0, 0, 0, 0, self._node.context.handle)
        waiting.clear_entities()
        for handle in handles:
            with handle:
                waiting.add_subscription(handle)
        waiting.wait(max(0, int(timeout_s * 1e9)))

    def take(self, most: int = 1000) -> None:
        """Hand on what is there: all of the first topic, then of the second, ...; at most so many of each."""
        for subscription, callback in self._entries:
            for _ in range(most):
                with subscription.handle:
                    taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
                if taken is None:
                    break
                callback(taken[0], taken[1])

    def close(self) -> None:
        """Unsubscribe."""
        for subscription, _ in self._entries:
            self._node.destroy_subscription(subscription)
        self._entries.clear()

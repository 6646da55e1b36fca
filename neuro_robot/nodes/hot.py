"""Subscriptions on the fast path: taken straight from the middleware, past the executor.

rclpy's executor builds a wait set of everything a node has for each callback (a lifecycle node has a dozen services):
0.2 to 0.3 ms a message, too slow for 500 packets a second through three processes. What is hot is waited for and taken
here; everything else stays with the executor, which looks in every few milliseconds.

rclpy has no public way to do this. What is used of its inside (the wait set and `take_message`) is the same from Humble
to Kilted; where it is not there, the executor serves these subscriptions like any other, and slower.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

try:
    from rclpy.impl.implementation_singleton import rclpy_implementation as _rclpy
except ImportError:
    _rclpy: Any = None  # type: ignore[no-redef]

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
    """A node's fast subscriptions; those that were added first are served first."""

    fast = True  # False: the executor serves them

    def __init__(self, node: Node, fast: bool | None = None) -> None:
        """`fast` None: if rclpy has what it needs."""
        self._node = node
        self._group = HiddenGroup()
        self._entries: list[tuple[Subscription, Callback]] = []
        self.fast = _supported(node) if fast is None else fast

    def add(self, kind: Any, topic: str, callback: Callback, profile: QoSProfile, raw: bool = False) -> None:  # noqa: ANN401
        """Subscribe; `raw` hands the serialised bytes on."""

        def called(message: Any) -> None:  # noqa: ANN401 - the executor has no time of publication for it
            callback(message, {"source_timestamp": time.time_ns()})

        group = self._group if self.fast else None
        subscription = self._node.create_subscription(kind, topic, called, profile, callback_group=group, raw=raw)
        self._entries.append((subscription, callback))

    def wait(self, timeout_s: float) -> None:
        """Until a message is there, at most timeout_s."""
        handles = [subscription.handle for subscription, _ in self._entries]
        waiting = _wait_set(self._node, len(handles))
        for handle in handles:
            with handle:
                waiting.add_subscription(handle)
        waiting.wait(max(0, int(timeout_s * 1e9)))

    def take(self, most: int = 1000) -> None:
        """Hand on what is there, at most so many of each topic; each time of the first topic that has one.

        So a node that is late reads every waiting sample before the next packet, and does not take its senses for
        silent.
        """
        left = [most if self.fast else 0] * len(self._entries)
        while self._take_one(left):
            pass

    def _take_one(self, left: list[int]) -> bool:
        for number, (subscription, callback) in enumerate(self._entries):
            if not left[number]:
                continue
            with subscription.handle:
                taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is not None:
                left[number] -= 1
                callback(taken[0], taken[1])
                return True
        return False

    def close(self) -> None:
        """Unsubscribe."""
        for subscription, _ in self._entries:
            self._node.destroy_subscription(subscription)
        self._entries.clear()


def _wait_set(node: Node, subscriptions: int) -> Any:  # noqa: ANN401 - of rclpy's compiled part
    waiting = _rclpy.WaitSet(subscriptions, 0, 0, 0, 0, 0, node.context.handle)
    waiting.clear_entities()
    return waiting


def _supported(node: Node) -> bool:
    try:
        return hasattr(_wait_set(node, 0), "add_subscription") and hasattr(_rclpy.Subscription, "take_message")
    except (AttributeError, TypeError):
        return False

"""Nodes that configure and activate themselves, for `ros2 run` without anybody who manages their lifecycle."""

from __future__ import annotations

from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import TransitionCallbackReturn

from neuro_robot.nodes.core import CoreNode


def start_by_itself(node: CoreNode) -> None:
    """Configure and activate the node as soon as it is spun; it ends with status 1 when it refuses."""

    def start() -> None:
        timer.cancel()
        for step in (node.trigger_configure, node.trigger_activate):
            if step() != TransitionCallbackReturn.SUCCESS:
                node.exit_code, node.done = 1, True
                return

    timer: Any = node.create_timer(0.0, start, clock=Clock(clock_type=ClockType.STEADY_TIME))

"""Somebody else's node beside a run: commands velocities, sets parameters and calls services, by the clock."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import rclpy
from geometry_msgs.msg import TwistStamped
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from std_srvs.srv import Trigger

from neuro_robot.bags.topics import CLOCK, COMMAND
from neuro_robot.nodes.bringup import isolate
from neuro_robot.nodes.core import qos

CALL = "call"  # a change of this name calls the service that is its value


class Helm:
    """As a context manager: at it until the end.

    wishes: (from when, s; (m/s ahead, rad/s)); changes: (when, s; parameter; value), each after the answer to the last.
    """

    def __init__(self, controller: str, changes: Sequence[tuple[float, str, object]],
                 wishes: Sequence[tuple[float, tuple[float, float]]] = ()) -> None:  # fmt: skip
        isolate()
        self._controller, self._changes, self._wishes = controller, list(changes), wishes
        self.answers: list[str] = []  # why each change was refused; empty: it was not
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._steer)

    def __enter__(self) -> Helm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _steer(self) -> None:
        context = Context()
        rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
        node = Node("helm", context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        now = [-1.0]
        heard = lambda m: now.append(m.clock.sec + 1e-9 * m.clock.nanosec)  # noqa: E731
        node.create_subscription(Clock, CLOCK.name, heard, qos(CLOCK))
        publisher = node.create_publisher(TwistStamped, COMMAND.name, qos(COMMAND)) if self._wishes else None
        setting = node.create_client(SetParameters, f"/{self._controller}/set_parameters")
        services = {name: node.create_client(Trigger, f"/{self._controller}/{name}") for _, call, name in self._changes
                    if call == CALL}  # fmt: skip
        asked = []
        while not self._stop.is_set():
            executor.spin_once(timeout_sec=0.005)
            wish = [value for t_s, value in self._wishes if t_s <= now[-1]]
            if publisher is not None and wish:
                message = TwistStamped()
                message.twist.linear.x, message.twist.angular.z = wish[-1]
                publisher.publish(message)
            while self._changes and self._changes[0][0] <= now[-1] and all(item.done() for item in asked[-1:]):
                _, name, value = self._changes.pop(0)
                if name == CALL:
                    asked.append(services[value].call_async(Trigger.Request()))
                else:
                    change = Parameter(name, value=value).to_parameter_msg()
                    asked.append(setting.call_async(SetParameters.Request(parameters=[change])))
        self.answers = [_reason(item.result()) for item in asked if item.done()]
        executor.shutdown()
        node.destroy_node()
        rclpy.shutdown(context=context)


def _reason(answer: SetParameters.Response | Trigger.Response) -> str:
    if isinstance(answer, Trigger.Response):
        return "" if answer.success else answer.message
    return answer.results[0].reason

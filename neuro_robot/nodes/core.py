"""What all nodes share: lifecycle with readable refusals, quality of service by topic, one way to run and to end."""

from __future__ import annotations

import gc
import math
import os
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions

from neuro_robot.bags.topics import DIAGNOSTICS, Topic
from neuro_robot.errors import NeuroRobotError
from neuro_robot.graph import PARENT
from neuro_robot.nodes.conversions import diagnostics_message
from neuro_robot.nodes.hot import HotSubscriptions
from neuro_robot.nodes.parameters import ROS_OWN, check_change, declare, with_whole_numbers

POLL_S = 0.05  # how long a stop request may go unnoticed while nothing happens
FLUSH_S = 1.0
COLD_S = 0.01  # how long timers and services may have to wait beside the fast path


def qos(topic: Topic, depth: int | None = None) -> QoSProfile:
    """The topic's quality of service."""
    policy = ReliabilityPolicy.RELIABLE if topic.reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=topic.depth if depth is None else depth, reliability=policy)


class CoreNode(LifecycleNode):  # type: ignore[misc] # rclpy has no types here
    """A lifecycle node with parameters from a declared group.

    Subclasses implement `configure`, `activate`, `deactivate` and `cleanup`; a NeuroRobotError in the first two
    refuses the transition and says why. `dynamic` names the parameters that may change once configured.
    """

    dynamic: frozenset[str] = frozenset()

    def __init__(self, name: str, kind: type) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True)
        self._kind = kind
        self._configured = False
        self.active = False
        self.done = False
        self.exit_code = 0
        self.hot: HotSubscriptions | None = None  # served while active
        self.due = math.inf  # monotonic time at which on_due is wanted, s
        declare(self, kind)
        self.add_on_set_parameters_callback(self._may_change)
        if hasattr(self, "add_pre_set_parameters_callback"):  # not yet in Humble
            self.add_pre_set_parameters_callback(lambda items: with_whole_numbers(kind, items))
        self._diagnostics = self.create_publisher(DiagnosticArray, DIAGNOSTICS.name, qos(DIAGNOSTICS))

    def configure(self) -> None:
        """Read parameters, build the core, create publishers and subscriptions."""

    def activate(self) -> None:
        """Begin."""

    def deactivate(self) -> None:
        """Pause; activate goes on from here."""

    def cleanup(self) -> None:
        """Give back what configure took; called once for each configure, also on the way out."""

    def change(self, name: str, value: Any) -> Callable[[], object]:  # noqa: ANN401 - whatever type the parameter has
        """What sets a dynamic parameter; it is called once all that are set together have been found good.

        Raises NeuroRobotError, with nothing changed, to refuse the value.
        """
        raise NotImplementedError(name)

    def on_due(self) -> None:
        """The time `due` has come."""

    def report(self, level: str, text: str, values: Mapping[str, object]) -> None:
        """One status on /diagnostics under this node's full name."""
        stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(diagnostics_message(stamp, self.get_fully_qualified_name(), level, text, values))

    def flush(self) -> None:
        """Give the last report time to arrive: whoever waits for this process to end wants to know how it ended."""
        if self.context.ok():
            self._diagnostics.wait_for_all_acked(Duration(seconds=FLUSH_S))

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle."""
        if not self._tried(self.configure):
            self._tried(self.cleanup)
            return TransitionCallbackReturn.FAILURE
        self._configured = True
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle."""
        result = super().on_activate(state)
        if result == TransitionCallbackReturn.SUCCESS and not self._tried(self.activate):
            super().on_deactivate(state)
            return TransitionCallbackReturn.FAILURE
        self.active = result == TransitionCallbackReturn.SUCCESS
        gc.collect()
        gc.freeze()  # what exists by now stays: the collector need not look at it in flight
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle."""
        self.active = False
        self._tried(self.deactivate)
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle."""
        self.release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle."""
        self.release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Lifecycle: an unexpected error leaves the node unconfigured, not dead."""
        self.release()
        super().on_error(state)
        return TransitionCallbackReturn.SUCCESS

    def release(self) -> None:
        """Deactivate and clean up, whatever state this is; safe to call twice."""
        if self.active:
            self.active = False
            self._tried(self.deactivate)
        if self._configured:
            self._configured = False
            self._tried(self.cleanup)

    def _tried(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except NeuroRobotError as error:
            self.get_logger().error(str(error))
            return False
        except Exception as error:  # noqa: BLE001 - rclpy would swallow it without a word
            self.get_logger().error(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
            return False
        return True

    def _may_change(self, items: list[Parameter[Any]]) -> Any:  # noqa: ANN401 - SetParametersResult
        result = check_change(self._kind, items)
        if not result.successful or not self._configured:
            return result
        own = [item for item in items if item.name not in ROS_OWN]
        fixed = [item.name for item in own if item.name not in self.dynamic]
        if fixed:
            result.successful = False
            result.reason = f"{fixed[0]} takes effect at configure: `ros2 lifecycle set` deactivate and cleanup first"
            return result
        try:
            for deed in [self.change(item.name, item.value) for item in own]:
                deed()
        except NeuroRobotError as error:
            result.successful, result.reason = False, str(error)
        return result


class StopRequest:
    """SIGINT or SIGTERM, noted and acted on between two callbacks, so that nothing is torn in the middle."""

    def __init__(self) -> None:
        self.received = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.received = True


def run(make: Callable[[], CoreNode]) -> int:
    """Run one node until it is done or told to stop; the exit status: 0 unless it failed.

    Once it leaves, stop signals count no more: Ctrl-C reaches a node twice, from the terminal and from `ros2 launch`,
    and the second one shall not end an orderly end.
    """
    stop = StopRequest()
    _on_stop_signals(stop)
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        return _spin(make, stop)
    finally:
        rclpy.try_shutdown()
        _on_stop_signals(signal.SIG_IGN)


def _on_stop_signals(handler: StopRequest | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _spin(make: Callable[[], CoreNode], stop: StopRequest) -> int:
    try:
        node = make()
    except NeuroRobotError as error:
        rclpy.logging.get_logger("neuro_robot").fatal(str(error))
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while rclpy.ok() and not stop.received and not node.done and not _orphaned():
            if node.active and node.hot is not None:
                _serve(node, node.hot, executor)
            else:
                executor.spin_once(timeout_sec=POLL_S)
    finally:
        node.release()
        node.flush()
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
    return node.exit_code


def _orphaned() -> bool:
    parent = os.environ.get(PARENT)
    return parent is not None and str(os.getppid()) != parent


def _serve(node: CoreNode, hot: HotSubscriptions, executor: SingleThreadedExecutor) -> None:
    """The fast path for a moment, then a look at everything else."""
    until = time.monotonic() + COLD_S
    while node.active and not node.done and (now := time.monotonic()) < until:
        left = min(until, node.due) - now
        if now >= node.due:
            node.on_due()
        elif hot.fast:
            hot.wait(left)
        else:
            executor.spin_once(timeout_sec=left)
        hot.take()
    executor.spin_once(timeout_sec=0.0)

"""Brings a graph up without `ros2 launch`: processes, lifecycle, status, and an orderly end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import rclpy
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from neuro_robot.bags.topics import DIAGNOSTICS
from neuro_robot.errors import NeuroRobotError
from neuro_robot.graph import PARENT, GraphNode
from neuro_robot.interrupts import held_interrupt
from neuro_robot.nodes.asking import Change, Question
from neuro_robot.nodes.core import qos

START_S = 300.0  # the first run of a machine compiles the kernels, which takes a small one minutes
ANSWER_S = 60.0
STOP_S = 15.0


class GraphError(NeuroRobotError):
    """A node of the graph did not start, refused to, or died."""


@dataclass
class Status:
    """The newest diagnostics of one node."""

    level: str = ""
    text: str = ""
    values: dict[str, str] = field(default_factory=dict)


Watcher = Callable[[str, Status], None]


def isolate() -> None:
    """A domain of this run's own and this machine only, unless the environment says otherwise."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))


class Bringup:
    """A running graph. As a context manager: whatever happens, its processes end, the recorder after the others."""

    def __init__(
        self, nodes: Sequence[GraphNode], folder: Path, *, namespace: str = "", params_file: str = "",
        log_level: str = "info",
    ) -> None:  # fmt: skip
        self.nodes = list(nodes)
        self.folder = folder
        self.namespace = "/" + namespace.strip("/") if namespace.strip("/") else ""
        self.status: dict[str, Status] = {node.name: Status() for node in self.nodes}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.watchers: list[Watcher] = []
        self._params_file = params_file
        self._log_level = log_level

    def __enter__(self) -> Bringup:
        isolate()
        self._context = Context()
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = Node(f"bringup_{os.getpid()}", context=self._context, start_parameter_services=False,
                          enable_rosout=False)  # fmt: skip
        self._node.create_subscription(DiagnosticArray, DIAGNOSTICS.name, self._on_diagnostics, qos(DIAGNOSTICS))
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        try:
            with held_interrupt():  # a process that has been started is known, so that it can be ended
                for item in self.nodes:
                    self._start(item)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def configure(self) -> None:
        """All nodes become inactive, so that every topic exists before the first message."""
        self._transition_all(self.nodes, "configure")

    def activate(self) -> None:
        """All nodes begin, in order."""
        for item in self.nodes:
            self._transition_all([item], "activate")

    def deactivate(self, name: str) -> None:
        """One node pauses and says its last figures."""
        self.change(name, "deactivate")

    def change(self, name: str, step: str) -> None:
        """One node takes the step `configure`, `activate`, ...; raises GraphError when it refuses."""
        self._transition_all([self._named(name)], step)

    def wait(self) -> None:
        """Until a node that ends the graph has exited. Raises GraphError when another dies before."""
        while True:
            self.spin()
            for item in self.nodes:
                code = self.processes[item.name].poll()
                if code is None:
                    continue
                if item.ends_graph and code == 0:
                    self.spin(0.2)
                    return
                raise GraphError(f"{item.name} ended with status {code}{self._last_words(item.name)}")

    def spin(self, seconds: float = 0.05) -> None:
        """Take what came. Ctrl-C is raised behind the callbacks: inside one of them it can be swallowed."""
        until = time.monotonic() + seconds
        with held_interrupt():
            while (left := until - time.monotonic()) > 0:
                self._executor.spin_once(timeout_sec=left)

    def set_parameter(self, name: str, parameter: str, value: object) -> None:
        """Set one parameter. Raises GraphError when the node refuses."""
        request = SetParameters.Request(parameters=[Parameter(parameter, value=value).to_parameter_msg()])
        result = self.call(name, "set_parameters", SetParameters, request).results[0]
        if not result.successful:
            raise GraphError(f"{name}: {parameter} = {value!r} refused: {result.reason}")

    def call(self, name: str, service: str, kind: Any, request: Any) -> Any:  # noqa: ANN401 - whatever service it is
        """Call a `~/service` that may be called twice; its response. Raises GraphError when none comes."""
        question = Question(self._node, kind, f"{self.namespace}/{name}/{service}", request)
        until = time.monotonic() + ANSWER_S
        try:
            while time.monotonic() < until:
                answer = question.poll()
                if answer is not None:
                    return answer
                self.spin(0.01)
        finally:
            question.close()
        raise GraphError(f"{name}/{service}: no answer within {ANSWER_S:g} s")

    def trigger(self, name: str, service: str) -> str:
        """Call a `~/service` of type Trigger; its message. Raises GraphError when it fails."""
        response = self.call(name, service, Trigger, Trigger.Request())
        if not response.success:
            raise GraphError(f"{name}: {service} failed: {response.message}")
        return cast(str, response.message)

    def close(self) -> None:
        """End every process: SIGINT, then after some seconds SIGKILL."""
        with held_interrupt(patience=2):
            for names in ([n.name for n in self.nodes if n.name != "recorder_node"], ["recorder_node"]):
                self._stop([self.processes[name] for name in names if name in self.processes])
        if self._context.ok():
            self._executor.shutdown(timeout_sec=1.0)
            self._node.destroy_node()
            rclpy.shutdown(context=self._context)

    @staticmethod
    def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
        running = [process for process in processes if process.poll() is None]
        for process in running:
            process.send_signal(signal.SIGINT)
        until = time.monotonic() + STOP_S
        while any(process.poll() is None for process in running) and time.monotonic() < until:
            time.sleep(0.02)
        for process in running:
            if process.poll() is None:
                process.kill()
            process.wait()

    def _start(self, item: GraphNode) -> None:
        logs = self.folder / "log"
        logs.mkdir(parents=True, exist_ok=True)
        own = logs / f"{item.name}.yaml"
        own.write_text(yaml.safe_dump({"/**": {"ros__parameters": dict(item.parameters)}}))
        command = [sys.executable, "-m", f"neuro_robot.nodes.{item.name}", "--ros-args", "--log-level", self._log_level]
        command += ["-r", f"__ns:={self.namespace}"] if self.namespace else []
        command += ["--params-file", self._params_file] if self._params_file else []
        command += ["--params-file", str(own)]
        with (logs / f"{item.name}.log").open("wb") as log:
            # A session of its own: Ctrl-C reaches this process alone, which then ends the others in order.
            self.processes[item.name] = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, PARENT: str(os.getpid())},
            )

    def _transition_all(self, items: Sequence[GraphNode], step: str) -> None:
        changes = {item.name: Change(self._node, f"{self.namespace}/{item.name}", step) for item in items}
        made: dict[str, bool] = {}
        until = time.monotonic() + START_S
        while len(made) < len(changes):
            for name, change in changes.items():
                answer = change.poll() if name not in made else None
                if answer is not None:
                    made[name] = answer
                elif self.processes[name].poll() is not None:
                    raise GraphError(f"{name} ended before it could {step}{self._last_words(name)}")
            if time.monotonic() > until:
                raise GraphError(f"{step}: not all nodes answered within {START_S:g} s; see {self.folder / 'log'}")
            self.spin(0.02)
        for name, change in changes.items():
            change.close()
            if not made[name]:
                raise GraphError(f"{name} refused to {step}{self._last_words(name)}")

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        levels = {DiagnosticStatus.OK: "ok", DiagnosticStatus.WARN: "warn", DiagnosticStatus.ERROR: "error"}
        for entry in message.status:
            name = entry.name.rsplit("/", 1)[-1]
            if entry.name == f"{self.namespace}/{name}" and name in self.status:
                values = {pair.key: pair.value for pair in entry.values}
                self.status[name] = Status(levels.get(entry.level, "error"), entry.message, values)
                for watcher in self.watchers:
                    watcher(name, self.status[name])

    def _named(self, name: str) -> GraphNode:
        return next(item for item in self.nodes if item.name == name)

    def _last_words(self, name: str) -> str:
        """What the node's log says last that sounds like a reason."""
        path = self.folder / "log" / f"{name}.log"
        lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
        said = [line for line in lines if "[ERROR]" in line or "[FATAL]" in line] or lines
        return f": {said[-1].split(']: ', 1)[-1]}" if said else ""

"""Services of a controller node: its mind learns or does not, its weights are saved and loaded."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from neuro_robot.agents.controller import Controller
from neuro_robot.errors import NeuroRobotError, WeightsError
from neuro_robot.graph import ROBOTS
from neuro_robot.share import learned_weights


class MindServices:
    """`~/learning`, `~/save_weights` and `~/load_weights` (parameter `weights_file`), from now until `close`."""

    def __init__(self, node: Node, controller: Controller) -> None:
        self._node, self._controller = node, controller
        self._services = [
            node.create_service(SetBool, "~/learning", self._learning),
            node.create_service(Trigger, "~/save_weights", self._save),
            node.create_service(Trigger, "~/load_weights", self._load),
        ]

    def close(self) -> None:
        """No longer answer."""
        for service in self._services:
            self._node.destroy_service(service)

    def _learning(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """The service and the parameter `mind.learning` are one switch."""
        wanted = Parameter("mind.learning", Parameter.Type.BOOL, bool(request.data))
        result = self._node.set_parameters([wanted])[0]
        done = f"learning {'on' if request.data else 'off'}"
        response.success, response.message = result.successful, result.reason or done
        return response

    def _save(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._with_file(response, self._save_elsewhere, "saved to")

    def _load(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._with_file(response, partial(self._controller.change, "load"), "loaded from")

    def _save_elsewhere(self, name: str) -> None:
        own = [learned_weights(robot) for robot in ROBOTS]
        if any(path is not None and path.resolve() == Path(name).resolve() for path in own):
            raise WeightsError(f"{name}: comes with the package and is not overwritten; set the parameter weights_file")
        self._controller.save(name)

    def _with_file(self, response: Trigger.Response, action: Any, done: str) -> Trigger.Response:  # noqa: ANN401
        name = str(self._node.get_parameter("weights_file").value)
        try:
            if not name:
                raise WeightsError("expected a file name in the parameter weights_file; set it first")
            action(name)
        except (NeuroRobotError, OSError) as error:
            response.success, response.message = False, str(error)
        else:
            response.success, response.message = True, f"{done} {name}"
        return response

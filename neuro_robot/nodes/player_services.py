"""Services of player_node: those of `ros2 bag play`, by the same names and types, and `~/restart`."""

from __future__ import annotations

from typing import Any, Protocol

from rclpy.node import Node
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from neuro_robot.bags.messages import NS
from neuro_robot.errors import NeuroRobotError

ABSENT = (
    "rosbag2_interfaces is not installed, so the services pause, resume, toggle_paused, is_paused, seek, set_rate and"
    " get_rate are not there: make setup, or with ROS 2 `sudo apt install ros-$ROS_DISTRO-rosbag2-interfaces`"
)


class Player(Protocol):
    """What the services act on."""

    @property
    def paused(self) -> bool:
        """Whether playing time stands still until somebody resumes."""

    def pause(self, paused: bool) -> None:
        """Stand still, or go on."""

    def seek(self, start_ns: int, *, by_stamp: bool = False) -> None:
        """Go on from there. Raises NeuroRobotError when the recording does not have it, and then nothing changes."""


class PlayerServices:
    """The services, from now until `close`. Where the types are missing only `~/restart`, and a warning."""

    def __init__(self, node: Node, player: Player) -> None:
        self._node, self._player = node, player
        self._services = [node.create_service(Trigger, "~/restart", self._restart)]
        try:
            from rosbag2_interfaces import srv
        except ImportError:
            node.get_logger().warning(ABSENT)
            return
        self._services += [
            node.create_service(srv.Pause, "~/pause", self._pause),
            node.create_service(srv.Resume, "~/resume", self._resume),
            node.create_service(srv.TogglePaused, "~/toggle_paused", self._toggle_paused),
            node.create_service(srv.IsPaused, "~/is_paused", self._is_paused),
            node.create_service(srv.Seek, "~/seek", self._seek),
            node.create_service(srv.SetRate, "~/set_rate", self._set_rate),
            node.create_service(srv.GetRate, "~/get_rate", self._get_rate),
        ]

    def close(self) -> None:
        """No longer answer."""
        for service in self._services:
            self._node.destroy_service(service)

    def _restart(self, _request: Any, response: Any) -> Any:  # noqa: ANN401 - Trigger
        response.success = self._sought(0)
        response.message = "from the beginning" if response.success else "refused: see the node's log"
        return response

    def _sought(self, t_ns: int, *, by_stamp: bool = False) -> bool:
        """Whether it goes on from there; why not is in the log, since Seek has no room for words."""
        try:
            self._player.seek(t_ns, by_stamp=by_stamp)
        except NeuroRobotError as error:
            self._node.get_logger().warning(f"seek: {error}")
            return False
        return True

    def _pause(self, _request: Any, response: Any) -> Any:  # noqa: ANN401 - Pause
        self._player.pause(True)
        return response

    def _resume(self, _request: Any, response: Any) -> Any:  # noqa: ANN401 - Resume; later ones may name a time
        self._player.pause(False)
        return response

    def _toggle_paused(self, _request: Any, response: Any) -> Any:  # noqa: ANN401 - TogglePaused
        self._player.pause(not self._player.paused)
        return response

    def _is_paused(self, _request: Any, response: Any) -> Any:  # noqa: ANN401 - IsPaused
        response.paused = self._player.paused
        return response

    def _seek(self, request: Any, response: Any) -> Any:  # noqa: ANN401 - Seek
        response.success = self._sought(request.time.sec * NS + request.time.nanosec, by_stamp=True)
        return response

    def _set_rate(self, request: Any, response: Any) -> Any:  # noqa: ANN401 - SetRate
        result = self._node.set_parameters([Parameter("rate", Parameter.Type.DOUBLE, request.rate)])[0]
        response.success = result.successful
        if not result.successful:
            self._node.get_logger().warning(f"set_rate: {result.reason}")
        return response

    def _get_rate(self, _request: Any, response: Any) -> Any:  # noqa: ANN401 - GetRate
        response.rate = self._node.get_parameter("rate").value
        return response

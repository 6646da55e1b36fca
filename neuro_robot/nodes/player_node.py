"""Plays a recording in place of the camera, to whoever listens: any event file, or a bag with its IMU samples.

`realtime`: at sensor time, or `rate` times as fast. `lockstep`: the next packet follows the command that answered the
last one. While it plays it has the services of `ros2 bag play` (player_services.py); setting the parameter
`position_s` seeks too, `rate` changes the speed. With `autostart` it needs nobody who configures and activates it.
It exits when the recording is at its end.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from event_camera_msgs.msg import EventPacket as EventPacketMsg
from geometry_msgs.msg import TwistStamped
from rclpy.clock import Clock, ClockType
from rosgraph_msgs.msg import Clock as ClockMsg
from sensor_msgs.msg import Imu as ImuMsg
from trajectory_msgs.msg import JointTrajectory

from neuro_robot.bags.topics import CLOCK, COMMAND, EVENTS, IMU, JOINT_TRAJECTORY
from neuro_robot.errors import BagError, ConfigError
from neuro_robot.nodes.conversions import clock_message, imu_message, time_message
from neuro_robot.nodes.core import CoreNode, qos, run
from neuro_robot.nodes.leg_output import LegOutput
from neuro_robot.nodes.pacing import Pace
from neuro_robot.nodes.parameters import read
from neuro_robot.nodes.playback import Item, Place, Playback, open_playback, place_in
from neuro_robot.nodes.player_parameters import PlayerParameters
from neuro_robot.nodes.player_services import PlayerServices
from neuro_robot.nodes.standalone import start_by_itself

STEADY = Clock(clock_type=ClockType.STEADY_TIME)
GRACE_S = 0.5  # for the last answers
SETTLE_S = 0.3
TURN_S = 0.02  # after this long of sending, services and timers have their turn
CLOCK_S = 0.005  # between messages on /clock


class PlayerNode(CoreNode):
    """Publishes a recording."""

    dynamic = frozenset({"rate", "loop", "position_s"})
    _playback: Playback | None = None

    def __init__(self) -> None:
        super().__init__("player_node", PlayerParameters)
        if self.get_parameter("autostart").value:
            start_by_itself(self)

    def configure(self) -> None:
        """Open the recording and the topics."""
        self._config = config = read(self, PlayerParameters)
        if not config.bag:
            raise BagError("bag: expected the bag or file to play; set the parameter")
        if config.clock and config.stamps == "now":
            raise ConfigError("clock: runs in the time of the recording; set stamps to recorded")
        self._playback = open_playback(Path(config.bag), config, config.format, config.told_geometry())
        self._items = self._playback.items(round(config.position_s * 1e9))
        self._next: Item | None = next(self._items, None)
        self._sent = self._answers = self._unanswered = self._loops = 0
        self._pace = Pace(config.rate, config.position_s)
        self._last: Item | None = None
        self._ready_since: float | None = None
        self._finished_at: float | None = None
        self._waiting_since: float | None = None
        self._clock_at: float | None = None
        self._events = self.create_lifecycle_publisher(EventPacketMsg, EVENTS.name, qos(EVENTS))
        self._imu = self.create_lifecycle_publisher(ImuMsg, IMU.name, qos(IMU))
        self._clock_topic = self.create_lifecycle_publisher(ClockMsg, CLOCK.name, qos(CLOCK)) if config.clock else None
        self._legs = LegOutput(self) if self._playback.legs else None
        kind, topic = (JointTrajectory, JOINT_TRAJECTORY) if self._legs else (TwistStamped, COMMAND)
        self._subscription = self.create_subscription(kind, topic.name, self._on_command, qos(topic, 1000))
        self._own_services = PlayerServices(self, self)
        self._timer = self.create_timer(0.001, self._tick, clock=STEADY)
        self._report_timer = self.create_timer(0.25, self._report, clock=STEADY)
        where = self._events.topic_name
        self.get_logger().info(f"{config.bag}: {self._playback.width}x{self._playback.height}, {self._playback.about}, "
                               f"on {where}")  # fmt: skip

    def deactivate(self) -> None:
        """Playing time stands still until activate."""
        self._pace.stop(time.monotonic())

    def cleanup(self) -> None:
        """Close recording and topics."""
        if self._playback is not None:
            self._items = iter(())
            self._playback.close()
            self._playback = None
        if not hasattr(self, "_report_timer"):
            return
        for timer in (self._timer, self._report_timer):
            self.destroy_timer(timer)
        self._own_services.close()
        self.destroy_subscription(self._subscription)
        for publisher in (self._events, self._imu, self._clock_topic, *(self._legs.publishers if self._legs else ())):
            if publisher is not None:
                self.destroy_lifecycle_publisher(publisher)
        del self._report_timer

    def change(self, name: str, value: Any) -> Callable[[], object]:  # noqa: ANN401
        """Speed, loop or place while it plays."""
        if name == "position_s" and self._playback is not None:
            return partial(self._go_on, place_in(self._playback, round(float(value) * 1e9)))
        return partial(self._set, name, value)

    def _set(self, name: str, value: Any) -> None:  # noqa: ANN401
        if name == "rate":
            self._pace.set_rate(float(value), time.monotonic())
        self._config = replace(self._config, **{name: value})

    @property
    def paused(self) -> bool:
        """Whether playing time stands still until somebody resumes."""
        return self._pace.held

    def pause(self, paused: bool) -> None:
        """Stand still, or go on."""
        (self._pace.hold if paused else self._pace.release)(time.monotonic())

    def seek(self, start_ns: int, *, by_stamp: bool = False) -> None:
        """As `place_in`, which raises ConfigError; it then plays on as before."""
        if self._playback is not None:
            self._go_on(place_in(self._playback, start_ns, by_stamp=by_stamp))

    def _go_on(self, place: Place) -> None:
        self._next, self._items, position_ns = place
        self._pace.jump(position_ns * 1e-9, time.monotonic())
        self._finished_at = self._last = None

    def _listened_to(self) -> bool:
        now = time.monotonic()
        if self._events.get_subscription_count() < self._config.listeners:
            self._ready_since = None
            return False
        if self._ready_since is None:
            self._ready_since = now
        return now - self._ready_since >= (SETTLE_S if self._config.listeners else 0.0)

    def _tick(self) -> None:
        if not self.active or self.done:
            return
        now = time.monotonic()
        if not self._pace.running:
            if self._listened_to():
                self._pace.start(now)
            return
        if self._pace.held:
            return
        if self._next is None:
            self._end(now)
        elif self._config.mode == "realtime":
            self._send_due(now)
        elif self._waiting_since is None:
            self._send(self._next)
        elif now - self._waiting_since > self._config.answer_timeout_s:
            self._unanswered += 1
            self._send(self._next)

    def _send_due(self, now: float) -> None:
        position_ns = self._pace.position_s(now) * 1e9
        until = now + TURN_S
        while self._next is not None and self._next.due_ns <= position_ns and time.monotonic() < until:
            self._send(self._next)
        if self._clock_topic is not None and self._last is not None:
            self._tell_time(now, self._last.stamp_ns + max(0, round(position_ns) - self._last.due_ns))

    def _tell_time(self, now: float, t_ns: int) -> None:
        if self._clock_topic is not None and (self._clock_at is None or now - self._clock_at >= CLOCK_S):
            self._clock_at = now
            self._clock_topic.publish(clock_message(t_ns))

    def _send(self, item: Item) -> None:
        for sample in item.imu:
            self._imu.publish(imu_message(sample))
        if self._legs is not None:
            self._legs.publish(item.legs)
        for message in item.messages:
            if self._config.stamps == "now":
                message.header.stamp = time_message(time.time_ns())
            self._events.publish(message)
            self._sent += 1
        self._last = item
        self._waiting_since = time.monotonic()
        self._next = next(self._items, None)
        if self._next is None and self._config.loop and self._playback is not None:
            self._loops += 1
            self._items = self._playback.items()
            self._next = next(self._items, None)
            self._pace.jump(0.0, time.monotonic())

    def _on_command(self, _message: Any) -> None:
        self._answers += 1
        waiting = self.active and self._next is not None and self._pace.running and not self._pace.held
        if self._config.mode == "lockstep" and waiting and self._next is not None:
            self._send(self._next)

    def _end(self, now: float) -> None:
        """A moment for the last answers, then report and exit."""
        if self._finished_at is None:
            self._finished_at = now
        if now - self._finished_at < GRACE_S and self._answers < self._sent:
            return
        self._report()
        self.done = True

    def _report(self) -> None:
        if self._playback is None:
            return
        now = time.monotonic() if self._finished_at is None else self._finished_at
        position_s, playing = self._pace.position_s(now), self._next is not None
        shown = self._last or self._next
        behind_s = max(0.0, position_s - self._next.due_ns * 1e-9) if self._next is not None else 0.0
        values: dict[str, object] = {
            "sent": self._sent,
            "answers": self._answers,
            "unanswered": self._unanswered,
            "share": shown.share if playing and shown is not None else 1.0,
            "wall_s": self._pace.wall_s(now),
            "position_s": position_s,
            "stamp_s": (shown.stamp_ns if shown is not None else self._playback.begins_ns) * 1e-9,
            "behind_s": behind_s,
            "rate": self._config.rate,
            "loops": self._loops,
            "listeners": self._events.get_subscription_count(),
        }
        text = "paused" if self._pace.held else "playing" if playing else "played"
        if playing and not self._pace.running:
            text = f"waiting for {self._config.listeners} subscriber(s) of {self._events.topic_name}"
        late = behind_s > 1.0 and self._pace.running and not self._pace.held
        self.report("warn" if late else "ok", f"{text}, {behind_s:.1f} s behind" if late else text, values)


def main() -> int:
    """Run the node."""
    return run(PlayerNode)


if __name__ == "__main__":
    sys.exit(main())

"""The simulated drone as a ROS 2 lifecycle node: publishes what a real one publishes, obeys `cmd_vel`.

Publishes `events`, `imu/data`, `odom`, `/clock`, `/diagnostics`. In `lockstep` the next step waits for the command
stamped with the last packet's end; in `realtime` time runs on and the newest command counts. The node exits when its
episodes have been flown.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import asdict
from typing import Any

from event_camera_msgs.msg import EventPacket as EventPacketMsg
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMsg
from rclpy.clock import Clock, ClockType
from rosgraph_msgs.msg import Clock as ClockMsg
from sensor_msgs.msg import Imu as ImuMsg

from neuro_robot.bags.topics import CLOCK, COMMAND, EVENTS, IMU, ODOM, Topic
from neuro_robot.nodes.conversions import (
    clock_message,
    command_from,
    imu_message,
    odometry_message,
    packet_message,
)
from neuro_robot.nodes.core import CoreNode, qos, run
from neuro_robot.nodes.hot import HotSubscriptions
from neuro_robot.nodes.parameters import read
from neuro_robot.nodes.sim_parameters import SimParameters, SteppingParameters
from neuro_robot.robot import Command
from neuro_robot.sim.simulation import DroneSimulation, Observation, Outcome
from neuro_robot.sim.world import World, load_world

STEADY = Clock(clock_type=ClockType.STEADY_TIME)
CATCH_UP_S = 0.1  # realtime: what is lost beyond this is not caught up
WAIT_S = 0.02  # between looks for a controller
SETTLE_S = 0.3  # after the last listener was found, for the middleware to connect both ways


class SimNode(CoreNode):
    """Steps the simulation and tells ROS what the robot senses.

    This is the drone's; another body's node says which simulation it steps, what else it senses and what it obeys.
    """

    command_topic: Topic = COMMAND
    command_type: Any = TwistStamped
    command_from: Any = staticmethod(command_from)

    def __init__(self, name: str = "sim_node", kind: type[SteppingParameters] = SimParameters) -> None:
        super().__init__(name, kind)

    def simulation_of(self, world: World, seed: int) -> Any:  # noqa: ANN401 - each body has its own
        """The simulation of one episode."""
        return DroneSimulation(world, self._config.drone, seed)

    def sense(self, seen: Observation) -> None:
        """Publish what only this body senses, before the packet."""

    def configure(self) -> None:
        """Load the world, build the robot, open the topics."""
        self._config: Any = read(self, self._kind)
        self._episode = 0
        self._simulation = self._build()
        self._seen = self._simulation.reset()
        self._started = False
        self._ready_since: float | None = None
        self._command: Command | None = None
        self._retries = self._wrong_stamp = self._resent = self._slips = 0
        self._sent_at = self._started_at = time.monotonic()
        self._steps = 0
        self._fault = ""
        self.open()

    def _build(self) -> Any:  # noqa: ANN401 - as simulation_of
        seed = self._config.seed + self._episode
        return self.simulation_of(load_world(self._config.world, seed), seed)

    def open(self) -> None:
        """Create publishers and subscriptions."""
        self._events = self.create_lifecycle_publisher(EventPacketMsg, EVENTS.name, qos(EVENTS))
        self._imu = self.create_lifecycle_publisher(ImuMsg, IMU.name, qos(IMU))
        self._odom = self.create_lifecycle_publisher(OdometryMsg, ODOM.name, qos(ODOM))
        self._clock_topic = self.create_lifecycle_publisher(ClockMsg, CLOCK.name, qos(CLOCK))
        self.hot = HotSubscriptions(self)
        self.hot.add(self.command_type, self.command_topic.name, self._on_command, qos(self.command_topic))
        self._timers_made = [self.create_timer(0.25, self._report, clock=STEADY)]

    def activate(self) -> None:
        """Fly on."""
        self._sent_at = time.monotonic()
        self._retries = 0
        if self._config.mode == "lockstep":
            self._timers_made.append(self.create_timer(0.05, self._watch, clock=STEADY))
        else:
            self.due = self._sent_at

    def deactivate(self) -> None:
        """Time stands still."""
        self.due = math.inf
        while len(self._timers_made) > 1:
            self.destroy_timer(self._timers_made.pop())
        self._ready_since = None
        if not self.done:  # how the last flight ended stays the last word
            self._report()

    def cleanup(self) -> None:
        """Close topics, free the physics."""
        if hasattr(self, "_simulation"):
            self._simulation.close()
        if not hasattr(self, "_timers_made"):
            return
        for timer in self._timers_made:
            self.destroy_timer(timer)
        if self.hot is not None:
            self.hot.close()
            self.hot = None
        for publisher in self.publishers():
            self.destroy_lifecycle_publisher(publisher)
        del self._timers_made

    def publishers(self) -> list[Any]:
        """What `open` made, to be destroyed."""
        return [self._events, self._imu, self._odom, self._clock_topic]

    def _listened_to(self) -> bool:
        """True once everybody who is expected has been connected for a moment."""
        there = self._events.get_subscription_count() >= self._config.listeners
        there = there and (self._config.mode == "realtime" or self.count_publishers(self.command_topic.name) > 0)
        now = time.monotonic()
        if not there:
            self._ready_since = None
            self.get_logger().info("waiting for a controller", throttle_duration_sec=5.0)
            return False
        if self._ready_since is None:
            self._ready_since = now
        return now - self._ready_since >= SETTLE_S

    def _watch(self) -> None:
        """Lockstep: send the first packet when somebody listens, and again what is not answered."""
        if not self.active or self.done:
            return
        if not self._started:
            if self._listened_to():
                self._started, self._started_at = True, time.monotonic()
                self._publish(self._seen)
            return
        if time.monotonic() - self._sent_at < self._config.answer_timeout_s:
            return
        if self._retries >= self._config.answer_retries:
            waited = (self._retries + 1) * self._config.answer_timeout_s
            why = f"no command for the packet of {self._seen.t_ns * 1e-9:.3f} s in {waited:g} s: the robot stops"
            self._end(self._seen, Outcome("stopped", why, self._seen.t_ns))
            return
        self._retries += 1
        self._resent += 1
        self._fault = f"no command for the packet of {self._seen.t_ns * 1e-9:.3f} s yet: sent again"
        self.get_logger().warning(self._fault, throttle_duration_sec=1.0)
        self._publish(self._seen)

    def _on_command(self, message: Any, _info: dict[str, int]) -> None:  # noqa: ANN401 - of command_type
        self._command = self.command_from(message)
        if self._config.mode == "realtime" or not self.active or not self._started or self.done:
            return
        if self._command.t_ns != self._seen.t_ns:
            self._wrong_stamp += 1
            return
        self._retries = 0
        self._advance()

    def on_due(self) -> None:
        """Realtime: one packet period, on schedule."""
        now = time.monotonic()
        if not self._started:
            self.due = now + WAIT_S
            if not self._listened_to():
                return
            self._started, self._started_at, self.due = True, now, now
            self._publish(self._seen)
        if now - self.due > CATCH_UP_S:
            self._slips += 1
            self.due = now
        self.due += self._simulation.config.camera.packet_period_ms * 1e-3
        self._advance()

    def _advance(self) -> None:
        self._seen = self._simulation.step(self._command)
        self._steps += 1
        if self._simulation.fault != self._fault:
            self._fault = self._simulation.fault
            if self._fault:
                self.get_logger().warning(self._fault, throttle_duration_sec=1.0)
        if self._seen.outcome is None:
            self._publish(self._seen)
        else:
            self._end(self._seen, self._seen.outcome)

    def _publish(self, seen: Observation) -> None:
        """IMU before events: who answers the packet has the sample already."""
        self._clock_topic.publish(clock_message(seen.t_ns))
        self._odom.publish(odometry_message(seen.odom))
        self._imu.publish(imu_message(seen.imu))
        self.sense(seen)
        self._sent_at = time.monotonic()
        self._events.publish(packet_message(seen.packet))

    def _end(self, seen: Observation, outcome: Outcome) -> None:
        """The flight is over: say how, then begin the next or exit."""
        self._clock_topic.publish(clock_message(seen.t_ns))
        self._odom.publish(odometry_message(seen.odom))
        self.get_logger().info(f"episode {self._episode}: {outcome.kind}, {outcome.reason}")
        self._report(outcome)
        self._episode += 1
        if self._episode >= self._config.episodes or outcome.kind == "stopped":
            self.done = True
            self.exit_code = 0
            return
        self._simulation.close()
        self._simulation = self._build()
        self._command = None
        self._seen = self._simulation.reset()
        self._publish(self._seen)

    def _report(self, outcome: Outcome | None = None) -> None:
        """Where the robot is, how the guard judged the commands, how the flight ended."""
        seen, wall_s = self._seen, max(time.monotonic() - self._started_at, 1e-9)
        values: dict[str, object] = {
            "episode": self._episode,
            "episodes": self._config.episodes,
            "seed": self._simulation.seed,
            "t_s": seen.t_ns * 1e-9,
            "x_m": float(seen.odom.position[0]),
            "y_m": float(seen.odom.position[1]),
            "done": self._simulation.share_done,
            "outcome": outcome.kind if outcome else "",
            "outcome_t_s": outcome.t_ns * 1e-9 if outcome else 0.0,
            "min_clearance_m": float(self._simulation.min_clearance_m),
            "steps": self._steps,
            "wall_s": wall_s if self._started else 0.0,
            "resent": self._resent,
            "wrong_stamp": self._wrong_stamp,
            "slips": self._slips,
        }
        score = getattr(self._simulation, "score", None)
        values |= {} if score is None else {f"score_{name}": float(value) for name, value in score._asdict().items()}
        values |= {f"commands_{kind}": number for kind, number in asdict(self._simulation.guard_counts).items()}
        if outcome is not None:
            self.report("ok" if outcome.kind != "stopped" else "error", outcome.reason, values)
        else:
            self.report("error" if self._fault else "ok", self._fault or "under way", values)


def main() -> int:
    """Run the node."""
    return run(SimNode)


if __name__ == "__main__":
    sys.exit(main())

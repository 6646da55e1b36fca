"""An iniVation camera as a ROS 2 node, driven through dv-processing: events, triggers and the camera's IMU.

Publishes `events`, `triggers` (encoding `trigger`), `imu/data_raw`, `/diagnostics`. Instead of a USB camera the source
may be another program's network stream or an AEDAT4 recording; then the node exits when it is over. It has been run
against dv-processing's own streams and recordings; no camera has been connected to it yet.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np
from event_camera_msgs.msg import EventPacket as EventPacketMsg
from rclpy.clock import Clock, ClockType
from sensor_msgs.msg import Imu as ImuMsg

from neuro_robot.bags.topics import EVENT_PACKET, EVENTS, Topic
from neuro_robot.config import parameter
from neuro_robot.events.array import Events, Triggers, empty_events
from neuro_robot.events.packet import pack
from neuro_robot.events.trigger import TRIGGER
from neuro_robot.nodes.conversions import packet_message, time_message
from neuro_robot.nodes.core import CoreNode, qos, run
from neuro_robot.nodes.dv_source import CameraError, DvSource, ImuSample, open_source
from neuro_robot.nodes.parameters import read
from neuro_robot.nodes.source import EventOutput, HotSource, OutputParameters

TRIGGERS = Topic("triggers", EVENT_PACKET, False, 100)
IMU_RAW = Topic("imu/data_raw", "sensor_msgs/msg/Imu", False, 100)


@dataclass(frozen=True)
class DvCameraParameters(OutputParameters):
    """Parameters of dv_camera_node."""

    serial: str = parameter("", "serial number of the camera (DVXplorer_DXA00093); empty: the first one found")
    network: str = parameter("", "HOST:PORT of a stream of dv-processing (NetworkWriter) in place of a camera")
    file: str = parameter("", "AEDAT4 recording in place of a camera, played at sensor speed")
    imu: bool = parameter(True, "publish the camera's IMU, where it has one")
    imu_frame_id: str = parameter("event_camera_imu", "frame of the IMU samples")


class DvCameraNode(CoreNode):
    """Publishes what the camera says."""

    _source: DvSource | None = None

    def __init__(self) -> None:
        super().__init__("dv_camera_node", DvCameraParameters)

    def configure(self) -> None:
        """Open the camera and the topics."""
        config = read(self, DvCameraParameters)
        self._config = config
        period_us = int(config.packet_period_ms * 1000)
        self._source = source = open_source(config.serial, config.network, config.file, period_us)
        self._live = not config.file
        self._events = self.create_lifecycle_publisher(EventPacketMsg, EVENTS.name, qos(EVENTS))
        self._triggers = self.create_lifecycle_publisher(EventPacketMsg, TRIGGERS.name, qos(TRIGGERS))
        self._imu = self.create_lifecycle_publisher(ImuMsg, IMU_RAW.name, qos(IMU_RAW))
        self._timer = self.create_timer(1.0, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._output = EventOutput(self._events, config, source.width, source.height, by_sensor_time=True)
        self._source_size = (source.width, source.height)
        self._trigger_seq = self._events_before = 0
        self._fault = ""
        self.hot = HotSource(time.sleep, lambda: None)  # everything happens when it is due
        self.get_logger().info(f"{source.name}: {source.width}x{source.height}")

    def activate(self) -> None:
        """Begin; what a camera saw before is passed over."""
        if self._source is not None and self._live:
            for _ in self._source.events(0):
                pass
        self.due = time.monotonic()

    def deactivate(self) -> None:
        """Say what was done."""
        self._report()

    def cleanup(self) -> None:
        """Close the camera and the topics."""
        self._source = self.hot = None  # dv-processing closes what nobody holds
        if not hasattr(self, "_timer"):
            return
        self.destroy_timer(self._timer)
        for publisher in (self._events, self._triggers, self._imu):
            self.destroy_lifecycle_publisher(publisher)
        del self._timer

    def on_due(self) -> None:
        """Publish what there is since the last time."""
        self.due = time.monotonic() + self._config.packet_period_ms * 1e-3
        if self._source is None:
            return
        running = self._source.running  # asked before reading: what came until then is read
        try:
            self._read(self._source)
        except CameraError as error:
            self._end(str(error))
            return
        if not running:
            self._end("the camera or stream is gone; connect it and start the node again" if self._live else "")

    def _read(self, source: DvSource) -> None:
        now_ns, stamp_ns = time.monotonic_ns(), self.get_clock().now().nanoseconds
        batches: list[Events] = []
        for events, fresh in source.events(now_ns):
            if fresh:
                self._publish(batches, stamp_ns)
                self._output.restart()
            batches.append(events)
        self._publish(batches, stamp_ns)
        for sample in source.imu(now_ns):
            if self._config.imu:
                self._imu.publish(imu_raw_message(sample, self._config.imu_frame_id))
        self._publish_triggers(source.triggers(now_ns), stamp_ns)

    def _publish(self, batches: list[Events], stamp_ns: int) -> None:
        if batches:
            self._output.publish(np.concatenate(batches), stamp_ns)
            batches.clear()

    def _publish_triggers(self, triggers: Triggers, stamp_ns: int) -> None:
        while len(triggers):
            here = triggers["t"] <= triggers["t"][0] + TRIGGER.max_span_ns
            packet = pack(
                empty_events(), TRIGGER.name, width=self._source_size[0], height=self._source_size[1],
                seq=self._trigger_seq, stamp_ns=stamp_ns, t_end_ns=int(triggers["t"][here][-1]),
                frame_id=self._config.frame_id, triggers=triggers[here],
            )  # fmt: skip
            self._triggers.publish(packet_message(packet))
            self._trigger_seq += 1
            triggers = triggers[~here]

    def _end(self, fault: str) -> None:
        """A recording is over; or a camera or stream has gone, which whoever started this node has to know."""
        if fault:
            self._fault = fault
            self.get_logger().error(fault)
            self.exit_code = 1
        self._report()
        self.done = True

    def _tick(self) -> None:
        if self.active and not self.done:
            self._report()

    def _report(self) -> None:
        if self._source is None:
            return
        stats = self._source.stats
        values: dict[str, object] = {name: getattr(stats, name) for name in stats.__slots__}
        values |= {"camera": self._source.name, "packets": self._output.packets}
        values["dropped_scattered"] = self._output.dropped
        quiet = stats.events == self._events_before
        self._events_before = stats.events
        text = self._fault or ("no events since the last report" if quiet else "running")
        self.report("error" if self._fault else "warn" if quiet else "ok", text, values)


def imu_raw_message(sample: ImuSample, frame_id: str) -> ImuMsg:
    """Imu without orientation (REP-145 `imu/data_raw`): orientation_covariance[0] is -1, the others 0: unknown."""
    message = ImuMsg()
    message.header.stamp = time_message(sample.t_ns)
    message.header.frame_id = frame_id
    message.orientation_covariance[0] = -1.0
    rate, force = message.angular_velocity, message.linear_acceleration
    rate.x, rate.y, rate.z = sample.angular_velocity
    force.x, force.y, force.z = sample.linear_acceleration
    return message


def main() -> int:
    """Run the node."""
    return run(DvCameraNode)


if __name__ == "__main__":
    sys.exit(main())

"""ROS 2 messages as bytes (CDR) to and from the plain values of this package, without ROS.

The nodes let rclpy do this; bags written in process and bags read anywhere come through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from neuro_robot.bags.joint_order import in_order
from neuro_robot.bags.legs import JointSample
from neuro_robot.bags.topics import (
    CLOCK,
    COMMAND,
    DIAGNOSTICS,
    EVENT_PACKET,
    IMU,
    JOINT_STATES,
    JOINT_TRAJECTORY,
    ODOM,
)
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import BodyCommand, Imu, JointCommand, Odometry, Quaternion, Vector3

EVENT_PACKET_TEXT = """\
std_msgs/Header header
uint32 height
uint32 width
uint64 seq
uint64 time_base
string encoding
bool is_bigendian
uint8[] events
"""
NS = 1_000_000_000


@cache
def typestore() -> Typestore:
    """The ROS 2 Kilted messages plus EventPacket."""
    store = get_typestore(Stores.ROS2_KILTED)
    store.register(get_types_from_msg(EVENT_PACKET_TEXT, EVENT_PACKET))
    return store


def _types() -> Mapping[str, Any]:
    types: Mapping[str, Any] = typestore().types
    return types


def _stamp(t_ns: int) -> Any:  # noqa: ANN401 - generated message classes have no static type
    return _types()["builtin_interfaces/msg/Time"](t_ns // NS, t_ns % NS)


def _header(t_ns: int, frame_id: str) -> Any:  # noqa: ANN401
    return _types()["std_msgs/msg/Header"](_stamp(t_ns), frame_id)


def _vector(value: Vector3) -> Any:  # noqa: ANN401
    return _types()["geometry_msgs/msg/Vector3"](*value)


def _quaternion(value: Quaternion) -> Any:  # noqa: ANN401
    return _types()["geometry_msgs/msg/Quaternion"](*value)


def _bytes(message: Any, kind: str) -> bytes:  # noqa: ANN401
    return bytes(typestore().serialize_cdr(message, kind))


def packet_to_cdr(packet: EventPacket) -> bytes:
    """event_camera_msgs/msg/EventPacket."""
    header = _header(packet.stamp_ns, packet.frame_id)
    fields = (packet.height, packet.width, packet.seq, packet.time_base, packet.encoding, packet.is_bigendian)
    return _bytes(_types()[EVENT_PACKET](header, *fields, packet.events), EVENT_PACKET)


def command_to_cdr(command: BodyCommand) -> bytes:
    """geometry_msgs/msg/TwistStamped in base_link."""
    linear, angular = _vector((command.vx, command.vy, command.vz)), _vector((0.0, 0.0, command.yaw_rate))
    twist = _types()["geometry_msgs/msg/Twist"](linear, angular)
    return _bytes(_types()[COMMAND.type](_header(command.t_ns, "base_link"), twist), COMMAND.type)


def trajectory_to_cdr(command: JointCommand, names: tuple[str, ...]) -> bytes:
    """trajectory_msgs/msg/JointTrajectory of one point, to be held from now on (time_from_start 0)."""
    types, nothing = _types(), np.empty(0)
    now = types["builtin_interfaces/msg/Duration"](0, 0)
    point = types["trajectory_msgs/msg/JointTrajectoryPoint"](
        np.array(command.position), nothing, nothing, nothing, now
    )
    message = types[JOINT_TRAJECTORY.type](_header(command.t_ns, ""), list(names), [point])
    return _bytes(message, JOINT_TRAJECTORY.type)


def joint_states_to_cdr(sample: JointSample) -> bytes:
    """sensor_msgs/msg/JointState."""
    values = (np.array(sample.position), np.array(sample.velocity), np.array(sample.effort))
    return _bytes(_types()[JOINT_STATES.type](_header(sample.t_ns, ""), list(sample.names), *values), JOINT_STATES.type)


def imu_to_cdr(imu: Imu) -> bytes:
    """sensor_msgs/msg/Imu; covariances 0: unknown (REP-145)."""
    unknown = np.zeros(9)
    fields: list[Any] = []
    for value in (_quaternion(imu.orientation), _vector(imu.angular_velocity), _vector(imu.linear_acceleration)):
        fields += [value, unknown]
    return _bytes(_types()[IMU.type](_header(imu.t_ns, "base_link"), *fields), IMU.type)


def odometry_to_cdr(odom: Odometry) -> bytes:
    """nav_msgs/msg/Odometry, odom to base_link; covariances 0: unknown."""
    types, unknown = _types(), np.zeros(36)
    pose = types["geometry_msgs/msg/Pose"](
        types["geometry_msgs/msg/Point"](*odom.position), _quaternion(odom.orientation)
    )
    twist = types["geometry_msgs/msg/Twist"](_vector(odom.velocity), _vector(odom.angular_velocity))
    message = types[ODOM.type](
        _header(odom.t_ns, "odom"),
        "base_link",
        types["geometry_msgs/msg/PoseWithCovariance"](pose, unknown),
        types["geometry_msgs/msg/TwistWithCovariance"](twist, unknown),
    )
    return _bytes(message, ODOM.type)


def clock_to_cdr(t_ns: int) -> bytes:
    """rosgraph_msgs/msg/Clock."""
    return _bytes(_types()[CLOCK.type](_stamp(t_ns)), CLOCK.type)


def diagnostics_to_cdr(t_ns: int, name: str, level: int, message: str, values: Mapping[str, str]) -> bytes:
    """diagnostic_msgs/msg/DiagnosticArray with one status; level 0 OK, 1 WARN, 2 ERROR."""
    types = _types()
    pairs = [types["diagnostic_msgs/msg/KeyValue"](key, value) for key, value in values.items()]
    status = types["diagnostic_msgs/msg/DiagnosticStatus"](level, name, message, "neuro_robot", pairs)
    return _bytes(types[DIAGNOSTICS.type](_header(t_ns, ""), [status]), DIAGNOSTICS.type)


def from_cdr(data: bytes | memoryview, kind: str) -> Any:  # noqa: ANN401 - the message of that type
    """Any known message; fields as in ROS, arrays as numpy."""
    return typestore().deserialize_cdr(data, kind)


def stamp_ns(message: Any) -> int | None:  # noqa: ANN401
    """Nanoseconds of `header.stamp` or of `clock`, None for a message without a time of its own."""
    stamp = message.header.stamp if hasattr(message, "header") else getattr(message, "clock", None)
    return None if stamp is None else int(stamp.sec) * NS + int(stamp.nanosec)


def packet_from(message: Any) -> EventPacket:  # noqa: ANN401
    """The plain packet of a ROS or rosbags EventPacket; the payload is shared, not copied."""
    stamp = message.header.stamp
    payload = message.events
    if not isinstance(payload, np.ndarray):
        payload = np.frombuffer(payload, np.uint8)
    return EventPacket(
        int(stamp.sec) * NS + int(stamp.nanosec), message.header.frame_id, int(message.height), int(message.width),
        int(message.seq), int(message.time_base), message.encoding, bool(message.is_bigendian), payload,
    )  # fmt: skip


def imu_from(message: Any) -> Imu:  # noqa: ANN401
    """The plain sample of a ROS or rosbags Imu; no attitude (all zero) where the message says that it has none."""
    told = float(message.orientation_covariance[0]) != -1.0  # sensor_msgs/Imu: -1, no estimate
    return Imu(
        stamp_ns(message) or 0,
        _xyzw(message.orientation) if told else (0.0, 0.0, 0.0, 0.0),
        _xyz(message.angular_velocity),
        _xyz(message.linear_acceleration),
    )


def odometry_from(message: Any) -> Odometry:  # noqa: ANN401
    """The plain state of a ROS or rosbags Odometry."""
    pose, twist = message.pose.pose, message.twist.twist
    return Odometry(
        stamp_ns(message) or 0, _xyz(pose.position), _xyzw(pose.orientation), _xyz(twist.linear), _xyz(twist.angular)
    )


def command_from(message: Any) -> BodyCommand:  # noqa: ANN401
    """The plain command of a ROS or rosbags TwistStamped."""
    twist = message.twist
    return BodyCommand(stamp_ns(message) or 0, twist.linear.x, twist.linear.y, twist.linear.z, twist.angular.z)


def trajectory_from(message: Any) -> JointCommand:  # noqa: ANN401
    """The plain command of a ROS or rosbags JointTrajectory: its last point. No point: nothing finite to hold."""
    position = message.points[-1].positions if len(message.points) else (float("nan"),)
    return JointCommand(stamp_ns(message) or 0, tuple(float(value) for value in position))


def joint_sample_from(message: Any) -> JointSample:  # noqa: ANN401
    """The plain sample of a ROS or rosbags JointState, in our joints' order.

    Raises SampleError as `joint_order.in_order`, which says what becomes of it.
    """
    parts = (tuple(map(float, values)) for values in (message.position, message.velocity, message.effort))
    return in_order(JointSample(stamp_ns(message) or 0, tuple(message.name), *parts))


def _xyz(value: Any) -> Vector3:  # noqa: ANN401
    return (value.x, value.y, value.z)


def _xyzw(value: Any) -> Quaternion:  # noqa: ANN401
    return (value.x, value.y, value.z, value.w)

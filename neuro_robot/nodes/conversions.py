"""Plain values to and from ROS 2 messages. From a message: see bags.messages, which reads both kinds alike."""

from __future__ import annotations

import array
from collections.abc import Mapping

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from event_camera_msgs.msg import EventPacket as EventPacketMsg
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry as OdometryMsg
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu as ImuMsg
from sensor_msgs.msg import JointState
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from neuro_robot.bags.legs import JointSample
from neuro_robot.bags.messages import NS, command_from, imu_from, odometry_from, packet_from, stamp_ns
from neuro_robot.events.packet import EventPacket
from neuro_robot.robot import BodyCommand, Imu, JointCommand, Odometry

__all__ = [
    "clock_message", "command_from", "command_message", "diagnostics_message", "imu_from", "imu_message",
    "joint_state_message", "odometry_from", "odometry_message", "packet_from", "packet_message", "stamp_ns",
    "time_message", "trajectory_message",
]  # fmt: skip

LEVELS = {"ok": DiagnosticStatus.OK, "warn": DiagnosticStatus.WARN, "error": DiagnosticStatus.ERROR}


def time_message(t_ns: int) -> Time:
    """builtin_interfaces/Time."""
    return Time(sec=t_ns // NS, nanosec=t_ns % NS)


def packet_message(packet: EventPacket) -> EventPacketMsg:
    """EventPacket; the payload goes in as array.array, which rclpy takes without looking at every byte."""
    message = EventPacketMsg()
    message.header.stamp = time_message(packet.stamp_ns)
    message.header.frame_id = packet.frame_id
    message.height, message.width = packet.height, packet.width
    message.seq, message.time_base = packet.seq, packet.time_base
    message.encoding, message.is_bigendian = packet.encoding, packet.is_bigendian
    payload = array.array("B")
    payload.frombytes(np.ascontiguousarray(packet.events).tobytes())
    message.events = payload
    return message


def command_message(command: BodyCommand) -> TwistStamped:
    """TwistStamped in base_link."""
    message = TwistStamped()
    message.header.stamp = time_message(command.t_ns)
    message.header.frame_id = "base_link"
    linear = message.twist.linear
    linear.x, linear.y, linear.z = float(command.vx), float(command.vy), float(command.vz)
    message.twist.angular.z = float(command.yaw_rate)
    return message


def trajectory_message(command: JointCommand, names: tuple[str, ...]) -> JointTrajectory:
    """JointTrajectory of one point, to be held from now on."""
    point = JointTrajectoryPoint(positions=[float(value) for value in command.position])
    message = JointTrajectory(joint_names=list(names), points=[point])
    message.header.stamp = time_message(command.t_ns)
    return message


def joint_state_message(sample: JointSample) -> JointState:
    """JointState."""
    message = JointState(name=list(sample.names), position=list(sample.position), velocity=list(sample.velocity),
                         effort=list(sample.effort))  # fmt: skip
    message.header.stamp = time_message(sample.t_ns)
    return message


def imu_message(imu: Imu) -> ImuMsg:
    """Imu; covariances stay 0: unknown (REP-145)."""
    message = ImuMsg()
    message.header.stamp = time_message(imu.t_ns)
    message.header.frame_id = "base_link"
    turn, rate, force = message.orientation, message.angular_velocity, message.linear_acceleration
    turn.x, turn.y, turn.z, turn.w = imu.orientation
    rate.x, rate.y, rate.z = imu.angular_velocity
    force.x, force.y, force.z = imu.linear_acceleration
    return message


def odometry_message(odom: Odometry) -> OdometryMsg:
    """Odometry, odom to base_link; covariances stay 0: unknown."""
    message = OdometryMsg()
    message.header.stamp = time_message(odom.t_ns)
    message.header.frame_id = "odom"
    message.child_frame_id = "base_link"
    pose, twist = message.pose.pose, message.twist.twist
    pose.position.x, pose.position.y, pose.position.z = odom.position
    pose.orientation.x, pose.orientation.y, pose.orientation.z, pose.orientation.w = odom.orientation
    twist.linear.x, twist.linear.y, twist.linear.z = odom.velocity
    twist.angular.x, twist.angular.y, twist.angular.z = odom.angular_velocity
    return message


def clock_message(t_ns: int) -> Clock:
    """Clock."""
    return Clock(clock=time_message(t_ns))


def diagnostics_message(stamp: Time, name: str, level: str, text: str, values: Mapping[str, object]) -> DiagnosticArray:
    """One status; level `ok`, `warn` or `error`."""
    pairs = [KeyValue(key=key, value=_text(value)) for key, value in values.items()]
    status = DiagnosticStatus(level=LEVELS[level], name=name, message=text, hardware_id="neuro_robot", values=pairs)
    message = DiagnosticArray(status=[status])
    message.header.stamp = stamp
    return message


def _text(value: object) -> str:
    if isinstance(value, float):
        return repr(float(value))
    return str(value)

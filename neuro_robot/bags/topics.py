"""The topics of a robot: name, type and quality of service, for nodes and bags alike.

Relative names, so that a namespace makes two robots; `/clock` and `/diagnostics` are one per system by convention.
"""

from __future__ import annotations

from dataclasses import dataclass

EVENT_PACKET = "event_camera_msgs/msg/EventPacket"


@dataclass(frozen=True)
class Topic:
    """One topic; `reliable` and `depth` are what its publisher offers."""

    name: str
    type: str
    reliable: bool
    depth: int

    def resolved(self, namespace: str = "") -> str:
        """The full name under a namespace, e.g. `/events` or `/left/events`."""
        if self.name.startswith("/"):
            return self.name
        prefix = namespace.strip("/")
        return f"/{prefix}/{self.name}" if prefix else f"/{self.name}"


EVENTS = Topic("events", EVENT_PACKET, False, 1000)
SPIKES = Topic("spikes", EVENT_PACKET, False, 1000)
COMMAND = Topic("cmd_vel", "geometry_msgs/msg/TwistStamped", True, 1)
IMU = Topic("imu/data", "sensor_msgs/msg/Imu", False, 100)
ODOM = Topic("odom", "nav_msgs/msg/Odometry", False, 100)
JOINT_TRAJECTORY = Topic("joint_trajectory", "trajectory_msgs/msg/JointTrajectory", True, 1)
JOINT_STATES = Topic("joint_states", "sensor_msgs/msg/JointState", False, 100)
FOOT_CONTACTS = Topic("foot_contacts", EVENT_PACKET, False, 1000)  # a touch is an event: x = foot, p = 1 down, 0 up
CLOCK = Topic("/clock", "rosgraph_msgs/msg/Clock", False, 10)
DIAGNOSTICS = Topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", True, 100)

TOPICS = (EVENTS, SPIKES, COMMAND, IMU, ODOM, CLOCK, DIAGNOSTICS)  # of every robot
LEG_TOPICS = (JOINT_TRAJECTORY, JOINT_STATES, FOOT_CONTACTS)  # of one with legs, besides

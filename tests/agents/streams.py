"""Synthetic event streams and attitudes for the tests of the agents."""

from __future__ import annotations

import math

import numpy as np

from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.packet import pack
from neuro_robot.robot import Imu

SIZE = 64  # pixels a side
MS = 1_000_000


def imu_with(orientation, angular_velocity=(0.0, 0.0, 0.0)):
    return Imu(0, tuple(orientation), angular_velocity, (0.0, 0.0, 9.81))


AT_REST = imu_with((0.0, 0.0, 0.0, 1.0))


def attitude(roll, pitch, yaw):
    """Quaternion x, y, z, w of the rotation Rz(yaw) Ry(pitch) Rx(roll)."""
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    return (
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
        cr * cp * cy + sr * sp * sy,
    )


def events_at(t, x, y):
    events = np.zeros(len(t), EVENT_DTYPE)
    events["t"], events["x"], events["y"], events["p"] = t, x, y, 1
    return events


def noise(rng, t_start_ns, t_end_ns, n, columns=(0, SIZE), rows=(0, SIZE)):
    """n events at random in a rectangle of the picture, in order of time, on whole microseconds."""
    t = np.sort(rng.integers(t_start_ns // 1000, t_end_ns // 1000, n)) * 1000
    return events_at(t, rng.integers(*columns, n), rng.integers(*rows, n))


def stream(seed, packets, n=20, period_ms=2, **where):
    """(events, end of packet in ns) of so many packets."""
    rng = np.random.default_rng(seed)
    period = period_ms * MS
    return [(noise(rng, k * period, (k + 1) * period, n, **where), (k + 1) * period) for k in range(packets)]


def packed(parts, first_seq=0):
    """The stream as event packets."""
    return [
        pack(events, "evt3", width=SIZE, height=SIZE, seq=first_seq + k, stamp_ns=t_end, t_end_ns=t_end)
        for k, (events, t_end) in enumerate(parts)
    ]

"""The simulated event camera: renderer, pixel model and packets, mounted on a body."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuro_robot.config import parameter
from neuro_robot.errors import SimulationError
from neuro_robot.events.packet import EventPacket, pack
from neuro_robot.sim.dvs import DvsConfig, DvsPixels
from neuro_robot.sim.renderer import Renderer
from neuro_robot.sim.world import World


@dataclass(frozen=True)
class CameraConfig:
    """Lens, mount and packets of the event camera."""

    width: int = parameter(128, "pixels per row", 8, 2048)
    height: int = parameter(128, "pixels per column", 8, 2048)
    fov_deg: float = parameter(90.0, "horizontal field of view of the pinhole lens (deg)", 10.0, 150.0)
    frame_rate_hz: int = parameter(1000, "rendered frames per second; times between them are interpolated", 50, 10000)
    pitch_deg: float = parameter(20.0, "mount angle, positive looks up, against nose-down flight (deg)", -90.0, 90.0)
    x: float = parameter(0.0, "mount position forward in base_link (m)", -1.0, 1.0)
    y: float = parameter(0.0, "mount position left in base_link (m)", -1.0, 1.0)
    z: float = parameter(0.0, "mount position up in base_link (m)", -1.0, 1.0)
    encoding: str = parameter("evt3", "wire format of the packets", choices=("evt3", "mono", "libcaer", "libcaer_cmp"))
    packet_period_ms: int = parameter(2, "time covered by one packet (ms)", 1, 100)
    threads: int = parameter(1, "threads that render; the events do not depend on it", 1, 64)


def mount_rotation(pitch_deg: float) -> NDArray[np.float64]:
    """Camera (z forward, x right, y down) to base_link (x forward, y left, z up), (3, 3), looking up by pitch_deg."""
    c, s = math.cos(math.radians(pitch_deg)), math.sin(math.radians(pitch_deg))
    # columns: where the camera's right, down and forward point in base_link
    return np.array([[0.0, s, c], [-1.0, 0.0, 0.0], [0.0, -c, s]])


def rotation_of(quaternion: ArrayLike) -> NDArray[np.float64]:
    """Rotation matrix (3, 3) of a quaternion (x, y, z, w) of any length; raises SimulationError for 0 and NaN."""
    x, y, z, w = (float(value) for value in np.asarray(quaternion, np.float64))
    square = x * x + y * y + z * z + w * w
    if not 0.0 < square < math.inf:
        raise SimulationError(f"attitude: expected a quaternion of finite length, got {(x, y, z, w)}")
    s = 2.0 / square
    return np.array(
        [
            [1.0 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
            [s * (x * y + z * w), 1.0 - s * (x * x + z * z), s * (y * z - x * w)],
            [s * (x * z - y * w), s * (y * z + x * w), 1.0 - s * (x * x + y * y)],
        ]
    )


class EventCamera:
    """An event camera on a moving body. Sensor time is simulation time, int64 ns.

    Call `frame` at the frame rate with the body's pose; the first call adapts the pixels and makes no events.
    `packet` returns what came since the last one, packed as a driver packs it.
    """

    def __init__(self, world: World, camera: CameraConfig, dvs: DvsConfig, seed: int) -> None:
        self.config = camera
        self.renderer = Renderer(world.upright, camera, threads=camera.threads)
        self.pixels = DvsPixels(dvs, camera.width, camera.height, seed)
        self._mount = mount_rotation(camera.pitch_deg)
        self._offset = np.array([camera.x, camera.y, camera.z])
        self._pending: list[NDArray[np.void]] = []
        self._seq = 0
        self._packet_start_ns = 0

    def frame(self, position: ArrayLike, quaternion: ArrayLike, t_ns: int) -> NDArray[np.void]:
        """See the world from the body's pose (m, world; x, y, z, w) at t_ns; the new events, also kept for `packet`."""
        body = rotation_of(quaternion)
        eye = np.asarray(position, np.float64) + body @ self._offset
        image = self.renderer.render(eye, body @ self._mount, t_ns * 1e-9)
        if self.pixels.t_ns is None:
            self.pixels.reset(image, t_ns)
            self._packet_start_ns = t_ns
            return self.take()
        events = self.pixels.step(image, t_ns)
        self._pending.append(events)
        return events

    def take(self) -> NDArray[np.void]:
        """The events since the last take or packet, in one array sorted by time."""
        pending, self._pending = self._pending, []
        return np.concatenate(pending) if pending else self.pixels.no_events()

    def packet(self, t_end_ns: int) -> EventPacket:
        """Pack the events since the last packet; it covers sensor time up to t_end_ns and is stamped with its start."""
        packet = pack(
            self.take(),
            self.config.encoding,
            width=self.config.width,
            height=self.config.height,
            seq=self._seq,
            stamp_ns=self._packet_start_ns,
            t_end_ns=t_end_ns,
        )
        self._seq += 1
        self._packet_start_ns = t_end_ns
        return packet

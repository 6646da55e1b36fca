"""What dv-processing reads, as this package's events, triggers and IMU samples: iniVation cameras, streams, recordings.

The API is that of dv-processing 2.0 (dv_processing.io.camera.open, NetworkReader, MonoCameraRecording: one interface,
`InputBase`). Times are us since 1970, as the camera's driver made them from its own clock.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np

from neuro_robot.errors import NeuroRobotError
from neuro_robot.events.array import EVENT_DTYPE, MAX_TIME_NS, TRIGGER_DTYPE, Events, Triggers, empty_triggers
from neuro_robot.robot import Vector3

RESTART_US = 1_000_000  # time that steps back further begins anew
MAX_TIME_US = MAX_TIME_NS // 1000
WITHOUT_LIMIT = 2**62
# Type of a trigger (dv_processing.TriggerType) -> (input, edge). Others mark a reset of time or the phases of a frame.
EDGES = {1: (0, 1), 2: (0, 0), 3: (0, 1), 4: (3, 1), 5: (3, 0)}


class CameraError(NeuroRobotError):
    """A camera, its stream or recording cannot be opened, or has stopped."""


class ImuSample(NamedTuple):
    """One sample in the axes of the camera's IMU."""

    t_ns: int
    angular_velocity: Vector3  # rad/s
    linear_acceleration: Vector3  # m/s^2


@dataclass(slots=True)
class SourceStats:
    """Counters over the life of a source."""

    batches: int = 0
    events: int = 0
    imu_samples: int = 0
    triggers: int = 0
    dropped_out_of_geometry: int = 0
    dropped_backward_time: int = 0  # events before one that was read earlier
    restarts: int = 0  # time was set back by more than a second


def load_dv() -> Any:  # noqa: ANN401 - the module has no types
    """Import dv-processing. Raises CameraError that names the wheel."""
    try:
        return importlib.import_module("dv_processing")
    except ImportError as error:
        remedy = "pip install 'dv-processing>=2.0,<3' (wheels for Linux and macOS)"
        raise CameraError(f"iniVation cameras need the Python package dv-processing: {error}; {remedy}") from error


class DvSource:
    """One open input of dv-processing. Recordings are given out at sensor speed, counted from the first call."""

    def __init__(self, reader: Any, *, live: bool) -> None:  # noqa: ANN401 - dv_processing.io.InputBase
        """Raises CameraError for an input without events."""
        resolution = reader.getEventResolution() if reader.isEventStreamAvailable() else None
        if resolution is None or min(resolution) < 1:
            raise CameraError(f"expected a stream of events, got none from {reader.getCameraName() or 'this source'}")
        self.width, self.height = int(resolution[0]), int(resolution[1])
        self.name = str(reader.getCameraName())
        self.stats = SourceStats()
        self._reader, self._live = reader, live
        self._last_us = -1
        self._start: tuple[int, int] | None = None  # sensor and host time, us
        self._inputs = [_Input(reader.getNextEventBatch, lambda batch: int(batch.getLowestTime()))]
        for there, read in ((reader.isImuStreamAvailable(), reader.getNextImuBatch),
                            (reader.isTriggerStreamAvailable(), reader.getNextTriggerBatch)):  # fmt: skip
            self._inputs.append(_Input(read if there else lambda: None, lambda batch: int(batch[0].timestamp)))

    @property
    def running(self) -> bool:
        """Whether more can come: the camera is there, or the recording is not at its end."""
        return bool(self._reader.isRunningAny()) or any(item.held for item in self._inputs)

    def events(self, now_ns: int) -> Iterator[tuple[Events, bool]]:
        """Batches of sorted (n,) EVENT_DTYPE events, and whether time began anew with this one."""
        for batch in self._due(0, now_ns):
            yield self._accepted(batch.numpy())

    def imu(self, now_ns: int) -> Iterator[ImuSample]:
        """IMU samples."""
        for batch in self._due(1, now_ns):
            for item in batch:
                rate, force = _vector(item.getAngularVelocities()), _vector(item.getAccelerations())
                self.stats.imu_samples += 1
                yield ImuSample(_time_ns(item.timestamp), rate, force)

    def triggers(self, now_ns: int) -> Triggers:
        """Sorted (n,) TRIGGER_DTYPE edges: input 0 the connector, 3 the camera's own generator."""
        edges = [(_time_ns(item.timestamp), *EDGES[int(item.type)])
                 for batch in self._due(2, now_ns) for item in batch if int(item.type) in EDGES]  # fmt: skip
        self.stats.triggers += len(edges)
        return np.array(sorted(edges), TRIGGER_DTYPE) if edges else empty_triggers()

    def _due(self, index: int, now_ns: int) -> Iterator[Any]:
        if self._live:
            return self._inputs[index].until(WITHOUT_LIMIT)
        now_us = now_ns // 1000
        if self._start is None:
            first = [item.next_us() for item in self._inputs]
            self._start = (min((us for us in first if us is not None), default=0), now_us)
        return self._inputs[index].until(self._start[0] + now_us - self._start[1])

    def _accepted(self, raw: Any) -> tuple[Events, bool]:  # noqa: ANN401 - structured array of dv-processing
        """Events inside the sensor and in order; coordinates are signed there and nothing is promised of a stream."""
        stats = self.stats
        stats.batches += 1
        t_us = raw["timestamp"].astype(np.int64)
        fresh = self._last_us >= 0 and len(t_us) > 0 and int(t_us[0]) < self._last_us - RESTART_US
        if fresh:
            stats.restarts += 1
            self._last_us = -1
        x, y = raw["x"], raw["y"]
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        reached = np.maximum.accumulate(np.concatenate([[max(self._last_us, 0)], t_us]))
        ordered = (t_us >= reached[:-1]) & (t_us <= MAX_TIME_US)
        kept = inside & ordered
        stats.dropped_out_of_geometry += int(np.count_nonzero(~inside))
        stats.dropped_backward_time += int(np.count_nonzero(inside & ~ordered))
        events = np.empty(int(np.count_nonzero(kept)), EVENT_DTYPE)
        events["t"], events["x"], events["y"] = t_us[kept] * 1000, x[kept], y[kept]
        events["p"] = raw["polarity"][kept] != 0
        if len(events):
            self._last_us = int(events["t"][-1]) // 1000
        stats.events += len(events)
        return events, fresh


class _Input:
    """One kind of data, with a look at what comes next. Raises CameraError when reading fails."""

    def __init__(self, read: Callable[[], Any], time_us: Callable[[Any], int]) -> None:
        self._read, self._time_us = read, time_us
        self.held: Any = None

    def next_us(self) -> int | None:
        """Time at which the next batch begins, None when there is none now."""
        while self.held is None:
            try:
                batch = self._read()
            except Exception as error:  # dv-processing raises what its C++ libraries raise
                raise CameraError(f"cannot read on: {_reason(error)}") from error
            if batch is None:
                return None
            if len(batch):
                self.held = batch
        return self._time_us(self.held)

    def until(self, end_us: int) -> Iterator[Any]:
        """Batches that begin by then."""
        while (begin_us := self.next_us()) is not None and begin_us <= end_us:
            batch, self.held = self.held, None
            yield batch


def open_source(serial: str, network: str, file: str, period_us: int) -> DvSource:
    """Open the one that is named, or else the first camera found. Raises CameraError with the remedy."""
    dv = load_dv()
    if bool(serial) + bool(network) + bool(file) > 1:
        raise CameraError(f"expected one of serial, network and file, got {serial!r}, {network!r} and {file!r}")
    try:
        if network:
            host, _, port = network.rpartition(":")
            if not host or not port.isdecimal():
                raise CameraError(f"network: expected HOST:PORT, got {network!r}")
            return DvSource(dv.io.NetworkReader(host, int(port)), live=True)
        if file:
            return DvSource(dv.io.MonoCameraRecording(file), live=False)
        return DvSource(_camera(dv, serial, period_us), live=True)
    except NeuroRobotError:
        raise
    except Exception as error:  # dv-processing raises what its C++ libraries raise
        what = f"the stream at {network}" if network else f"the recording {file}" if file else "the camera"
        raise CameraError(f"cannot open {what}: {_reason(error)}") from error


def _camera(dv: Any, serial: str, period_us: int) -> Any:  # noqa: ANN401
    if not dv.io.camera.discover():
        raise CameraError("no iniVation camera found; check the cable, the udev rules and `lsusb -d 152a:`")
    camera = dv.io.camera.open(serial) if serial else dv.io.camera.open()
    camera.setTimeInterval(timedelta(microseconds=period_us))
    return camera


def _reason(error: Exception) -> str:
    """The telling line of an error that may carry a C++ stack trace."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "rror" in line.split(":")[0]] or lines or [type(error).__name__]
    return told[0].split(" [system:")[0].strip()


def _time_ns(t_us: int) -> int:
    return min(max(int(t_us), 0), MAX_TIME_US) * 1000


def _vector(values: Any) -> Vector3:  # noqa: ANN401 - (3, 1) array
    x, y, z = (float(value) for value in np.ravel(values))
    return x, y, z

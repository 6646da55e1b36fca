"""Undistort: every event moved to where a lens without distortion would have put it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml
from numba import njit

from neuro_robot.errors import ConfigError
from neuro_robot.events.array import Events
from neuro_robot.events.filters import EventFilter
from neuro_robot.strict_yaml import read_yaml

MODELS = ("plumb_bob", "rational_polynomial", "equidistant")
_CLOSE = 0.5  # pixels that a point may miss its origin by, distorted back; more: the lens model has no inverse there
_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 60, 1e-7)


class Undistort(EventFilter):
    """Moves events by a map computed once for all pixels; what leaves the picture is dropped.

    camera_matrix (3, 3) px and distortion (n,) are OpenCV's: k1 k2 p1 p2 [k3 ...] for `plumb_bob` and
    `rational_polynomial`, k1 k2 k3 k4 for `equidistant` (fisheye). The picture keeps camera matrix and size. Positions
    are rounded to whole pixels, so two pixels may fall on one and some stay empty. Raises ConfigError for a
    calibration that is none. Source of the model: OpenCV documentation, "Camera Calibration and 3D Reconstruction".
    """

    def __init__(
        self, width: int, height: int, camera_matrix: npt.ArrayLike, distortion: npt.ArrayLike,
        model: str = "plumb_bob",
    ) -> None:  # fmt: skip
        super().__init__(width, height)
        matrix, coefficients = _checked(camera_matrix, distortion, model)
        target = _undistorted(_grid(width, height), matrix, coefficients, model).reshape(height, width, 2)
        inside: npt.NDArray[np.bool_] = np.asarray(np.isfinite(target).all(axis=2))
        rounded = np.rint(np.where(inside[..., None], target, -1.0))
        inside &= ((rounded >= 0) & (rounded < (width, height))).all(axis=2)
        self.map = np.where(inside[..., None], rounded, -1.0).astype(np.int32)
        """(height, width, 2) new x and y of each pixel, -1 outside."""

    @classmethod
    def from_file(cls, path: Path, width: int, height: int) -> Undistort:
        """From the YAML that ROS's camera_calibration writes. Raises ConfigError naming what it lacks."""
        try:
            values: Any = read_yaml(path.read_text())
            size = (int(values["image_width"]), int(values["image_height"]))
            matrix = np.array(values["camera_matrix"]["data"], float).reshape(3, 3)
            distortion = np.array(values["distortion_coefficients"]["data"], float)
            model = str(values.get("distortion_model", MODELS[0]))
        except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            needed = "image_width, image_height, camera_matrix, distortion_coefficients and distortion_model"
            raise ConfigError(
                f"{path}: expected a camera calibration as ROS writes it ({needed}): {type(error).__name__}: {error}"
            ) from error
        if size != (width, height):
            raise ConfigError(
                f"{path}: is for a sensor of {size[0]}x{size[1]} pixels, the events have {width}x{height}"
            )
        return cls(width, height, matrix, distortion, model)

    def _run(self, events: Events, out: Events) -> int:
        return int(_move(events, self.map, out))


def _checked(matrix: npt.ArrayLike, distortion: npt.ArrayLike, model: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    if model not in MODELS:
        raise ConfigError(f"undistort: expected a distortion model of {', '.join(MODELS)}, got {model!r}")
    k, d = np.asarray(matrix, float), np.asarray(distortion, float).ravel()
    good = k.shape == (3, 3) and np.isfinite(k).all() and k[0, 0] > 0 and k[1, 1] > 0 and np.isfinite(d).all()
    if not good:
        raise ConfigError(
            f"undistort: expected a finite 3x3 camera matrix with positive focal lengths, got {k.tolist()}"
        )
    allowed = (4,) if model == MODELS[2] else (4, 5, 8, 12, 14)
    if len(d) not in allowed:
        raise ConfigError(f"undistort: {model} has {' or '.join(map(str, allowed))} coefficients, got {len(d)}")
    return k, d


def _grid(width: int, height: int) -> npt.NDArray[np.float64]:
    """(height * width, 1, 2) all pixels, row by row."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y], axis=-1).reshape(-1, 1, 2).astype(np.float64)


def _undistorted(
    pixels: npt.NDArray[np.float64], matrix: npt.NDArray[Any], distortion: npt.NDArray[Any], model: str
) -> npt.NDArray[np.float64]:
    """Where the pixels belong, nan where the model cannot be inverted: OpenCV's iteration then ends anywhere."""
    if model == MODELS[2]:
        found = cv2.fisheye.undistortPoints(pixels, matrix, distortion, P=matrix)
    else:
        found = cv2.undistortImagePoints(pixels, matrix, distortion, None, _STOP)
    y = (found[..., 1] - matrix[1, 2]) / matrix[1, 1]
    rays = np.stack([(found[..., 0] - matrix[0, 2] - matrix[0, 1] * y) / matrix[0, 0], y], axis=-1)
    if model == MODELS[2]:
        back = cv2.fisheye.distortPoints(rays, matrix, distortion)
    else:
        points = np.concatenate([rays, np.ones((*rays.shape[:2], 1))], axis=2)
        back = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, distortion)[0]
    missed = ~(np.abs(back - pixels).max(axis=2, keepdims=True) <= _CLOSE)
    places: npt.NDArray[np.float64] = np.where(missed, np.nan, found)
    return places


@njit(cache=True)
def _move(events: Events, places: npt.NDArray[np.int32], out: Events) -> int:
    kept = 0
    height, width = places.shape[0], places.shape[1]
    for i in range(len(events)):
        x, y = events[i].x, events[i].y
        if x >= width or y >= height:
            return -1 - i
        if places[y, x, 0] >= 0:
            out[kept] = events[i]
            out[kept].x = places[y, x, 0]
            out[kept].y = places[y, x, 1]
            kept += 1
    return kept

"""Where the outlines of upright cylinders and of boxes run in the picture.

They are straight lines in a pinhole image, so a line `a*u + b*v + c`, scaled to signed distance in pixels, gives both
the spans of a run and the coverage at its edges exactly, also for what reaches behind the eye.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

FACE_SIZE = 13  # numbers that describe a face, see box_faces
MAX_LINES = 12  # three visible faces of a box with four edges each


@njit(cache=True, error_model="numpy")
def pixel_line(nx: float, ny: float, nz: float, r: Any, focal: float, width: int, height: int, out: Any) -> None:
    """Set out = (a, b, c): a*u + b*v + c is the signed distance in pixels of pixel (u, v) from the plane n.d = 0."""
    a = nx * r[0, 0] + ny * r[1, 0] + nz * r[2, 0]
    b = nx * r[0, 1] + ny * r[1, 1] + nz * r[2, 1]
    c = nx * r[0, 2] + ny * r[1, 2] + nz * r[2, 2]
    norm = 1.0 / max(math.hypot(a, b), 1e-9)
    out[0], out[1] = a * norm, b * norm
    out[2] = (c * focal + a * (0.5 - 0.5 * width) + b * (0.5 - 0.5 * height)) * norm


@njit(cache=True, error_model="numpy")
def cylinder_lines(
    x: float, y: float, radius: float, r: Any, focal: float, width: int, height: int, lines: Any
) -> None:
    """The two tangent planes of an infinite upright cylinder with its axis at (x, y) from the eye; lines (2, 3)."""
    distance = math.hypot(x, y)
    if distance <= radius:  # above or below it: no silhouette, everything is inside
        lines[:2, :2] = 0.0
        lines[:2, 2] = 1e6
        return
    ex, ey = x / distance, y / distance
    sine = radius / distance
    cosine = math.sqrt(max(0.0, 1.0 - sine * sine))
    pixel_line(sine * ex + cosine * ey, sine * ey - cosine * ex, 0.0, r, focal, width, height, lines[0])
    pixel_line(sine * ex - cosine * ey, sine * ey + cosine * ex, 0.0, r, focal, width, height, lines[1])


@njit(cache=True, error_model="numpy")
def box_faces(
    x: float,
    y: float,
    z: float,
    half: Any,
    turn: Any,
    r: Any,
    focal: float,
    width: int,
    height: int,
    lines: Any,
    planes: Any,
) -> int:
    """Faces of a box that look at the eye: four lines each in lines (12, 3), a row each in planes (3, FACE_SIZE).

    Row: 0-2 outward normal, 3 its product with any point of the face, 4-6 and 7-9 the unit vectors U and V along the
    face, 10-11 the eye's coordinates along them from the centre, 12 a shift of the texture. Returns how many faces.
    """
    count = 0
    eye = (-(turn[0] * x + turn[1] * y), -(turn[0] * y - turn[1] * x), -z)
    axes = np.array([[turn[0], turn[1], 0.0], [-turn[1], turn[0], 0.0], [0.0, 0.0, 1.0]])
    middle = np.array([x, y, z])
    for axis in range(3):
        if abs(eye[axis]) <= half[axis]:
            continue
        sign = 1.0 if eye[axis] > 0.0 else -1.0
        first, second = (axis + 1) % 3, (axis + 2) % 3
        corners = np.empty((4, 3))
        for k in range(4):
            a = half[first] if k == 1 or k == 2 else -half[first]
            b = half[second] if k >= 2 else -half[second]
            corners[k] = middle + sign * half[axis] * axes[axis] + a * axes[first] + b * axes[second]
        for k in range(4):
            p, q = corners[k], corners[(k + 1) % 4]
            nx, ny, nz = p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]
            # seen from outside the corners run one way or the other: -sign turns the planes inwards
            pixel_line(-sign * nx, -sign * ny, -sign * nz, r, focal, width, height, lines[4 * count + k])
        planes[count, 0:3] = sign * axes[axis]
        planes[count, 3] = half[axis] - abs(eye[axis])
        planes[count, 4:7] = axes[first]
        planes[count, 7:10] = axes[second]
        planes[count, 10], planes[count, 11] = eye[first], eye[second]
        planes[count, 12] = 40.0 * axis + 17.0 * sign  # texels: no two faces alike
        count += 1
    return count

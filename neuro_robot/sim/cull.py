"""Which objects can be seen, in which order to draw them, and where their silhouettes run in the image.

Everything here is per object and frame, in double precision; the pixel loops in raster.py only evaluate what is
prepared here. The silhouettes of upright cylinders and boxes are straight lines in a pinhole image, so a line
`a*u + b*v + c`, scaled to signed distance in pixels, gives both the row spans and the edge coverage exactly.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from neuro_robot.sim.scene import BOX, CYLINDER, SPHERE

MARGIN = 1.5  # px around the projected bounding box: half a pixel of soft edge and rounding
NEAR = 0.02  # m; a corner nearer to the image plane than this is not projected
MOST_SORTED = 128  # with more objects in view than this, boxes are ordered by their nearest point
FACE_SIZE = 13  # numbers that describe a face, see box_faces
MAX_LINES = 12  # three visible faces of a box with four edges each


@njit(cache=True, error_model="numpy")
def visible(
    eye: NDArray[np.float64],
    rotation: NDArray[np.float64],
    focal: float,
    width: int,
    height: int,
    kind: NDArray[np.int32],
    centre: NDArray[np.float64],
    half: NDArray[np.float64],
    turn: NDArray[np.float64],
    culling: bool,
    order: NDArray[np.int64],
    rect: NDArray[np.int64],
) -> int:
    """Fill `order` with the objects to draw, farthest first, and `rect` (N, 4) with u0, u1, v0, v1; return how many."""
    n = 0
    key = np.empty(kind.size)
    for i in range(kind.size):
        x, y, z = centre[i, 0] - eye[0], centre[i, 1] - eye[1], centre[i, 2] - eye[2]
        if _inside(kind[i], x, y, z, half[i], turn[i]):
            continue
        u0, u1, v0, v1 = 0, width, 0, height
        if culling:
            u0, u1, v0, v1 = _rectangle(x, y, z, half[i], turn[i], rotation, focal, width, height)
        if u0 >= u1 or v0 >= v1:
            continue
        rect[i, 0], rect[i, 1], rect[i, 2], rect[i, 3] = u0, u1, v0, v1
        key[n] = -_nearness(kind[i], x, y, half[i], turn[i])
        order[n] = i
        n += 1
    ranks = np.argsort(key[:n], kind="mergesort")
    order[:n] = order[:n].copy()[ranks]
    boxes = 0
    for j in range(n):
        boxes += kind[order[j]] == BOX
    if boxes and n <= MOST_SORTED:
        _put_boxes_in_order(eye, kind, centre, half, turn, rect, order[:n])
    return n


@njit(cache=True, error_model="numpy")
def _put_boxes_in_order(eye: Any, kind: Any, centre: Any, half: Any, turn: Any, rect: Any, order: Any) -> None:
    """Sort again so that a box comes after whatever it may hide: no single distance orders a long wall.

    Of two solids, the one on the eye's side of a plane between them is in front, and the planes of a box's own sides
    are tried. Objects wait until all that must be drawn before them is drawn; rings wait for nobody.
    """
    n = order.size
    given = order.copy()
    before = np.zeros((n, n), np.bool_)  # before[a, b]: a must be drawn before b
    for a in range(n):
        for b in range(a + 1, n):
            i, j = given[a], given[b]
            if _apart(rect[i], rect[j]):
                continue
            side = 0
            if kind[i] == BOX:
                side = _side(eye, centre[i], half[i], turn[i], kind[j], centre[j], half[j], turn[j])
            if side == 0 and kind[j] == BOX:
                side = -_side(eye, centre[j], half[j], turn[j], kind[i], centre[i], half[i], turn[i])
            before[a, b], before[b, a] = side >= 0, side < 0
    waiting = np.ones(n, np.bool_)
    for place in range(n):
        chosen = _next_free(before, waiting)
        waiting[chosen] = False
        order[place] = given[chosen]


@njit(cache=True, error_model="numpy")
def _next_free(before: Any, waiting: Any) -> int:
    """The first that waits for nobody, else the first."""
    first = -1
    for a in range(waiting.size):
        if waiting[a]:
            if not np.any(before[:, a] & waiting):
                return a
            if first < 0:
                first = a
    return first


@njit(cache=True, error_model="numpy")
def _apart(a: Any, b: Any) -> bool:
    """True when two rectangles (u0, u1, v0, v1) share no pixel."""
    return bool(a[0] >= b[1] or b[0] >= a[1] or a[2] >= b[3] or b[2] >= a[3])


@njit(cache=True, error_model="numpy")
def _side(eye: Any, box: Any, half: Any, turn: Any, kind: int, other: Any, size: Any, other_turn: Any) -> int:
    """-1 if the box is in front of the other solid, 1 if behind, 0 if none of the box's sides separates them."""
    ex, ey = eye[0] - box[0], eye[1] - box[1]
    ox, oy = other[0] - box[0], other[1] - box[1]
    local_eye = (turn[0] * ex + turn[1] * ey, turn[0] * ey - turn[1] * ex, eye[2] - box[2])
    local = (turn[0] * ox + turn[1] * oy, turn[0] * oy - turn[1] * ox, other[2] - box[2])
    c = abs(turn[0] * other_turn[0] + turn[1] * other_turn[1])
    s = abs(turn[0] * other_turn[1] - turn[1] * other_turn[0])
    reach = (size[0], size[1], size[2])
    if kind == BOX:
        reach = (c * size[0] + s * size[1], s * size[0] + c * size[1], size[2])
    for axis in range(3):
        sign = 1.0 if local[axis] > 0.0 else -1.0
        if abs(local[axis]) - reach[axis] >= half[axis] - 1e-9:
            return 1 if local_eye[axis] * sign > half[axis] else -1
    return 0


@njit(cache=True, error_model="numpy")
def _inside(kind: int, x: float, y: float, z: float, half: Any, turn: Any) -> bool:
    """True when the eye is inside the solid, which then is not drawn."""
    if kind == SPHERE:
        return bool(x * x + y * y + z * z <= half[0] ** 2)
    if abs(z) > half[2]:
        return False
    if kind == CYLINDER:
        return bool(x * x + y * y <= half[0] ** 2)
    return bool(abs(turn[0] * x + turn[1] * y) <= half[0] and abs(turn[0] * y - turn[1] * x) <= half[1])


@njit(cache=True, error_model="numpy")
def _nearness(kind: int, x: float, y: float, half: Any, turn: Any) -> float:
    """Squared tangent length to a disc, which orders disjoint discs exactly; nearest point of a rectangle."""
    if kind == BOX:
        a = max(abs(turn[0] * x + turn[1] * y) - half[0], 0.0)
        b = max(abs(turn[0] * y - turn[1] * x) - half[1], 0.0)
        return float(a * a + b * b)
    return float(x * x + y * y - half[0] ** 2)


@njit(cache=True, error_model="numpy")
def _rectangle(
    x: float, y: float, z: float, half: Any, turn: Any, r: Any, focal: float, width: int, height: int
) -> tuple[int, int, int, int]:
    """Pixels that can be touched: the projected corners of the bounding box, or everything not surely outside."""
    u_low, u_high, v_low, v_high = 1e9, -1e9, 1e9, -1e9
    wide, tall = (0.5 * width + MARGIN) / focal, (0.5 * height + MARGIN) / focal
    outside = np.zeros(5, np.int64)
    projected = True
    for corner in range(8):
        a = half[0] if corner & 1 else -half[0]
        b = half[1] if corner & 2 else -half[1]
        wx, wy = x + turn[0] * a - turn[1] * b, y + turn[1] * a + turn[0] * b
        wz = z + (half[2] if corner & 4 else -half[2])
        cx = r[0, 0] * wx + r[1, 0] * wy + r[2, 0] * wz
        cy = r[0, 1] * wx + r[1, 1] * wy + r[2, 1] * wz
        cz = r[0, 2] * wx + r[1, 2] * wy + r[2, 2] * wz
        outside[0] += cz < NEAR
        outside[1] += cx > wide * cz
        outside[2] += -cx > wide * cz
        outside[3] += cy > tall * cz
        outside[4] += -cy > tall * cz
        if cz < NEAR:
            projected = False
        else:
            u_low, u_high = min(u_low, cx / cz), max(u_high, cx / cz)
            v_low, v_high = min(v_low, cy / cz), max(v_high, cy / cz)
    if outside.max() == 8:
        return 0, 0, 0, 0
    if not projected:
        return 0, width, 0, height
    u0 = max(0, math.floor(u_low * focal + 0.5 * width - MARGIN))
    u1 = min(width, math.ceil(u_high * focal + 0.5 * width + MARGIN))
    v0 = max(0, math.floor(v_low * focal + 0.5 * height - MARGIN))
    v1 = min(height, math.ceil(v_high * focal + 0.5 * height + MARGIN))
    return u0, u1, v0, v1


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

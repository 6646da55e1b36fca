"""Which objects can be seen, where in the picture, and in which order to draw them; per object, double precision."""

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

"""The view from behind: a camera that follows the robot along its own path, and the robot drawn into it."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from neuro_robot.bench.rundata import Floats, RunData

Image = npt.NDArray[np.uint8]
BEHIND_M, ABOVE_M, AHEAD_M = 2.6, 0.75, 3.0
WALK_BEHIND_M, WALK_ASIDE_M, WALK_ABOVE_M, WALK_AHEAD_M = 1.0, 1.1, 0.5, 0.4  # closer, so that legs can be seen
ARM_M, ROTOR_M = 0.17, 0.095  # drawn a little larger than life so that the drone reads at video size
NEAR_M = 0.25


class ChaseCamera:
    """Poses that follow a flown path; all in odom. The camera keeps to where the robot has been, so never in a tree."""

    def __init__(self, run: RunData) -> None:
        path = run.position
        self._aside = 0.0
        self._behind, self._above, self._ahead = BEHIND_M, ABOVE_M, AHEAD_M
        if run.joints.shape[2]:
            self._aside = WALK_ASIDE_M
            self._behind, self._above, self._ahead = WALK_BEHIND_M, WALK_ABOVE_M, WALK_AHEAD_M
        heading = np.array([math.cos(run.world.start.yaw), math.sin(run.world.start.yaw), 0.0])
        lead = path[0] - heading * (self._behind + 1.0)
        self._path = np.concatenate([lead[None], path])
        steps = np.linalg.norm(np.diff(self._path, axis=0), axis=1)
        self._length = np.concatenate([[0.0], np.cumsum(steps)])
        self._forward = _smooth_forward(path, heading)

    def pose(self, index: int) -> tuple[Floats, Floats]:
        """Position (3,) and camera-to-world rotation (3, 3) for the pose `index` of the run."""
        here = self._path[index + 1]
        back = self._length[index + 1] - self._behind
        trail = np.array([np.interp(back, self._length, self._path[:, k]) for k in range(3)])
        forward = self._forward[index]
        right = np.array([forward[1], -forward[0], 0.0])
        eye = 0.5 * (trail + here - forward * self._behind) + (0.0, 0.0, self._above) + self._aside * right
        target = here + forward * self._ahead + (0.0, 0.0, 0.1)
        return eye, look_at(eye, target)


def look_at(eye: Floats, target: Floats) -> Floats:
    """Rotation of an optical frame (z forward, x right, y down) at `eye` that looks at `target`, horizon level."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward], axis=1)


def _smooth_forward(path: Floats, heading: Floats, seconds: float = 0.6) -> Floats:
    """Level direction of travel, low-passed over the flight so that the picture does not swing."""
    forward = np.empty_like(path)
    state = heading.copy()
    for i in range(len(path)):
        step = path[i] - path[i - 1] if i else np.zeros(3)
        step = np.array([step[0], step[1], 0.0])
        norm = float(np.linalg.norm(step))
        if norm > 1e-6:
            state = state + (step / norm - state) * min(0.002 / seconds, 1.0)
        forward[i] = state / np.linalg.norm(state)
    return forward


class Projection:
    """Points of odom as pixels of a pinhole camera."""

    def __init__(self, width: int, height: int, fov_deg: float) -> None:
        self.focal = 0.5 * width / math.tan(0.5 * math.radians(fov_deg))
        self.centre = np.array([0.5 * (width - 1), 0.5 * (height - 1)])

    def pixels(self, points: Floats, eye: Floats, rotation: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Pixels (N, 2) and which of the points (N, 3) lie in front of the camera."""
        seen = (points - eye) @ rotation
        ahead = seen[:, 2] > NEAR_M
        depth = np.where(ahead, seen[:, 2], 1.0)
        return self.centre + self.focal * seen[:, :2] / depth[:, None], ahead


def quadrotor_shape() -> tuple[Floats, Floats]:
    """Arm ends (4, 3) and rotor rims (4, 24, 3) in base_link, the front pair first."""
    angles = np.radians([45.0, -45.0, 135.0, -135.0])
    arms = ARM_M * np.stack([np.cos(angles), np.sin(angles), np.zeros(4)], axis=1)
    turn = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    rim = ROTOR_M * np.stack([np.cos(turn), np.sin(turn), np.full(24, 0.25)], axis=1)
    return arms, arms[:, None, :] + rim[None]


def rotation_of(quaternion: Floats) -> Floats:
    """Rotation matrix (3, 3) of a quaternion x, y, z, w."""
    x, y, z, w = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def draw_trail(image: Image, points: Floats, view: tuple[Projection, Floats, Floats]) -> None:
    """The last stretch of the path as a fading line (RGB)."""
    projection, eye, rotation = view
    pixels, ahead = projection.pixels(points, eye, rotation)
    count = len(points)
    for i in range(1, count):
        if ahead[i] and ahead[i - 1]:
            fade = i / count
            colour = tuple(int(c) for c in fade * np.array([250, 160, 40]) + (1 - fade) * np.array([215, 200, 180]))
            cv2.line(image, _corner(pixels[i - 1]), _corner(pixels[i]), colour, 2, cv2.LINE_AA, 4)


def draw_drone(image: Image, pose: tuple[Floats, Floats], view: tuple[Projection, Floats, Floats]) -> None:
    """A quadrotor with its tilt at pose (position, quaternion): shadow, arms, rotors (front ones orange), hull."""
    position, quaternion = pose
    projection, eye, rotation = view
    arms, rims = quadrotor_shape()
    turn = rotation_of(quaternion)
    shadow = (rims @ turn.T + position).reshape(-1, 3) * (1.0, 1.0, 0.0) + (0.0, 0.0, 0.01)
    spots, seen = projection.pixels(shadow, eye, rotation)
    if seen.all():
        dark = image.copy()
        for spot in spots.reshape(4, -1, 2):
            cv2.fillPoly(dark, [_corners(spot)], (40, 40, 40), cv2.LINE_AA, 4)
        cv2.addWeighted(dark, 0.35, image, 0.65, 0.0, image)
    ends, seen_ends = projection.pixels(arms @ turn.T + position, eye, rotation)
    middle, seen_middle = projection.pixels(position[None], eye, rotation)
    if not (seen_ends.all() and seen_middle.all()):
        return
    size = max(2, round(projection.focal * 0.02 / max(float((position - eye) @ rotation[:, 2]), NEAR_M)))
    for end in ends:
        cv2.line(image, _corner(middle[0]), _corner(end), (35, 38, 45), size, cv2.LINE_AA, 4)
    for number, rim in enumerate(rims):
        disc, _ = projection.pixels(rim @ turn.T + position, eye, rotation)
        colour = (245, 130, 32) if number < 2 else (60, 66, 76)
        cv2.polylines(image, [_corners(disc)], True, colour, max(1, size // 2), cv2.LINE_AA, 4)
    cv2.circle(image, _corner(middle[0]), int(size * 1.8) * 16, (35, 38, 45), -1, cv2.LINE_AA, 4)


def draw_quadruped(
    image: Image,
    pose: tuple[Floats, Floats],
    legs: tuple[Floats, Floats, Floats],
    view: tuple[Projection, Floats, Floats],
) -> None:
    """A walking robot at pose (position, quaternion): shadow, legs (front ones orange), trunk.

    legs: hip joints, knees and feet (4, 3) each in base_link.
    """
    position, quaternion = pose
    projection, eye, rotation = view
    turn = rotation_of(quaternion)
    joints = np.stack(legs) @ turn.T + position  # (3, 4, 3)
    spots, seen = projection.pixels(joints.reshape(-1, 3), eye, rotation)
    if not seen.all():
        return
    hips, knees, feet = spots.reshape(3, 4, 2)
    outline = [0, 1, 3, 2]  # around the trunk: FR, FL, RL, RR
    lowest = float(joints[2, :, 2].min())  # a foot bears, so the ground is there
    ground, ahead = projection.pixels(joints[0] * (1.0, 1.0, 0.0) + (0.0, 0.0, lowest), eye, rotation)
    if ahead.all():
        dark = image.copy()
        cv2.fillPoly(dark, [_corners(ground[outline])], (40, 40, 40), cv2.LINE_AA, 4)
        cv2.addWeighted(dark, 0.35, image, 0.65, 0.0, image)
    size = max(2, round(projection.focal * 0.03 / max(float((position - eye) @ rotation[:, 2]), NEAR_M)))
    for leg in range(4):
        colour = (245, 130, 32) if leg < 2 else (60, 66, 76)
        for start, end in ((hips[leg], knees[leg]), (knees[leg], feet[leg])):
            cv2.line(image, _corner(start), _corner(end), colour, size, cv2.LINE_AA, 4)
    cv2.fillPoly(image, [_corners(hips[outline])], (35, 38, 45), cv2.LINE_AA, 4)
    cv2.polylines(image, [_corners(hips[outline])], True, (35, 38, 45), 2 * size, cv2.LINE_AA, 4)


def _corner(pixel: Floats) -> tuple[int, int]:
    """A pixel in 1/16 steps, as cv2 takes it with shift 4; far outside is clipped."""
    x, y = np.clip(pixel, -4000.0, 4000.0) * 16
    return int(x), int(y)


def _corners(pixels: Floats) -> npt.NDArray[np.int32]:
    return np.asarray(np.clip(pixels, -4000.0, 4000.0) * 16, dtype=np.int32)

"""The ground as a walking robot feels it, as lines over the chase view's plain floor: relief and slippery patches."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from neuro_robot.bench.chase import Image, Projection
from neuro_robot.bench.rundata import Floats
from neuro_robot.sim.terrain import FrictionPatch, HeightField, Terrain

REACH_M = 4.5  # of the robot; lines farther away would only blur
Colour = tuple[int, int, int]
RELIEF, SLIPPERY, OPACITY = ((96, 74, 52), 1), ((40, 110, 190), 3), 0.55  # colour and width in pixels


def draw_ground(image: Image, terrain: Terrain, around: Floats, view: tuple[Projection, Floats, Floats]) -> None:
    """The cells of heightfields and the outlines of friction patches near the point `around` (3,), m, RGB."""
    over = image.copy()
    for field in terrain.fields:
        for line in relief(field, around):
            _draw(over, line, RELIEF, view)
    for patch in terrain.frictions:
        for line in outline(patch, around):
            _draw(over, line, SLIPPERY, view)
    cv2.addWeighted(over, OPACITY, image, 1.0 - OPACITY, 0.0, image)


def relief(field: HeightField, around: Floats) -> Iterator[Floats]:
    """The lines (N, 3) between a heightfield's cells within REACH_M, along y and along x."""
    origin = np.array([field.x, field.y])
    first = np.clip(np.ceil((around[:2] - REACH_M - origin) / field.cell_m), 0, field.shape).astype(int)
    last = np.clip(np.floor((around[:2] + REACH_M - origin) / field.cell_m) + 1, 0, field.shape).astype(int)
    x = field.x + field.cell_m * np.arange(first[0], last[0])
    y = field.y + field.cell_m * np.arange(first[1], last[1])
    corners = np.stack([*np.meshgrid(x, y, indexing="ij"), field.grid[first[0] : last[0], first[1] : last[1]]], axis=2)
    yield from corners
    yield from corners.swapaxes(0, 1)


def outline(patch: FrictionPatch, around: Floats, step_m: float = 0.25) -> Iterator[Floats]:
    """The four edges (N, 3) of a friction patch, as far as they lie within REACH_M."""
    (x0, x1), (y0, y1) = patch.x, patch.y
    corners = np.array([[x0, y0, 0.0], [x1, y0, 0.0], [x1, y1, 0.0], [x0, y1, 0.0]])
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        count = int(np.linalg.norm(end - start) / step_m) + 2
        edge = start + np.linspace(0.0, 1.0, count)[:, None] * (end - start)
        yield edge[np.abs(edge[:, :2] - around[:2]).max(axis=1) <= REACH_M]


def _draw(image: Image, line: Floats, pen: tuple[Colour, int], view: tuple[Projection, Floats, Floats]) -> None:
    """What of a line lies in front of the camera, which looks along it or across it: one stretch."""
    (colour, width), (projection, eye, rotation) = pen, view
    pixels, ahead = projection.pixels(line, eye, rotation)
    spots = np.asarray(np.clip(pixels[ahead], -4000.0, 4000.0) * 16, np.int32)
    cv2.polylines(image, [spots.reshape(-1, 1, 2)], False, colour, width, cv2.LINE_AA, 4)

"""flight.mp4: the chase view, the camera's events and the network's spikes side by side, at real speed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from neuro_robot.bench.chase import ChaseCamera, Image, Projection, draw_drone, draw_quadruped, draw_trail
from neuro_robot.bench.figures import layer_colour, layer_names, raster_rows
from neuro_robot.bench.legs import leg_points
from neuro_robot.bench.picture import Picture
from neuro_robot.bench.relief import draw_ground
from neuro_robot.bench.rundata import RunData
from neuro_robot.events.frames import event_image

FPS = 25
PANEL_H, CHASE_W, EVENTS_W, SPIKES_W, FOOTER_H = 512, 704, 512, 416, 48
WIDTH, HEIGHT = CHASE_W + EVENTS_W + SPIKES_W, PANEL_H + FOOTER_H
RENDER_SHARE = 2  # the chase view is drawn at half size and enlarged: four times faster
CHASE_FOV_DEG = 80.0
EVENT_WINDOW_S, RASTER_S, TRAIL_S, HOLD_S = 0.03, 1.0, 1.2, 1.0
PAPER, INK, MUTED, BAR = (255, 255, 255), (31, 41, 51), (112, 122, 132), (24, 28, 34)
OUTCOMES = {"goal": (47, 158, 88), "collision": (214, 69, 69), "fall": (214, 69, 69), "upright": (47, 158, 88)}
FONT = cv2.FONT_HERSHEY_SIMPLEX


def write_video(run: RunData, path: Path) -> int:
    """Write the video of a run; return its number of frames (the flight at 25 fps, then one second of its end)."""
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (WIDTH, HEIGHT),
        fps=FPS,
        codec="libx264",
        pix_fmt_out="yuv420p",
        quality=None,
        output_params=["-preset", "veryfast", "-crf", "24", "-movflags", "+faststart"],
        macro_block_size=2,
        ffmpeg_log_level="error",
    )
    writer.send(None)
    count = 0
    try:
        for frame in video_frames(run):
            writer.send(np.ascontiguousarray(frame))
            count += 1
    finally:
        writer.close()
    return count


def video_frames(run: RunData) -> Iterator[Image]:
    """All frames, (HEIGHT, WIDTH, 3) uint8 RGB."""
    scene = _Scene(run)
    count = max(1, math.ceil(run.duration_s * FPS))
    for number in range(count):
        yield scene.frame(min((number + 1) / FPS, run.duration_s))
    last = scene.frame(run.duration_s)
    scene.banner(last)
    for _ in range(round(HOLD_S * FPS)):
        yield last


class _Scene:
    """What stays the same from frame to frame."""

    def __init__(self, run: RunData) -> None:
        self.run = run
        self.chase = ChaseCamera(run)
        self.painter = Picture(run.world, CHASE_W // RENDER_SHARE, PANEL_H // RENDER_SHARE, CHASE_FOV_DEG)
        self.projection = Projection(CHASE_W, PANEL_H, CHASE_FOV_DEG)
        self.first_row, self.rows = raster_rows(run)
        self.names = layer_names(run)
        self.event_s = run.events["t"] * 1e-9
        self.spike_s = run.spikes["t"] * 1e-9
        self.legs = leg_points(run) if run.joints.shape[2] else None

    def frame(self, t_s: float) -> Image:
        """The picture at simulation time t_s."""
        image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        image[:PANEL_H, :CHASE_W] = self.chase_panel(t_s)
        image[:PANEL_H, CHASE_W : CHASE_W + EVENTS_W] = self.event_panel(t_s)
        image[:PANEL_H, CHASE_W + EVENTS_W :] = self.spike_panel(t_s)
        image[PANEL_H:] = BAR
        image[:PANEL_H, [CHASE_W, CHASE_W + EVENTS_W]] = BAR
        self.footer(image, t_s)
        return image

    def chase_panel(self, t_s: float) -> Image:
        run, index = self.run, self.index(t_s)
        eye, rotation = self.chase.pose(index)
        small = self.painter.render_rgb(eye, rotation, t_s)
        image: Image = cv2.resize(small, (CHASE_W, PANEL_H), interpolation=cv2.INTER_CUBIC)
        view = (self.projection, eye, rotation)
        draw_ground(image, run.world.terrain, run.position[index], view)
        start = int(np.searchsorted(run.odom_t, t_s - TRAIL_S))
        draw_trail(image, run.position[start : index + 1 : 10], view)
        pose = (run.position[index], run.orientation[index])
        if self.legs is None:
            draw_drone(image, pose, view)
        else:
            at = min(int(np.searchsorted(run.joint_t, t_s)), len(run.joint_t) - 1)
            draw_quadruped(image, pose, (self.legs[0, at], self.legs[1, at], self.legs[2, at]), view)
        return image

    def index(self, t_s: float) -> int:
        """The newest pose at t_s."""
        return int(np.clip(np.searchsorted(self.run.odom_t, t_s, side="right") - 1, 0, len(self.run.odom_t) - 1))

    def event_panel(self, t_s: float) -> Image:
        run = self.run
        first, last = np.searchsorted(self.event_s, [t_s - EVENT_WINDOW_S, t_s])
        small = event_image(run.events[first:last], run.width, run.height)
        scale = min(EVENTS_W / run.width, PANEL_H / run.height)
        size = (round(run.width * scale), round(run.height * scale))
        way = cv2.INTER_NEAREST if scale >= 2 else cv2.INTER_AREA
        panel = np.full((PANEL_H, EVENTS_W, 3), PAPER, np.uint8)
        x, y = (EVENTS_W - size[0]) // 2, (PANEL_H - size[1]) // 2
        panel[y : y + size[1], x : x + size[0]] = cv2.resize(small, size, interpolation=way)
        _label(panel, "events, last 30 ms")
        self.steering(panel, t_s)
        return panel

    def steering(self, panel: Image, t_s: float) -> None:
        """The sideways command as an arrow, left is left; joints that are commanded have none."""
        if self.legs is not None:
            return
        at = int(np.searchsorted(self.run.command_t, t_s, side="right")) - 1
        if at < 0:
            return
        middle, reach = EVENTS_W // 2, 50.0
        tip = int(np.clip(middle - reach * self.run.command[at, 1], 12, EVENTS_W - 12))
        cv2.line(panel, (middle, PANEL_H - 34), (middle, PANEL_H - 14), INK, 1, cv2.LINE_AA)
        if abs(tip - middle) > 3:
            length = min(0.5, 9.0 / abs(tip - middle))
            cv2.arrowedLine(
                panel, (middle, PANEL_H - 24), (tip, PANEL_H - 24), (234, 115, 23), 4, cv2.LINE_AA, 0, length
            )

    def spike_panel(self, t_s: float) -> Image:
        panel = np.full((PANEL_H, SPIKES_W, 3), PAPER, np.uint8)
        first, last = np.searchsorted(self.spike_s, [t_s - RASTER_S, t_s])
        spikes = self.run.spikes[first:last]
        top, usable = 40, PANEL_H - 56
        pitch = usable / self.rows
        x = ((self.spike_s[first:last] - t_s + RASTER_S) / RASTER_S * (SPIKES_W - 12)).astype(np.int64) + 4
        thick = max(1, int(pitch * 0.7))
        for layer, row in self.first_row.items():
            mine = spikes["y"] == layer
            y = (top + usable - (spikes["x"][mine].astype(np.int64) + row + 1) * pitch).astype(np.int64)
            colour = _rgb(layer_colour(layer))
            for dy in range(thick):
                for dx in range(2):
                    panel[np.clip(y + dy, 0, PANEL_H - 1), np.clip(x[mine] + dx, 0, SPIKES_W - 1)] = colour
        self.spike_titles(panel)
        return panel

    def spike_titles(self, panel: Image) -> None:
        _label(panel, "spikes, last second" if len(self.run.spikes) else "no spikes in this flight")
        size = 0.5 if len(self.names) <= 4 else 0.4
        at, gap = (194, 14) if len(self.names) <= 4 else (168, 7)
        for layer, name in self.names.items():
            _text(panel, name, (at, 25), _rgb(layer_colour(layer)), size)
            at += gap + cv2.getTextSize(name, FONT, size, 1)[0][0]

    def footer(self, image: Image, t_s: float) -> None:
        run, index = self.run, self.index(t_s)
        at = max(int(np.searchsorted(run.command_t, t_s, side="right")) - 1, 0)
        vx, vy = run.command[at, :2] if len(run.command) and self.legs is None else (run.summary.get("speed", 0.0), 0.0)
        first, last = np.searchsorted(self.event_s, [t_s - 0.1, t_s])
        line = (
            f"t {t_s:6.2f} s    speed {np.linalg.norm(run.velocity[index]):5.2f} m/s    "
            f"command forward {vx:5.2f}, left {vy:+5.2f} m/s    events {10e-3 * (last - first):6.1f} k/s"
        )
        _text(image, line, (16, PANEL_H + 31), (236, 240, 244), 0.6)

    def banner(self, image: Image) -> None:
        """The outcome, over the chase view."""
        outcome = str(self.run.summary.get("outcome", "end"))
        if self.legs is not None and outcome == "timeout" and self.run.summary.get("success"):
            outcome = "upright"
        text = outcome.replace("_", " ")
        width = cv2.getTextSize(text, FONT, 1.1, 2)[0][0]
        x = (CHASE_W - width) // 2
        cv2.rectangle(image, (x - 24, 40), (x + width + 24, 96), OUTCOMES.get(outcome, (234, 115, 23)), -1)
        cv2.putText(image, text, (x, 79), FONT, 1.1, (255, 255, 255), 2, cv2.LINE_AA)


def _label(panel: Image, text: str) -> None:
    """A panel's title on its own ground, so that it reads over anything."""
    width = cv2.getTextSize(text, FONT, 0.5, 1)[0][0]
    panel[8:32, 8 : 20 + width] = PAPER
    _text(panel, text, (14, 25), MUTED, 0.5)


def _text(image: Image, text: str, at: tuple[int, int], colour: tuple[int, ...], size: float) -> None:
    cv2.putText(image, text, at, FONT, size, colour, 1, cv2.LINE_AA)


def _rgb(colour: str) -> tuple[int, int, int]:
    """A `#rrggbb` colour as numbers."""
    values: npt.NDArray[np.int64] = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    return int(values[0]), int(values[1]), int(values[2])

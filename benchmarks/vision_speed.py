"""How fast the simulated event camera is: against PyBullet's software renderer, and the pixel model alone.

    python benchmarks/vision_speed.py

One thread and its CPU time (other programs do not count), median of five runs, one process, the same scene. The pixel
model's workload is a moving bar at 346x260 and 1 kHz, about 1.5 million events per simulated second; each frame's
events come out sorted.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from neuro_robot.sim.camera import CameraConfig, EventCamera, mount_rotation
from neuro_robot.sim.dvs import DvsConfig, DvsPixels, ideal
from neuro_robot.sim.renderer import Renderer
from neuro_robot.sim.world import Texture, World, WorldObject, load_world

RUNS = 5
SIZE = 128
TREES = 50
SPEED = 5.0  # m/s
FORWARD = np.array([1.0, 0.0, 0.0])
START = np.array([-2.0, 0.0, 2.0])


def forest_in_view(seed: int = 0) -> World:
    """The forest with its trees drawn anew until exactly TREES of them stand in a 90 degree view."""
    rng = np.random.default_rng(seed)
    trees: list[WorldObject] = []
    while len(trees) < TREES:
        x, y, r = rng.uniform(1, 60), rng.uniform(-10, 10), rng.uniform(0.15, 0.35)
        if abs(y) < x + 2.0:
            texture = Texture("bark", float(rng.uniform(0.15, 0.4)), 0.6, 1.0, (rng.uniform(), rng.uniform()))
            trees.append(WorldObject("cylinder", (x, y, 4.0), (r, r, 4.0), 0.0, texture))
    return dataclasses.replace(load_world("forest", 0), objects=tuple(trees))


def frames_per_second(work: Callable[[int], object], frames: int) -> float:
    """Median over RUNS of frames / seconds, after one warm-up run; work(i) does frame i of a run."""
    rates = []
    for run in range(RUNS + 1):
        begin = time.thread_time()
        for i in range(frames):
            work(run * frames + i)
        rates.append(frames / (time.thread_time() - begin))
    return statistics.median(rates[1:])


def pose(i: int, frames: int) -> NDArray[np.float64]:
    """Flying along +x at SPEED and 1 kHz, over and over the same stretch."""
    return np.asarray(START + SPEED * 1e-3 * (i % frames) * FORWARD)


def event_camera_rate(world: World, dvs: DvsConfig, frames: int = 1000) -> float:
    """Renderer and pixel model together."""
    camera = EventCamera(world, CameraConfig(width=SIZE, height=SIZE), dvs, 0)
    level = (0.0, 0.0, 0.0, 1.0)

    def work(i: int) -> None:
        camera.frame(pose(i, frames), level, (i + 1) * 1_000_000)
        camera.take()

    return frames_per_second(work, frames)


def renderer_rate(world: World, frames: int = 1000) -> float:
    """Renderer alone."""
    renderer = Renderer(world, CameraConfig(width=SIZE, height=SIZE))
    mount = mount_rotation(0.0)
    return frames_per_second(lambda i: renderer.render(pose(i, frames), mount, 0.0), frames)


def tiny_renderer_rate(world: World, frames: int = 60) -> float:
    """PyBullet's TinyRenderer on the same trees (flat colours, no shadow), images only."""
    import pybullet

    client = pybullet.connect(pybullet.DIRECT)
    ground = pybullet.createVisualShape(pybullet.GEOM_BOX, halfExtents=[60, 60, 0.5], physicsClientId=client)
    pybullet.createMultiBody(0, -1, ground, [0, 0, -0.5], physicsClientId=client)
    for tree in world.objects:
        shape = pybullet.createVisualShape(
            pybullet.GEOM_CYLINDER, radius=tree.radius, length=tree.height, rgbaColor=[0.4, 0.3, 0.2, 1],
            physicsClientId=client,
        )  # fmt: skip
        pybullet.createMultiBody(0, -1, shape, tree.position, physicsClientId=client)
    projection = pybullet.computeProjectionMatrixFOV(90, 1.0, 0.05, 200.0)

    def work(i: int) -> None:
        eye = pose(i, frames)
        view = pybullet.computeViewMatrix(eye.tolist(), (eye + FORWARD).tolist(), [0, 0, 1])
        pybullet.getCameraImage(
            SIZE, SIZE, view, projection, shadow=0, renderer=pybullet.ER_TINY_RENDERER,
            flags=pybullet.ER_NO_SEGMENTATION_MASK, physicsClientId=client,
        )  # fmt: skip

    rate = frames_per_second(work, frames)
    pybullet.disconnect(client)
    return rate


def moving_bar(frames: int = 200, width: int = 346, height: int = 260) -> NDArray[np.float32]:
    """Log intensity of a soft-edged vertical bar that crosses the picture, (frames, height, width)."""
    rng = np.random.default_rng(1)
    floor = 0.1 * rng.standard_normal((height, width))
    x = np.arange(width)[None, :]
    images = []
    for i in range(frames):
        centre = 0.35 * width + 0.3 * width * i / frames
        bar = 1.0 / (1.0 + np.exp(-(20.0 - np.abs(x - centre)) / 1.5))
        images.append(np.log(0.3 + 0.7 * bar) + floor)
    return np.array(images, np.float32)


def pixel_rate(dvs: DvsConfig) -> tuple[float, float]:
    """Pixel model alone: (Mpixel/s, million events per simulated second)."""
    images = moving_bar()
    count, height, width = images.shape
    pixels = DvsPixels(dvs, width, height, 0)
    events = 0

    def work(i: int) -> None:
        nonlocal events
        if i % count == 0:
            pixels.reset(images[0], i * 1_000_000)
        events += len(pixels.step(images[i % count], (i + 1) * 1_000_000))

    rate = frames_per_second(work, count)
    return rate * width * height * 1e-6, events / ((RUNS + 1) * count * 1e-3) * 1e-6


def main() -> None:
    """Print the table."""
    world = forest_in_view()
    tiny = tiny_renderer_rate(world)
    alone = renderer_rate(world)
    rates = [(name, event_camera_rate(world, dvs)) for name, dvs in (("ideal", ideal()), ("noisy", DvsConfig()))]
    print(f"{SIZE}x{SIZE}, {TREES} trees in view, one thread, median of {RUNS}")
    print(f"  PyBullet TinyRenderer, image only {tiny:9.0f} frames/s")
    print(f"  renderer, log intensity only      {alone:9.0f} frames/s  {alone / tiny:5.1f} x TinyRenderer")
    for name, rate in rates:
        print(f"  renderer + {name + ' pixels':<22} {rate:9.0f} frames/s  {rate / tiny:5.1f} x TinyRenderer")
    print(f"346x260 moving bar, one thread, sorted events, median of {RUNS}")
    for name, config in (("ideal", ideal()), ("all noise on", DvsConfig(shot_noise_rate_hz=1.0))):
        rate, rate_events = pixel_rate(config)
        print(f"  pixel model, {name:<20} {rate:9.0f} Mpixel/s   {rate_events:4.2f} Mevents/s of sensor time")


if __name__ == "__main__":
    main()

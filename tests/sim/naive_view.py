"""A slow, obvious ray caster in double precision: nearest hit of many rays per pixel, averaged; plain surfaces only."""

from __future__ import annotations

import numpy as np

from neuro_robot.sim.world import World


def naive_view(world: World, position, rotation, width, height, fov_deg, t_s, samples=6):
    """Mean linear intensity (height, width) over samples x samples rays per pixel."""
    focal = 0.5 * width / np.tan(np.radians(fov_deg) / 2)
    sub = (np.arange(samples) + 0.5) / samples
    u = (np.arange(width)[:, None] + sub).ravel()
    v = (np.arange(height)[:, None] + sub).ravel()
    x, y = np.meshgrid((u - width / 2) / focal, (v - height / 2) / focal)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3) @ np.asarray(rotation, float).T
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    light = _cast(world, np.asarray(position, float), rays, t_s)
    return light.reshape(height, samples, width, samples).mean(axis=(1, 3))


def _cast(world, eye, rays, t_s):
    nearest = np.full(len(rays), np.inf)
    shade = 1.0 + (world.zenith - 1.0) * np.maximum(rays[:, 2], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ground = np.where(rays[:, 2] < 0, -eye[2] / rays[:, 2], np.inf)
        _keep(world, world.ground, ground, np.tile([0.0, 0.0, 1.0], (len(rays), 1)), nearest, shade)
        for item, centre in zip(world.objects, world.positions_at(t_s), strict=True):
            hit = {"cylinder": _cylinder, "sphere": _sphere, "box": _box}[item.kind]
            for distance, normal in hit(item, eye - centre, rays):
                _keep(world, item.texture, distance, normal, nearest, shade)
    return shade


def _keep(world, texture, distance, normal, nearest, shade):
    sun = np.asarray(world.light.direction)
    lit = world.light.ambient + (1 - world.light.ambient) * np.maximum(normal @ sun, 0.0)
    clear = np.exp(-distance / world.light.haze_m)
    closer = (distance > 0) & (distance < nearest)
    shade[closer] = (1.0 + clear * (texture.brightness * lit - 1.0))[closer]
    nearest[closer] = distance[closer]


def _cylinder(item, eye, rays):
    """Yields (distance, normal) of the mantle and the two ends; distance inf where missed."""
    r, half = item.radius, item.size[2]
    a = rays[:, 0] ** 2 + rays[:, 1] ** 2
    b = rays[:, 0] * eye[0] + rays[:, 1] * eye[1]
    c = eye[0] ** 2 + eye[1] ** 2 - r * r
    t = (-b - np.sqrt(b * b - a * c)) / a
    p = eye + t[:, None] * rays
    yield np.where(np.abs(p[:, 2]) <= half, t, np.inf), p * [1, 1, 0] / r
    for end in (-1.0, 1.0):
        t = (end * half - eye[2]) / rays[:, 2]
        p = eye + t[:, None] * rays
        inside = (p[:, 0] ** 2 + p[:, 1] ** 2 <= r * r) & (end * rays[:, 2] < 0)
        yield np.where(inside, t, np.inf), np.tile([0.0, 0.0, end], (len(rays), 1))


def _sphere(item, eye, rays):
    b = rays @ eye
    t = -b - np.sqrt(b * b - (eye @ eye - item.radius**2))
    yield np.where(np.isnan(t), np.inf, t), (eye + t[:, None] * rays) / item.radius


def _box(item, eye, rays):
    c, s = np.cos(item.yaw), np.sin(item.yaw)
    turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    o, d, half = turn @ eye, rays @ turn.T, np.asarray(item.size)
    one, two = (-half - o) / d, (half - o) / d
    enter, leave = np.minimum(one, two), np.maximum(one, two)
    t = enter.max(axis=1)
    axis = enter.argmax(axis=1)
    normal = np.zeros_like(d)
    rows = np.arange(len(d))
    normal[rows, axis] = -np.sign(d[rows, axis])
    yield np.where(t < leave.min(axis=1), t, np.inf), normal @ turn

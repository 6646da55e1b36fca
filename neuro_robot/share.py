"""Where the package's data lies: launch files, parameter files, worlds."""

from __future__ import annotations

from pathlib import Path

from neuro_robot.errors import NeuroRobotError

NAME = "neuro_robot"


def share_folder() -> Path:
    """The folder that holds `launch/`, `config/` and `sim_worlds/`: the source tree, or `share/neuro_robot`.

    It is looked for from this file upwards, so that a colcon workspace, a virtual environment and a system prefix
    each use the data they were installed with, whatever else is sourced. Raises NeuroRobotError if there is none.
    """
    return _share_of(Path(__file__).resolve())


def learned_weights(robot: str = "drone") -> Path | None:
    """The weights file that comes with the package for a robot; None where there is none."""
    path = share_folder() / "config" / f"{robot}_weights.npz"
    return path if path.is_file() else None


def _share_of(module: Path) -> Path:
    source_tree = module.parents[1]
    if (source_tree / "package.xml").is_file():
        return source_tree
    for prefix in module.parents:
        share = prefix / "share" / NAME
        if (share / "package.xml").is_file():
            return share
    raise NeuroRobotError(
        f"expected share/{NAME}/package.xml in a folder above {module}, found none: "
        "the package is installed without its data; install it again with colcon or pip"
    )

"""`neuro_robot view --live`: a recording in a window on the screen."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from neuro_robot.errors import ConfigError
from neuro_robot.recordings.source import Recording, Selection
from neuro_robot.recordings.view import Scene, View, film_times

# In the order in which they are tried; each needs its own library beside matplotlib.
BACKENDS = (("matplotlib.backends.backend_qtagg", "QtAgg"), ("matplotlib.backends.backend_tkagg", "TkAgg"))
BEHIND_S = 0.1  # pictures later than this are left out


def require_display(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str:
    """The matplotlib backend that can open a window. Raises ConfigError saying what is missing."""
    if platform == "linux" and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        raise ConfigError("--live: there is no display (DISPLAY and WAYLAND_DISPLAY are not set); "
                          "write a film instead: neuro_robot view FILE film.mp4")  # fmt: skip
    for module, name in BACKENDS:
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        return name
    raise ConfigError("--live: matplotlib can open no window here; install python3-tk or `pip install PySide6`, "
                      "or write a film: neuro_robot view FILE film.mp4")  # fmt: skip


def play_in_window(recording: Recording, view: View, selection: Selection) -> None:
    """Show the recording in a window until it ends or is closed."""
    backend = require_display()
    scene = Scene(recording, selection, view)
    import matplotlib as mpl

    mpl.use(backend)
    mpl.rcParams["toolbar"] = "None"  # its zoom is for axes, which a picture of pixels does not have
    from matplotlib import pyplot

    pyplot.ioff()
    size = (scene.sheet.width / 100, scene.sheet.height / 100)
    figure = pyplot.figure(recording.path.name, figsize=size, dpi=100)
    image: Any = None
    open_windows: Any = pyplot.fignum_exists
    if view.kind == "rate":
        figure.figimage(scene.rate_picture())
        pyplot.show()
        return
    times = film_times(scene)
    began = 0.0
    for number, picture in enumerate(scene.moments(times)):
        began = began or time.monotonic()  # with the first picture, however long the recording took to survey
        wait_s = began + number / scene.view.fps - time.monotonic()
        if wait_s < -BEHIND_S and number + 1 < len(times):
            continue
        if image is None:
            image = figure.figimage(picture)
        image.set_data(picture)
        figure.canvas.draw_idle()
        pyplot.pause(max(wait_s, 0.001))
        if not open_windows(figure.number):
            return
    pyplot.show()

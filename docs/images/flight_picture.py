"""One frame of a run's video as docs/images/flight.png: chase view, events, spikes.

    neuro_robot fly --mode inprocess --seed 7 --no-video --out runs/picture
    python docs/images/flight_picture.py runs/picture 6.9

The folder needs its bag and its summary; the last number is the time of the frame, s.
"""

# ruff: noqa: T201 - says what it wrote

from __future__ import annotations

import json
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from neuro_robot.bench.rundata import load_run
from neuro_robot.bench.runfolder import BAG, SUMMARY
from neuro_robot.bench.video import FPS, video_frames
from neuro_robot.sim.world import load_world

COLOURS = 128  # a palette keeps the file small; nobody sees the difference


def main() -> None:
    """Draw the frame at a time of the run's last flight (s) and write it beside this file."""
    folder, t_s = Path(sys.argv[1]), float(sys.argv[2])
    summary = json.loads((folder / SUMMARY).read_text())
    request = summary["request"]
    run = replace(load_run(folder / BAG, load_world(request["world"], request["seed"])), summary=summary)
    frame = next(islice(video_frames(run), max(round(t_s * FPS) - 1, 0), None))
    path = Path(__file__).with_name("flight.png")
    _with_palette(frame).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size} bytes, {request['world']} seed {request['seed']} at {t_s:g} s")


def _with_palette(frame: np.ndarray):  # noqa: ANN202 - a PIL image
    from PIL import Image  # comes with matplotlib

    small = cv2.resize(frame, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    return Image.fromarray(small).quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    main()

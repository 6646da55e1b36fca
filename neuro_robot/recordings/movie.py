"""Pictures into a file: PNG, MP4 or GIF by its extension."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from neuro_robot.errors import ConfigError
from neuro_robot.recordings.sheet import Pixels

MOVIES = {
    ".mp4": ("libx264", "yuv420p", ["-preset", "veryfast", "-crf", "20", "-movflags", "+faststart"]),
    # One palette for each frame: nothing has to be held back until the end.
    ".gif": (
        "gif",
        "rgb8",
        ["-filter_complex", "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"],
    ),
}
PICTURES = (".png",)


def require_output(path: Path) -> str:
    """The extension, lower case. Raises ConfigError for one that is no picture."""
    ending = path.suffix.lower()
    if ending not in (*MOVIES, *PICTURES):
        raise ConfigError(f"{path}: expected a name ending in .png, .mp4 or .gif")
    return ending


def write_picture(path: Path, picture: Pixels) -> None:
    """A PNG. Raises ConfigError when it cannot be written."""
    try:
        Image.fromarray(picture).save(path, format="PNG")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror or error})") from error


def write_movie(path: Path, frames: Iterable[Pixels], size: tuple[int, int], fps: float) -> int:
    """MP4 or GIF of (height, width, 3) RGB frames of one even size (width, height); the number of frames."""
    codec, pixel_format, options = MOVIES[require_output(path)]
    extra = {} if path.suffix.lower() == ".mp4" else {"bitrate": None}
    writer = imageio_ffmpeg.write_frames(
        str(path), size, fps=fps, codec=codec, pix_fmt_out=pixel_format, quality=None, output_params=options,
        macro_block_size=2, ffmpeg_log_level="error", **extra,
    )  # fmt: skip
    count = 0
    try:
        writer.send(None)
        for frame in frames:
            writer.send(np.ascontiguousarray(frame))
            count += 1
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error}") from error
    finally:
        writer.close()
    return count

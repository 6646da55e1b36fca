"""Pictures into a file: PNG, MP4 or GIF by its extension."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image

from neuro_robot.errors import ConfigError
from neuro_robot.recordings.sheet import Pixels

_PALETTE, _DRAWN_WITH_IT = "palettegen=stats_mode=single", "paletteuse=new=1:dither=none"
MOVIES = {
    ".mp4": ("libx264", "yuv420p", ["-preset", "veryfast", "-crf", "20", "-movflags", "+faststart"]),
    # One palette for each frame: nothing has to be held back until the end.
    ".gif": ("gif", "pal8", ["-filter_complex", f"split[a][b];[a]{_PALETTE}[p];[b][p]{_DRAWN_WITH_IT}"]),
}
PICTURES = (".png",)
LARGEST_DOUBLED = 1000  # pixels wide


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


def film_scale(path: Path, width: int) -> int:
    """How much a film is enlarged: MP4 keeps one colour for 2x2 pixels, in which single dots would lose theirs."""
    return 2 if path.suffix.lower() == ".mp4" and width <= LARGEST_DOUBLED else 1


def write_movie(path: Path, frames: Iterable[Pixels], size: tuple[int, int], fps: float) -> int:
    """MP4 or GIF of (height, width, 3) RGB frames of one even size (width, height), enlarged by film_scale.

    Returns the number of frames. Raises ConfigError when it cannot be written.
    """
    try:
        path.open("ab").close()  # ffmpeg would say it in lines of its own
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written ({error.strerror or error})") from error
    scale = film_scale(path, size[0])
    codec, pixel_format, options = MOVIES[require_output(path)]
    writer = imageio_ffmpeg.write_frames(
        str(path), (scale * size[0], scale * size[1]), fps=fps, codec=codec, pix_fmt_out=pixel_format, quality=None,
        output_params=options, macro_block_size=2, ffmpeg_log_level="error",
    )  # fmt: skip
    count = 0
    try:
        writer.send(None)
        for frame in frames:
            writer.send(np.ascontiguousarray(frame.repeat(scale, axis=0).repeat(scale, axis=1)))
            count += 1
    except OSError as error:
        said = str(error).splitlines()[0]  # behind it ffmpeg's whole command line
        raise ConfigError(f"{path}: ffmpeg cannot write it ({said}); choose another place") from error
    finally:
        writer.close()
    return count

"""Commands for recordings of any event camera: info, view, convert, play, formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from neuro_robot.cli_output import Json, bar, show
from neuro_robot.errors import ConfigError

if TYPE_CHECKING:
    from neuro_robot.recordings.source import Selection

Input = Annotated[Path, typer.Argument(help="File, bag folder or run folder.", show_default=False)]
InputFormat = Annotated[str, typer.Option(help="Format of the input when it is not recognised (see `formats`).")]
GeometryText = Annotated[str, typer.Option("--geometry", help="WIDTHxHEIGHT of the sensor when the file does not say.")]
From = Annotated[float, typer.Option("--from", min=0.0, help="Begin here, seconds since the first event.")]
To = Annotated[float | None, typer.Option("--to", help="End here, seconds since the first event.")]
Duration = Annotated[float | None, typer.Option(help="Take so many seconds (instead of --to).")]
Crop = Annotated[str, typer.Option(help="Only a window of the sensor: WxH+X+Y, X and Y its upper left corner.")]
Filter = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        help="Several may be given, they work in this order: background=MS, refractory=MS, hot, antiflicker=LOW-HIGH, "
        "on, off, crop=WxH+X+Y, every=N, block=N, undistort=FILE.",
    ),
]


def info(
    file: Input,
    geometry: GeometryText = "",
    input_format: InputFormat = "",
    gap: Annotated[float, typer.Option(min=1e-6, help="Report stretches without events from this length on, s.")] = 0.1,
    as_json: Json = False,
) -> None:
    """Say what is in a recording: format, geometry, duration, rate, polarities, triggers, gaps and glitches.

    [bold]Examples[/bold]

    neuro_robot info recording.raw

    neuro_robot info my_camera_bag --json

    neuro_robot info old.raw --geometry 640x480        (for files that do not tell the sensor's size)
    """
    from neuro_robot.recordings.console import info_view
    from neuro_robot.recordings.info import info as describe
    from neuro_robot.recordings.source import recording

    with bar(as_json) as progress:
        result = describe(recording(file, input_format, geometry, suppose=True), gap_s=gap, progress=progress)
    show(result, as_json, lambda: info_view(result))


def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="File, bag folder or run folder.", show_default=False)],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="What to write.", show_default=False)],
    output_format: Annotated[
        str, typer.Option("--format", help="Format of the output; default: by its extension (see `formats`).")
    ] = "",
    start: From = 0.0,
    end: To = None,
    duration: Duration = None,
    crop: Crop = "",
    filters: Annotated[list[str] | None, typer.Option("--filter", help="As in `view`, see there.")] = None,
    split: Annotated[float, typer.Option(help="A new file every so many seconds: OUT_000, OUT_001, ...")] = 0.0,
    zero_time: Annotated[bool, typer.Option("--zero-time", help="Let time begin at 0.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
    verify: Annotated[bool, typer.Option("--verify/--no-verify", help="Read back and compare.")] = True,
    geometry: GeometryText = "",
    input_format: InputFormat = "",
    as_json: Json = False,
) -> None:
    """Convert any recording into any format, and check what was written.

    The output is read back: as many events and triggers must come, and the same SHA-256 over them, times floored to
    what the format can hold. Exit status 1 if not.

    [bold]Examples[/bold]

    neuro_robot convert recording.raw my_bag --format rosbag2

    neuro_robot convert my_camera_bag events.h5 --from 2 --duration 5

    neuro_robot convert recording.raw part.aedat4 --split 10 --crop 320x240+160+120 --filter hot
    """
    from neuro_robot.recordings.console import convert_table
    from neuro_robot.recordings.convert import Target
    from neuro_robot.recordings.convert import convert as write
    from neuro_robot.recordings.source import recording

    selection = _selection(start, end, duration, crop, filters)
    wanted = Target(target, output_format or None, split, zero_time, overwrite, verify)
    with bar(as_json) as progress:
        result = write(recording(source, input_format, geometry), wanted, selection, progress)
    show(result, as_json, lambda: convert_table(result))


def view(
    file: Input,
    out: Annotated[
        Path | None, typer.Argument(help="PNG, MP4 or GIF to write; default: FILE's name with .png, here.")
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            help="events: those of a short time; surface: how long ago each pixel fired; rate: how often it does.",
        ),
    ] = "events",
    at: Annotated[
        float | None, typer.Option(help="Moment of a PNG, s since the first event; default: a busy one.")
    ] = None,
    window: Annotated[float, typer.Option(min=0.0, help="Time that a picture spans, ms; 0: by the event rate.")] = 0.0,
    speed: Annotated[float, typer.Option(min=0.0, help="Films: 0.1 is ten times slower; 0: to suit its length.")] = 0.0,
    fps: Annotated[float, typer.Option(min=0.1, max=240.0, help="Films: pictures per second.")] = 25.0,
    start: From = 0.0,
    end: To = None,
    duration: Duration = None,
    crop: Crop = "",
    filters: Filter = None,
    live: Annotated[bool, typer.Option("--live", help="Play in a window on the screen instead.")] = False,
    geometry: GeometryText = "",
    input_format: InputFormat = "",
    as_json: Json = False,
) -> None:
    """Make a recording visible: a picture, a film or a window.

    Blue pixels became brighter (ON), red ones darker (OFF). Below is the event rate over the whole recording, with a
    mark where the picture is.

    [bold]Examples[/bold]

    neuro_robot view recording.raw                               picture recording.png

    neuro_robot view my_camera_bag film.mp4 --speed 0.2          five times slower

    neuro_robot view recording.raw map.png --as rate             which pixels fire how often

    neuro_robot view recording.raw clean.gif --filter background=5 --filter hot --duration 2
    """
    from neuro_robot.recordings.console import view_table
    from neuro_robot.recordings.source import recording
    from neuro_robot.recordings.view import View, render

    source = recording(file, input_format, geometry, suppose=True)
    wanted = View(kind, at, window, speed, fps)
    selection = _selection(start, end, duration, crop, filters)
    if live:
        from neuro_robot.recordings.live import play_in_window

        play_in_window(source, wanted, selection)
        return
    target = out or Path(f"{file.resolve().stem}.png")
    with bar(as_json) as progress:
        result = render(source, target, wanted, selection, progress)
    show(result, as_json, lambda: view_table(result))


def play(
    file: Input,
    rate: Annotated[float, typer.Option(min=0.001, max=1000.0, help="Sensor seconds per second.")] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end.")] = False,
    start: From = 0.0,
    encoding: Annotated[
        str, typer.Option(help="Of the packets: evt3, libcaer, ...; default: a bag's own, else evt3.")
    ] = "",
    packet_ms: Annotated[float, typer.Option(min=0.1, max=1000.0, help="A packet spans at most this time.")] = 1.0,
    packet_bytes: Annotated[int, typer.Option(min=1000, help="Larger packets are divided, bytes.")] = 400_000,
    topic: Annotated[str, typer.Option(help="Topic of the events.")] = "/event_camera/events",
    clock: Annotated[bool, typer.Option("--clock", help="Publish /clock in sensor time, and stamp with it.")] = False,
    wait: Annotated[int, typer.Option(min=0, help="Begin when so many subscribers are there.")] = 0,
    geometry: GeometryText = "",
    input_format: InputFormat = "",
) -> None:
    """Play a recording as a ROS 2 camera driver would: event packets, at sensor time, on a topic.

    While it plays:

    ros2 service call /event_camera/toggle_paused rosbag2_interfaces/srv/TogglePaused

    ros2 param set /event_camera position_s 1.5        (seek)

    ros2 param set /event_camera rate 0.1

    [bold]Examples[/bold]

    neuro_robot play recording.raw --loop

    neuro_robot play my_camera_bag --rate 0.5 --encoding evt3
    """
    import os
    import sys

    from neuro_robot.recordings.source import recording

    source = recording(file, input_format, geometry)
    if source.path.is_file():
        source.open().close()  # what it refuses is said here, in one line
    values = {
        "bag": str(file.resolve()), "rate": rate, "loop": loop, "position_s": start, "encoding": encoding,
        "packet_period_ms": packet_ms, "packet_bytes": packet_bytes, "clock": clock, "listeners": wait,
        "geometry": geometry, "format": input_format, "stamps": "recorded" if clock else "now", "autostart": True,
    }  # fmt: skip
    name, _, _ = topic.strip("/").rpartition("/")
    command = [sys.executable, "-m", "neuro_robot.nodes.player_node", "--ros-args", "-r", f"events:={topic}"]
    command += ["-r", f"__node:={name.rpartition('/')[2] or 'event_camera'}"]
    for key, value in values.items():
        command += ["-p", f"{key}:={_yaml(value)}"]
    os.execv(command[0], command)  # noqa: S606 - the node takes the place of this process


def formats() -> None:
    """List the formats that are read and written, with their extensions."""
    from rich.console import Console

    from neuro_robot.recordings.console import formats_table

    Console().print(formats_table())


def register(app: typer.Typer) -> None:
    """Add these commands to the app."""
    for command in (info, view, convert, play, formats):
        app.command()(command)


def _selection(
    start: float, end: float | None, duration: float | None, crop: str, filters: list[str] | None
) -> Selection:
    from neuro_robot.recordings.source import Selection

    if end is not None and duration is not None:
        raise ConfigError("expected --to or --duration, got both; leave one out")
    if duration is not None:
        end = start + duration
    return Selection(start, end, tuple([f"crop={crop}"] * bool(crop)) + tuple(filters or ()))


def _yaml(value: object) -> str:
    """A parameter of the command line, which ROS reads as YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else str(value)

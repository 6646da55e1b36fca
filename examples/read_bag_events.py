"""Read the events of a bag, one of our own runs or a real camera's recording, without ROS.

    python examples/read_bag_events.py runs/NAME

Prints what the camera sent; the decoder keeps its state from packet to packet, so order matters.
"""

# ruff: noqa: T201 - an example prints

from __future__ import annotations

import argparse

from neuro_robot.bags.reader import BagReader
from neuro_robot.events.packet import StreamDecoder


def main(arguments: list[str] | None = None) -> int:
    """Print the totals of a bag and return its number of events."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", help="a run folder or a rosbag2 folder (MCAP or sqlite3)")
    path = parser.parse_args(arguments).bag
    decoder = StreamDecoder()
    on_events, first_ns, last_ns, encoding = 0, None, 0, "none"
    with BagReader(path) as bag:
        for _, packet in bag.packets():
            decoded = decoder.decode(packet)
            encoding = f"{packet.encoding}, {packet.width} x {packet.height} pixels"
            first_ns = decoded.t_end_ns if first_ns is None else first_ns
            last_ns = decoded.t_end_ns
            on_events += int(decoded.events["p"].sum())
    stats = decoder.stats
    seconds = (last_ns - (first_ns or 0)) * 1e-9
    print(f"{encoding}: {stats.packets} packets, {stats.lost_packets} lost, {seconds:.3f} s of sensor time")
    print(f"{stats.events} events, {on_events} ON and {stats.events - on_events} OFF, {stats.triggers} triggers")
    return stats.events


if __name__ == "__main__":
    main()

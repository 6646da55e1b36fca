"""Broken bags through their reader: `python benchmarks/fuzz_bags.py --bags 10000 --seed 1`.

Small bags of EventPackets (ROS 1; ROS 2 as MCAP and as sqlite3) are mutated, in the file with the messages or in
metadata.yaml, and read to the end. Each must end in events inside the sensor, or in a FileFormatError of one short line
that names the byte, message or table. Fails on any other exception, and on a bag that takes longer than --seconds.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

import numpy as np
from fuzz_files import LONGEST_MESSAGE, TooSlowError, mutated, wrong
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

import neuro_robot.bags.event_bags  # noqa: F401 - makes bags a format among the others
from neuro_robot.bags.messages import EVENT_PACKET_TEXT
from neuro_robot.errors import FileFormatError
from neuro_robot.events import empty_events, pack
from neuro_robot.events.files import open_reader

KIND = "event_camera_msgs/msg/EventPacket"
PLACE = re.compile(r"(: (byte|message|entry|line) \d+|: table \w+)")
UNKNOWN = "is of no format known here"


def write_bag(path: Path, storage: str) -> None:
    """Three packets of forty events."""
    types = get_typestore(Stores.ROS1_NOETIC if storage == "ros1" else Stores.ROS2_KILTED)
    types.register(get_types_from_msg(EVENT_PACKET_TEXT, KIND))
    stamp = types.types["builtin_interfaces/msg/Time"](1, 2)
    header = types.types["std_msgs/msg/Header"](*([0] if storage == "ros1" else []), stamp, "camera")
    serialise = types.serialize_ros1 if storage == "ros1" else types.serialize_cdr
    plugin = StoragePlugin.SQLITE3 if storage == "sqlite3" else StoragePlugin.MCAP
    with Writer1(path) if storage == "ros1" else Writer2(path, version=9, storage_plugin=plugin) as writer:
        connection = writer.add_connection("/camera/events", KIND, typestore=types)
        for k in range(3):
            events = empty_events(40)
            events["t"], events["x"] = 1_000_000 * k + 1000 * np.arange(40), np.arange(40)
            one = pack(events, "evt3", width=64, height=48, seq=k, stamp_ns=1, t_end_ns=1_000_000 * (k + 1))
            fields = (48, 64, k, one.time_base, one.encoding, one.is_bigendian, one.events)
            writer.write(connection, k, serialise(types.types[KIND](header, *fields), KIND))


def try_bag(path: Path, outcomes: Counter[str], kind: str) -> str | None:
    """Read one bag; -> what is wrong with how that went, None when nothing is."""
    try:
        with open_reader(path, geometry=(64, 48)) as reader:
            for chunk in reader.chunks(50_000):
                if fault := wrong(chunk.events, reader.width, reader.height):
                    return fault
        outcomes[f"{kind}: read"] += 1
    except FileFormatError as error:
        outcomes[f"{kind}: refused"] += 1
        text = str(error)
        if len(text) > LONGEST_MESSAGE or "\n" in text:
            return f"a message of {len(text)} characters: {text[:200]!r}"
        return None if PLACE.search(text) or UNKNOWN in text else f"no place: {text}"
    except TooSlowError:
        return "took too long"
    except Exception:  # noqa: BLE001 - the point of the exercise
        return traceback.format_exc(limit=-4)
    return None


def _alarm(_signal: int, _frame: object) -> None:
    raise TooSlowError


def main() -> int:
    """Fuzz; 1 when anything failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bags", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=20, help="longest time for one bag")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    outcomes: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, _alarm)
    with tempfile.TemporaryDirectory() as name:
        targets: list[tuple[str, Path, Path, bytes]] = []  # kind, bag, file in it, its content
        for storage in ("ros1", "mcap", "sqlite3"):
            bag = Path(name) / f"{storage}.bag"
            write_bag(bag, storage)
            files = [bag] if bag.is_file() else sorted(bag.iterdir())
            targets += [
                (storage if file.suffix != ".yaml" else f"{storage} metadata", bag, file, file.read_bytes())
                for file in files
            ]
            if try_bag(bag, outcomes, "whole") is not None or outcomes["whole: refused"]:
                raise SystemExit(f"{storage}: the bag before mutation is not read")
        for _ in range(args.bags):
            kind, bag, file, content = targets[int(rng.integers(0, len(targets)))]
            file.write_bytes(mutated(content, rng))
            signal.alarm(args.seconds)
            fault = try_bag(bag, outcomes, kind)
            signal.alarm(0)
            if fault is not None:
                faults[f"{kind}: {fault}".replace(name, "")] += 1
            file.write_bytes(content)
    for outcome, count in sorted(outcomes.items()):
        print(f"{outcome:32}{count:9}")
    for fault, count in faults.most_common(20):
        print(f"--- {count} times: {fault}", file=sys.stderr)
    print(f"{args.bags} bags, seed {args.seed}, {faults.total()} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

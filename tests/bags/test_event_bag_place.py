"""Where a bag that cannot be opened is damaged."""

import pytest

from neuro_robot.bags import event_bags  # noqa: F401 - makes bags a format
from neuro_robot.errors import FileFormatError
from neuro_robot.events import empty_events
from neuro_robot.events.files import open_reader, open_writer


@pytest.fixture
def bag(tmp_path):
    events = empty_events(10)
    events["t"] = range(0, 10_000_000, 1_000_000)
    with open_writer(tmp_path / "a.rosbag2", 64, 48) as writer:
        writer.write(events)
    return tmp_path / "a.rosbag2"


def test_an_mcap_without_its_end(bag):
    file = next(bag.glob("*.mcap"))
    data = file.read_bytes()[:-20]
    file.write_bytes(data)
    with pytest.raises(FileFormatError, match=rf"mcap: byte {len(data) - 8}: the end is missing; `mcap recover`"):
        open_reader(bag)


def test_a_file_of_another_kind(bag):
    file = next(bag.glob("*.mcap"))
    file.write_bytes(b"something else" + file.read_bytes())
    with pytest.raises(FileFormatError, match=r"mcap: byte 0: expected .*MCAP0.* got b'somethin'"):
        open_reader(bag)


def test_nothing_beside_the_metadata(bag):
    next(bag.glob("*.mcap")).unlink()
    with pytest.raises(FileFormatError, match=r"byte 0: no \.mcap or \.db3 file"):
        open_reader(bag)


@pytest.mark.parametrize(("name", "head"), [("a.db3", b"SQLite format 3\0"), ("a.bag", b"#ROSBAG V2.0\n")])
def test_only_a_beginning(tmp_path, name, head):
    (tmp_path / name).write_bytes(head + bytes(50))
    with pytest.raises(FileFormatError, match=r"table topics|byte 13|byte 0"):
        open_reader(tmp_path / name)

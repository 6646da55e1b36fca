"""A run's bag: read by our reader, by rosbags and by the MCAP library; time only goes up; clear refusals."""

from __future__ import annotations

import pytest
import yaml

from neuro_robot.bags.messages import clock_to_cdr, command_to_cdr, diagnostics_to_cdr
from neuro_robot.bags.reader import BagReader
from neuro_robot.bags.topics import CLOCK, COMMAND, DIAGNOSTICS, TOPICS
from neuro_robot.bags.writer import RunBag
from neuro_robot.errors import BagError
from neuro_robot.robot import BodyCommand

MS = 1_000_000


def written(path, namespace="", flights=1):
    with RunBag(path, TOPICS, namespace) as bag:
        for flight in range(flights):
            for t_ms in range(0, 400, 2):
                bag.write(CLOCK.name, t_ms * MS, clock_to_cdr(t_ms * MS))
                command = BodyCommand(t_ms * MS, float(flight), 0.0, 0.0, 0.0)
                bag.write(COMMAND.name, t_ms * MS, command_to_cdr(command))
        bag.write(DIAGNOSTICS.name, None, diagnostics_to_cdr(1, "x", 0, "fine", {"a": "b"}))
    return path


def test_standard_readers_open_it(tmp_path):
    from rosbags.highlevel import AnyReader

    path = written(tmp_path / "run" / "bag")
    with AnyReader([path]) as reader:
        counts = {item.topic: item.msgcount for item in reader.connections}
        assert counts["/cmd_vel"] == 200
        first = next(iter(reader.messages([item for item in reader.connections if item.topic == "/cmd_vel"])))
        assert reader.deserialize(first[2], first[0].msgtype).header.frame_id == "base_link"
    mcap = pytest.importorskip("mcap.reader")
    with (path / "bag.mcap").open("rb") as stream:
        summary = mcap.make_reader(stream).get_summary()
    assert summary.statistics.message_count == 401
    metadata = yaml.safe_load((path / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert metadata["storage_identifier"] == "mcap"
    assert all(
        item["topic_metadata"]["type_description_hash"].startswith("RIHS01_")
        for item in metadata["topics_with_message_count"]
    )


def test_a_second_flight_goes_behind_the_first(tmp_path):
    with BagReader(written(tmp_path / "bag", flights=3)) as reader:
        times = [message.bag_ns for message in reader.messages()]
        speeds = [message.value().twist.linear.x for message in reader.messages("cmd_vel")]
    assert times == sorted(times)
    assert speeds == [0.0] * 200 + [1.0] * 200 + [2.0] * 200


def test_a_late_message_of_the_old_flight_stays_in_it(tmp_path):
    with RunBag(tmp_path / "bag", TOPICS) as bag:
        for t_ms in (0, 500):
            bag.write(CLOCK.name, t_ms * MS, clock_to_cdr(0))
        bag.write(CLOCK.name, 0, clock_to_cdr(0))
        bag.write(COMMAND.name, 499 * MS, command_to_cdr(BodyCommand(0, 0.0, 0.0, 0.0, 0.0)))
    with BagReader(tmp_path / "bag") as reader:
        assert [message.bag_ns // MS for message in reader.messages("cmd_vel")] == [499]
        assert [message.bag_ns // MS for message in reader.messages("/clock")] == [0, 500, 510]


def test_a_namespace_is_looked_through(tmp_path):
    with BagReader(written(tmp_path / "bag", namespace="left")) as reader:
        assert reader.is_run
        assert reader.counts["cmd_vel"] == 200


def test_an_empty_bag_is_readable(tmp_path):
    RunBag(tmp_path / "bag", TOPICS).close()
    with BagReader(tmp_path / "bag") as reader:
        assert list(reader.messages()) == []


def test_an_existing_bag_is_not_overwritten(tmp_path):
    written(tmp_path / "bag")
    with pytest.raises(BagError, match="choose a new folder"):
        RunBag(tmp_path / "bag", TOPICS)


@pytest.mark.parametrize("content", [None, "", "rosbag2_bagfile_information: 3", "{"])
def test_what_is_no_bag_is_refused(tmp_path, content):
    folder = tmp_path / "bag"
    folder.mkdir()
    if content is not None:
        (folder / "metadata.yaml").write_text(content)
    with pytest.raises(BagError):
        BagReader(folder)


def test_a_bag_without_packets_says_so(tmp_path):
    with RunBag(tmp_path / "bag", (CLOCK,)) as bag:
        bag.write(CLOCK.name, 0, clock_to_cdr(0))
    with BagReader(tmp_path / "bag") as reader, pytest.raises(BagError, match="found none"):
        reader.event_topic()

"""The drone on the chip's two arithmetics: equal over a flight, and a table that tells when it is not."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from typer.testing import CliRunner

from neuro_robot.bench import chip_match
from neuro_robot.bench.chip_match import Match, match_flights, match_table, result_of
from neuro_robot.bench.flight import FlightRequest
from neuro_robot.cli_snn import app
from neuro_robot.errors import ConfigError

MIND = {"backend": "loihi2", "plasticity.rate": 1e-4, "reward.floor_khz": 0.0}
SHORT = {"world": "forest", "time_limit_s": 0.6, "mind": MIND}


def told(matches):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(match_table(matches, "title"))
    return console.export_text()


def test_both_arithmetics_fly_alike_while_learning():
    matches = match_flights(FlightRequest(**SHORT), (3, 4))
    assert [match.seed for match in matches] == [3, 4]
    for match in matches:
        assert match.spikes[0] == match.spikes[1] == match.common > 200
        assert match.commands_equal
        assert match.weights_equal
        assert match.weight_updates > 0
    result = result_of(matches)
    assert result["spike_match"] == 1.0
    assert result["flights_equal"] == 2
    assert "100 %" in told(matches)


def test_one_changed_spike_is_told(monkeypatch):
    taken = chip_match._Spikes.keys
    seen = []

    def shifted(recorder):
        keys = taken(recorder).copy()
        if seen:
            keys[7] += 1 << 50
        seen.append(recorder)
        return keys

    monkeypatch.setattr(chip_match._Spikes, "keys", shifted)
    (match,) = match_flights(FlightRequest(**SHORT), (3,))
    assert match.common == match.spikes[0] - 1
    assert result_of([match])["flights_equal"] == 0
    assert result_of([match])["spike_match"] == (match.common) / (match.common + 2)
    assert "99." in told([match])


def test_the_arithmetic_reaches_the_network():
    with pytest.raises(ConfigError, match="unknown option 'arithmetic'"):
        match_flights(FlightRequest(world="forest", time_limit_s=0.1), (0,))  # the back end cpu has but one


def test_a_miss_among_many_is_not_rounded_away():
    match = Match(0, ("goal", "collision"), (1.0, 1.0), (10**7, 10**7), 10**7 - 1, True, False, 3)
    assert "99.999 %" in told([match])
    assert "goal, collision" in told([match])
    assert "equal, differ" in told([match])


@pytest.mark.parametrize(("common", "status"), [(50, 0), (49, 1)])
def test_the_command_ends_with_status_1_when_a_flight_differs(monkeypatch, common, status):
    asked = []

    def flown(flight, seeds, processes):
        asked.append((flight.world, flight.speed, flight.mind, seeds, processes))
        return [Match(seed, ("goal", "goal"), (1.0, 1.0), (50, 50), common, True, True, 3) for seed in seeds]

    monkeypatch.setattr(chip_match, "match_flights", flown)
    done = CliRunner().invoke(app, ["chip", "--seeds", "2", "--first-seed", "7", "--speed", "4", "--json"])
    assert done.exit_code == status, done.output
    assert json.loads(done.stdout)["spikes"] == [100, 100]
    assert asked == [("forest", 4.0, {"backend": "loihi2"}, (7, 8), 2)]

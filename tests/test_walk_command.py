"""What `neuro_robot walk` hands on and what it refuses before anything starts."""

from __future__ import annotations

import pytest

from neuro_robot import cli, flights


@pytest.fixture
def asked(monkeypatch):
    """Runs the command without walking; the requests that came."""
    requests = []

    def fly_run(run, _progress):
        requests.append(run.flight)
        raise KeyboardInterrupt

    monkeypatch.setattr(flights, "fly_run", fly_run)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["neuro_robot", "walk", *arguments])
        return cli.main()

    run.requests = requests
    return run


def test_gaits_and_faults_are_handed_on(asked):
    asked("--gait", "trot bound@8s", "--fault", "dead_neurons:cpg:10%@5s", "--fault", "lost_spikes:cpg:1%")
    mind = asked.requests[0].mind
    assert mind["gait"] == "trot bound@8s"
    assert mind["faults"] == "dead_neurons:cpg:10%@5s; lost_spikes:cpg:1%"
    asked()
    assert not {"gait", "faults"} & set(asked.requests[1].mind)  # the parameter file's, if there is one


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--gait", "gallop"), "expected one of trot, walk, pace, bound"),
        (("--gait", "trot bound"), "trot bound@8s walk@15s"),
        (("--fault", "heartbreak:cpg"), "dead_neurons:column:20%@2s"),
    ],
)
def test_what_is_none_is_refused_with_the_form(asked, capsys, arguments, told):
    assert asked(*arguments) == 1
    assert told in " ".join(capsys.readouterr().err.split())
    assert not asked.requests

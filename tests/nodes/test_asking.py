"""Requests whose answers are lost on the way."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: run `make setup`")

from neuro_robot.nodes import asking
from neuro_robot.nodes.asking import AGAIN_S, Change, Question


class Lossy:
    """Stands for a node whose clients get the answers that a script lists by service; None: lost."""

    def __init__(self, **answers: list[object]) -> None:
        self.answers, self.asked, self.open = answers, [], 0
        self.ready = True

    def create_client(self, _kind, service):
        self.open += 1
        name = service.rsplit("/", 1)[-1]
        return SimpleNamespace(service_is_ready=lambda: self.ready, call_async=lambda _request: self._call(name))

    def destroy_client(self, _client):
        self.open -= 1

    def _call(self, name):
        self.asked.append(name)
        answer = self.answers[name].pop(0)
        return SimpleNamespace(done=lambda: answer is not None, result=lambda: answer)


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when told to."""
    now = SimpleNamespace(t=100.0)
    monkeypatch.setattr(asking.time, "monotonic", lambda: now.t)
    return now


def polled(asked: Question | Change, clock: SimpleNamespace, times: int) -> list[object]:
    """So many looks at most, a quarter of the time to ask again in between."""
    answers: list[object] = []
    while len(answers) < times and (not answers or answers[-1] is None):
        answers.append(asked.poll())
        clock.t += AGAIN_S / 4
    return answers


def state(label: str) -> SimpleNamespace:
    return SimpleNamespace(current_state=SimpleNamespace(label=label))


def test_a_question_is_asked_again_until_it_is_answered(clock):
    node = Lossy(get=[None, None, "yes"])
    node.ready = False
    question = Question(node, None, "/left/get", None)
    assert polled(question, clock, 3) == [None] * 3
    node.ready = True
    assert polled(question, clock, 20)[-1] == "yes"
    assert node.asked == ["get"] * 3
    question.close()
    assert node.open == 0


@pytest.mark.parametrize("success", [True, False])
def test_an_answered_transition_is_not_asked_about(clock, success):
    node = Lossy(change_state=[SimpleNamespace(success=success)])
    change = Change(node, "/sim_node", "configure")
    assert polled(change, clock, 2) == [None, success]
    assert node.asked == ["change_state"]


def test_after_a_lost_answer_the_state_tells(clock):
    node = Lossy(change_state=[None], get_state=[None, state("inactive")])
    change = Change(node, "/sim_node", "configure")
    answers = polled(change, clock, 15)
    assert answers[-1] is True
    assert node.asked == ["change_state", "get_state", "get_state"]  # the transition is asked for once only
    change.close()
    assert node.open == 0


def test_a_state_elsewhere_told_twice_is_a_refusal(clock):
    node = Lossy(change_state=[None], get_state=[state("unconfigured")] * 2)
    answers = polled(Change(node, "/sim_node", "configure"), clock, 10)
    assert answers[-1] is False
    assert node.asked == ["change_state", "get_state", "get_state"]


def test_a_node_that_only_now_gets_the_request_is_waited_for(clock):
    node = Lossy(change_state=[None], get_state=[state("inactive"), state("active")])
    answers = polled(Change(node, "/sim_node", "activate"), clock, 10)
    assert answers[-1] is True

"""A pole on a cart, balanced by a spiking actor and critic that learn online, from failures alone.

    python examples/cart_pole.py [--seeds 10] [--episodes 300] [--backend cpu | loihi2]

Place cells, one for each box of states, drive the two sides of an actor, which inhibit each other: the side that spikes
more pushes the cart. They drive a critic, too, whose rate foretells failure. What surprises it, the temporal difference
of its rate, is the third factor of all plastic synapses (R-STDP: eligibility times reward).
Physics (without friction), boxes, failure: Barto, Sutton and Anderson, IEEE Trans. SMC 13, 1983. Actor and critic of
spiking neurons: Fremaux, Sprekeler and Gerstner, PLoS Computational Biology 9, 2013.
"""

# ruff: noqa: T201 - an example prints

from __future__ import annotations

import argparse
import math
from statistics import median

import numpy as np

from neuro_robot import nhal as nh

EDGES = np.array([-0.8, 0.8]), np.array([-0.5, 0.5]), np.radians([-6, -1, 0, 1, 6]), np.radians([-50, 50])
SHAPE = 3, 3, 6, 3  # boxes of place, speed, angle, turn
PLACES, SIDE, CRITICS = math.prod(SHAPE), 10, 40  # SIDE: actor neurons that push one way
LOOK_MS = 10  # the critic looks at the state for so long, then the actor
BALANCED, DISCOUNT = 500, 0.96  # steps of 20 ms; per step
START, FLOOR = (
    0.2,
    0.03,
)  # the actor's mean weight, which scaling keeps; the critic's smallest, its rate means no danger


def move(state: tuple[float, ...], force: float) -> tuple[float, ...]:
    """The state (m, m/s, rad, rad/s) after 20 ms: cart 1 kg, pole 0.1 kg and 1 m long, Euler's method."""
    x, speed, angle, turn = state
    push = (force + 0.05 * turn**2 * math.sin(angle)) / 1.1
    bend = (9.8 * math.sin(angle) - math.cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1))
    pull = push - 0.05 * bend * math.cos(angle) / 1.1
    return x + 0.02 * speed, speed + 0.02 * pull, angle + 0.02 * turn, turn + 0.02 * bend


class Brain:
    """The network. mode: learned, frozen (weights stay) or shuffled (surprises of other times, with random signs)."""

    def __init__(self, seed: int, mode: str = "learned", backend: str = "cpu") -> None:
        self.mode, self.rng, self.past = mode, np.random.default_rng(seed), [0.0]
        net = nh.Network(dt_ms=1.0, seed=seed)
        seen, place = (nh.NeuronGroup(PLACES, "events", network=net) for _ in range(2))
        noise = nh.NeuronGroup(2 * SIDE, "events", network=net)
        cell = {"tau_mem_ms": 10.0, "tau_syn_ms": 0.0, "t_ref_ms": 1.0}
        self.actor = nh.NeuronGroup(2 * SIDE, "LIF", cell, network=net)
        self.critic = nh.NeuronGroup(CRITICS, "IF", network=net)
        rivals = np.kron([[np.nan, -0.6], [-0.6, np.nan]], np.ones((SIDE, SIDE)))
        nh.Connection(self.actor, self.actor, "matrix", {"matrix": rivals})
        nh.Connection(noise, self.actor, "one_to_one", {"weight": 0.3})
        self.steer = nh.Connection(place, self.actor, params={"weight": START})
        judge = nh.Connection(seen, self.critic, params={"weight": (0.08, 0.12)})
        rule = {"a_minus": 0.0, "a_plus": 1.0, "tau_plus_ms": 5.0, "pairing": "nearest"}
        steering = {"learning_rate": 0.05, "tau_eligibility_ms": 200.0, "w_max": 3 * START}
        judging = {"learning_rate": 0.005, "tau_eligibility_ms": 100.0, "w_min": FLOOR}
        learning = (self.steer, steering), (judge, judging)
        for synapses, told in learning:
            nh.LearningRule(synapses, "R-STDP", rule | told)
        self.model = nh.compile(net, backend)
        for synapses, _ in learning:
            self.model.set_learning(synapses, mode != "frozen")

    def look(self, group: nh.NeuronGroup, place: int) -> np.ndarray:
        """Who of the critic or of the actor, which has noise, fired while its place cell was active."""
        inputs = np.zeros((LOOK_MS, 2 * PLACES + 2 * SIDE), np.float32)
        inputs[:, place + PLACES * (group is self.actor)] = 1
        if group is self.actor:
            inputs[:, 2 * PLACES :] = self.rng.random((LOOK_MS, 2 * SIDE)) < 0.02
        return self.model.of(group, self.model.run(inputs, LOOK_MS).neuron)

    def reinforce(self, surprise: float) -> None:
        """One step with the third factor: what went better than foretold strengthens the actor, weakens the critic."""
        if self.mode == "shuffled":
            self.past.append(surprise)
            surprise = self.past[self.rng.integers(len(self.past))] * self.rng.choice((-1.0, 1.0))
        self.model.set_reward(self.actor, surprise)
        self.model.set_reward(self.critic, -surprise)
        self.model.step()
        self.model.set_reward(self.actor, 0.0)
        self.model.set_reward(self.critic, 0.0)

    def episode(self) -> int:
        """Balance until the pole falls or the cart leaves its track; the number of steps."""
        self.model.reset()
        state, before = tuple(self.rng.uniform(-0.05, 0.05, 4)), None
        for step in range(BALANCED):
            failed = abs(state[0]) > 2.4 or abs(state[2]) > math.radians(12)
            boxes = [np.searchsorted(edges, value) for edges, value in zip(EDGES, state, strict=True)]
            place = int(np.ravel_multi_index(boxes, SHAPE))
            danger = 1.0 if failed else self.look(self.critic, place).size / (CRITICS * LOOK_MS) - FLOOR
            if before is not None:
                self.reinforce(before - (1.0 if failed else DISCOUNT * danger))
            if failed:
                return step
            right = np.sign(self.look(self.actor, place) - SIDE + 0.5).sum() or self.rng.choice((-1, 1))
            state, before = move(state, math.copysign(10.0, right)), danger
        return BALANCED

    def learn(self, episodes: int) -> list[int]:
        """Steps of every episode; after each a place cell's synapses are scaled to their sum, so no side is lost."""
        found = []
        for _ in range(episodes):
            found.append(self.episode())
            weights = self.model.weights(self.steer)
            weights *= 2 * SIDE * START / weights.sum(axis=1, keepdims=True)
            self.model.set_weights(self.steer, np.minimum(weights, 3 * START))
        return found


def main(arguments: list[str] | None = None) -> dict[str, list[list[int]]]:
    """Print how long the pole was up, for each mode; return the steps of all episodes by mode and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("--seeds", 1), ("--episodes", 300), ("--backend", "cpu")):
        parser.add_argument(name, type=type(default), default=default)
    told, found = parser.parse_args(arguments), {}
    for mode in ("learned", "frozen", "shuffled"):
        found[mode] = [Brain(seed, mode, told.backend).learn(told.episodes) for seed in range(told.seeds)]
        firsts = [run.index(BALANCED) + 1 for run in found[mode] if BALANCED in run]
        last = np.array([np.mean(run[-20:]) for run in found[mode]])
        first = f", first in episode {median(firsts):.0f} ({min(firsts)} to {max(firsts)})" if firsts else ""
        steps = f"{last.mean():3.0f} of {BALANCED} steps ({last.min():.0f} to {last.max():.0f})"
        print(f"{mode:8} last 20 episodes: {steps}; {len(firsts)} of {told.seeds} seeds balanced{first}")
    return found


if __name__ == "__main__":
    main()

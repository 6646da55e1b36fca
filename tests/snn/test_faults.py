"""Faults equal slow engines that break the obvious way, on the processor and on the chip; healed, all goes on."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import numpy as np
import pytest
from naive_snn import F, NaiveNetwork
from random_snn import random_network
from snn.loihi.naive_loihi import NaiveChip, NaiveSynapses

from neuro_robot import nhal as nh
from neuro_robot.errors import ConfigError
from neuro_robot.snn.cells import Izhikevich, Poisson
from neuro_robot.snn.faults import DeadCores, DeadNeurons, LostSpikes, StuckSynapses
from neuro_robot.snn.network import LIF, STDP, Network

BACKENDS = ("cpu", "loihi2")
MASK = 2**64 - 1


def finalised(z, shifts, factors):
    for shift, factor in zip(shifts, (*factors, 1), strict=True):
        z = (z ^ (z >> shift)) * factor & MASK
    return z


def drawn(seed, step, neuron):
    """The documented draw, in Python integers."""

    def mixed(z):
        return finalised((z + 0x9E3779B97F4A7C15) & MASK, (30, 27, 31), (0xBF58476D1CE4E5B9, 0x94D049BB133111EB))

    start = mixed(mixed(seed) + step) ^ 0x9E3779B97F4A7C15
    h = (neuron * 0xD1342543DE82EF95 + start) & MASK
    return (finalised(h, (30, 27, 31), (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)) >> 11) / 2**53


class BrokenNetwork(NaiveNetwork):
    """dead: layer -> neurons; stuck: connection -> {(pre, post): weight}; lost: (layer, step, neuron) -> bool."""

    def __init__(self, description):
        super().__init__(description)
        self.dead, self.stuck, self.lost = {}, {}, lambda *_: False
        self.clock = self.n_lost = 0

    def step(self, inputs):
        inputs, offset = list(inputs), 0
        for name, layer in self.layers.items():
            for k in range(layer.size if layer.cell is None else 0):
                if k in self.dead.get(name, ()):
                    inputs[offset + k] = 0
                elif inputs[offset + k] and self.lost(name, self.clock, k):
                    inputs[offset + k] = 0
                    self.n_lost += 1
            offset += layer.size if layer.cell is None else 0
        told = super().step(inputs)
        for name in told:
            gone = [k for k in told[name] if self.lost(name, self.clock, k)]
            for k in gone:
                del self.sent[-1][name][k]
            told[name] = [k for k in told[name] if k not in gone]
            self.n_lost += len(gone)
        self.clock += 1
        return told

    def _membranes(self, name, cell):
        spikes = super()._membranes(name, cell)
        for k in self.dead.get(name, ()):
            self.v[name][k], self.left[name][k] = F(cell.v_reset), 0
            spikes.pop(k, None)
        return spikes

    def _reward_and_decay(self, name):
        super()._reward_and_decay(name)
        self.hold(name)

    def _change(self, rule, synapse, change):
        super()._change(rule, synapse, change)
        for name in self.stuck:
            self.hold(name)

    def hold(self, name):
        for s in self.synapses[name]:
            if (s.pre, s.post) in self.stuck.get(name, {}):
                s.w, s.e = F(self.stuck[name][s.pre, s.post]), F(0)


def inputs_of(net, rng):
    n = net.layers["a"].size + net.layers["b"].size
    return rng.integers(0, 4, n) * (rng.random(n) < 0.3)


@pytest.mark.parametrize("seed", range(12))
def test_broken_networks_match_to_the_bit(seed):
    net, rng = random_network(seed)
    assert all(c.rule is None or c.rule.weight_decay_per_s in (0.0, 2.0) for c in net.connections.values())
    fast, slow = net.compile(potentiation="eager"), BrokenNetwork(net)
    sizes = {name: layer.size for name, layer in net.layers.items()}
    decays = any(c.rule is not None and c.rule.weight_decay_per_s for c in net.connections.values())
    for k in range(90):
        if k == 20:
            slow.dead = {name: range(0, sizes[name], 3) for name in "aho"}
            slow.clock = 0
            slow.lost = lambda layer, step, n: (
                (layer == "h" and drawn(7, step, n) < 0.4) or (layer == "b" and drawn(8, step, n) < 0.5)
            )
            for name, told in net.connections.items():
                pairs = list(zip(told.pre_index.tolist(), told.post_index.tolist(), strict=True))[::2]
                slow.stuck[name] = dict.fromkeys(pairs, 0.25)
                slow.hold(name)
                fast.inject(StuckSynapses(name, pairs, 0.25))
            for name in "aho":
                fast.inject(DeadNeurons(name, slow.dead[name]))
            fast.inject(LostSpikes("h", 0.4, seed=7))
            fast.inject(LostSpikes("b", 0.5, seed=8))
        inputs = inputs_of(net, rng)
        for layer in "ho":
            reward = rng.uniform(-1, 1, sizes[layer]).astype(np.float32)
            fast.set_reward(layer, reward)
            slow.reward[layer] = list(reward)
        told, found = slow.step(inputs), fast.step(inputs)
        assert found.tolist() == [fast.layer_slices[name].start + i for name in "ho" for i in told[name]]
        assert fast.faults.spikes_lost == slow.n_lost
    for name, told in net.connections.items():
        expected = np.array([s.w for s in slow.synapses[name]], np.float32)
        mine = fast.weights(name)[told.pre_index, told.post_index]
        assert np.allclose(mine, expected, atol=1e-6) if decays else np.array_equal(mine, expected)
        stuck = [(pre, post) in slow.stuck[name] for pre, post in zip(told.pre_index, told.post_index, strict=True)]
        assert np.array_equal(mine[stuck], expected[stuck])


class BrokenChip(NaiveChip):
    dead, n_lost = {}, 0
    lost = staticmethod(lambda *_: False)

    def step(self, inputs):
        now = len(self.history)
        given = {name: {k: v for k, v in lines.items() if k not in self.dead.get(name, ())}
                 for name, lines in inputs.items()}  # fmt: skip
        kept = {name: {k: v for k, v in lines.items() if not self.lost(name, now, k)} for name, lines in given.items()}
        self.n_lost += sum(len(given[name]) - len(kept[name]) for name in given)
        spiked = super().step(kept)
        for name, found in spiked.items():
            gone = [k for k in found if self.lost(name, now, k)]
            self.n_lost += len(gone)
            for k in gone:
                del self.history[now][name][k]
            spiked[name] = [k for k in found if k not in gone]
        return spiked

    def _neuron(self, name, n, a):
        fired = super()._neuron(name, n, a)
        if n in self.dead.get(name, ()):
            self.v[name][n] = self.wait[name][n] = 0
            return False
        return fired


def chip_of(model, stuck):
    """The naive twin of a chip model; stuck: connection -> {(pre, post): whole weight}."""
    names = ("du", "dv", "vth", "bias_mant", "bias_exp", "refract", "v_start")
    chip = model.quantised.chip
    layers = {
        name: layer.size
        if layer.parameters is None
        else [dict(zip(names, column, strict=True)) for column in layer.parameters.T.tolist()]
        for name, layer in chip.layers.items()
    }
    connections = []
    for name, told in chip.synapses.items():
        rows = zip(*(x.tolist() for x in (told.pre_index, told.post_index, told.weights, told.delays)), strict=True)
        rows = [(i, j, stuck.get(name, {}).get((i, j), w), d) for i, j, w, d in rows]
        latency = told.pre.latency if told.pre.parameters is None else 1
        connections.append(
            NaiveSynapses(
                told.pre.name, told.post.name, rows, told.weight_exp, 8, told.sign_mode, told.message_bits > 0, latency
            )
        )
    made = BrokenChip(layers, connections)
    made.v = {name: [cell["v_start"] for cell in layers[name]] for name in made.v}
    return made


def static(seed):
    """A random network without learning."""
    net, rng = random_network(seed)
    plain = Network(net.dt_ms)
    for layer in net.layers.values():
        plain._add(layer.name, layer.size, layer.cell)
    for name, told in net.connections.items():
        matrix = np.full((told.pre.size, told.post.size), np.nan)
        delays = np.ones(matrix.shape, np.int64)
        matrix[told.pre_index, told.post_index] = told.weights
        delays[told.pre_index, told.post_index] = told.delay_steps
        plain.connect(told.pre.name, told.post.name, matrix, delays, name=name)
    return plain, rng


@pytest.mark.parametrize("seed", range(8))
def test_broken_chips_match_to_the_bit(seed):
    net, rng = static(seed)
    model = net.compile("loihi2")
    sizes = {name: layer.size for name, layer in net.layers.items()}
    stuck = {}
    for name, told in net.connections.items():
        pairs = list(zip(told.pre_index.tolist(), told.post_index.tolist(), strict=True))[::2]
        model.inject(StuckSynapses(name, pairs, 0.0))
        stuck[name] = dict.fromkeys(pairs, 0)
    naive = chip_of(model, stuck)
    naive.dead = {name: range(0, sizes[name], 3) for name in "aho"}
    naive.lost = lambda layer, step, n: (
        (layer == "h" and drawn(7, step, n) < 0.4) or (layer == "b" and drawn(8, step, n) < 0.5)
    )
    for name in "aho":
        model.inject(DeadNeurons(name, naive.dead[name]))
    model.inject(LostSpikes("h", 0.4, seed=7))
    model.inject(LostSpikes("b", 0.5, seed=8))
    for _ in range(80):
        counts = inputs_of(net, rng)
        given = {}
        for name, place in model.input_slices.items():
            layer = model.quantised.chip.layers[name]
            payloads = np.minimum(np.rint(counts[place] * float(1 << layer.fraction_bits)), layer.largest_input)
            given[name] = {k: int(value) for k, value in enumerate(payloads) if value}
        told, found = naive.step(given), model.step(counts)
        assert found.tolist() == [model.layer_slices[name].start + i for name in "ho" for i in told[name]]
        assert model.faults.spikes_lost == naive.n_lost


def learning_network():
    net, rng = Network(1.0), np.random.default_rng(3)
    net.add_input("in", 30)
    net.add_lif("out", 10, LIF(20.0, 5.0, t_ref_ms=2.0))
    net.connect("in", "out", rng.uniform(0.1, 0.3, (30, 10)), rule=STDP(0.02, 0.02, w_max=0.5), name="c")
    return net


def drive(model, steps, seed=4):
    rng = np.random.default_rng(seed)
    n = model.input_slices["in"].stop
    return [model.step((rng.random(n) < 0.2).astype(np.float32)).tolist() for _ in range(steps)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", [None, 0.125])
def test_stuck_synapses_hold_while_the_others_learn(backend, value):
    model = learning_network().compile(backend)
    drive(model, 50)
    before = model.weights("c")
    pairs = [(0, 0), (3, 7), (29, 9)]
    model.inject(StuckSynapses("c", pairs, value))
    expected = before.copy() if value is None else np.full_like(before, value)
    for _ in range(20):
        drive(model, 10)
        now = model.weights("c")
        for pair in pairs:
            assert now[pair] == pytest.approx(expected[pair], abs=1e-7 if backend == "cpu" else 0.003)
    held = now[tuple(zip(*pairs, strict=True))]
    assert np.count_nonzero(now != before) > 250
    model.set_weights("c", np.full((30, 10), 0.4, np.float32))
    drive(model, 1)
    assert np.array_equal(model.weights("c")[tuple(zip(*pairs, strict=True))], held)
    model.heal()
    healed = model.weights("c")
    assert all(healed[pair] == pytest.approx(before[pair], abs=1e-7) for pair in pairs)
    drive(model, 50)
    assert any(model.weights("c")[pair] != healed[pair] for pair in pairs)  # others may sit at a bound


def test_stuck_synapses_of_a_deferred_rule_leave_what_the_eager_one_does():
    models = [learning_network().compile(potentiation=way, dtype="float64") for way in ("deferred", "eager")]
    for model in models:
        model.inject(StuckSynapses("c", "30%", 0.2, seed=5))
    assert drive(models[0], 300) == drive(models[1], 300)
    assert np.allclose(models[0].weights("c"), models[1].weights("c"), atol=1e-9)
    assert np.count_nonzero(models[0].weights("c") == 0.2) >= 90


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_seed_gives_the_same_bits_and_other_seeds_others(backend):
    def run(seed, pieces=False):
        model = learning_network().compile(backend)
        model.inject(LostSpikes("out", 0.3, seed=seed))
        model.inject(DeadNeurons("out", "20%", seed=seed))
        if pieces:
            rng = np.random.default_rng(4)
            rows = np.array([rng.random(30) < 0.2 for _ in range(200)], np.float32)
            raster = model.run(rows)
            return [raster.neuron[raster.step == k].tolist() for k in range(200)]
        return drive(model, 200)

    assert run(1) == run(1) == run(1, pieces=True)
    assert run(1) != run(2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_that_was_broken_and_healed_before_it_ran_is_a_sound_one(backend):
    sound, healed = (learning_network().compile(backend) for _ in range(2))
    for fault in (DeadNeurons("out"), StuckSynapses("c", value=0.0), LostSpikes("in", 1.0), DeadCores("out")):
        healed.inject(fault)
    assert len(healed.faults.active) == 4
    healed.heal()
    assert not healed.faults
    assert "step" not in vars(healed)  # nothing stands before the sound model's own step
    assert drive(sound, 100) == drive(healed, 100)
    assert np.array_equal(sound.weights("c"), healed.weights("c"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_faults_come_and_go_at_their_time_and_again_after_a_reset(backend):
    model = learning_network().compile(backend)
    model.inject(DeadNeurons("out"), at_ms=50, until_ms=100)
    for _ in range(2):
        assert (len(model.faults.active), len(model.faults.waiting)) == (0, 1)
        fired = [bool(spikes) for spikes in drive(model, 200)]
        assert any(fired[:50])
        assert not any(fired[50:100])
        assert any(fired[100:])
        assert not model.faults
        model.reset_state()


@pytest.mark.parametrize("backend", BACKENDS)
def test_overlapping_faults_heal_one_by_one(backend):
    model = learning_network().compile(backend)
    first, second = DeadNeurons("out", "0-4"), DeadNeurons("out", "3-9")
    model.inject(first)
    model.inject(second)
    model.inject(StuckSynapses("c", "all", 0.3))
    model.inject(StuckSynapses("c", [(0, 0)], 0.1))
    assert not any(drive(model, 50))
    assert model.faults.dead_neurons == 10
    assert model.faults.stuck_synapses == 300
    assert model.weights("c")[0, 0] == pytest.approx(0.1, abs=0.003)
    assert model.weights("c")[0, 1] == pytest.approx(0.3, abs=0.003)
    model.heal(first)
    fired = {n for spikes in drive(model, 100) for n in spikes}
    assert fired == {30, 31, 32}
    with pytest.raises(ConfigError, match=r"heal: DeadNeurons\(layer='out', which='0-4'.*not injected"):
        model.heal(first)


@pytest.mark.parametrize("backend", BACKENDS)
def test_state_holds_no_faults_and_the_model_keeps_them(backend):
    model = learning_network().compile(backend)
    drive(model, 30)
    model.inject(DeadNeurons("out", [0, 1]))
    model.inject(LostSpikes("in", 0.2))
    drive(model, 30)
    state = model.state()
    other = learning_network().compile(backend)
    other.load_state_dict(state)
    fired = {n for spikes in drive(other, 100) for n in spikes}
    assert {30, 31} <= fired
    model.load_state_dict(state)
    assert not {n for spikes in drive(model, 100) for n in spikes} & {30, 31}


def test_dead_cores_of_the_mapping():
    net = Network(1.0)
    net.add_input("in", 4)
    net.add_lif("n", 2100, LIF(20.0, 0.0))
    net.connect("in", "n", np.full((4, 2100), 2.0), rule=STDP(w_max=2.0), name="c")
    model = net.compile("loihi")
    cores = model.mapping.cores
    assert len(cores) == 3
    model.inject(DeadCores([1]))
    before = model.weights("c")
    fired = model.step([1, 0, 0, 0]) - 4
    assert set(range(2100)) - set(fired.tolist()) == set(range(cores[1].first, cores[1].last))
    for _ in range(20):
        model.step([0, 1, 1, 0])
    assert np.array_equal(model.weights("c")[:, cores[1].first : cores[1].last],
                          before[:, cores[1].first : cores[1].last])  # fmt: skip
    assert model.faults.dead_neurons == cores[1].last - cores[1].first
    model.heal()
    model.inject(DeadCores("n", [0]))  # the core that holds neuron 0
    assert model.faults.dead_neurons == cores[0].last
    with pytest.raises(ConfigError, match=r"DeadCores\(\(7,\)\): cores: expected 0 to 2, got 7"):
        model.inject(DeadCores([7]))
    sound = learning_network().compile("cpu")
    with pytest.raises(ConfigError, match="this back end has no cores; name a layer"):
        sound.inject(DeadCores(0))
    sound.inject(DeadCores("out", range(3)))
    assert {n for spikes in drive(sound, 100) for n in spikes} == set(range(33, 40))


def test_listed_spikes_are_lost_and_no_other():
    model, sound = (learning_network().compile() for _ in range(2))
    model.set_learning("c", False)
    sound.set_learning("c", False)
    expected = drive(sound, 60)
    step = next(k for k, spikes in enumerate(expected) if spikes)
    model.inject(LostSpikes("out", spikes=[(step, expected[step][0] - 30)]))
    found = drive(model, 60)
    expected[step].pop(0)
    assert found == expected
    assert model.faults.spikes_lost == 1
    assert np.array_equal(model.spike_counts, sound.spike_counts)  # the neuron did fire


def test_izhikevich_neurons_rest_while_dead():
    net = Network(1.0)
    net.add_input("in", 2)
    net.add_layer("n", 2, Izhikevich(bias=20.0))
    net.connect("in", "n", np.full((2, 2), 1e6))
    model = net.compile()
    model.inject(DeadNeurons("n", [0]))
    for _ in range(300):
        assert 2 not in model.step([1, 1])
    assert np.isfinite(model.v).all()
    model.heal()
    assert any(2 in model.step() for _ in range(300))
    assert np.isfinite(model.thresholds[2:]).all()


def refused(model, fault, told, **when):
    before = {name: values.copy() for name, values in model.state().items()}
    with pytest.raises(ConfigError, match=told):
        model.inject(fault, **when)
    assert not model.faults
    assert "step" not in vars(model)
    assert all(np.array_equal(before[name], values) for name, values in model.state().items())


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_cannot_break_is_told(backend):
    model = learning_network().compile(backend)
    refused(model, DeadNeurons("hidden"), r"DeadNeurons\('hidden'\): no layer of this name; the layers are in, out")
    refused(model, DeadNeurons("out", [3, 10]), r"DeadNeurons\('out'\): neurons: expected 0 to 9, got 3 to 10")
    refused(model, DeadNeurons("out", [0.5]), "expected whole numbers, a text as 0-3,7 or 20%, or all")
    refused(model, DeadNeurons("out", [[1], [2, 3]]), "expected whole numbers")
    refused(model, DeadNeurons("out", "3-"), "expected numbers and ranges as 0-3,7")
    refused(model, DeadNeurons("out", "0-99999999999"), "expected ranges of sensible length")
    refused(model, DeadNeurons("out", "120%"), "a share from 0% to 100%, got '120%'")
    refused(model, DeadNeurons("out", "nan%"), "a share from 0% to 100%")
    refused(model, DeadNeurons("out", "20%", seed=-1), "seed: expected a whole number from 0, got -1")
    refused(model, StuckSynapses("d"), r"StuckSynapses\('d'\): no connection of this name; the connections are c")
    refused(model, StuckSynapses("c", value=0.6), "value: expected 0 to 0.5, the bounds of the STDP rule, got 0.6")
    refused(model, StuckSynapses("c", value=float("nan")), "value: expected a finite number")
    refused(model, StuckSynapses("c", [(0, 10)]), "no synapse from 0 to 10; the connection has 30 pre and 10 post")
    refused(model, StuckSynapses("c", [(0, 1, 2)]), r"expected \(pre, post\) pairs")
    refused(model, StuckSynapses("c", "0>x"), r"expected \(pre, post\) pairs")
    refused(model, LostSpikes("out", 1.5), "probability: expected 0 to 1, got 1.5")
    refused(model, LostSpikes("out", spikes=[(0, 10)]), "neurons from 0 to 9")
    refused(model, DeadNeurons("out"), "at_ms: expected a time from 0, got -1", at_ms=-1)
    refused(model, DeadNeurons("out"), "at_ms: expected a time from 0, got nan", at_ms=float("nan"))
    refused(model, DeadNeurons("out"), "until_ms: expected later than 5, got 5", at_ms=5, until_ms=5)
    refused(model, "dead", "expected one of the faults of snn.faults, got 'dead'")


def test_what_the_chip_cannot_hold_and_random_sources():
    net = Network(1.0)
    net.add_input("in", 2)
    net.add_lif("n", 2, LIF())
    net.connect("in", "n", np.full((2, 2), 0.5))
    refused(net.compile("loihi2"), StuckSynapses("in->n", value=-3.0), "value: the chip holds 0 to .* got -3")
    noisy = Network(1.0)
    noisy.add_layer("p", 2, Poisson(10.0))
    noisy.add_lif("n", 2, LIF())
    noisy.connect("p", "n", np.full((2, 2), 0.5))
    refused(noisy.compile(), DeadNeurons("p"), "'p' is a random source, which no fault can reach; lower its rate")


@pytest.mark.parametrize("backend", BACKENDS)
def test_bad_inputs_while_broken_change_nothing(backend):
    model = learning_network().compile(backend)
    model.inject(DeadNeurons("in", [0]))
    model.inject(LostSpikes("in", 0.5))
    for bad in (np.ones(29), np.full(30, np.nan), np.full(30, -1.0), "spikes"):
        with pytest.raises(ConfigError, match="step: inputs"):
            model.step(bad)
    assert model.steps == model.faults.spikes_lost == 0


@pytest.mark.parametrize("backend", BACKENDS)
def test_through_the_abstraction_layer_with_groups_as_names(backend):
    nh.reset()
    source, hidden = nh.NeuronGroup(20, type="events"), nh.NeuronGroup(5, name="hidden")
    conn = nh.Connection(source, hidden, params={"weight": 0.5})
    nh.LearningRule(conn)
    model = nh.compile(backend=backend)
    model.inject(nh.DeadNeurons(hidden, [3, 4]))
    model.inject(nh.StuckSynapses(conn, [(0, 0)]))
    model.inject(nh.LostSpikes("hidden", 0.5))
    found = model.run(np.ones((100, 20), np.float32))
    assert set(model.of(hidden, found.neuron)) == {0, 1, 2}
    assert 0 < model.faults.spikes_lost < 200
    assert "DeadNeurons(layer='hidden', which=(3, 4), seed=0)" in str(model.faults)
    assert "2 dead neurons, 1 stuck synapses" in str(model.faults)
    again = copy.deepcopy(model.core)
    assert [again.step(np.ones(20)).tolist() for _ in range(20)] == [
        model.step(np.ones(20)).tolist() for _ in range(20)
    ]
    model.heal()
    assert str(model.faults).startswith("no faults")
    assert set(model.of(hidden, model.run(np.ones((100, 20), np.float32)).neuron)) == {0, 1, 2, 3, 4}


def test_the_page_on_faults_runs(capsys):
    text = (Path(__file__).resolve().parents[2] / "docs" / "faults.md").read_text()
    nh.reset()
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], {})
    assert "2 dead neurons, 100 stuck synapses" in capsys.readouterr().out

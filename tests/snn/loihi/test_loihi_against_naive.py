"""The integer machine against a naive Loihi on random networks, and each rule by itself on numbers worked by hand."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from snn.loihi.naive_loihi import NaiveChip, NaiveSynapses, held

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi import kernel
from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments
from neuro_robot.snn.backends.loihi.float_machine import FloatMachine
from neuro_robot.snn.backends.loihi.machine import Machine
from neuro_robot.snn.backends.loihi.registers import SIGN_MODES, held_weights, sign_mode

FIELDS = ("du", "dv", "vth", "bias_mant", "bias_exp", "refract")


def random_pair(seed):
    """The same random network for both: inputs a (binary) and g (graded), layers h and o, five connections."""
    rng = np.random.default_rng(seed)
    net, layers, connections = ChipNetwork(), {}, []
    sizes = {name: int(rng.integers(1, 7)) for name in "agho"}
    sizes["h"] = int(rng.integers(1, 40))  # past the width of a vector register
    latency = {"a": int(rng.integers(0, 2)), "g": int(rng.integers(0, 2))}
    for name, size in sizes.items():
        if name in "ag":
            net.add_input(name, size, message_bits=8 if name == "g" else 0, latency=latency[name])
            layers[name] = size
            continue
        largest = int(rng.choice([20, 600, 131071]))
        cell = {
            "du": rng.choice([0, 1, 409, 2047, 4095], size), "dv": rng.choice([0, 1, 128, 3000, 4095], size),
            "vth": rng.integers(0, largest + 1, size), "bias_mant": rng.integers(-4096, 4096, size),
            "bias_exp": rng.integers(0, 8, size), "refract": rng.integers(1, 6, size),
        }  # fmt: skip
        net.add_layer(name, size, Compartments(**cell))
        layers[name] = [{key: int(cell[key][n]) for key in FIELDS} for n in range(size)]
    for number, (pre, post) in enumerate([("a", "h"), ("g", "h"), ("h", "h"), ("h", "o"), ("g", "o")]):
        shape = (sizes[pre], sizes[post])
        low, high = [(-300, 300), (0, 300), (-300, 0)][rng.integers(3)]
        weights = rng.integers(low, high + 1, shape)
        delays = rng.integers(0, 63, shape) if rng.random() < 0.5 else np.full(shape, rng.integers(0, 63))
        exists = rng.random(shape) < rng.choice([0.5, 1.1])
        exp, bits = int(rng.integers(-8, 8)), int(rng.integers(1, 9))
        mode = [None, *SIGN_MODES][rng.integers(4)]
        graded = pre == "g" and rng.random() < 0.8
        net.connect(
            pre, post, weights, delays, exists=exists, weight_exp=exp, weight_bits=bits, sign_mode=mode,
            message_bits=8 if graded else 0, name=str(number),
        )  # fmt: skip
        synapses = [(int(i), int(j), int(weights[i, j]), int(delays[i, j])) for i, j in np.argwhere(exists)]
        lag = latency.get(pre, 1)
        connections.append(NaiveSynapses(pre, post, synapses, exp, bits, mode, graded, lag))
    return net, NaiveChip(layers, connections), rng


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.generate))  # a seed cannot shrink
def test_random_networks_agree_in_every_bit(seed):
    net, naive, rng = random_pair(seed)
    machine, floats = Machine(net), FloatMachine(net)
    sizes = {name: layer.size for name, layer in net.layers.items()}
    for _ in range(90):
        a = (rng.random(sizes["a"]) < 0.3) * 1
        g = (rng.random(sizes["g"]) < 0.3) * rng.integers(0, 256, sizes["g"])
        made = machine.step(np.concatenate([a, g]))
        expected = naive.step({"a": dict(enumerate(a.tolist())), "g": dict(enumerate(g.tolist()))})
        places = machine.layer_slices
        assert made.tolist() == [places[name].start + n for name in "ho" for n in expected[name]]
        for name in "ho":
            assert machine.u[places[name]].tolist() == naive.u[name]
            assert machine.v[places[name]].tolist() == naive.v[name]
        np.testing.assert_array_equal(made, floats.step(np.concatenate([a, g])))
        np.testing.assert_array_equal(machine.tables.cells[: kernel.LEFT + 1], floats.tables.cells[: kernel.LEFT + 1])
    np.testing.assert_array_equal(machine.tables.counters, floats.tables.counters)


def one_neuron(weights=(1,), *, exp=0, **cell):
    """A neuron whose input lines carry payloads of 16 bits, so that any sum can be sent."""
    values = {"du": 0, "dv": 0, "vth": 131071, **cell}
    net = ChipNetwork()
    net.add_input("in", len(weights), message_bits=16)
    net.add_layer("n", 1, Compartments(**values))
    column = np.array(weights)[:, None]
    net.connect("in", "n", column, weight_exp=exp, message_bits=16)
    return Machine(net)


def drive(machine, sums):
    """(u, v, spike) per step; sums are payloads on line 0 (positive) or 1 (negative), arriving one step later."""
    out = []
    for k in range(len(sums) + 1):
        a = sums[k] if k < len(sums) else 0
        spikes = machine.step(np.array([max(a, 0), max(-a, 0)], np.int32)[: machine._shape[0]])
        out.append((int(machine.u[-1]), int(machine.v[-1]), spikes.size))
    return out[1:]


def test_decay_threshold_and_reset_on_published_numbers():
    machine = one_neuron((2, -2), du=409, dv=128, vth=100, exp=-1)
    assert drive(machine, [100, 0, 0, -50, 0, 0, 200, 0]) == [
        (6400, 6400, 0), (5759, 0, 1), (5182, 5182, 0), (1463, 0, 1), (1316, 1316, 0), (1184, 2458, 0), (13865, 0, 1),
        (12477, 0, 1),
    ]  # fmt: skip


def test_the_threshold_is_strict():
    machine = one_neuron(bias_mant=5, bias_exp=3, vth=10)
    spikes = [machine.step().size for _ in range(17)]
    assert spikes == [0] * 16 + [1]


@pytest.mark.parametrize(
    ("u", "du", "after"),
    [
        (1000, 0, 999), (-1000, 0, -999), (-999, 0, -998), (12345, 4095, 0), (1, 0, 0), (-1, 0, 0),
        (2**23, 0, 2**23 - 2048), (-(2**23) + 1, 0, -(2**23) + 1 + 2048),
    ],
)  # fmt: skip
def test_decays_round_towards_zero(u, du, after):
    machine = one_neuron(du=du)
    machine.u[-1] = u
    machine.step()
    assert machine.u[-1] == after


@pytest.mark.parametrize(
    ("start", "payload", "after"),
    [
        (8_388_600, 1000, -8_326_664),
        (-(2**23), 0, -(2**23) + 2048),
        (2**23 - 64, 33, 2**23),  # the decay takes 2047 and the sum adds 2112: the upper end itself does not wrap
        (2**23 - 63, 33, -(2**23) + 1),
    ],
)
def test_the_current_wraps_in_24_bits(start, payload, after):
    machine = one_neuron()
    machine.u[-1] = start
    machine.step(np.array([payload], np.int32))
    machine.u[-1] = start
    machine.step()
    assert machine.u[-1] == after


def test_the_current_wraps_downwards_too():
    machine = one_neuron((1, -2), du=4095, exp=1)
    # a = 2 x 65536 at most in 24 bits: -131072 << 6 is the lower end, which wraps to the upper; one less does not
    assert [row[0] for row in drive(machine, [-32768, -32767, -40000])] == [2**23, -(2**23) + 256, 2**24 - 10_240_000]


def test_the_voltage_saturates_and_stays():
    machine = one_neuron(bias_mant=4095, bias_exp=7)
    top = 2**23 - 1
    for _ in range(16):
        machine.step()
    assert machine.v[-1] == 16 * 4095 * 128
    assert machine.step().size == 1  # the largest threshold is 63 below the ceiling
    assert machine.v[-1] == 0
    low = one_neuron(bias_mant=-4096, bias_exp=7)
    for _ in range(30):
        low.step()
    assert low.v[-1] == -top


@pytest.mark.parametrize("refract", [1, 2, 3, 5, 63])
def test_the_voltage_is_held_for_one_step_less_than_the_period(refract):
    machine = one_neuron(bias_mant=100, vth=1, refract=refract)
    spikes = [k for k in range(200) if machine.step().size]
    assert np.diff(spikes).tolist() == [refract] * (len(spikes) - 1)
    assert spikes[0] == 0


@pytest.mark.parametrize("delay", [0, 1, 31, 61, 62])
@pytest.mark.parametrize("latency", [0, 1])
def test_delays_up_to_the_limit(delay, latency):
    net = ChipNetwork()
    net.add_input("in", 1, latency=latency)
    net.add_layer("n", 1, Compartments(4095, 4095, 10))
    net.add_layer("m", 1, Compartments(4095, 4095, 10))
    net.connect("in", "n", [[11]], delay)
    net.connect("n", "m", [[11]], delay)
    machine = Machine(net)
    when = [machine.step([int(k == 5)]).tolist() for k in range(160)]
    assert [k for k, found in enumerate(when) if 1 in found] == [5 + latency + delay]
    assert [k for k, found in enumerate(when) if 2 in found] == [5 + latency + delay + 1 + delay]


def test_a_negative_exponent_floors_the_sum_of_each_delay():
    net = ChipNetwork()
    net.add_input("in", 4)
    net.add_layer("n", 1, Compartments(4095, 4095, 131071))
    net.connect("in", "n", [[-3], [-3], [5], [-9]], [[0], [0], [0], [1]], weight_exp=-2, sign_mode="mixed")
    machine = Machine(net)  # held: -4, -4, 4, -10
    for row in ([0, 0, 0, 1], [1, 1, 1, 0], [0, 0, 0, 0]):
        machine.step(row)
    assert machine.u[-1] == (-4 // 4 + -10 // 4) * 64


@pytest.mark.parametrize("mode", SIGN_MODES)
@pytest.mark.parametrize("bits", range(1, 9))
def test_every_weight_is_held_as_the_naive_chip_holds_it(mode, bits):
    given_weights = np.arange(-400, 401)
    made = held_weights(given_weights, mode, bits)
    assert made.tolist() == [held(int(w), bits, mode) for w in given_weights]
    assert -256 <= made.min() <= made.max() <= 255


def test_mixed_weights_are_even_and_floored():
    assert held_weights(np.array([-300, -255, -3, 3, 255, 300]), "mixed", 8).tolist() == [-256, -256, -4, 2, 254, 254]
    assert held_weights(np.array([-300, -3, 3]), "inhibitory", 7).tolist() == [-254, -2, 0]


@pytest.mark.parametrize(
    ("weights", "mode"),
    [([0, 0], "excitatory"), ([0, 3], "excitatory"), ([-3, 0], "inhibitory"), ([-1, 1], "mixed"), ([], "excitatory")],
)
def test_the_sign_mode_follows_the_weights(weights, mode):
    assert sign_mode(np.array(weights, np.int64)) == mode


def test_a_binary_synapse_takes_a_payload_as_one_spike():
    net = ChipNetwork()
    net.add_input("in", 1, message_bits=8)
    net.add_layer("n", 1, Compartments(4095, 4095, 131071))
    net.connect("in", "n", [[7]])
    machine = Machine(net)
    machine.step([200])
    machine.step()
    assert machine.u[-1] == 7 * 64


def test_operations_and_spikes_are_counted():
    net = ChipNetwork()
    net.add_input("in", 3)
    net.add_layer("n", 4, Compartments(4095, 4095, 10))
    net.connect("in", "n", np.full((3, 4), 20), exists=np.eye(3, 4) > 0)
    machine = Machine(net)
    for _ in range(5):
        machine.step([1, 0, 1])
    counters = machine.tables.counters
    assert counters[kernel.OPERATIONS] == 4 * 2
    assert counters[kernel.COUNTS :].tolist() == [5, 0, 5, 4, 0, 4, 0]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([1, 2], "line 1: expected 0 or 1, .* got 2"),
        ([1, -1], "negative or far too large"),
        ([2**40, 0], "line 0: .*negative or far too large"),
        (np.array([0, 2**63], np.uint64), "line 1"),
        ([0.5, 0.0], "expected whole numbers"),
        ([[1, 0]], "of the shape"),
        ([1], "of the shape"),
        (["a", "b"], "whole numbers"),
    ],
)
def test_bad_inputs_are_refused(inputs, words):
    net = ChipNetwork()
    net.add_input("in", 2)
    net.add_layer("n", 1, Compartments(0, 0, 1))
    net.connect("in", "n", [[5], [5]])
    machine = Machine(net)
    with pytest.raises(ConfigError, match=words):
        machine.step(inputs)
    assert machine.tables.counters[kernel.STEP] == 0


def test_inputs_of_any_layout_are_the_same():
    rng = np.random.default_rng(0)
    spikes = rng.integers(0, 2, (40, 50))
    made = []
    for form in (np.int32, np.uint8, np.bool_, np.int64, np.uint64):
        net = ChipNetwork()
        net.add_input("in", 50)
        net.add_layer("n", 20, Compartments(400, 100, 50))
        net.connect("in", "n", np.random.default_rng(1).integers(0, 90, (50, 20)))
        machine = Machine(net)
        made.append([machine.step(row).tolist() for row in np.asfortranarray(spikes.astype(form))])
    assert all(one == made[0] for one in made)
    assert sum(map(len, made[0])) > 20


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda n: n.add_layer("x", 2, Compartments(4096, 0, 1)), "layer 'x': du: the chip holds 0 to 4095, got 4096"),
        (lambda n: n.add_layer("x", 2, Compartments(0, -1, 1)), "dv"),
        (lambda n: n.add_layer("x", 2, Compartments(0, 0, 131072)), "vth: the chip holds 0 to 131071"),
        (lambda n: n.add_layer("x", 2, Compartments(0, 0, 1, 4096)), "bias_mant"),
        (lambda n: n.add_layer("x", 2, Compartments(0, 0, 1, 0, 8)), "bias_exp"),
        (lambda n: n.add_layer("x", 2, Compartments(0, 0, 1, refract=0)), "refract: the chip holds 1 to 63"),
        (lambda n: n.add_layer("x", 2, Compartments(0.5, 0, 1)), "whole numbers"),
        (lambda n: n.add_layer("x", 2, Compartments([1, 2, 3], 0, 1)), "one number or 2"),
        (lambda n: n.add_layer("x", 0, Compartments(0, 0, 1)), "size of 1 or more"),
        (lambda n: n.add_layer("in", 1, Compartments(0, 0, 1)), "no other layer"),
        (lambda n: n.add_input("y", 1, message_bits=25), "message_bits: the chip holds 0 to 24"),
        (lambda n: n.connect("in", "n", [[1], [1]], 63), "delays: the chip holds 0 to 62, got 63"),
        (lambda n: n.connect("in", "n", [[1], [1]], -1), "delays"),
        (lambda n: n.connect("in", "n", [[1], [1]], weight_exp=8), "weight_exp: the chip holds -8 to 7"),
        (lambda n: n.connect("in", "n", [[1], [1]], weight_bits=9), "weight_bits: the chip holds 1 to 8"),
        (lambda n: n.connect("in", "n", [[1], [1]], sign_mode="odd"), "sign_mode"),
        (lambda n: n.connect("in", "n", [[1]]), "shape"),
        (lambda n: n.connect("in", "n", [[0.5], [1]]), "whole numbers"),
        (lambda n: n.connect("in", "in", [[1], [1]]), "is an input"),
        (lambda n: n.connect("in", "z", [[1], [1]]), "no layer 'z'"),
    ],
)
def test_what_no_register_holds_is_refused(build, words):
    net = ChipNetwork()
    net.add_input("in", 2)
    net.add_layer("n", 1, Compartments(0, 0, 1))
    with pytest.raises(ConfigError, match=words):
        build(net)

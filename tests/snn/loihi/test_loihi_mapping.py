"""Networks on cores: counted by hand on small ones, refused by name when they do not fit."""

from dataclasses import replace

import numpy as np
import pytest

from neuro_robot.errors import ConfigError
from neuro_robot.snn.backends.loihi.chips import LOIHI, LOIHI2
from neuro_robot.snn.backends.loihi.description import ChipNetwork, Compartments
from neuro_robot.snn.backends.loihi.mapping import place


def network(pre, post, *, exists=None, delays=0, weights=1, bits=8):
    net = ChipNetwork()
    net.add_input("in", pre)
    net.add_layer("n", post, Compartments(0, 0, 1))
    net.connect("in", "n", np.broadcast_to(weights, (pre, post)), delays, exists=exists, weight_bits=bits)
    return net


def words(synapses, bits):
    return -(-(synapses * bits + 10) // 64) * 64


def test_a_small_network_takes_one_core_counted_by_hand():
    cores = place(network(10, 20), LOIHI).cores
    assert len(cores) == 1
    assert cores[0] == ("n", 0, 20, 200, 10 * words(20, 8), 10, 0)


def test_absent_synapses_take_an_index_and_delays_six_bits():
    exists = np.eye(16, 16) > 0
    assert place(network(16, 16, exists=exists, delays=3), LOIHI).cores[0].bits == 16 * words(1, 8 + 4 + 6)
    assert place(network(16, 16, bits=7), LOIHI).cores[0].bits == 16 * words(16, 8)
    assert place(network(16, 16, bits=4), LOIHI).cores[0].bits == 16 * words(16, 4)


def test_a_large_layer_is_spread_and_loihi2_needs_fewer_cores():
    first, second = place(network(2, 3000), LOIHI), place(network(2, 3000), LOIHI2)
    assert len(first.cores) == 3
    assert [core.last - core.first for core in first.cores] == [1000, 1000, 1000]
    assert len(second.cores) == 1
    assert "3000 neurons on 3 cores" in first.report()
    assert "loihi2: 1 of 128 cores" in second.report()


def test_synaptic_memory_decides_the_cores_of_a_dense_layer():
    made = place(network(1024, 256), LOIHI)
    assert len(made.cores) == 3  # 1024 lists of 86 bytes fit 128 KiB, of 128 bytes and a head do not
    assert max(core.bits for core in made.cores) <= LOIHI.bits


def test_output_axons_count_the_cores_a_spike_goes_to():
    net = ChipNetwork()
    net.add_layer("a", 30, Compartments(0, 0, 1))
    net.add_layer("b", 90, Compartments(0, 0, 1))
    net.connect("a", "b", 1)
    chip = replace(LOIHI, neurons_per_core=10, out_axons=60)
    made = place(net, chip)
    own = [core for core in made.cores if core.layer == "a"]
    assert len(own) == 5  # nine cores of b: 270 axons, 60 a core
    assert max(core.out_axons for core in made.cores) <= 60
    with pytest.raises(ConfigError, match="its spikes go to 9 cores, a core of loihi has 8 output axons"):
        place(net, replace(chip, out_axons=8))


@pytest.mark.parametrize(
    ("net", "chip", "told"),
    [
        (network(1, 140_000), LOIHI, "the network has 140000 neurons, the chip 131072"),
        (network(5000, 2), LOIHI, "layer 'n': one neuron does not fit .* 5000 input axons of the core's 4096"),
    ],
)
def test_what_does_not_fit_is_refused(net, chip, told):
    with pytest.raises(ConfigError, match=told):
        place(net, chip)


def test_too_many_cores_are_refused():
    with pytest.raises(ConfigError, match=r"needs 3 cores \(n 3\), the chip has 2"):
        place(network(2, 3000), replace(LOIHI, cores=2))


def test_thresholds_beyond_the_profiles_of_a_core_spread_the_layer():
    net = ChipNetwork()
    net.add_layer("n", 40, Compartments(0, 0, np.arange(40)))
    assert len(place(net, LOIHI).cores) == 3
    assert len(place(net, LOIHI2).cores) == 1


def test_graded_spikes_need_loihi2():
    net = ChipNetwork()
    net.add_input("in", 1, message_bits=4)
    net.add_layer("n", 1, Compartments(0, 0, 1))
    net.connect("in", "n", [[1]], message_bits=4)
    with pytest.raises(ConfigError, match=r"loihi has no graded spikes; use loihi2"):
        place(net, LOIHI)
    assert len(place(net, LOIHI2).cores) == 1

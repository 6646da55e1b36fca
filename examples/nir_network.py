"""A network from a NIR graph and back: what another simulator has trained runs here.

    python examples/nir_network.py trained.nir      (needs: pip install nir)

Without a file it makes a small graph of its own. Times in the graph are in seconds, the step is 1 ms.
"""

from __future__ import annotations

import sys

import nir
import numpy as np

from neuro_robot.snn.nir import from_nir, to_nir


def made() -> nir.NIRGraph:
    """Two LIF layers with random weights."""
    rng = np.random.default_rng(1)

    def lif(n: int) -> nir.LIF:
        return nir.LIF(tau=np.full(n, 0.02), r=np.ones(n), v_leak=np.zeros(n), v_threshold=np.ones(n))

    return nir.NIRGraph.from_list(
        nir.Linear(rng.uniform(0, 8, (16, 10))), lif(16), nir.Affine(rng.uniform(0, 9, (4, 16)), np.zeros(4)), lif(4)
    )


def main(path: str | None = None) -> int:
    """Print the layers and how often they spiked; return the number of spikes."""
    network = from_nir(path or made(), dt_ms=1.0, time_unit="s")
    model = network.compile()
    inputs = sum(part.stop - part.start for part in model.input_slices.values())
    raster = model.run(np.random.default_rng(2).poisson(0.2, (500, inputs)))
    for layer, part in model.layer_slices.items():
        sys.stdout.write(f"{layer}: {part.stop - part.start} neurons, {model.spike_counts[part].sum()} spikes\n")
    sys.stdout.write(f"back in NIR: {', '.join(to_nir(network, model=model).nodes)}\n")
    return len(raster.step)


if __name__ == "__main__":
    main(*sys.argv[1:2])

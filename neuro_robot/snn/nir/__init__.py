"""Networks from and to NIR, the Neuromorphic Intermediate Representation (Pedersen et al., Nat. Commun. 15, 2024)."""

from __future__ import annotations

from neuro_robot.snn.nir.exporting import to_nir
from neuro_robot.snn.nir.importing import from_nir
from neuro_robot.snn.nir.neurons import NirNetwork, Population

__all__ = ["NirNetwork", "Population", "from_nir", "to_nir"]

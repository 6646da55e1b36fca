"""From packets to commands: the stream decoder and the mind behind it, as every runner uses them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.drone import DroneMind, DroneMindConfig, build_network
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.robot import BodyCommand, Imu
from neuro_robot.snn.weights_file import load_state, save_state


class Reply(NamedTuple):
    """The answer to one packet."""

    command: BodyCommand
    spikes: NDArray[np.void]  # EVENT_DTYPE, x = neuron, y = layer
    events: NDArray[np.void]  # EVENT_DTYPE, as decoded


class Controller:
    """Decodes a camera's packets and asks the mind, which looks through the first packet's geometry."""

    def __init__(self, config: DroneMindConfig, seed: int) -> None:
        self.decoder = StreamDecoder()
        self.mind = DroneMind(config, seed)
        self.reward = 0.0  # mean over the last packet

    def receive(self, packet: EventPacket, imu: Imu | None) -> Reply:
        """Answer one packet. Raises PacketError when it cannot be used; the state is then as before."""
        decoded = self.decoder.decode(packet)
        if self.mind.view is None:
            self.mind.look_through(packet.width, packet.height)
        decision = self.mind.step(decoded.events, decoded.t_end_ns, imu)
        self.reward = decision.reward
        return Reply(decision.command, decision.spikes, decoded.events)

    def new_flight(self) -> None:
        """A new stream from a new start; what was learned stays."""
        self.decoder = StreamDecoder()
        self.mind.new_flight()

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The plastic weights by connection, shape (pre, post)."""
        return {"steer": self.mind.network.weights("steer")}

    def save(self, path: str | Path) -> None:
        """Write weights, thresholds, traces and the expected reward to a checked file."""
        mind = self.mind
        meta: dict[str, str | float] = {"agent": "drone", "backend": mind.config.backend}
        meta["expected_reward"] = float(mind.expected_reward)
        save_state(Path(path), mind.network.state(), meta)

    def load(self, path: str | Path) -> None:
        """Read what `save` wrote; of a file from another back end only what was learned, not the traces.

        Raises WeightsError, or ConfigError for weights out of bounds, and changes nothing when the file does not fit.
        """
        arrays, meta = load_state(Path(path))
        origin, mind = str(meta.get("backend", "cpu")), self.mind
        if origin == mind.config.backend:
            mind.network.load_state_dict(arrays)
        else:
            config = replace(mind.config, backend=origin)
            saved = build_network(config, np.random.default_rng(0)).compile(origin)
            saved.load_state_dict(arrays)
            mind.network.set_weights("steer", np.clip(saved.weights("steer"), 0.0, config.plasticity.w_max))
        expected = meta.get("expected_reward", 0.0)
        mind.expected_reward = float(expected) if isinstance(expected, (int, float)) else 0.0

    def diagnostics(self) -> dict[str, float]:
        """Network activity and decoder counters, for /diagnostics and the summary."""
        network = self.mind.network
        stats = self.decoder.stats
        return {
            "events": float(stats.events),
            "lost_packets": float(stats.lost_packets),
            "refused_packets": float(stats.refused_packets),
            "spikes": float(np.sum(network.spike_counts)),
            "synaptic_operations": float(network.synaptic_operations),
            "weight_updates": float(network.weight_updates),
            "reward": self.reward,
            "mean_weight": float(np.nanmean(network.weights("steer"))),
        }

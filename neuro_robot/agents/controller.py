"""From packets to commands: the stream decoder and the mind behind it, as every runner uses them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuro_robot.agents.drone import DroneMind, build_network
from neuro_robot.agents.learned import Learner
from neuro_robot.applied import Applied, Steered, loaded_file, loaded_text
from neuro_robot.errors import BagError, ConfigError, WeightsError
from neuro_robot.events.packet import EventPacket, StreamDecoder
from neuro_robot.robot import Command, Imu, LegSense
from neuro_robot.snn.counts import counts_of
from neuro_robot.snn.faults_text import inject_text
from neuro_robot.snn.network import Network


class Reply(NamedTuple):
    """The answer to one packet."""

    command: Command
    spikes: NDArray[np.void]  # EVENT_DTYPE, x = neuron, y = layer
    events: NDArray[np.void]  # EVENT_DTYPE, as decoded


class Controller:
    """Decodes a camera's packets and asks the mind, which looks through the first packet's geometry.

    This is the drone's; another body's controller says which mind it has and what else that mind is told.
    """

    agent: ClassVar[str] = "drone"

    def __init__(self, config: Any, seed: int) -> None:  # noqa: ANN401 - the configuration of its mind
        self.decoder = StreamDecoder()
        self.mind = self.make_mind(config, seed)
        self._learner = Learner(self.mind, self.agent, self.make_network)
        self.reward = 0.0  # mean over the last packet
        self.applied: Applied | None = None  # what it goes by, since when
        self._seed = seed
        self._deeds: list[tuple[str, str]] = []  # since the last packet
        self._recorded: deque[Applied] | None = None  # what to follow
        self._beside = Path()  # where weights are that it loads while it follows
        self._followed_ns = -1
        self._break(str(getattr(config, "faults", "")))

    @staticmethod
    def make_mind(config: Any, seed: int) -> Any:  # noqa: ANN401 - each body has its own kind
        """The mind of this body."""
        return DroneMind(config, seed)

    @staticmethod
    def make_network(config: Any) -> Network:  # noqa: ANN401
        """The network of such a mind, with some initial weights."""
        return build_network(config, np.random.default_rng(0))

    def decide(self, events: NDArray[np.void], t_end_ns: int, imu: Imu | None, legs: LegSense | None) -> Any:  # noqa: ANN401, ARG002 - a drone has no legs
        """Ask the mind; its decision has command, spikes and reward."""
        return self.mind.step(events, t_end_ns, imu)

    def steering(self, t_ns: int) -> Steered | None:  # noqa: ARG002 - a drone flies at its own speed
        """How it is steered by the packet that ends at t_ns."""
        return None

    def receive(self, packet: EventPacket, imu: Imu | None, legs: LegSense | None = None) -> Reply:
        """Answer one packet. Raises PacketError when it cannot be used; the state is then as before."""
        decoded = self.decoder.decode(packet)
        if self.mind.view is None:
            self.mind.look_through(packet.width, packet.height)
        self._go_by(decoded.t_end_ns)
        decision = self.decide(decoded.events, decoded.t_end_ns, imu, legs)
        self._deeds.clear()
        self.reward = decision.reward
        return Reply(decision.command, decision.spikes, decoded.events)

    def new_flight(self) -> None:
        """A new stream from a new start; what was learned stays. Says anew what it goes by."""
        self.decoder = StreamDecoder()
        self.mind.new_flight()
        self.applied, self._followed_ns = None, -1

    @property
    def changes(self) -> dict[str, Callable[[str], None]]:
        """What may change while it moves, by kind."""
        return {"learning": self._switch, "faults": self._break, "load": self._learner.learn_from}

    @property
    def follows(self) -> bool:
        """Whether it goes by a recording, and by nobody else."""
        return self._recorded is not None

    def check_free(self) -> None:
        """Raise ConfigError while it follows a recording."""
        if self.follows:
            raise ConfigError("this controller goes by a recording (follow_bag), and by nobody else; leave that empty")

    def change(self, kind: str, what: str) -> None:
        """Do as somebody outside says, from the next packet on; `applied` then has it, so that a recording replays.

        kind: `learning` (True or False), `faults` (a text, see snn.faults_text), `load` (a weights file, of which it
        takes what was learned: membranes and traces, gait and times go on), of a walker `gait` (see agents.gait).
        Raises ConfigError or WeightsError, with nothing changed, for what cannot be, and while it follows a recording.
        """
        self.check_free()
        deed = kind, loaded_text(Path(what)) if kind == "load" else what
        self.changes[kind](what)
        self._deeds.append(deed)

    def follow(self, recorded: Iterable[Applied], beside: Path) -> None:
        """Go by what a recording says was applied, from the same packets on; weights are looked for `beside` first.

        Raises BagError for what cannot be done to this body, and when weights that were loaded are not to be found.
        """
        self._recorded, self._beside = deque(recorded), beside
        for kind, what in (deed for told in self._recorded for deed in told.deeds):
            if kind not in self.changes:
                raise BagError(f"expected deeds of {', '.join(self.changes)} behind `applied`, got {kind}")
            if kind == "load":
                loaded_file(what, beside)

    def take_up(self, told: Applied) -> None:
        """Do as a recording says. Raises BagError for what cannot be done, and when it does not lead where it says."""
        for kind, what in told.deeds:
            try:
                self.changes[kind](str(loaded_file(what, self._beside)) if kind == "load" else what)
            except (ConfigError, WeightsError) as error:
                raise BagError(f"diagnostics at {told.t_ns} ns: expected a deed that can be done: {error}") from error
            self._deeds.append((kind, what))
        state = self.mind.learning, self._faults
        if state != (told.learning, told.faults):
            raise BagError(
                f"diagnostics at {told.t_ns} ns: expected learning {told.learning} and faults {told.faults!r} after "
                f"what was done, got {state[0]} and {state[1]!r}; the bag does not begin where the run began"
            )

    def _go_by(self, t_ns: int) -> None:
        """Take up what a recording says for the packet that ends at t_ns; note what counts from that packet on."""
        recorded = self._recorded
        while recorded and self._followed_ns < recorded[0].t_ns <= t_ns:
            told = recorded.popleft()
            self._followed_ns = told.t_ns  # the next flight's first one may bear the same time
            self.take_up(told)
        self._followed_ns = t_ns
        told = Applied(t_ns, self.mind.learning, self._faults, tuple(self._deeds), self.steering(t_ns))
        if not told.goes_on(self.applied):
            self.applied = told

    def _switch(self, on: str) -> None:
        if on not in ("True", "False"):
            raise ConfigError(f"learning: expected True or False, got {on!r}")
        self.mind.learning = on == "True"

    def _break(self, faults: str) -> None:
        inject_text(self.mind.network, faults, self._seed)
        self._faults = faults

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """The plastic weights by connection, shape (pre, post)."""
        return self._learner.weights()

    def save(self, path: str | Path) -> None:
        """Write weights, thresholds, traces and the expected reward to a checked file."""
        self._learner.save(path)

    def load(self, path: str | Path) -> None:
        """Read what `save` wrote, see `learned.Learner.load`."""
        self._learner.load(path)

    def diagnostics(self) -> dict[str, float]:
        """Network activity, faults and decoder counters, for /diagnostics and the summary."""
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
            "mean_weight": float(np.nanmean(np.concatenate([item.ravel() for item in self.weights().values()]))),
            **network.faults.figures(),
            **{f"network_{name}": value for name, value in counts_of(network).items()},
        }

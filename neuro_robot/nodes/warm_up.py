"""Every kernel of a controller compiled before its robot moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from neuro_robot.bags.record import SpikePacker, network_shape
from neuro_robot.events.array import EVENT_DTYPE
from neuro_robot.events.packet import pack
from neuro_robot.robot import Imu, LegSense


def warm_up(controller: Any, legs: LegSense | None = None) -> None:  # noqa: ANN401 - a body's controller
    """Compile every kernel now, with a throw-away mind, rather than at the first packet of a moving robot."""
    events = np.zeros(2, EVENT_DTYPE)
    for seq in range(3):
        events["t"] = (seq + 1) * 2_000_000 - 1000
        t_end_ns = (seq + 1) * 2_000_000
        packet = pack(events, "evt3", width=128, height=128, seq=seq, stamp_ns=t_end_ns, t_end_ns=t_end_ns)
        level = Imu(t_end_ns, (0.0, 0.0, 0.0, 1.0), (0.0,) * 3, (0.0, 0.0, 9.81))
        reply = controller.receive(packet, level, legs and legs._replace(t_ns=t_end_ns))
        SpikePacker().pack(reply.spikes, t_end_ns, network_shape(controller))
    controller.new_flight()

"""The `evt3` encoding of Prophesee cameras: 16-bit words, microseconds, state that runs on from packet to packet.

Time. A camera's time_base is 0: its 24-bit clock is unwrapped from 0 by counting roll-overs (every 2^24 us, 16.8 s),
so a stream that starts late, or that lost more than a roll-over, is a multiple of that early. This package's encoder
writes the sensor time of the packet's start into time_base (at least 1) and starts every packet with both time words,
which makes packets self-contained: the decoder takes the roll-over count that puts them nearest to time_base.
"""

from __future__ import annotations

from neuro_robot.events.codec import Codec
from neuro_robot.events.evt3_decoder import Evt3Decoder
from neuro_robot.events.evt3_encoder import MAX_SPAN_US, encode
from neuro_robot.events.vectors import ADDRESS_MASK, WORD

EVT3 = Codec(
    name="evt3",
    word=WORD,
    max_width=ADDRESS_MASK + 1,
    max_height=ADDRESS_MASK + 1,
    max_trigger_id=15,
    max_span_ns=MAX_SPAN_US * 1000,
    little_endian_always=False,
    encode=lambda content: encode(content.events, content.t_end_ns, content.triggers, content.width),
    decoder=Evt3Decoder,
    self_contained=lambda time_base: time_base != 0,
)

"""The words of the `evt3` encoding: bits 12-15 are the code, bits 0-11 the payload.

Sources: docs.prophesee.ai, EVT 3.0 format; openeb, evt3_event_types.h; ros-event-camera/event_camera_codecs,
evt3_types.h.
"""

from __future__ import annotations

ADDR_Y = 0x0  # bits 0-10 row; bit 11 master or slave camera, not used here
ADDR_X = 0x2  # bits 0-10 column, bit 11 polarity: one event
VECT_BASE_X = 0x3  # bits 0-10 column of the next vector's bit 0, bit 11 polarity
VECT_12 = 0x4  # 12-bit mask: events at base + i; then base += 12
VECT_8 = 0x5  # 8-bit mask: events at base + i; then base += 8
TIME_LOW = 0x6  # bits 0-11 of the microsecond clock
CONTINUED_4 = 0x7  # data of an OTHERS word
TIME_HIGH = 0x8  # bits 12-23 of the microsecond clock
PADDING = 0x9  # undocumented; some cameras fill transfers with it
EXT_TRIGGER = 0xA  # bit 0 edge, bits 8-11 channel
OTHERS = 0xE  # counters and notices, continued by CONTINUED words
CONTINUED_12 = 0xF  # data of an OTHERS word

HIGH_COUNTS = 1 << 12  # counts of the high half of the clock (TIME_HIGH) before it rolls over
GLITCH_COUNTS = 10  # TIME_HIGH may step back by this much without a roll-over (as event_camera_codecs decides)

"""Slow, obvious codecs for the tests: one event at a time, written from the format descriptions only."""

import struct

import numpy as np

from neuro_robot.events import EVENT_DTYPE, TRIGGER_DTYPE

ROLL_OVER_US = 1 << 24


def as_events(rows):
    return np.array([tuple(row) for row in rows], EVENT_DTYPE)


def as_triggers(rows):
    return np.array([tuple(row) for row in rows], TRIGGER_DTYPE)


def decode_mono(payload, time_base, width, height):
    rows = []
    for i in range(0, len(payload) // 8 * 8, 8):
        (word,) = struct.unpack("<Q", payload[i : i + 8])
        x, y = word >> 32 & 0xFFFF, word >> 48 & 0x7FFF
        if x < width and y < height:
            rows.append((time_base + word % 2**32, x, y, word >> 63))
    return rows


def encode_mono(rows, time_base):
    return b"".join(struct.pack("<IHH", t - time_base, x, y | p << 15) for t, x, y, p in rows)


def decode_libcaer(payload, time_base, width, height):
    rows, epoch, previous = [], 0, None
    for i in range(0, len(payload) // 8 * 8, 8):
        data, stamp = struct.unpack("<II", payload[i : i + 8])
        stamp %= 2**31
        if previous is not None and previous - stamp > 2**30:
            epoch += 1
        if previous is not None and stamp - previous > 2**30 and epoch:
            epoch -= 1
        previous = stamp
        x, y = data >> 17, data >> 2 & 0x7FFF
        if x < width and y < height:
            rows.append((time_base + (epoch * 2**31 + stamp) * 1000, x, y, data >> 1 & 1))
    return rows


def encode_libcaer(rows):
    return b"".join(struct.pack("<II", 1 | p << 1 | y << 2 | x << 17, t // 1000 % 2**31) for t, x, y, p in rows)


class NaiveEvt3:
    """One stream of evt3 words from a camera (time_base 0), or self-contained packets (time_base set)."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.epoch = 0
        self.high = None  # last TIME_HIGH ever, to notice roll-overs
        self.dropped = self.outside = self.unknown = 0
        self.forget()

    def forget(self):
        self.high_seen = False
        self.t_us = self.low = self.y = self.base = self.polarity = None

    def decode(self, payload, time_base=0):
        if time_base:
            self.forget()
            self.high = None
        rows, triggers = [], []
        for i in range(0, len(payload) // 2 * 2, 2):
            (word,) = struct.unpack("<H", payload[i : i + 2])
            self._word(word >> 12, word % 4096, time_base, rows, triggers)
        return rows, triggers

    def _word(self, code, value, time_base, rows, triggers):
        if code == 0x0:
            self.y = value % 2048
        elif code == 0x2:
            self._event(rows, value % 2048, value // 2048)
        elif code == 0x3:
            self.base, self.polarity = value % 2048, value // 2048
        elif code in (0x4, 0x5):
            self._vector(rows, value, {0x4: 12, 0x5: 8}[code])
        elif code == 0x6:
            self.low = value
            if self.high_seen:
                self._set_time()
        elif code == 0x8:
            self._time_high(value, time_base)
        elif code == 0xA and self.t_us is None:
            self.dropped += 1
        elif code == 0xA:
            triggers.append((self.t_us * 1000, value >> 8, value & 1))
        elif code not in (0x7, 0x9, 0xE, 0xF):
            self.unknown += 1

    def _vector(self, rows, mask, bits):
        for bit in range(bits):
            if mask & 1 << bit:
                self._event(rows, None if self.base is None else self.base + bit, self.polarity)
        if self.base is not None:
            self.base += bits

    def _time_high(self, value, time_base):
        before = (self.epoch, self.high)
        if self.high is None:
            candidates = range(2**40 // ROLL_OVER_US) if time_base else [0]
            distance = [abs(k * ROLL_OVER_US + value * 4096 - time_base // 1000) for k in candidates]
            self.epoch = distance.index(min(distance))
        elif self.high - value > 10:
            self.epoch += 1
        elif value - self.high >= 4096 - 10 and self.epoch:
            self.epoch -= 1
        self.high = value
        self.high_seen = True
        if (self.epoch, self.high) != before:
            self.low = 0
        if self.t_us is not None:
            self._set_time()

    def _set_time(self):
        self.t_us = self.epoch * ROLL_OVER_US + self.high * 4096 + self.low

    def _event(self, rows, x, p):
        if self.t_us is None or self.y is None or x is None:
            self.dropped += 1
        elif x >= self.width or self.y >= self.height:
            self.outside += 1
        else:
            rows.append((self.t_us * 1000, x, self.y, p))


def decode_libcaer_cmp(payload, time_base, width, height):
    return NaiveLibcaerCmp(width, height).decode(payload, time_base)


class NaiveLibcaerCmp:
    """Self-contained packets of libcaer_cmp words."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.dropped = self.outside = self.unknown = 0

    def decode(self, payload, time_base):
        high = low = 0
        x = base = polarity = None
        rows = []
        for i in range(0, len(payload) // 2 * 2, 2):
            (word,) = struct.unpack("<H", payload[i : i + 2])
            code, value = word >> 12, word % 4096
            t = time_base + (high * 4096 + low) * 1000
            if code == 0:
                high = value
            elif code == 1:
                low = value
            elif code == 2:
                x = value % 2048
            elif code == 3:
                self._event(rows, t, x, value % 2048, value // 2048)
            elif code == 4:
                base, polarity = value % 2048, value // 2048
            elif code == 5:
                for bit in range(8):
                    if value & 1 << bit:
                        self._event(rows, t, x, None if base is None else base + bit, polarity)
                if base is not None:
                    base += 8
            else:
                self.unknown += 1
        return rows

    def _event(self, rows, t, x, y, p):
        if x is None or y is None:
            self.dropped += 1
        elif x >= self.width or y >= self.height:
            self.outside += 1
        else:
            rows.append((t, x, y, p))


def decode_trigger(payload, time_base):
    words = [struct.unpack("<IHH", payload[i : i + 8]) for i in range(0, len(payload) // 8 * 8, 8)]
    return [(time_base + dt, top % 256, top >> 15) for dt, _, top in words]


def vendor_evt3_events(words, width, height):
    """Events as the vendor's decoder (openeb) takes vectors: only whole groups of 12, 12 and 8 inside the sensor."""
    high = low = y = base = polarity = 0
    rows, i = [], 0
    while i < len(words):
        code, value = words[i] >> 12, words[i] % 4096
        if code == 0x4:
            group = [word % 4096 for word in words[i : i + 3]]
            mask = group[0] | group[1] << 12 | group[2] % 256 << 24
            if base + 32 <= width:
                rows += [((high << 12 | low) * 1000, base + bit, y, polarity) for bit in range(32) if mask >> bit & 1]
            base += 32
            i += 2
        elif code == 0x0:
            y = value % 2048
        elif code == 0x2 and y < height:
            rows.append(((high << 12 | low) * 1000, value % 2048, y, value // 2048))
        elif code == 0x3:
            base, polarity = value % 2048, value // 2048
        elif code == 0x6:
            low = value
        elif code == 0x8:
            low = low if value == high % 4096 else 0
            high = value + (high // 4096 + (high % 4096 >= value + 2048)) * 4096
        i += 1
    return rows


def evt3(*words):
    """Words given as (code, value) -> payload bytes."""
    return b"".join(struct.pack("<H", code << 12 | value) for code, value in words)


def evt3_time(t_us):
    return [(0x8, t_us >> 12 & 0xFFF), (0x6, t_us & 0xFFF)]

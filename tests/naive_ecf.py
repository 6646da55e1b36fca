"""ECF blocks by a slow encoder, written from the format's description, in each of its three ways."""

import struct


def times(stamps):
    out, now, i = struct.pack("<Q", stamps[0]), stamps[0], 0
    while i < len(stamps):
        step = stamps[i] - now
        if step >= 15:
            digits = step
            while digits:
                out += bytes([0xF0 | digits % 16])
                digits //= 16
            step = 0
        now = stamps[i]
        count = 1
        while i + count < len(stamps) and stamps[i + count] == now:
            count += 1
        out += bytes([step << 4 | count]) if count < 15 else struct.pack("<BH", step << 4 | 15, count)
        i += count
    return out


def runs(values, bits, letter):
    out, i, most = b"", 0, 2**bits - 1
    while i < len(values):
        count = 1
        while i + count < len(values) and values[i + count] == values[i]:
            count += 1
        head = struct.pack(f"<{letter}", values[i] << bits | min(count, most))
        out += head + (struct.pack("<H", count) if count >= most else b"")
        i += count
    return out


def masks(columns):
    out, i = b"", 0
    while i < len(columns):
        x, mask = columns[i], 0
        i += 1
        for j in range(5):
            if i < len(columns) and columns[i] == x + j + 1:
                mask |= 1 << 4 - j
                i += 1
        out += struct.pack("<H", x << 5 | mask)
    return out


def triples(values):
    """Four values of 24 bits in three words of 32, as lines of the description."""
    out = b""
    for i in range(0, len(values), 4):
        a, b, c, d = (values[i : i + 4] + [0] * 3)[:4]
        out += struct.pack("<III", a << 8 | b & 0xFF, b >> 8 << 16 | c & 0xFFFF, c >> 16 << 24 | d)
    return out


def pairs(values):
    """Four values of 12 bits in three words of 16."""
    out = b""
    for i in range(0, len(values), 4):
        a, b, c, d = (values[i : i + 4] + [0] * 3)[:4]
        out += struct.pack("<HHH", a << 4 | b & 0xF, b >> 4 << 8 | c & 0xFF, c >> 8 << 12 | d)
    return out


def block(rows, way):
    """rows of (t_us, x, y, p); way 'triples', 'pairs' or 'masks'."""
    t, x, y, p = (list(column) for column in zip(*rows, strict=True))
    flags = {"triples": 2, "pairs": 1, "masks": 0}[way]
    out = struct.pack("<I", len(rows) << 2 | flags) + times(t)
    if way == "triples":
        return out + triples([b << 12 | a << 1 | c for a, b, c in zip(x, y, p, strict=True)])
    out += runs(y, 5, "H")
    if way == "pairs":
        return out + pairs([a << 1 | c for a, c in zip(x, p, strict=True)])
    return out + masks(x) + runs(p, 7, "B")

"""UDP for event words: datagrams with the time at which they arrived and a count of those the kernel had to drop."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterator

from neuro_robot.errors import ConfigError

# Linux, asm-generic/socket.h; Python names neither. Elsewhere the time is taken here and no drop is seen.
SO_TIMESTAMPNS = 35
SO_RXQ_OVFL = 40
TIMESPEC, COUNT = struct.Struct("qq"), struct.Struct("I")
ANCILLARY = socket.CMSG_SPACE(TIMESPEC.size) + socket.CMSG_SPACE(COUNT.size)
LARGEST = 65_507  # bytes that fit a UDP datagram over IPv4
SEND_TIMEOUT_S = 0.1


def _socket(address: str, port: int) -> tuple[socket.socket, tuple[str, int]]:
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
        return socket.socket(family, kind, protocol), (str(where[0]), int(where[1]))
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"address: expected a host name or IP address, got {address!r}: {error}") from error


class UdpReceiver:
    """Listens at one address; datagrams larger than `largest` bytes are counted and ignored."""

    def __init__(self, address: str, port: int, *, largest: int, buffer_bytes: int) -> None:
        """Raises ConfigError when the address is none of this machine's, or taken."""
        self._socket, where = _socket(address, port)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        for option in (SO_TIMESTAMPNS, SO_RXQ_OVFL):
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            self._socket.bind(where)
        except OSError as error:
            self._socket.close()
            message = f"cannot listen at {address} port {port}: {error.strerror}; choose another address or port"
            raise ConfigError(message) from error
        self._socket.setblocking(False)
        self._buffer = bytearray(largest)
        self.port = int(self._socket.getsockname()[1])
        self.buffer_bytes = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)  # what the kernel granted
        self.oversized = 0
        self.overflowed = 0  # datagrams dropped by the kernel because this process did not fetch them in time

    def wait(self, timeout_s: float) -> None:
        """Until a datagram is there, at most timeout_s."""
        select.select([self._socket], [], [], timeout_s)

    def datagrams(self, most: int = 1000) -> Iterator[tuple[memoryview, int]]:
        """What has arrived, at most so many: (bytes, valid until the next one; ns of the system clock at arrival)."""
        for _ in range(most):
            try:
                size, ancillary, flags, _ = self._socket.recvmsg_into([self._buffer], ANCILLARY)
            except (BlockingIOError, InterruptedError):
                return
            arrival_ns = self._account(ancillary)
            if flags & socket.MSG_TRUNC:
                self.oversized += 1
            else:
                yield memoryview(self._buffer)[:size], arrival_ns

    def _account(self, ancillary: list[tuple[int, int, bytes]]) -> int:
        arrival_ns = 0
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) == TIMESPEC.size:
                seconds, nanoseconds = TIMESPEC.unpack(data)
                arrival_ns = seconds * 1_000_000_000 + nanoseconds
            elif level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL and len(data) == COUNT.size:
                self.overflowed = COUNT.unpack(data)[0]
        return arrival_ns or time.time_ns()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


class UdpSender:
    """Sends to one address; what cannot be sent is counted."""

    def __init__(self, address: str, port: int) -> None:
        """Raises ConfigError for an address that does not exist or cannot be reached from here."""
        self._socket, where = _socket(address, port)
        try:
            self._socket.connect(where)
        except OSError as error:
            self._socket.close()
            raise ConfigError(f"cannot send to {address} port {port}: {error.strerror}; check the address") from error
        self._socket.settimeout(SEND_TIMEOUT_S)
        self.datagrams = 0
        self.unreachable = 0  # nobody listens there, as far as the other side says so
        self.failed = 0

    def send(self, data: bytes | memoryview, largest: int) -> None:
        """Send the data in datagrams of at most `largest` bytes."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), largest):
            self._send(view[start : start + largest])

    def _send(self, data: memoryview) -> None:
        try:
            self._socket.send(data)
            self.datagrams += 1
        except ConnectionRefusedError:
            self.unreachable += 1
        except OSError:
            self.failed += 1

    def close(self) -> None:
        """Stop sending."""
        self._socket.close()

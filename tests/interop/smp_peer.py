"""An SMP peer of a few lines: frames as the bytes that other programs send, over UDP and a serial line.

Headers by struct, CBOR by cbor2, lines by base64 and a CRC of its own: it shares nothing with the client
or the server of this project, nor with the `smp` package.
"""
import base64
import os
import select
import socket
import struct
import termios
import time
import tty

import cbor2

HEADER = struct.Struct("!BBHHBB")
READ, WRITE = 0, 2
V1, V2 = 0, 1
OS, IMG = 0, 1


def crc16(data):
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def frame(op, group, command, body=None, version=V2, seq=0):
    """`body`: a dict, bytes as they are, or None for no payload at all."""
    payload = b"" if body is None else body if isinstance(body, bytes) else cbor2.dumps(body)
    return HEADER.pack(op | version << 3, 0, len(payload), group, seq, command) + payload


def lines_of_packet(message, width=124):
    """Base64 of the whole packet, then cut: mcumgr, newtmgr, smp."""
    packet = struct.pack("!H", len(message) + 2) + message + struct.pack("!H", crc16(message))
    text = base64.b64encode(packet)
    return [(b"\x04\x14" if i else b"\x06\x09") + text[i:i + width] + b"\n" for i in range(0, len(text), width)]


def lines_each_encoded(message, raw=93):
    """Each line's bytes encoded alone, so that '=' may stand inside a packet: other encoders do that."""
    packet = struct.pack("!H", len(message) + 2) + message + struct.pack("!H", crc16(message))
    return [(b"\x04\x14" if i else b"\x06\x09") + base64.b64encode(packet[i:i + raw]) + b"\n"
            for i in range(0, len(packet), raw)]


class Answer:
    def __init__(self, message):
        self.raw = message
        op, self.flags, length, self.group, self.seq, self.command = HEADER.unpack_from(message)
        self.op, self.version = op & 7, op >> 3
        self.payload = message[8:]
        if length != len(self.payload):
            raise AssertionError(f"length {length} in the header of {len(self.payload)} bytes")
        self.body = cbor2.loads(self.payload)


class UdpPeer:
    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))

    def send(self, message):
        self.socket.send(message)

    def receive(self, timeout=10):
        if not select.select([self.socket], [], [], timeout)[0]:
            raise TimeoutError
        return Answer(self.socket.recv(65536))

    def close(self):
        self.socket.close()


class SerialPeer:
    """Console lines. `seen` keeps every byte that came since the last send."""

    def __init__(self, path, encode=lines_of_packet, gap_s=0.0):
        self.fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.fd)
        termios.tcflush(self.fd, termios.TCIOFLUSH)
        self.encode, self.gap_s, self.seen = encode, gap_s, b""

    def send(self, message):
        self.seen = b""
        for i, line in enumerate(self.encode(message)):
            if i and self.gap_s:
                time.sleep(self.gap_s)
            os.write(self.fd, line)

    def receive(self, timeout=10):
        """The next message; only lines of a frame may come, each ended by LF alone, '=' only at its very end."""
        packet, want = b"", None
        end = time.monotonic() + timeout
        while want is None or len(packet) < want:
            line = self.line(end)
            first = line[:2] == b"\x06\x09"
            if first == bool(packet) or not first and line[:2] != b"\x04\x14":
                raise AssertionError(f"not the line that had to come: {line!r}")
            if len(line) > 127 or b"\r" in line or b"=" in line[:-3].rstrip(b"="):
                raise AssertionError(f"a line that some clients cannot read: {line!r}")
            packet += base64.b64decode(line[2:], validate=True)
            want = struct.unpack_from("!H", packet)[0] + 2
            if len(packet) < want and b"=" in line:
                raise AssertionError(f"'=' inside a packet: {line!r}")
        if len(packet) != want or crc16(packet[2:]) != 0:
            raise AssertionError("length or CRC of the packet")
        return Answer(packet[2:-2])

    def line(self, end):
        while b"\n" not in self.seen:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(self.seen)
            self.seen += os.read(self.fd, 4096)
        line, self.seen = self.seen.split(b"\n", 1)
        return line

    def close(self):
        os.close(self.fd)


class RawPeer(SerialPeer):
    """Messages back to back."""

    def __init__(self, path):
        super().__init__(path, encode=lambda message: [message])

    def receive(self, timeout=10):
        end = time.monotonic() + timeout
        while len(self.seen) < 8 or len(self.seen) < 8 + struct.unpack_from("!H", self.seen, 2)[0]:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(self.seen)
            self.seen += os.read(self.fd, 4096)
        n = 8 + struct.unpack_from("!H", self.seen, 2)[0]
        message, self.seen = self.seen[:n], self.seen[n:]
        return Answer(message)

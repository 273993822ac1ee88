"""A small SMP client over UDP, CBOR, and both framings, written from SPEC.md alone (sections 11, 13, 14)."""
import base64
import itertools
import socket


def encode(v):
    """CBOR of what requests need: maps, texts, bytes, numbers, bools."""
    if isinstance(v, bool):
        return b"\xf5" if v else b"\xf4"
    if isinstance(v, int):
        return head(0, v)
    if isinstance(v, bytes):
        return head(2, len(v)) + v
    if isinstance(v, str):
        return head(3, len(v.encode())) + v.encode()
    return head(5, len(v)) + b"".join(encode(k) + encode(x) for k, x in v.items())


def head(major, n):
    for size, info in ((0, None), (1, 24), (2, 25), (4, 26), (8, 27)):
        if info is None and n < 24:
            return bytes([major << 5 | n])
        if info is not None and n < 1 << 8 * size:
            return bytes([major << 5 | info]) + n.to_bytes(size, "big")
    raise ValueError(n)


def decode(b):
    value, rest = item(b)
    if rest:
        raise ValueError("bytes behind the map")
    return value


def item(b):
    major, info = b[0] >> 5, b[0] & 31
    b = b[1:]
    n = info
    if 24 <= info <= 27:
        size = 1 << info - 24
        n, b = int.from_bytes(b[:size], "big"), b[size:]
    elif info == 31:
        n = None
    if major == 0:
        return n, b
    if major == 2:
        return b[:n], b[n:]
    if major == 3:
        return b[:n].decode(), b[n:]
    if major == 7:
        return {20: False, 21: True, 22: None}[info], b
    values = []
    count = itertools.count() if n is None else range(n * (2 if major == 5 else 1))
    for _ in count:
        if n is None and b[0] == 0xFF:
            b = b[1:]
            break
        v, b = item(b)
        values.append(v)
    return (values if major == 4 else dict(zip(values[::2], values[1::2]))), b


class Refused(Exception):
    pass


class Client:
    """One device at a UDP port of this machine."""

    def __init__(self, port, timeout=20):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.settimeout(timeout)
        self.to = ("127.0.0.1", port)
        self.seq = 0x40

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def raw(self, message):
        self.s.sendto(message, self.to)
        return self.s.recv(2048)

    def ask(self, op, group, command, payload=None, version=1):
        self.seq = self.seq + 1 & 0xFF
        body = encode(payload or {})
        first = version << 3 | op
        header = bytes([first, 0]) + len(body).to_bytes(2, "big") + group.to_bytes(2, "big") + bytes([self.seq, command])
        answer = self.raw(header + body)
        assert answer[0] == first + 1 and answer[1] == 0, answer[:8].hex()
        assert answer[2:8] == (len(answer) - 8).to_bytes(2, "big") + header[4:8], answer[:8].hex()
        got = decode(answer[8:])
        if "rc" in got or "err" in got:
            raise Refused(got)
        return got

    def read(self, group, command, payload=None):
        return self.ask(0, group, command, payload)

    def write(self, group, command, payload):
        return self.ask(2, group, command, payload)


def crc16(data):
    """[1] XMODEM."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def console_lines(message):
    """[11] a packet as one base64 text, at most 124 characters a line."""
    packet = (len(message) + 2).to_bytes(2, "big") + message + crc16(message).to_bytes(2, "big")
    text = base64.b64encode(packet)
    parts = [text[i:i + 124] for i in range(0, len(text), 124)]
    return b"".join((b"\x04\x14" if i else b"\x06\x09") + part + b"\n" for i, part in enumerate(parts))


def console_message(lines):
    """The message in the lines of one packet, or None while there are too few."""
    text = b""
    for line in lines.split(b"\n")[:-1]:
        for mark in (b"\x06\x09", b"\x04\x14"):
            if line.startswith(mark):
                text = (b"" if mark[0] == 6 else text) + line[2:]
    packet = base64.b64decode(text)
    if len(packet) < 2 or len(packet) < 2 + int.from_bytes(packet[:2], "big"):
        return None
    message, crc = packet[2:-2], packet[-2:]
    assert crc == crc16(message).to_bytes(2, "big")
    return message


def raw_message(data):
    """The message at the start of raw bytes, or None while it is not whole."""
    if len(data) < 8 or len(data) < 8 + int.from_bytes(data[2:4], "big"):
        return None
    return data[:8 + int.from_bytes(data[2:4], "big")]

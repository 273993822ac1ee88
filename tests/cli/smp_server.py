"""An SMP server written from the protocol's description, for tests of the client.

It shares nothing with the device's server: headers by struct, CBOR by cbor2, console lines by the
`smp` package, whose models also check the client's requests. A test changes its behaviour by
`mangle`, which gets each answer before it is sent and may drop, repeat or replace it.
"""
import contextlib
import hashlib
import os
import select
import socket
import struct
import threading
import tty

import cbor2
import smp.image_management
import smp.os_management
import smp.packet

HEADER = struct.Struct("!BBHHBB")
ERASED = b"\xff"
SLOT_SIZE = 0x40000


def image(version=(1, 0, 0, 0), payload=4096, seed=1, layout=None, signature=True, hash_=True, header=0x200):
    """An MCUboot image with a right hash and a signature that only looks like one."""
    body = hashlib.shake_128(bytes([seed])).digest(payload)
    protected = b""
    if layout is not None:
        protected = struct.pack("<HHHHI", 0x6908, 12, 0x5AA0, 4, layout)
    head = struct.pack("<IIHHIIBBHII", 0x96F3B83D, 0, header, len(protected), payload, 0, *version, 0)
    whole = head.ljust(header, b"\0") + body + protected
    tlvs = b""
    if hash_:
        tlvs += struct.pack("<HH", 0x10, 32) + hashlib.sha256(whole).digest()
    if signature:
        tlvs += struct.pack("<HH", 0x01, 32) + bytes(32)
        tlvs += struct.pack("<HH", 0x22, 70) + bytes(70)
    return whole + struct.pack("<HH", 0x6907, len(tlvs) + 4) + tlvs


def image_hash(data):
    """The hash TLV of an image, or None if `data` is none."""
    if len(data) < 32 or data[:4] != struct.pack("<I", 0x96F3B83D):
        return None
    header, protected, size = struct.unpack_from("<HHI", data, 8)
    return hashlib.sha256(data[:header + size + protected]).digest()


def image_version(data):
    major, minor, revision, build = struct.unpack_from("<BBHI", data, 20)
    return f"{major}.{minor}.{revision}" + (f".{build}" if build else "")


class Refuse(Exception):
    """A handler's refusal: group None is SMP's own rc."""
    def __init__(self, rc, group=None):
        super().__init__(rc, group)
        self.rc, self.group = rc, group


class Device:
    """What answers: two slots, an upload, and, if `slipway`, group 64 with the answers given in it."""

    def __init__(self, running=None, buf_size=1024, buf_count=4, slipway=None, params=True, v1_only=False):
        self.slots = {0: running or image(), 1: None}
        self.confirmed, self.pending, self.permanent = True, False, False
        self.buf_size, self.buf_count, self.has_params, self.v1_only = buf_size, buf_count, params, v1_only
        self.slipway = slipway  # {command: answer}
        self.upload, self.expected, self.sha = bytearray(), 0, None
        self.requests = []  # (op, group, id, body)
        self.resets = 0
        self.swap_on_reset = True
        self.match = None
        self.erase_sends = True
        self.log = []

    def handlers(self):
        return {
            (0, 0): self.echo, (0, 5): self.reset, (0, 6): self.params, (0, 7): self.info, (0, 8): self.bootloader,
            (1, 0): self.state, (1, 1): self.chunk, (1, 5): self.erase, (1, 6): self.slot_info,
        }

    def echo(self, op, body):
        return {"r": body["d"]}

    def params(self, op, body):
        if not self.has_params:
            raise Refuse(8)
        return {"buf_size": self.buf_size, "buf_count": self.buf_count}

    def info(self, op, body):
        return {"output": "Zephyr test"}

    def bootloader(self, op, body):
        return {"mode": 3} if body.get("query") == "mode" else {"bootloader": "MCUboot"}

    def entry(self, slot):
        data = self.slots[slot]
        if data is None or image_hash(data) is None:
            return None
        active = slot == 0
        return {"slot": slot, "version": image_version(data), "hash": image_hash(data), "bootable": True,
                "active": active, "confirmed": active and self.confirmed, "pending": not active and self.pending,
                "permanent": not active and self.permanent}

    def state(self, op, body):
        if op == 2:
            self.request_image(body)
        return {"images": [e for e in (self.entry(0), self.entry(1)) if e], "splitStatus": 0}

    def request_image(self, body):
        wanted, confirm = body.get("hash"), body.get("confirm", False)
        if not wanted:
            if not confirm:
                raise Refuse(24, 1)
            self.confirmed = True
            return
        for slot in (0, 1):
            if self.slots[slot] and image_hash(self.slots[slot]) == wanted:
                if slot == 0 and not confirm:
                    raise Refuse(33, 1)
                self.pending, self.permanent = slot == 1, slot == 1 and confirm
                if slot == 0:
                    self.confirmed = True
                return
        raise Refuse(8, 1)

    def chunk(self, op, body):
        off, data = body["off"], body["data"]
        if off == 0:
            if self.sha is not None and self.sha == body.get("sha") and self.upload:
                return {"off": len(self.upload)}
            if len(body["len"].to_bytes(8, "big")) and body["len"] > SLOT_SIZE:
                raise Refuse(30, 1)
            self.upload, self.expected, self.sha = bytearray(), body["len"], body.get("sha")
            self.slots[1] = None
        if off != len(self.upload) or not self.expected:
            return {"off": len(self.upload)}
        self.upload += data
        answer = {"off": len(self.upload)}
        if len(self.upload) == self.expected:
            self.slots[1] = bytes(self.upload)
            if self.match is not None:
                answer["match"] = self.match
        return answer

    def erase(self, op, body):
        if body.get("slot", 1) != 1:
            raise Refuse(9, 1)
        self.slots[1], self.upload, self.sha = None, bytearray(), None
        return {}

    def slot_info(self, op, body):
        return {"images": [{"image": 0, "slots": [{"slot": 0, "size": SLOT_SIZE}, {"slot": 1, "size": SLOT_SIZE}]}]}

    def reset(self, op, body):
        self.resets += 1
        self.boot_mode = body.get("boot_mode", 0)
        if self.pending and self.swap_on_reset:
            self.slots = {0: self.slots[1], 1: self.slots[0]}
            self.confirmed = self.permanent
        self.pending = self.permanent = False
        return {}

    def dispatch(self, op, group, command, body):
        if group == 64:
            if self.slipway is None or command not in self.slipway:
                raise Refuse(8)
            answer = self.slipway[command]
            return answer() if callable(answer) else answer
        handler = self.handlers().get((group, command))
        if handler is None:
            raise Refuse(8)
        return handler(op, body)

    def handle(self, frame):
        """One request as bytes; its answer as bytes, or None."""
        op_version, _, length, group, seq, command = HEADER.unpack_from(frame)
        op, version = op_version & 7, op_version >> 3 & 3
        self.check(frame, group, command, op)
        body = cbor2.loads(frame[8:8 + length]) if length else {}
        self.requests.append((op, group, command, body))
        try:
            if version and self.v1_only:
                raise Refuse(13)
            answer = self.dispatch(op, group, command, body)
        except Refuse as r:
            answer = {"rc": r.rc} if r.group is None or not version else {"err": {"group": r.group, "rc": r.rc}}
        payload = answer if isinstance(answer, bytes) else cbor2.dumps(answer)
        return HEADER.pack(op + 1 | (version << 3), 0, len(payload), group, seq, command) + payload

    def check(self, frame, group, command, op):
        """The strict models of `smp` must accept what the client sends."""
        models = {(0, 0, 2): smp.os_management.EchoWriteRequest, (0, 5, 2): smp.os_management.ResetWriteRequest,
                  (1, 0, 2): smp.image_management.ImageStatesWriteRequest,
                  (1, 1, 2): smp.image_management.ImageUploadWriteRequest,
                  (1, 5, 2): smp.image_management.ImageEraseRequest}
        model = models.get((group, command, op))
        if model:
            try:
                model.loads(frame)
            except Exception as e:  # noqa: BLE001: whatever it is, the test shall see it
                self.log.append(f"{model.__name__}: {e}")


class Serving(contextlib.AbstractContextManager):
    """A device behind a link, served by a thread until the end of the `with`."""

    def __init__(self, device, mangle=None):
        self.device, self.mangle = device, mangle or (lambda n, request, answer: [answer])
        self.count = 0
        self.stop = threading.Event()

    def answers(self, frame):
        """Messages to send for a request; numbered from 0 over the life of the server."""
        n, self.count = self.count, self.count + 1
        return [a for a in self.mangle(n, frame, self.device.handle(frame)) if a is not None]

    def __enter__(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join(5)
        self.close()
        return False


class Udp(Serving):
    def __init__(self, device, mangle=None):
        super().__init__(device, mangle)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.05)
        self.options = ["--udp", f"127.0.0.1:{self.socket.getsockname()[1]}"]

    def run(self):
        while not self.stop.is_set():
            try:
                frame, peer = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            for a in self.answers(frame):
                self.socket.sendto(a, peer)

    def close(self):
        self.socket.close()


class Pty(Serving):
    """A pseudo terminal; `noise` is printed before each answer, outside of lines."""

    def __init__(self, device, mangle=None, raw=False, noise=b""):
        super().__init__(device, mangle)
        self.raw, self.noise = raw, noise
        self.master, slave = os.openpty()
        tty.setraw(slave)
        self.slave = slave
        self.path = os.ttyname(slave)
        self.options = ["--port", self.path] + (["--raw"] if raw else [])
        self.buffer = b""
        self.decoder = None

    def frames(self):
        """Whole messages of what was received so far."""
        if self.raw:
            while len(self.buffer) >= 8 and len(self.buffer) >= 8 + struct.unpack_from("!H", self.buffer, 2)[0]:
                n = 8 + struct.unpack_from("!H", self.buffer, 2)[0]
                frame, self.buffer = self.buffer[:n], self.buffer[n:]
                yield frame
            return
        while b"\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\n", 1)
            if line[:2] == smp.packet.START_DELIMITER:
                self.decoder = smp.packet.decode()
                next(self.decoder)
            elif line[:2] != smp.packet.CONTINUE_DELIMITER or self.decoder is None:
                continue
            try:
                self.decoder.send(line + b"\n")
            except StopIteration as done:
                self.decoder = None
                yield done.value

    def send(self, message):
        if self.raw:
            os.write(self.master, self.noise + message)
        else:
            os.write(self.master, self.noise + b"".join(smp.packet.encode(message)))

    def run(self):
        while not self.stop.is_set():
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            try:
                self.buffer += os.read(self.master, 65536)
            except OSError:
                return
            for frame in self.frames():
                for a in self.answers(frame):
                    self.send(a)

    def close(self):
        for fd in (self.master, self.slave):
            with contextlib.suppress(OSError):
                os.close(fd)

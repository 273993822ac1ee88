"""Reads the raw contents of a board's chips, written from SPEC.md alone (sections in brackets)."""
import hashlib
import zlib

UNIT_WORDS = 0x40
MARKS, TABLES = 0x80, 0x800
WORDS = {"SEAL": 0x5EA1C396, "ACT": 0xAC7E935C, "SETTLE": 0x3C5E771D, "DONE": 0xD09E6A35, "START": 0x57A27C69}
MARK = 0x6B3AC59E
CONFIRMED, SWAP = 0, 1
TEST, PERM, REVERT, RECOVER = 1, 2, 3, 4
TRAILER_MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


def crc32(data):
    return zlib.crc32(data)


def u8(b, at):
    return b[at]


def u16(b, at):
    return int.from_bytes(b[at:at + 2], "little")


def u32(b, at):
    return int.from_bytes(b[at:at + 4], "little")


def blank(b):
    return b.count(0xFF) == len(b)


class Layout:
    """[2] from numbers: {"internal_size": ..., "boot": (off, size), ...}."""

    def __init__(self, **n):
        self.__dict__.update(n)

    @property
    def hash(self):
        words = [self.internal_size, self.internal_erase, self.external_size, self.external_erase]
        for part in (self.boot, self.slot0, self.slot1, self.state):
            words += part
        words.append(self.unit)
        return crc32(b"".join(w.to_bytes(4, "little") for w in words)) or 1

    def room(self, gap):
        """Bytes of the largest image at a gap."""
        units = min(self.slot0[1] // self.unit - 1, self.slot1[1] // self.unit - 1 - gap, 256 if gap == 2 else 239)
        return max(units, 0) * self.unit

    def best(self):
        return max(((self.room(2), 2), (self.room(1), 1)))

    def gap_for(self, length):
        return next((g for g in (2, 1) if length <= self.room(g)), 0)


class Refused(Exception):
    """An image that is none; the argument is the reason's number [15]."""


class Image:
    """[3] the image at `at` of the slot's bytes."""

    def __init__(self, slot, at=0):
        b = slot[at:len(slot) - 32]
        if blank(b[:32]):
            raise Refused(20)
        if u32(b, 0) != 0x96F3B83D:
            raise Refused(21)
        self.hdr, self.prot, self.size, self.flags = u16(b, 8), u16(b, 10), u32(b, 12), u32(b, 16)
        if self.hdr < 32 or 0 < self.prot < 4:
            raise Refused(22)
        self.version = f"{b[20]}.{b[21]}.{u16(b, 22)}+{u32(b, 24)}"
        plain = self.hdr + self.size + self.prot
        if plain + 4 > len(b):
            raise Refused(27)
        self.tlvs = []
        if self.prot:
            self.read_area(b, plain - self.prot, 0x6908, self.prot)
        self.end = plain + self.read_area(b, plain, 0x6907, None)
        hashes = [t for t in self.tlvs if t[1] == 0x10]
        if not hashes:
            raise Refused(28)
        self.hash = hashes[0][2]
        self.signed = b[:plain]
        self.bytes = b[:self.end]

    def read_area(self, b, at, magic, want):
        length = u16(b, at + 2)
        if u16(b, at) != magic:
            raise Refused(25)
        if want is not None and length != want:
            raise Refused(26)
        if length > len(b) - at:
            raise Refused(27)
        i, end = at + 4, at + length
        while i < end:
            kind, n = u16(b, i), u16(b, i + 2)
            if i + 4 + n > end:
                raise Refused(26)
            self.tlvs.append((magic == 0x6908, kind, bytes(b[i + 4:i + 4 + n])))
            i += 4 + n
        return length

    def custom(self, kind):
        """A u32 of the protected area, or None."""
        found = [v for prot, k, v in self.tlvs if prot and k == kind and len(v) == 4]
        return int.from_bytes(found[0], "little") if found else None

    def verifies(self, point):
        """Hash, and a signature by the key with this public point."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        if hashlib.sha256(self.signed).digest() != self.hash:
            return False
        keyhash, key = hashlib.sha256(SPKI + point).digest(), None
        good = False
        for prot, kind, value in self.tlvs:
            if prot:
                continue
            if kind == 0x01:
                key = point if value == keyhash else None
            elif kind == 0x22 and key:
                public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
                try:
                    public.verify(value[:2 + value[1]], self.signed, ec.ECDSA(hashes.SHA256()))
                except InvalidSignature:
                    return False
                good, key = True, None
        return good


class Trailer:
    """[4]"""

    def __init__(self, slot):
        t = slot[-40:]
        flag = {0xFF: "blank", 0x01: "set"}
        self.copy_done = flag.get(t[8], "bad")
        self.image_ok = flag.get(t[16], "bad")
        magic = bytes(t[24:])
        self.magic = "set" if magic == TRAILER_MAGIC else "blank" if blank(magic) else "bad"

    def __repr__(self):
        return f"magic {self.magic}, image_ok {self.image_ok}, copy_done {self.copy_done}"


class StateUnit:
    """[5] one unit of the cell."""

    def __init__(self, u, layout_hash):
        self.valid = (u32(u, 0) == 0x57504C53 and u32(u, 0x20) == crc32(u[:0x20]) and u32(u, 0x18) == layout_hash)
        self.seq, self.prev_seq, self.prev = u32(u, 4), u32(u, 8), u8(u, 0x0C)
        self.state, self.kind, self.dir = u8(u, 0x0D), u8(u, 0x0E), u8(u, 0x0F)
        self.gap, self.starts = u8(u, 0x10), u8(u, 0x11)
        self.n_p, self.n_s, self.start = u16(u, 0x12), u16(u, 0x14), u16(u, 0x16)
        n = self.n_p + self.n_s
        self.valid = self.valid and self.seq <= 0xFFFF0000 and self.values_possible() and TABLES + 4 * n <= len(u)
        self.valid = self.valid and u32(u, 0x1C) == crc32(u[TABLES:TABLES + 4 * n])
        if self.valid:
            self.s_table = [u32(u, TABLES + 4 * i) for i in range(self.n_s)]
            self.p_table = [u32(u, TABLES + 4 * (self.n_s + i)) for i in range(self.n_p)]
        self.words = {w for i, (w, v) in enumerate(WORDS.items()) if u32(u, UNIT_WORDS + 4 * i) == v}
        self.marks = [j for j in range(480) if u32(u, MARKS + 4 * j) == MARK]

    def values_possible(self):
        if self.state == CONFIRMED:
            return self.n_p == self.n_s == 0
        return (self.state == SWAP and self.kind in (1, 2, 3, 4) and self.dir in (0, 1) and self.gap in (1, 2)
                and self.n_s > 0 and (self.n_p == 0) == (self.kind == RECOVER))

    @property
    def acted(self):
        return "ACT" in self.words and bool(self.words & {"SETTLE", "DONE", "START"} or self.marks)

    @property
    def position(self):
        return max([self.start] + self.marks)


class Cell:
    """[5] the three units."""

    def __init__(self, layout, internal):
        at, u = layout.state[0], layout.unit
        self.units = [StateUnit(internal[at + i * u:at + (i + 1) * u], layout.hash) for i in range(3)]

    def witnessed(self, i):
        return any(v.valid and v.prev == i and v.prev_seq == self.units[i].seq
                   for j, v in enumerate(self.units) if j != i)

    @property
    def base(self):
        valid = [i for i, u in enumerate(self.units) if u.valid]
        sealed = [i for i in valid if "SEAL" in self.units[i].words]
        known = [i for i in sealed if "ACT" in self.units[i].words or self.witnessed(i)]
        for among in (known, sealed, valid):
            if among:
                return self.units[min(among, key=lambda i: (-self.units[i].seq, i))]
        return None

    @property
    def settled(self):
        b = self.base
        return b is not None and "SETTLE" in b.words and not any(
            u.valid and u.seq >= b.seq for u in self.units if u is not b)

    @property
    def name(self):
        """[7] NEW, IDLE, UNFINISHED, TRIAL."""
        b = self.base
        if b is None:
            return "NEW"
        if b.state == CONFIRMED:
            return "IDLE"
        if "DONE" not in b.words:
            return "UNFINISHED"
        return "TRIAL" if b.kind == TEST else "IDLE"


def groups(u):
    """[6] the groups of a swap: each a list of ("s"|"p", unit)."""
    n = max(u.n_p, u.n_s)
    order = list(range(n - 1, -1, -1)) if u.dir == 0 else list(range(n))
    s = [("s", i) if i < u.n_p else None for i in order]
    p = [("p", i) if i < u.n_s else None for i in order]
    if u.gap == 1:
        return [[x] for pair in zip(s, p) for x in pair if x]
    paired = [[s[0]]] + [[p[k], s[k + 1]] for k in range(n - 1)] + [[p[-1]]]
    return [g for g in ([x for x in g if x] for g in paired) if g]


def source(u, move):
    """Slot and unit that a move reads."""
    kind, i = move
    return (0, i) if kind == "s" else (1, i + (u.gap if u.dir else 0))


def target(u, move):
    kind, i = move
    return (0, i) if kind == "p" else (1, i + (0 if u.dir else u.gap))


class UploadRecord:
    """[10] the progress record, or None from read()."""

    @classmethod
    def read(cls, layout, slot1):
        r = slot1[len(slot1) - layout.unit:]
        if u32(r, 0) != 0x50554C53 or u32(r, 0x2C) != crc32(r[:0x2C]) or u32(r, 0x28) != layout.external_erase:
            return None
        rec = cls()
        rec.len, rec.sha, rec.unit = u32(r, 4), bytes(r[8:0x28]), u32(r, 0x28)
        room = (layout.unit - 0x30 - 256) // 12
        rec.words = []
        for i in range(room):
            banks = [u32(r, 0x30 + 4 * (i + bank * room)) for bank in range(3)]
            word = next((w for w in banks if w != 0), 0xFFFFFFFF)
            if word == 0xFFFFFFFF:
                break
            rec.words.append(word)
        return rec

    @property
    def have(self):
        """Bytes of the file that are there."""
        whole = self.len // self.unit
        return self.len if len(self.words) > whole else len(self.words) * self.unit

    def proven(self, slot1, end):
        """Units whose contents match their word; `end`: of the image."""
        n = 0
        for word in self.words:
            crc = crc32(slot1[n * self.unit:min((n + 1) * self.unit, end)])
            if word != (1 if crc in (0, 0xFFFFFFFF) else crc):
                break
            n += 1
        return n


class Failures:
    """[8] the log: a list of dicts, oldest first."""

    def __new__(cls, layout, internal):
        at = layout.state[0] + 3 * layout.unit
        log = internal[at:at + layout.unit]
        out = []
        for off in range(0, len(log), 32):
            r = log[off:off + 32]
            if blank(r):
                break
            if u16(r, 0) == 0x4653 and u32(r, 0x1C) == crc32(r[:0x1C]):
                out.append({"reason": u16(r, 2), "slot": u8(r, 4), "found": u32(r, 8), "expected": u32(r, 0x0C),
                            "where": u32(r, 0x10), "number": u32(r, 0x14)})
        return out


class Board:
    """All of it, from the two files of a state folder [17]."""

    def __init__(self, layout, internal, external):
        self.layout, self.internal, self.external = layout, internal, external
        self.slots = [internal[layout.slot0[0]:sum(layout.slot0)], external[layout.slot1[0]:sum(layout.slot1)]]
        self.cell = Cell(layout, internal)
        self.trailers = [Trailer(s) for s in self.slots]
        self.record = UploadRecord.read(layout, self.slots[1])
        self.failures = Failures(layout, internal)

    def unit(self, slot, i):
        return self.slots[slot][i * self.layout.unit:(i + 1) * self.layout.unit]

    def image(self, slot):
        """[3] "Where images are looked for": (image, unit), or (None, reason)."""
        for i in range(1 if slot == 0 else 3):
            try:
                return Image(self.slots[slot], i * self.layout.unit), i
            except Refused as r:
                reason = r.args[0] if i == 0 else reason
                if i == 0 and not blank(self.unit(slot, 0)):
                    break
        return None, reason

    def swap(self):
        """What group 64 calls it [14]."""
        name = self.cell.name
        if name == "TRIAL":
            return "trial" if self.trailers[0].image_ok == "blank" else "idle"
        return "unfinished" if name == "UNFINISHED" else "idle"

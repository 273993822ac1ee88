"""Small projects in one file, unpacked and put before `slipway doctor`.

A book (*.txt) holds sections; a section is a project, or the difference from one:

    # what this book is about
    === fires: sysbuild is not told                     name, and what is the matter
    expect PM03 error sysbuild/mcuboot.overlay:1:14     rule, severity, place (the last two if wanted)
    tells PM03 only if this is built with sysbuild      words of a message of that rule
    hidden PM15 the map is generated                    suppressed, and the reason
    absent DT01 DT03                                    rules that must not appear
    run --flow sysbuild                                 more arguments
    exit 1                                              status
    flow child                                          what findings are about that say no condition
    reach no                                            verdict.reaches_slot1
    says internal flash                                 words of the report's first line
    severe none                                         no finding of that severity ("error", "warning")
    --- sysbuild.conf
    SB_CONFIG_BOOTLOADER_MCUBOOT=y
    === silent: it is
    like fires                                          begin with the files of that section, or of a
                                                        project of bases.txt
    --- sysbuild.conf
    SB_CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY=y
    --- prj.conf (gone)                                 without this file

What cannot be written as text is made, by a word in brackets behind the file's name:
(image ...), (key TYPE), (zeros N), (hex FROM N), (newer), (tracked); see MAKERS.
Files below NAME.zip/ become members of NAME.zip; files below ../sdk/ lie beside the project.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zipfile

SLIPWAY = os.environ.get("SLIPWAY", "build/slipway")
SECTION = re.compile(r"^=== ([\w-]+): (.*)$")
FILE = re.compile(r"^--- (\S+)(?: \((.*)\))?$")


class Section:
    def __init__(self, book, line, name, title):
        self.book, self.line, self.name, self.title = book, line, name, title
        self.files = {}  # path: (text, how it is made)
        self.expect, self.absent, self.args = [], [], []
        self.exit = self.reach = self.flow = None
        self.says, self.severe, self.tells, self.hidden = [], [], [], []

    def where(self):
        return f"{self.book}:{self.line} {self.name} ({self.title})"


class BadBook(Exception):
    pass


def _take_word(section, sections, word, rest, where):
    if word == "expect":
        parts = rest.split()
        section.expect.append((parts[0], parts[1] if len(parts) > 1 else None, parts[2] if len(parts) > 2 else None))
    elif word == "absent":
        section.absent += rest.split()
    elif word == "run":
        section.args += rest.split()
    elif word == "exit":
        section.exit = int(rest)
    elif word in ("reach", "flow"):
        setattr(section, word, rest)
    elif word == "says":
        section.says.append(rest)
    elif word == "severe":
        section.severe.append(rest)
    elif word in ("tells", "hidden"):
        getattr(section, word).append(rest.split(" ", 1))
    elif word == "like":
        base = sections.get(rest) or bases()[rest]
        section.files, section.args = dict(base.files), list(base.args)
    else:
        raise BadBook(f"{where}: nobody knows the word {word!r}")


@functools.cache
def bases():
    return read_book(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bases.txt"))


def read_book(path):
    """The sections of a book, by name, in order."""
    sections, section, name, lines = {}, None, None, []

    def close_file():
        if name:
            section.files[name] = ("".join(lines), section.files[name][1])

    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            where = f"{path}:{number}"
            head, file = SECTION.match(line), FILE.match(line.rstrip("\n"))
            if head:
                close_file()
                name = None
                section = Section(os.path.basename(path), number, head[1], head[2].strip())
                if head[1] in sections:
                    raise BadBook(f"{where}: a second section {head[1]}")
                sections[head[1]] = section
            elif file and section:
                close_file()
                name, lines = file[1], []
                section.files[name] = ("", file[2] or "")
                if file[2] == "gone":
                    del section.files[name]
                    name = None
            elif name:
                lines.append(line)
            elif section and line.strip() and not line.startswith("#"):
                word, _, rest = line.strip().partition(" ")
                _take_word(section, sections, word, rest.strip(), where)
    if section:
        close_file()
    if not sections:
        raise BadBook(f"{path}: no section")
    return sections


# --- what is made ---------------------------------------------------------------------------------

KEYS = {}


def key_pem(kind, private=True):
    """A key that lives as long as the test: none is kept in the repository."""
    from cryptography.hazmat.primitives import serialization as ser
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    algorithm = kind.split("-")[0]  # "ec-2" is a second EC key
    if kind not in KEYS:
        KEYS[kind] = (ec.generate_private_key(ec.SECP256R1()) if algorithm == "ec"
                      else ed25519.Ed25519PrivateKey.generate() if algorithm == "ed25519"
                      else rsa.generate_private_key(65537, 2048))
    key = KEYS[kind]
    if private:
        return key.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    return key.public_key().public_bytes(ser.Encoding.PEM, ser.PublicFormat.SubjectPublicKeyInfo)


def sign(kind, body):
    """(TLV type, signature) of an image's header, body and protected TLVs."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding

    key_pem(kind)
    key = KEYS[kind]
    if kind.startswith("ec"):
        return 0x22, key.sign(body, ec.ECDSA(hashes.SHA256()))
    if kind.startswith("ed25519"):
        return 0x24, key.sign(hashlib.sha256(body).digest())
    return 0x20, key.sign(body, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def image(options):
    """An MCUboot image: size=, at= (its slot), version=, key=, hash=none|wrong, pad."""
    o = dict(part.partition("=")[::2] for part in options.split())
    size, slot = int(o.get("size", "4096"), 0), int(o.get("at", "0xc000"), 0)
    version = [int(n) for n in o.get("version", "1.0.0").split(".")]
    vectors = struct.pack("<II", 0x20010000, slot + 0x200 + 0x101)
    body = struct.pack("<IIHHIIBBHII", 0x96F3B83D, 0, 0x200, 0, size, 0, *version, 0, 0)
    body = body.ljust(0x200, b"\0") + vectors.ljust(size, b"\xa5")
    digest = hashlib.sha256(body).digest()
    if o.get("hash") == "wrong":
        digest = hashlib.sha256(digest).digest()
    tlvs = b"" if o.get("hash") == "none" else struct.pack("<HH", 0x10, 32) + digest
    if "key" in o:
        kind, signature = sign(o["key"], body)
        tlvs += struct.pack("<HH", kind, len(signature)) + signature
    whole = body + struct.pack("<HH", 0x6907, 4 + len(tlvs)) + tlvs
    if "pad" in o:
        magic = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
        whole = whole.ljust(int(o["pad"], 0) - 16, b"\xff") + magic
    return whole


def plain(options):
    """An application that was not signed: vectors, then code."""
    o = dict(part.partition("=")[::2] for part in options.split())
    at = int(o.get("at", "0xc200"), 0)
    return struct.pack("<II", 0x20010000, at + 0x101).ljust(int(o.get("size", "4096"), 0), b"\x5a")


def hex_file(options):
    """Intel HEX with `N` bytes at each address given: hex N ADDRESS..."""
    count, *starts = [int(word, 0) for word in options.split()]
    lines = []

    def record(kind, address, data):
        raw = struct.pack(">BHB", len(data), address, kind) + data
        lines.append(":" + (raw + bytes([-sum(raw) & 0xFF])).hex().upper())

    for start in starts:
        record(4, 0, struct.pack(">H", start >> 16))
        for at in range(0, count, 16):
            record(0, (start + at) & 0xFFFF, b"\x5a" * min(16, count - at))
    record(1, 0, b"")
    return ("\n".join(lines) + "\n").encode()


MAKERS = {
    "image": image,
    "plain": plain,
    "key": key_pem,
    "pubkey": lambda kind: key_pem(kind, private=False),
    "zeros": lambda count: b"\0" * int(count, 0),
    "hex": hex_file,
}


def unpack(section, top):
    """Writes a section's project below top/project and returns that folder."""
    root = os.path.join(top, "project")
    os.makedirs(root)
    packed, tracked = {}, []
    for rel, (text, how) in section.files.items():
        words = [w for w in how.split() if w not in ("newer", "tracked")]
        data = MAKERS[words[0]](" ".join(words[1:])) if words else text.encode()
        zip_name, is_member, member = rel.partition(".zip/")
        if is_member:
            packed.setdefault(zip_name + ".zip", []).append((member, data))
            continue
        path = os.path.normpath(os.path.join(root, rel))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        os.utime(path, (1700000000, 1700000000 + 3600 * ("newer" in how.split())))
        if "tracked" in how.split():
            tracked.append(rel)
    for rel, members in packed.items():
        path = os.path.join(root, rel)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
            for member, data in members:
                z.writestr(member, data)
    if tracked:
        git = ["git", "-C", root]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "add", "-f", "--", *tracked], check=True)
    return root


# --- asking the doctor ----------------------------------------------------------------------------

def doctor(root, *args):
    """(status, the JSON object) of one run."""
    r = subprocess.run([SLIPWAY, "doctor", ".", "--format", "json", *args], cwd=root, capture_output=True, timeout=60)
    if r.returncode not in (0, 1) or not r.stdout:
        raise AssertionError(f"doctor ended with {r.returncode}: {r.stderr.decode(errors='replace')}")
    return r.returncode, json.loads(r.stdout)


def first_line(root, *args):
    r = subprocess.run([SLIPWAY, "doctor", ".", *args], cwd=root, capture_output=True, timeout=60)
    return r.stdout.decode().splitlines()[0]


def place_of(finding):
    parts = [finding.get("file") or ""]
    if finding.get("line"):
        parts += [str(finding["line"]), str(finding["column"])]
    return ":".join(parts)


def listed(findings):
    return "\n".join(f"      {f['severity']:7} {f['rule']:6} {place_of(f)}: {f['message']}" for f in findings) or "      nothing"


def faults(section, status, answer, root):
    """What an answer lacks or has too much of; empty if all is as the section says."""
    found, bad = answer["findings"], []
    for rule, severity, place in section.expect:
        hits = [f for f in found if f["rule"] == rule]
        if not hits:
            bad.append(f"{rule} is missing")
        elif severity and not any(f["severity"] == severity for f in hits):
            bad.append(f"{rule} is of severity {hits[0]['severity']}, not {severity}")
        elif place and not any(place_of(f) == place and f["severity"] == severity for f in hits):
            bad.append(f"{rule} ({severity}) is at {', '.join(place_of(f) for f in hits)}, not at {place}")
    bad += [f"{rule} is there" for rule in section.absent if any(f["rule"] == rule for f in found)]
    bad += [f"{f['rule']} is of severity {f['severity']}" for f in found if f["severity"] in section.severe]
    bad += [f"no {rule} tells {words!r}" for rule, words in section.tells
            if not any(f["rule"] == rule and words in f["message"] for f in found)]
    bad += [f"{rule} is not suppressed with {reason!r}" for rule, reason in section.hidden
            if not any(f["rule"] == rule and f["reason"] == reason for f in answer["suppressed"])]
    if section.exit is not None and status != section.exit:
        bad.append(f"status is {status}, not {section.exit}")
    flows = " ".join(sorted({f["flow"] for f in found if "(only if" not in f["message"]}))
    if section.flow and flows != section.flow:
        bad.append(f"the flow is {flows}, not {section.flow}")
    if section.reach and answer["verdict"]["reaches_slot1"] != section.reach:
        bad.append(f"reaches_slot1 is {answer['verdict']['reaches_slot1']}, not {section.reach}")
    if section.says:
        line = first_line(root, *section.args)
        bad += [f"the first line does not say {words!r}: {line}" for words in section.says if words not in line]
    return bad


def check(section):
    """Runs the doctor on a section; text of what is wrong, or None."""
    top = tempfile.mkdtemp(prefix="doctor-")
    try:
        root = unpack(section, top)
        status, answer = doctor(root, *section.args)
        bad = faults(section, status, answer, root)
    finally:
        shutil.rmtree(top)
    if not bad:
        return None
    return f"{section.where()}\n   " + "\n   ".join(bad) + "\n    found:\n" + listed(answer["findings"])


def books(folder):
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".txt")]


def run_folder(folder, wanted):
    """Checks the books of a folder whose names begin with one of the words, or all; status to end with."""
    sections = [section for book in books(folder) for section in read_book(book).values()
                if not wanted or os.path.basename(book).startswith(tuple(wanted))]
    return 1 if run_sections(sections) or not sections else 0


def run_sections(sections):
    """Checks them all, prints what is wrong, returns the number of failures."""
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as several:
        for wrong in several.map(check, sections):
            if wrong:
                failed += 1
                print(f"FAIL {wrong}")
    print(f"{len(sections)} projects, {failed} failed")
    return failed

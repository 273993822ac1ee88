"""Projects for the tests of the doctor's readers and reporters, and the command run over them."""
import json
import os
import subprocess
import tempfile

SLIPWAY = os.environ.get("SLIPWAY", "build/slipway")

# The upload that goes nowhere, told in few lines: MCUboot chooses the chip, the application does not.
LOST = {
    "prj.conf": "CONFIG_BOOTLOADER_MCUBOOT=y\nCONFIG_MCUMGR=y\nCONFIG_MCUMGR_GRP_IMG=y\nCONFIG_IMG_MANAGER=y\n"
                "CONFIG_STREAM_FLASH=y\nCONFIG_FLASH_MAP=y\nCONFIG_ZCBOR=y\nCONFIG_NET_BUF=y\n"
                "CONFIG_NORDIC_QSPI_NOR=y\nCONFIG_IMG_ERASE_PROGRESSIVELY=n\n",
    "sysbuild.conf": "SB_CONFIG_BOOTLOADER_MCUBOOT=y\nSB_CONFIG_BOOT_SIGNATURE_KEY_FILE=\"/keys/sign.pem\"\n",
    "sysbuild/mcuboot.conf": "CONFIG_NORDIC_QSPI_NOR=y\nCONFIG_BOOT_MAX_IMG_SECTORS=256\nCONFIG_MULTITHREADING=y\n",
    "sysbuild/mcuboot.overlay": "/ {\n\tchosen {\n\t\tnordic,pm-ext-flash = &ext;\n\t};\n};\n",
    "boards/acme/acme/acme_nrf52840.dts":
        "/dts-v1/;\n#include <nordic/nrf52840_qiaa.dtsi>\n/ {\n\tmodel = \"acme\";\n};\n&qspi {\n\tstatus = \"okay\";\n"
        "\text: mx25r6435f@0 {\n\t\tcompatible = \"nordic,qspi-nor\";\n\t\treg = <0>;\n\t\tjedec-id = [c2 28 17];\n"
        "\t\tsize = <67108864>;\n\t\treadoc = \"fastread\";\n\t\twriteoc = \"pp\";\n\t};\n};\n",
}
# The two lines that mend it.
MENDED = dict(LOST, **{
    "app.overlay": "/ { chosen { nordic,pm-ext-flash = &ext; }; };\n",
    "sysbuild.conf": LOST["sysbuild.conf"] + "SB_CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY=y\n",
})


class Project:
    """A folder with `files` (text or bytes), for a `with` statement."""

    def __init__(self, files):
        self.temp = tempfile.TemporaryDirectory(prefix="slipway-doctor-")
        self.dir = os.path.join(self.temp.name, "app")
        os.mkdir(self.dir)
        for name, content in files.items():
            self.put(name, content)

    def put(self, name, content):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.temp.cleanup()


def slipway(*args, timeout=60, **kwargs):
    """The finished process; stdout and stderr as text, what is not UTF-8 replaced."""
    return subprocess.run([SLIPWAY, *map(str, args)], capture_output=True, encoding="utf-8", errors="replace",
                          timeout=timeout, **kwargs)


def doctor_json(project, *args):
    p = slipway("doctor", project.dir, "--format", "json", *args)
    return p, json.loads(p.stdout)

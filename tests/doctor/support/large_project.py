"""A project of some 200 files, to measure the doctor with: large_project.py FOLDER."""
import os
import sys

from project import LOST


def files():
    yield from LOST.items()
    function = "static int f{j}(int x)\n{{\n\treturn x * {j} + {i};\n}}\n"
    for i in range(120):
        yield f"src/m{i // 10}/file{i}.c", "#include <zephyr/kernel.h>\n" + "".join(function.format(i=i, j=j) for j in range(60))
    for i in range(40):
        yield f"src/m{i // 10}/file{i}.h", "#pragma once\n" + "int x(void);\n" * 40
    for i in range(10):
        yield f"boards/board{i}_nrf52840.overlay", LOST["sysbuild/mcuboot.overlay"]
        yield f"boards/board{i}_nrf52840.conf", "CONFIG_A=y\n" * 50
        yield f"dts/bindings/b{i}.yaml", "description: x\ncompatible: \"acme,x\"\n"
    options = "".join(f"CONFIG_OPT{i}=y\n# CONFIG_NO{i} is not set\n" for i in range(3000))
    yield "build/app/zephyr/.config", options + "CONFIG_PARTITION_MANAGER_ENABLED=y\nCONFIG_BOOTLOADER_MCUBOOT=y\n"
    yield "build/mcuboot/zephyr/.config", options
    node = ("\tn{i}: node@{i:x} {{ /* in nrf52840.dtsi:{i} */\n\t\tcompatible = \"acme,dev\";\n\t\treg = <0x{i:x} 0x1000>;\n"
            "\t\tinterrupts = <{i} 1>;\n\t\tstatus = \"disabled\";\n\t}};\n")
    dts = ("/dts-v1/;\n/ {\n" + "".join(node.format(i=i) for i in range(400)) + "\tchosen { nordic,pm-ext-flash = &ext; };\n"
           "\tqspi { ext: mx25r6435f@0 { compatible = \"nordic,qspi-nor\"; reg = <0>; jedec-id = [c2 28 17]; size = <67108864>; }; };\n};\n")
    yield "build/app/zephyr/zephyr.dts", dts
    yield "build/mcuboot/zephyr/zephyr.dts", dts
    yield "build/partitions.yml", ("mcuboot: {address: 0x0, size: 0xc000, region: flash_primary}\n"
                                   "mcuboot_primary: {address: 0xc000, size: 0xf2000, region: flash_primary}\n"
                                   "mcuboot_secondary: {address: 0x0, size: 0xf2000, region: external_flash}\n")


def main(folder):
    count = 0
    for name, text in files():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        count += 1
    print(f"{folder}: {count} files")


if __name__ == "__main__":
    main(sys.argv[1])

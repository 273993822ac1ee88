//! The linker's memory map: slot 0 behind an image header of 0x200 bytes.
use std::{env, fs, path::PathBuf};

fn main() {
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let number = |name: &str| env::var(name).unwrap().parse::<u32>().unwrap();
    let (start, end) = (number("STRANGER_SLOT0") + 0x200, number("STRANGER_SLOT0_END") - 4096);
    fs::write(
        out.join("memory.x"),
        format!("MEMORY {{ FLASH : ORIGIN = {start}, LENGTH = {}\n RAM : ORIGIN = 0x20000000, LENGTH = 256K }}\n", end - start),
    )
    .unwrap();
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg=-Tlink.x");
    for name in ["STRANGER_SLOT0", "STRANGER_SLOT0_END"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
}

//! An application that knows nothing of Slipway: start-up by cortex-m-rt, drivers by embassy-nrf. It says on the
//! UART who it is, and writes slot trailers as MCUboot's library (boot_set_pending, boot_set_confirmed) has them.
//!
//! One letter is one command: v what the trailers say, t asks for a trial of slot 1, c confirms, r resets.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use embassy_nrf::peripherals::{QSPI, UARTE0};
use embassy_nrf::{bind_interrupts, nvmc, qspi, uarte};
use panic_halt as _;

bind_interrupts!(struct Irqs {
    UARTE0 => uarte::InterruptHandler<UARTE0>;
    QSPI => qspi::InterruptHandler<QSPI>;
});

/// Ends of the slots, in the internal flash and in the external one; from the build.
const SLOT0_END: u32 = number(env!("STRANGER_SLOT0_END"));
const SLOT1_END: u32 = number(env!("STRANGER_SLOT1_END"));
const NAME: &str = concat!("stranger ", env!("STRANGER_VERSION"), " runs\r\n");

const MAGIC: [u8; 16] = [
    0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80,
];
const IMAGE_OK: u32 = 24;
const COPY_DONE: u32 = 32;
const FLAG_SET: [u8; 4] = [0x01, 0xff, 0xff, 0xff];

const fn number(text: &str) -> u32 {
    let (bytes, mut n, mut i) = (text.as_bytes(), 0, 0);
    while i < bytes.len() {
        n = n * 10 + (bytes[i] - b'0') as u32;
        i += 1;
    }
    n
}

/// A word of DMA's own.
#[repr(align(4))]
struct Aligned<const N: usize>([u8; N]);

struct Board<'d> {
    uart: uarte::Uarte<'d, UARTE0>,
    flash: nvmc::Nvmc<'d>,
    external: qspi::Qspi<'d, QSPI>,
}

impl Board<'_> {
    fn say(&mut self, text: &str) {
        for part in text.as_bytes().chunks(32) {
            let mut buf = [0u8; 32];
            buf[..part.len()].copy_from_slice(part);
            self.uart.blocking_write(&buf[..part.len()]).ok();
        }
    }

    fn internal(at: u32) -> u8 {
        unsafe { core::ptr::read_volatile(at as *const u8) }
    }

    fn trailers(&mut self) {
        let magic = (0..16).all(|i| Self::internal(SLOT0_END - 16 + i) == MAGIC[i as usize]);
        let mut there = Aligned([0u8; 16]);
        self.external.blocking_read(SLOT1_END - 16, &mut there.0).ok();
        self.say(if magic { "magic " } else { "- " });
        self.say(if Self::internal(SLOT0_END - COPY_DONE) == 1 { "copy_done " } else { "- " });
        self.say(if Self::internal(SLOT0_END - IMAGE_OK) == 1 { "image_ok " } else { "- " });
        self.say(if there.0 == MAGIC { "pending\r\n" } else { "-\r\n" });
    }

    /// boot_set_pending(): the magic at the end of the secondary slot.
    fn ask_for_trial(&mut self) {
        let magic = Aligned(MAGIC);
        let done = self.external.blocking_write(SLOT1_END - 16, &magic.0).is_ok();
        self.say(if done { "asked\r\n" } else { "failed\r\n" });
    }

    /// boot_set_confirmed(): image_ok of the primary slot, if that was swapped in.
    fn confirm(&mut self) {
        use embedded_storage::nor_flash::NorFlash;
        let done = self.flash.write(SLOT0_END - IMAGE_OK, &FLAG_SET).is_ok();
        self.say(if done { "confirmed\r\n" } else { "failed\r\n" });
    }
}

#[entry]
fn main() -> ! {
    let p = embassy_nrf::init(Default::default());
    let mut config = qspi::Config::default();
    config.capacity = SLOT1_END;
    // What every part has; the default's four lines are not every part's.
    config.read_opcode = qspi::ReadOpcode::FASTREAD;
    config.write_opcode = qspi::WriteOpcode::PP;
    let mut board = Board {
        uart: uarte::Uarte::new(p.UARTE0, Irqs, p.P0_08, p.P0_06, uarte::Config::default()),
        flash: nvmc::Nvmc::new(p.NVMC),
        external: qspi::Qspi::new(
            p.QSPI, Irqs, p.P0_19, p.P0_17, p.P0_20, p.P0_21, p.P0_22, p.P0_23, config,
        ),
    };
    board.say(NAME);
    loop {
        let mut letter = [0u8];
        if board.uart.blocking_read(&mut letter).is_err() {
            continue;
        }
        match letter[0] {
            b'v' => board.trailers(),
            b't' => board.ask_for_trial(),
            b'c' => board.confirm(),
            b'r' => cortex_m::peripheral::SCB::sys_reset(),
            _ => (),
        }
    }
}

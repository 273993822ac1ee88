//! Asks the chip for what it has, through embassy-nrf's drivers: UARTE, RTC1 as clock, TEMP, RNG, QSPI, NVMC, SPIM,
//! TIMER with PPI and GPIOTE, WDT. Says on the UART what came; "wrong" is in no line if all is well.
#![no_std]
#![no_main]

use core::fmt::Write;
use embassy_executor::Spawner;
use embassy_nrf::gpio::{Level, Output, OutputDrive};
use embassy_nrf::gpiote::{OutputChannel, OutputChannelPolarity};
use embassy_nrf::peripherals::{QSPI, RNG, SPI3, UARTE0};
use embassy_nrf::ppi::Ppi;
use embassy_nrf::timer::{Frequency, Timer as Counter};
use embassy_nrf::{bind_interrupts, nvmc, qspi, rng, spim, temp, uarte, wdt};
use embedded_storage::nor_flash::NorFlash;
use embassy_time::{Duration, Instant, Timer};
use panic_halt as _;

bind_interrupts!(struct Irqs {
    UARTE0 => uarte::InterruptHandler<UARTE0>;
    QSPI => qspi::InterruptHandler<QSPI>;
    RNG => rng::InterruptHandler<RNG>;
    TEMP => temp::InterruptHandler;
    SPIM3 => spim::InterruptHandler<SPI3>;
});

struct Line {
    text: [u8; 96],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        self.text[self.len..self.len + s.len()].copy_from_slice(s.as_bytes());
        self.len += s.len();
        Ok(())
    }
}

async fn say(uart: &mut uarte::Uarte<'_, UARTE0>, args: core::fmt::Arguments<'_>) {
    let mut line = Line { text: [0; 96], len: 0 };
    line.write_fmt(args).ok();
    line.write_str("\r\n").ok();
    uart.write(&line.text[..line.len]).await.ok();
}

#[repr(align(4))]
struct Words<const N: usize>([u8; N]);

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let p = embassy_nrf::init(Default::default());
    let mut uart = uarte::Uarte::new(p.UARTE0, Irqs, p.P0_08, p.P0_06, Default::default());
    say(&mut uart, format_args!("embassy runs")).await;

    let begun = Instant::now();
    Timer::after(Duration::from_millis(250)).await;
    let ms = begun.elapsed().as_millis();
    say(&mut uart, format_args!("clock {}", if (249..=252).contains(&ms) { "good" } else { "wrong" })).await;

    let mut temp = temp::Temp::new(p.TEMP, Irqs);
    say(&mut uart, format_args!("temp {}", temp.read().await.to_num::<i32>())).await;

    let mut rng = rng::Rng::new(p.RNG, Irqs);
    let mut random = [0u8; 32];
    rng.fill_bytes(&mut random).await;
    let other = random.iter().filter(|b| **b != random[0]).count();
    say(&mut uart, format_args!("rng {}", if other > 20 { "good" } else { "wrong" })).await;

    let mut config = qspi::Config::default();
    config.capacity = 8 << 20;
    config.read_opcode = qspi::ReadOpcode::READ4IO;
    config.write_opcode = qspi::WriteOpcode::PP4IO;
    let mut flash: qspi::Qspi<QSPI> =
        qspi::Qspi::new(p.QSPI, Irqs, p.P0_19, p.P0_17, p.P0_20, p.P0_21, p.P0_22, p.P0_23, config);
    let mut id = [0u8; 3];
    flash.custom_instruction(0x9f, &[], &mut id).await.ok();
    let mut status = [0u8; 1];
    flash.custom_instruction(0x05, &[], &mut status).await.ok();
    flash.custom_instruction(0x01, &[status[0] | 0x40], &mut []).await.ok();
    let mut data = Words([0u8; 1024]);
    for (i, b) in data.0.iter_mut().enumerate() {
        *b = (i * 7) as u8 ^ random[i % 32];
    }
    let mut back = Words([0u8; 1024]);
    let ok = flash.erase(0x4000).await.is_ok()
        && flash.write(0x4000, &data.0).await.is_ok()
        && flash.read(0x4000, &mut back.0).await.is_ok();
    say(&mut uart, format_args!("qspi {:02x}{:02x}{:02x} {}", id[0], id[1], id[2],
        if ok && data.0 == back.0 { "good" } else { "wrong" })).await;

    let mut internal = nvmc::Nvmc::new(p.NVMC);
    let ok = internal.erase(0x9_0000, 0x9_1000).is_ok() && internal.write(0x9_0000, &data.0[..256]).is_ok();
    let same = (0..256).all(|i| unsafe { core::ptr::read_volatile((0x9_0000 + i) as *const u8) } == data.0[i]);
    say(&mut uart, format_args!("nvmc {}", if ok && same { "good" } else { "wrong" })).await;

    let mut spi = spim::Spim::new(p.SPI3, Irqs, p.P1_13, p.P1_15, p.P1_14, Default::default());
    let mut got = [0u8; 4];
    let ok = spi.transfer(&mut got, &[1, 2, 3, 4]).await.is_ok();
    say(&mut uart, format_args!("spim {}", if ok && got == [0xff; 4] { "good" } else { "wrong" })).await;

    let counter = Counter::new(p.TIMER3);
    counter.set_frequency(Frequency::F1MHz);
    counter.cc(0).write(500);
    counter.cc(0).short_compare_clear();
    let pin = Output::new(p.P0_13, Level::Low, OutputDrive::Standard);
    let led = OutputChannel::new(p.GPIOTE_CH0, pin, OutputChannelPolarity::Toggle);
    let mut channel = Ppi::new_one_to_one(p.PPI_CH0, counter.cc(0).event_compare(), led.task_out());
    channel.enable();
    counter.start();
    Timer::after(Duration::from_micros(1700)).await;
    counter.stop();
    let count = counter.cc(1).capture();
    say(&mut uart, format_args!("ppi {}", if count < 500 { "good" } else { "wrong" })).await;

    let mut config = wdt::Config::default();
    config.timeout_ticks = 32768 / 4;
    let Ok((dog, [mut handle])) = wdt::Watchdog::try_new(p.WDT, config) else {
        say(&mut uart, format_args!("wdt runs already")).await;
        loop {
            Timer::after(Duration::from_secs(1)).await;
        }
    };
    for _ in 0..8 {
        Timer::after(Duration::from_millis(100)).await;
        handle.pet();
    }
    say(&mut uart, format_args!("wdt fed, awake {}", dog.awaiting_pets())).await;
    Timer::after(Duration::from_millis(400)).await;
    say(&mut uart, format_args!("wdt wrong")).await;
}

//! A CDC ACM port by embassy-usb: says hello when the host opens it, then sends back what it gets, in upper case. What
//! happens on the bus it tells on the UART.
#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_futures::join::join;
use embassy_nrf::peripherals::{UARTE0, USBD};
use embassy_nrf::usb::vbus_detect::{self, HardwareVbusDetect};
use embassy_nrf::usb::Driver;
use embassy_nrf::{bind_interrupts, uarte, usb};
use embassy_usb::class::cdc_acm::{CdcAcmClass, State};
use embassy_usb::{Builder, Config};
use panic_halt as _;

bind_interrupts!(struct Irqs {
    UARTE0 => uarte::InterruptHandler<UARTE0>;
    USBD => usb::InterruptHandler<USBD>;
    CLOCK_POWER => vbus_detect::InterruptHandler;
});

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let mut clocks = embassy_nrf::config::Config::default();
    clocks.hfclk_source = embassy_nrf::config::HfclkSource::ExternalXtal;
    let p = embassy_nrf::init(clocks);
    let mut uart = uarte::Uarte::new(p.UARTE0, Irqs, p.P0_08, p.P0_06, Default::default());
    uart.write(b"usb waits\r\n").await.ok();

    let driver = Driver::new(p.USBD, Irqs, HardwareVbusDetect::new(Irqs));
    let mut config = Config::new(0x1209, 0x0001);
    config.manufacturer = Some("Nobody");
    config.product = Some("Echo");
    config.max_packet_size_0 = 64;
    let mut config_descriptor = [0; 256];
    let mut bos_descriptor = [0; 256];
    let mut control = [0; 64];
    let mut state = State::new();
    let mut builder = Builder::new(driver, config, &mut config_descriptor, &mut bos_descriptor, &mut [], &mut control);
    let mut class = CdcAcmClass::new(&mut builder, &mut state, 64);
    let mut device = builder.build();

    let echo = async {
        loop {
            class.wait_connection().await;
            uart.write(b"usb configured\r\n").await.ok();
            while !class.dtr() {
                embassy_futures::yield_now().await;
            }
            let rate = if class.line_coding().data_rate() == 115200 { &b"dtr 115200\r\n"[..] } else { &b"dtr other\r\n"[..] };
            let mut line = [0; 16];
            line[..rate.len()].copy_from_slice(rate);
            uart.write(&line[..rate.len()]).await.ok();
            if class.write_packet(b"hello from usb\r\n").await.is_err() {
                continue;
            }
            let mut buf = [0; 64];
            while let Ok(n) = class.read_packet(&mut buf).await {
                buf[..n].make_ascii_uppercase();
                if class.write_packet(&buf[..n]).await.is_err() {
                    break;
                }
            }
        }
    };
    join(device.run(), echo).await;
}

//! The same port by other people's code: nrf-usbd, usb-device and usbd-serial, polled and without interrupts.
#![no_std]
#![no_main]
use cortex_m_rt::entry;
use embassy_nrf as _; // the vector table
use nrf_usbd::{UsbPeripheral, Usbd};
use panic_halt as _;
use usb_device::class_prelude::UsbBusAllocator;
use usb_device::prelude::*;
use usbd_serial::{SerialPort, USB_CLASS_CDC};

struct Nrf;
unsafe impl UsbPeripheral for Nrf {
    const REGISTERS: *const () = 0x4002_7000 as *const ();
}

fn reg(addr: u32) -> *mut u32 {
    addr as *mut u32
}

#[entry]
fn main() -> ! {
    // The crystal, then the USB's power.
    unsafe {
        reg(0x4000_0000).write_volatile(1);
        while reg(0x4000_0100).read_volatile() == 0 {}
        while reg(0x4000_0438).read_volatile() & 3 != 3 {}
    }
    let bus = UsbBusAllocator::new(Usbd::new(Nrf));
    let mut serial = SerialPort::new(&bus);
    let mut device = UsbDeviceBuilder::new(&bus, UsbVidPid(0x1209, 0x0002))
        .strings(&[StringDescriptors::default().product("Echo")]).unwrap()
        .device_class(USB_CLASS_CDC)
        .max_packet_size_0(64).unwrap()
        .build();
    let mut greeted = false;
    let mut buf = [0u8; 64];
    let (mut len, mut sent) = (0, 0);
    loop {
        device.poll(&mut [&mut serial]);
        if device.state() != UsbDeviceState::Configured {
            continue;
        }
        if !greeted && serial.dtr() {
            greeted = serial.write(b"hello from usb\r\n").is_ok();
        }
        if sent == len {
            sent = 0;
            len = serial.read(&mut buf).unwrap_or(0);
            buf[..len].make_ascii_uppercase();
        } else if let Ok(n) = serial.write(&buf[sent..len]) {
            sent += n;
        }
    }
}

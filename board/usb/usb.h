/*
 * The two ends of a USB cable. The device is the chip's USBD (usbd.c): registers, endpoint buffers, EasyDMA. The host
 * (host.c) enumerates what is plugged in, opens its first CDC ACM function and carries bytes. Packets go
 * at full speed's times; what the device cannot take or give now is refused and tried again when it can.
 */
#ifndef BOARD_USB_USB_H
#define BOARD_USB_USB_H

#include <stdbool.h>
#include <stdint.h>

struct board;

enum { USB_EPS = 8, USB_PACKET = 64, USB_DESCRIPTORS = 1024, USB_QUEUE = 65536 };
enum { USB_NAK = -1, USB_STALL = -2 }; /* what a device answers instead of data */

struct usb_buffer {
    uint8_t data[USB_PACKET];
    uint8_t len;
    bool full; /* IN: waits for the host; OUT: waits for the firmware */
    bool ready; /* OUT: may receive */
    bool halted;
};

/* Plain data, both: part of a snapshot. */
struct usb_device {
    struct usb_buffer in[USB_EPS], out[USB_EPS];
    uint8_t setup[8], address;
    bool status, stall, receive; /* tasks EP0STATUS, EP0STALL, EP0RCVOUT since the last SETUP */
    uint32_t dma_waits; /* endpoints whose DMA was asked for: bit n IN n, bit 16 + n OUT n */
    uint32_t dma_runs; /* the one that runs, 0 none */
    uint32_t toggles, toggle_of; /* data toggles, bits as above; what DTOGGLE shows */
};

struct usb_host {
    uint8_t state, request, phase, tries;
    uint64_t frames_from; /* when SOF began */
    uint8_t buf[USB_DESCRIPTORS]; /* of the request that runs */
    uint16_t got, want;
    /* of the device: */
    uint8_t config, comm; /* configuration's value, interface that takes CDC requests */
    uint8_t in, out; /* endpoints of its CDC data interface, 0 none */
    uint8_t others; /* bit n: IN endpoint n that is read and thrown away: notifications */
    bool open;
    uint32_t head, count;
    uint8_t queue[USB_QUEUE]; /* bytes for the device */
};

/* ---- usbd.c, for the host ---- */

bool usbd_attached(struct board *b); /* enabled, powered, with its pull-up on */
void usbd_bus_reset(struct board *b);
void usbd_setup(struct board *b, const uint8_t setup[8]);
/* A packet: bytes moved (IN), or 0 (OUT); USB_NAK, USB_STALL. */
int usbd_in(struct board *b, unsigned ep, uint8_t *buf);
int usbd_out(struct board *b, unsigned ep, const uint8_t *data, unsigned len);
int usbd_status(struct board *b); /* the status stage of a control transfer: 0, or as above */
void usbd_sof(struct board *b);
/* Calls host_step() or host_limit() after `cycles`; UINT64_MAX: not. */
void usbd_call_step(struct board *b, uint64_t cycles);
void usbd_call_limit(struct board *b, uint64_t cycles);
void usbd_call_frame(struct board *b, uint64_t cycles);
bool usbd_step_is_set(struct board *b);

/* ---- host.c, for the device ---- */

void host_attach(struct board *b, bool on); /* the device's pull-up */
void host_kick(struct board *b); /* the device can do what it could not before */
void host_step(struct board *b);
void host_limit(struct board *b);
void host_frame(struct board *b);
uint32_t host_frame_number(const struct board *b);

#endif

/*
 * USBD: the device end. Control, bulk and interrupt endpoints 0 to 7 of 64 bytes; EasyDMA between RAM and their
 * buffers, one transfer at a time (a second one waits). SET_ADDRESS is answered by the hardware. Isochronous
 * endpoints and remote wake-up are not there.
 */
#include <string.h>

#include "board/board_priv.h"

enum { US = 64, MS = 64000, DMA_TIME = 4 * US, READY_TIME = 100 * US, SUSPEND_TIME = 3 * MS };
enum { T_DMA, T_READY, T_SUSPEND, T_STEP, T_LIMIT, T_FRAME };
enum { S_ENABLED };
enum { STARTEPIN = 1, STARTEPOUT = 10, EP0RCVOUT = 19, EP0STATUS, EP0STALL };
enum { EV_USBRESET, EV_STARTED, EV_ENDEPIN, EV_EP0DATADONE = 10, EV_ENDEPOUT = 12, EV_SOF = 21, EV_USBEVENT, EV_EP0SETUP,
    EV_EPDATA };
enum { SHORTS = 0x200, EVENTCAUSE = 0x400, HALTED_IN = 0x420, HALTED_OUT = 0x444, EPSTATUS = 0x468, EPDATASTATUS = 0x46C,
    USBADDR = 0x470, SETUP = 0x480, SIZE = 0x4A0, ISOSIZE = 0x4C0, ENABLE = 0x500, USBPULLUP = 0x504, DPDMVALUE = 0x508,
    DTOGGLE = 0x50C, EPINEN = 0x510, EPOUTEN = 0x514, EPSTALL = 0x518, ISOSPLIT = 0x51C, FRAMECNTR = 0x520, LOWPOWER = 0x52C,
    ISOINCONFIG = 0x530, EPIN = 0x600, EPOUT = 0x700, EP_STRIDE = 20, PTR = 0, MAXCNT = 4, AMOUNT = 8 };
enum { CAUSE_SUSPEND = 1 << 8, CAUSE_RESUME = 1 << 9, CAUSE_READY = 1 << 11 };
enum { SHORT_DONE_IN = 1, SHORT_DONE_OUT = 2, SHORT_DONE_STATUS = 4, SHORT_END_STATUS = 8, SHORT_END_RCV = 16 };
enum { SET_ADDRESS = 5 };

static struct periph *usbd(struct board *b)
{
    return periph_by_base(b, 0x40027000);
}

static void set_cause(struct board *b, struct periph *p, uint32_t cause)
{
    p->store[EVENTCAUSE / 4] |= cause;
    event_raise(b, p, EV_USBEVENT);
}

/* ---- EasyDMA: bit n of a mask is IN n, bit 16 + n OUT n ---- */

static void dma_next(struct board *b, struct periph *p)
{
    struct usb_device *d = &b->st.usb_device;
    if (d->dma_runs || !d->dma_waits)
        return;
    d->dma_runs = d->dma_waits & -d->dma_waits;
    d->dma_waits &= ~d->dma_runs;
    p->store[EPSTATUS / 4] |= d->dma_runs;
    event_raise(b, p, EV_STARTED);
    timer_set(b, p, T_DMA, sim_time(b) + DMA_TIME);
}

static void dma_ask(struct board *b, struct periph *p, uint32_t which)
{
    if (!reg(p, ENABLE))
        return;
    b->st.usb_device.dma_waits |= which;
    dma_next(b, p);
}

static void dma_in_done(struct board *b, struct periph *p, unsigned ep)
{
    struct usb_buffer *e = &b->st.usb_device.in[ep];
    uint32_t at = EPIN + EP_STRIDE * ep, n = reg(p, at + MAXCNT);
    n = n < USB_PACKET ? n : USB_PACKET;
    if (!dma_read(b, reg(p, at + PTR), e->data, n))
        memset(e->data, 0, n); /* what EasyDMA cannot reach */
    e->len = (uint8_t)n;
    e->full = true;
    p->store[(at + AMOUNT) / 4] = n;
    event_raise(b, p, EV_ENDEPIN + ep);
}

static void dma_out_done(struct board *b, struct periph *p, unsigned ep)
{
    struct usb_buffer *e = &b->st.usb_device.out[ep];
    uint32_t at = EPOUT + EP_STRIDE * ep, n = reg(p, at + MAXCNT), shorts = reg(p, SHORTS);
    n = n < e->len ? n : e->len;
    (void)dma_write(b, reg(p, at + PTR), e->data, n);
    p->store[(at + AMOUNT) / 4] = n;
    e->full = false;
    e->ready = ep != 0; /* the buffer is free for the next packet; EP0 wants EP0RCVOUT each time */
    event_raise(b, p, EV_ENDEPOUT + ep);
    if (ep == 0 && (shorts & SHORT_END_STATUS))
        task_trigger(b, p, EP0STATUS);
    if (ep == 0 && (shorts & SHORT_END_RCV))
        task_trigger(b, p, EP0RCVOUT);
}

static void dma_done(struct board *b, struct periph *p)
{
    struct usb_device *d = &b->st.usb_device;
    unsigned n = (unsigned)__builtin_ctz(d->dma_runs);
    d->dma_runs = 0;
    if (n < 16)
        dma_in_done(b, p, n);
    else
        dma_out_done(b, p, n - 16);
    dma_next(b, p);
    host_kick(b);
}

/* ---- what the host does with it ---- */

bool usbd_attached(struct board *b)
{
    struct periph *p = usbd(b);
    return b->config.vbus && reg(p, ENABLE) && reg(p, USBPULLUP) && p->at[T_READY] == NEVER;
}

void usbd_bus_reset(struct board *b)
{
    struct periph *p = usbd(b);
    memset(&b->st.usb_device, 0, sizeof b->st.usb_device);
    p->store[EPSTATUS / 4] = p->store[EPDATASTATUS / 4] = 0;
    timer_set(b, p, T_DMA, NEVER);
    timer_set(b, p, T_SUSPEND, NEVER);
    event_raise(b, p, EV_USBRESET);
}

void usbd_setup(struct board *b, const uint8_t setup[8])
{
    struct usb_device *d = &b->st.usb_device;
    memcpy(d->setup, setup, sizeof d->setup);
    d->in[0].full = d->out[0].full = false;
    d->status = d->stall = d->receive = false;
    if (setup[0] == 0 && setup[1] == SET_ADDRESS) {
        d->address = setup[2] & 0x7Fu;
        d->status = true;
    }
    event_raise(b, usbd(b), EV_EP0SETUP);
}

/* A packet of control data went over: event, and what the shortcuts make of it. */
static void control_data_done(struct board *b, struct periph *p)
{
    uint32_t shorts = reg(p, SHORTS);
    event_raise(b, p, EV_EP0DATADONE);
    if (shorts & SHORT_DONE_IN)
        task_trigger(b, p, STARTEPIN);
    if (shorts & SHORT_DONE_OUT)
        task_trigger(b, p, STARTEPOUT);
    if (shorts & SHORT_DONE_STATUS)
        task_trigger(b, p, EP0STATUS);
}

static void data_moved(struct board *b, struct periph *p, uint32_t bit, unsigned ep)
{
    b->st.usb_device.toggles ^= bit;
    wait_activity(b);
    if (ep == 0) {
        control_data_done(b, p);
        return;
    }
    p->store[EPDATASTATUS / 4] |= bit;
    event_raise(b, p, EV_EPDATA);
}

int usbd_in(struct board *b, unsigned ep, uint8_t *buf)
{
    struct periph *p = usbd(b);
    struct usb_device *d = &b->st.usb_device;
    struct usb_buffer *e = &d->in[ep];
    if (e->halted || (ep == 0 && d->stall))
        return USB_STALL;
    if (!e->full || !(reg(p, EPINEN) >> ep & 1u))
        return USB_NAK;
    memcpy(buf, e->data, e->len);
    e->full = false;
    data_moved(b, p, 1u << ep, ep);
    return e->len;
}

int usbd_out(struct board *b, unsigned ep, const uint8_t *data, unsigned len)
{
    struct periph *p = usbd(b);
    struct usb_device *d = &b->st.usb_device;
    struct usb_buffer *e = &d->out[ep];
    if (e->halted || (ep == 0 && d->stall))
        return USB_STALL;
    if (e->full || !(ep == 0 ? d->receive : e->ready) || !(reg(p, EPOUTEN) >> ep & 1u))
        return USB_NAK;
    memcpy(e->data, data, len);
    e->len = (uint8_t)len;
    e->full = true;
    e->ready = false;
    d->receive = d->receive && ep != 0;
    data_moved(b, p, 0x10000u << ep, ep);
    return 0;
}

int usbd_status(struct board *b)
{
    const struct usb_device *d = &b->st.usb_device;
    return d->stall ? USB_STALL : d->status ? 0 : USB_NAK;
}

void usbd_sof(struct board *b)
{
    event_raise(b, usbd(b), EV_SOF);
}

static void call(struct board *b, unsigned which, uint64_t cycles)
{
    timer_set(b, usbd(b), which, cycles == NEVER ? NEVER : sim_time(b) + cycles);
}

void usbd_call_step(struct board *b, uint64_t cycles) { call(b, T_STEP, cycles); }
void usbd_call_limit(struct board *b, uint64_t cycles) { call(b, T_LIMIT, cycles); }
void usbd_call_frame(struct board *b, uint64_t cycles) { call(b, T_FRAME, cycles); }
bool usbd_step_is_set(struct board *b) { return usbd(b)->at[T_STEP] != NEVER; }

/* ---- the frame ---- */

static void task(struct board *b, struct periph *p, unsigned n)
{
    struct usb_device *d = &b->st.usb_device;
    if (n >= STARTEPIN && n < STARTEPIN + USB_EPS) {
        dma_ask(b, p, 1u << (n - STARTEPIN));
        return;
    }
    if (n >= STARTEPOUT && n < STARTEPOUT + USB_EPS) {
        dma_ask(b, p, 0x10000u << (n - STARTEPOUT));
        return;
    }
    d->receive = d->receive || n == EP0RCVOUT;
    d->status = d->status || n == EP0STATUS;
    d->stall = d->stall || n == EP0STALL;
    host_kick(b); /* DPDMDRIVE, DPDMNODRIVE: nobody looks at the lines */
}

/* The pull-up came or went. Without a host there is no traffic on the bus: that is a suspend. */
static void attachment_changed(struct board *b, struct periph *p)
{
    bool on = usbd_attached(b);
    timer_set(b, p, T_SUSPEND, on && !b->config.usb_host ? sim_time(b) + SUSPEND_TIME : NEVER);
    host_attach(b, on);
}

static void timer(struct board *b, struct periph *p, unsigned which)
{
    switch (which) {
    case T_DMA: dma_done(b, p); break;
    case T_READY:
        set_cause(b, p, CAUSE_READY);
        attachment_changed(b, p);
        break;
    case T_SUSPEND: set_cause(b, p, CAUSE_SUSPEND); break;
    case T_STEP: host_step(b); break;
    case T_LIMIT: host_limit(b); break;
    default: host_frame(b); break;
    }
}

static void enable_write(struct board *b, struct periph *p, bool on)
{
    if (on == (p->s[S_ENABLED] != 0))
        return;
    p->s[S_ENABLED] = on;
    if (on && !b->config.vbus) /* firmware that waits for READY here waits for ever, on the chip, too */
        board_note(b, "usb: enabled without power, so it never gets ready; --usb0 or --vbus on plugs it in");
    memset(&b->st.usb_device, 0, sizeof b->st.usb_device);
    timer_set(b, p, T_DMA, NEVER);
    timer_set(b, p, T_READY, on && b->config.vbus ? sim_time(b) + READY_TIME : NEVER);
    if (!on)
        p->store[USBPULLUP / 4] = 0;
    attachment_changed(b, p);
}

static uint32_t endpoint_bit(uint32_t val)
{
    return (val & 0x80u ? 1u : 0x10000u) << (val & 7u);
}

static void stall_write(struct board *b, uint32_t val)
{
    struct usb_device *d = &b->st.usb_device;
    struct usb_buffer *e = val & 0x80u ? &d->in[val & 7u] : &d->out[val & 7u];
    e->halted = val >> 8 & 1u;
    if (!e->halted)
        d->toggles &= ~endpoint_bit(val);
    host_kick(b);
}

static void toggle_write(struct board *b, uint32_t val)
{
    struct usb_device *d = &b->st.usb_device;
    d->toggle_of = val & 0x87u;
    if ((val >> 8 & 3u) == 1)
        d->toggles &= ~endpoint_bit(val);
    else if ((val >> 8 & 3u) == 2)
        d->toggles |= endpoint_bit(val);
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    const struct usb_device *d = &b->st.usb_device;
    (void)p;
    if (off >= SIZE && off < SIZE + 4 * USB_EPS)
        return d->out[(off - SIZE) / 4].len;
    if (off >= SETUP && off < SIZE)
        return d->setup[(off - SETUP) / 4];
    if (off >= HALTED_OUT && off < HALTED_OUT + 4 * USB_EPS)
        return d->out[(off - HALTED_OUT) / 4].halted;
    if (off >= HALTED_IN && off < HALTED_IN + 4 * USB_EPS)
        return d->in[(off - HALTED_IN) / 4].halted;
    switch (off) {
    case USBADDR: return d->address;
    case DTOGGLE: return d->toggle_of | (d->toggles & endpoint_bit(d->toggle_of) ? 0x200u : 0x100u);
    default: return host_frame_number(b);
    }
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off >= SIZE && off < SIZE + 4 * USB_EPS) { /* any value: the endpoint may receive */
        struct usb_buffer *e = &b->st.usb_device.out[(off - SIZE) / 4];
        e->len = 0;
        e->full = false;
        e->ready = true;
        host_kick(b);
        return;
    }
    switch (off) {
    case EVENTCAUSE: case EPSTATUS: case EPDATASTATUS: p->store[off / 4] &= ~val; break;
    case ENABLE: enable_write(b, p, val & 1u); break;
    case USBPULLUP: attachment_changed(b, p); break;
    case DTOGGLE: toggle_write(b, val); break;
    case EPSTALL: stall_write(b, val); break;
    default: break; /* INTEN: nothing more to do */
    }
}

static void reset(struct board *b, struct periph *p)
{
    (void)p;
    memset(&b->st.usb_device, 0, sizeof b->st.usb_device);
    host_attach(b, false);
}

#define EP_REGS(at, n)                                                                              \
    { (at) + PTR, (n), EP_STRIDE, REG_RW, 0xFFFFFFFF, 0 }, { (at) + MAXCNT, (n), EP_STRIDE, REG_RW, 0x7F, 0 }, \
    { (at) + AMOUNT, (n), EP_STRIDE, REG_R, 0, 0 }
#define ISO_REGS(at) { (at), 1, 0, REG_RW, 0xFFFFFFFF, 0 }, { (at) + 4, 1, 0, REG_RW, 0x3FF, 0 }, { (at) + 8, 1, 0, REG_R, 0, 0 }

static const struct reg_desc regs[] = {
    { EVENTCAUSE, 1, 0, REG_RW | REG_HOOK_W, 0, 0 }, { HALTED_IN, 8, 4, REG_R | REG_HOOK_R, 0, 0 },
    { HALTED_OUT, 8, 4, REG_R | REG_HOOK_R, 0, 0 }, { EPSTATUS, 2, 4, REG_RW | REG_HOOK_W, 0, 0 },
    { USBADDR, 1, 0, REG_R | REG_HOOK_R, 0, 0 }, { SETUP, 8, 4, REG_R | REG_HOOK_R, 0, 0 },
    { SIZE, 8, 4, REG_RW | REG_HOOK_R | REG_HOOK_W, 0, 0 }, { ISOSIZE, 1, 0, REG_R, 0, 0x10000 },
    { ENABLE, 2, 4, REG_RW | REG_HOOK_W, 1, 0 }, { DPDMVALUE, 1, 0, REG_RW, 0x1F, 0 },
    { DTOGGLE, 1, 0, REG_RW | REG_HOOK_R | REG_HOOK_W, 0, 0 }, { EPINEN, 2, 4, REG_RW, 0x1FF, 1 },
    { EPSTALL, 1, 0, REG_W | REG_HOOK_W, 0, 0 }, { ISOSPLIT, 1, 0, REG_RW, 0xFFFF, 0 },
    { FRAMECNTR, 1, 0, REG_R | REG_HOOK_R, 0, 0 }, { LOWPOWER, 1, 0, REG_RW, 1, 0 }, { ISOINCONFIG, 1, 0, REG_RW, 1, 0 },
    EP_REGS(EPIN, 8), EP_REGS(EPOUT, 8), ISO_REGS(0x6A0), ISO_REGS(0x7A0), { 0 },
};
/* All tasks but those of isochronous transfers, 9 and 18. */
const struct periph_type usbd_type = { .tasks = 0xFBFDFE, .events = 0x1FFFFFF, .inten = true, .inten_rw = true, .shorts = 0x1F,
    .regs = regs, .reset = reset, .task = task, .timer = timer, .read = read, .write = write };

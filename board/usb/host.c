/*
 * The host end: waits for a pull-up, resets the bus, enumerates, opens the first CDC ACM function (line coding
 * 115200 8N1, DTR and RTS on) and then carries bytes. A device that does not answer a request in five seconds is
 * reset, twice, then left alone.
 */
#include <string.h>

#include "board/board_priv.h"

enum { US = 64, MS = 64000, DEBOUNCE = 100 * MS, RESET = 10 * MS, RECOVERY = 10 * MS, PACKET = 50 * US, LIMIT_S = 5, TRIES = 3 };
enum { NOTHING, ATTACHED, IN_RESET, REQUESTS, RUNS, GIVEN_UP };
enum { SETUP, DATA_IN, DATA_OUT, STATUS };
enum { DEVICE_SHORT, ADDRESS, DEVICE, CONFIG_SHORT, CONFIG, CONFIGURE, LINE_CODING, LINE_STATE, REQUESTS_END };
enum { ACM_DATA = 0x0A, COMM = 0x02, ACM = 0x02, D_INTERFACE = 4, D_ENDPOINT = 5, BULK = 2, BOTH_LINES = 3 };

/* Type, request, value, index, length of each; those of a particular device are filled in by request_begin(). */
static const struct request {
    const char *name;
    uint8_t type, code;
    uint16_t value, length;
} requests[REQUESTS_END] = {
    { "GET_DESCRIPTOR of the device", 0x80, 6, 0x100, 64 },
    { "SET_ADDRESS", 0x00, 5, 1, 0 },
    { "GET_DESCRIPTOR of the device", 0x80, 6, 0x100, 18 },
    { "GET_DESCRIPTOR of the configuration", 0x80, 6, 0x200, 9 },
    { "GET_DESCRIPTOR of the configuration", 0x80, 6, 0x200, 0 },
    { "SET_CONFIGURATION", 0x00, 9, 0, 0 },
    { "SET_LINE_CODING", 0x21, 0x20, 0, 7 },
    { "SET_CONTROL_LINE_STATE", 0x21, 0x22, BOTH_LINES, 0 },
};
static const uint8_t line_coding[7] = { 0x00, 0xC2, 0x01, 0x00, 0, 0, 8 }; /* 115200, 1 stop bit, no parity, 8 bits */

static struct usb_host *host(struct board *b)
{
    return &b->st.usb_host;
}

static void forget_device(struct board *b)
{
    struct usb_host *h = host(b);
    h->config = h->comm = h->in = h->out = h->others = 0;
    h->open = false;
    h->request = h->phase = 0;
    usbd_call_step(b, NEVER);
    usbd_call_limit(b, NEVER);
    usbd_call_frame(b, NEVER);
}

void host_attach(struct board *b, bool on)
{
    struct usb_host *h = host(b);
    if (!b->config.usb_host || on == (h->state != NOTHING))
        return;
    forget_device(b);
    h->state = on ? ATTACHED : NOTHING;
    h->tries = 0;
    if (on)
        usbd_call_step(b, DEBOUNCE);
}

void host_kick(struct board *b)
{
    uint8_t state = host(b)->state;
    if ((state == REQUESTS || state == RUNS) && !usbd_step_is_set(b))
        usbd_call_step(b, PACKET);
}

/* ---- frames ---- */

uint32_t host_frame_number(const struct board *b)
{
    const struct usb_host *h = &b->st.usb_host;
    return h->state >= REQUESTS ? (uint32_t)((now(b) - h->frames_from) / MS) & 0x7FFu : 0;
}

void host_frame(struct board *b)
{
    usbd_call_frame(b, MS);
    usbd_sof(b);
}

/* ---- requests ---- */

static void reset_bus(struct board *b)
{
    forget_device(b);
    host(b)->state = IN_RESET;
    usbd_bus_reset(b);
    usbd_call_step(b, RESET + RECOVERY);
}

static void fails(struct board *b, const char *how)
{
    struct usb_host *h = host(b);
    board_note(b, "usb: %s %s", requests[h->request].name, how);
    if (++h->tries < TRIES) {
        reset_bus(b);
        return;
    }
    forget_device(b);
    h->state = GIVEN_UP;
}

void host_limit(struct board *b)
{
    fails(b, "was not answered in five seconds");
}

static void request_begin(struct board *b, unsigned n, uint64_t after)
{
    struct usb_host *h = host(b);
    h->request = (uint8_t)n;
    h->phase = SETUP;
    h->got = 0;
    usbd_call_step(b, after);
    usbd_call_limit(b, LIMIT_S * (uint64_t)BOARD_CYCLES_PER_S);
}

static uint16_t request_length(const struct usb_host *h)
{
    if (h->request != CONFIG)
        return requests[h->request].length;
    uint16_t total = (uint16_t)(h->buf[2] | h->buf[3] << 8);
    return total < sizeof h->buf ? total : sizeof h->buf;
}

static void send_setup(struct board *b)
{
    struct usb_host *h = host(b);
    const struct request *r = &requests[h->request];
    uint16_t value = h->request == CONFIGURE ? h->config : r->value, index = r->type == 0x21 ? h->comm : 0;
    h->want = request_length(h);
    uint8_t setup[8] = { r->type, r->code, (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)index, 0, (uint8_t)h->want,
        (uint8_t)(h->want >> 8) };
    h->phase = h->want == 0 ? STATUS : r->type & 0x80u ? DATA_IN : DATA_OUT;
    usbd_setup(b, setup);
    usbd_call_step(b, PACKET);
}

/* ---- the configuration's descriptors ---- */

static void take_endpoint(struct usb_host *h, const uint8_t *d, bool data)
{
    unsigned ep = d[2] & 7u;
    bool in = d[2] & 0x80u, bulk = (d[3] & 3u) == BULK;
    if (in && data && bulk && !h->in)
        h->in = (uint8_t)ep;
    else if (in && ep)
        h->others |= (uint8_t)(1u << ep);
    else if (data && bulk && !h->out)
        h->out = (uint8_t)ep;
}

/* The first interface that takes CDC requests, and the endpoints of the first one that carries its data. */
static void take_config(struct usb_host *h)
{
    bool data = false, comm = false;
    h->config = h->buf[5];
    for (unsigned at = 0; at + 2u <= h->got && h->buf[at] >= 2 && at + h->buf[at] <= h->got; at += h->buf[at]) {
        const uint8_t *d = h->buf + at;
        if (d[1] == D_INTERFACE && d[0] >= 9) {
            data = d[5] == ACM_DATA;
            if (d[5] == COMM && d[6] == ACM && !comm) {
                h->comm = d[2];
                comm = true;
            }
        } else if (d[1] == D_ENDPOINT && d[0] >= 7) {
            take_endpoint(h, d, data && comm);
        }
    }
}

static void runs(struct board *b)
{
    struct usb_host *h = host(b);
    h->state = RUNS;
    h->open = h->in && h->out;
    board_note(b, h->open ? "usb: CDC ACM opened, IN %u, OUT %u" : "usb: configured; it has no CDC ACM function", h->in, h->out);
    usbd_call_step(b, PACKET);
}

static void request_done(struct board *b)
{
    struct usb_host *h = host(b);
    usbd_call_limit(b, NEVER);
    if (h->request == CONFIG_SHORT && h->got < 4) {
        fails(b, "brought a descriptor that is too short");
        return;
    }
    if (h->request == CONFIG)
        take_config(h);
    unsigned next = h->request + 1u;
    if (next == REQUESTS_END || (next == LINE_CODING && !(h->in && h->out)))
        runs(b);
    else
        request_begin(b, next, h->request == ADDRESS ? RECOVERY : PACKET);
}

static void stalled(struct board *b)
{
    if (host(b)->request >= LINE_CODING) /* some have no line, and say so */
        request_done(b);
    else
        fails(b, "was refused");
}

/* One stage of the request that runs; after a NAK the device kicks. */
static void request_step(struct board *b)
{
    struct usb_host *h = host(b);
    uint8_t packet[USB_PACKET];
    int r;
    switch (h->phase) {
    case SETUP: send_setup(b); return;
    case DATA_IN:
        r = usbd_in(b, 0, packet);
        if (r >= 0) {
            unsigned n = (unsigned)r < (unsigned)(h->want - h->got) ? (unsigned)r : (unsigned)(h->want - h->got);
            memcpy(h->buf + h->got, packet, n);
            h->got = (uint16_t)(h->got + n);
            h->phase = r < USB_PACKET || h->got == h->want ? STATUS : DATA_IN;
        }
        break;
    case DATA_OUT:
        r = usbd_out(b, 0, line_coding, sizeof line_coding);
        h->phase = r == 0 ? STATUS : DATA_OUT;
        break;
    default:
        r = usbd_status(b);
        if (r == 0) {
            request_done(b);
            return;
        }
        break;
    }
    if (r == USB_STALL)
        stalled(b);
    else if (r != USB_NAK)
        usbd_call_step(b, PACKET);
}

/* ---- bytes ---- */

static bool read_data(struct board *b)
{
    struct usb_host *h = host(b);
    uint8_t packet[USB_PACKET];
    bool moved = false;
    for (unsigned others = h->others; others; others &= others - 1)
        moved = usbd_in(b, (unsigned)__builtin_ctz(others), packet) >= 0 || moved;
    int n = h->open ? usbd_in(b, h->in, packet) : USB_NAK;
    for (int i = 0; i < n; i++)
        hash_in(b, packet[i]);
    if (n > 0 && b->usb_fn)
        b->usb_fn(b->usb_ctx, packet, (size_t)n);
    return moved || n >= 0;
}

static bool write_data(struct board *b)
{
    struct usb_host *h = host(b);
    uint8_t packet[USB_PACKET];
    unsigned n = 0;
    for (; n < USB_PACKET && n < h->count; n++)
        packet[n] = h->queue[(h->head + n) % USB_QUEUE];
    if (!h->open || n == 0 || usbd_out(b, h->out, packet, n) < 0)
        return false;
    h->head = (h->head + n) % USB_QUEUE;
    h->count -= n;
    return true;
}

void host_step(struct board *b)
{
    struct usb_host *h = host(b);
    bool moved;
    switch (h->state) {
    case ATTACHED: reset_bus(b); break;
    case IN_RESET:
        h->state = REQUESTS;
        h->frames_from = sim_time(b);
        usbd_call_frame(b, MS);
        request_begin(b, DEVICE_SHORT, PACKET);
        break;
    case REQUESTS: request_step(b); break;
    case RUNS:
        moved = read_data(b);
        moved = write_data(b) || moved;
        if (moved)
            usbd_call_step(b, PACKET);
        break;
    default: break;
    }
}

/* ---- the outside world ---- */

void board_on_usb(struct board *b, board_usb_fn *fn, void *ctx)
{
    b->usb_fn = fn;
    b->usb_ctx = ctx;
}

size_t board_usb_input(struct board *b, const uint8_t *data, size_t len)
{
    struct usb_host *h = host(b);
    size_t n = 0;
    for (; n < len && h->count < USB_QUEUE; n++)
        h->queue[(h->head + h->count++) % USB_QUEUE] = data[n];
    host_kick(b);
    return n;
}

size_t board_usb_pending(const struct board *b) { return b->st.usb_host.count; }
bool board_usb_open(const struct board *b) { return b->st.usb_host.open; }

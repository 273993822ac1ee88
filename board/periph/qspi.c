/*
 * QSPI: DMA operations, custom instructions, XIP. Before every operation the peripheral polls the
 * memory's WIP, so a busy part delays READY; a part that does not answer means READY never comes.
 */
#include <string.h>

#include "board/board_priv.h"

enum { ACTIVATE, READSTART, WRITESTART, ERASESTART, DEACTIVATE };
enum { EV_READY = 0, T_OP = 0, T_CINSTR = 1, T_DPM = 2 };
enum { ENABLE = 0x500, READ_SRC = 0x504, READ_DST = 0x508, READ_CNT = 0x50C, WRITE_DST = 0x510, WRITE_SRC = 0x514,
    WRITE_CNT = 0x518, ERASE_PTR = 0x51C, ERASE_LEN = 0x520, PSEL_SCK = 0x524, PSEL_CSN = 0x528, PSEL_IO0 = 0x530,
    PSEL_IO1 = 0x534, XIPOFFSET = 0x540, IFCONFIG0 = 0x544, IFCONFIG1 = 0x600, STATUS = 0x604, DPMDUR = 0x614,
    ADDRCONF = 0x624, CINSTRCONF = 0x634, CINSTRDAT0 = 0x638, IFTIMING = 0x640 };
/* State: what runs (task + 1), its flash address, RAM address, bytes left; active; frame open; in DPM */
enum { S_OP, S_FLASH, S_RAM, S_LEFT, S_ACTIVE, S_FRAME, S_DPM, S_STARTED };

static struct nor *part(struct board *b)
{
    return &b->st.nor[0];
}

static bool has_pins(const struct periph *p)
{
    return !(reg(p, PSEL_SCK) >> 31) && !(reg(p, PSEL_CSN) >> 31) && !(reg(p, PSEL_IO0) >> 31)
        && !(reg(p, PSEL_IO1) >> 31);
}

static bool connected(struct board *b, const struct periph *p)
{
    return part(b)->part && has_pins(p);
}

/* Cycles of one SCK period. */
static uint64_t sck(const struct periph *p)
{
    return 2u * ((reg(p, IFCONFIG1) >> 28) + 1u);
}

static unsigned read_op(const struct periph *p) { return reg(p, IFCONFIG0) & 7u; }
static unsigned write_op(const struct periph *p) { return reg(p, IFCONFIG0) >> 3 & 7u; }

static unsigned read_lines(const struct periph *p)
{
    static const uint8_t lines[8] = { 1, 2, 2, 4, 4, 1, 1, 1 };
    return lines[read_op(p)];
}

static unsigned write_lines(const struct periph *p)
{
    static const uint8_t lines[8] = { 1, 2, 4, 4, 1, 1, 1, 1 };
    return lines[write_op(p)];
}

/* Reads as the chosen opcode gives them: a quad opcode without QE, or the wrong dummy clocks, give rubbish. */
static void read_array(struct board *b, const struct periph *p, uint32_t addr, uint8_t *buf, uint32_t len)
{
    struct nor *n = part(b);
    bool four_byte = reg(p, IFCONFIG0) >> 6 & 1u;
    if (four_byte != n->four_byte || (read_lines(p) == 4 && !nor_quad_enabled(n)) || !nor_answers(b, n)) {
        memset(buf, 0xFF, len);
        return;
    }
    if (read_op(p) == 4) /* READ4IO: the controller waits 6 clocks, 2 a byte */
        addr += (6u - nor_quad_io_dummies(n)) / 2u;
    nor_read(b, n, addr, buf, len);
}

static void ready(struct board *b, struct periph *p)
{
    p->s[S_OP] = 0;
    event_raise(b, p, EV_READY);
}

static void finish_read(struct board *b, struct periph *p)
{
    uint8_t buf[256];
    uint32_t addr = (uint32_t)p->s[S_FLASH], ram = (uint32_t)p->s[S_RAM], left = (uint32_t)p->s[S_LEFT];
    while (left) {
        uint32_t n = left < sizeof buf ? left : (uint32_t)sizeof buf;
        read_array(b, p, addr, buf, n);
        if (!dma_write(b, ram, buf, n))
            break;
        addr += n;
        ram += n;
        left -= n;
    }
    ready(b, p);
}

/* One page (or what is left of it); sent when the transfer ends, then the part is busy with it. */
static uint32_t page_bytes(const struct periph *p)
{
    uint32_t page = reg(p, IFCONFIG0) >> 12 & 1u ? 512 : 256, room = page - (uint32_t)p->s[S_FLASH] % page;
    return p->s[S_LEFT] < room ? (uint32_t)p->s[S_LEFT] : room;
}

static void send_page(struct board *b, struct periph *p)
{
    uint8_t buf[512];
    uint32_t n = page_bytes(p);
    struct nor *chip = part(b);
    bool opcode_ok = write_lines(p) == 1 || (nor_quad_enabled(chip) && nor_has_program(chip, write_op(p)));
    if (dma_read(b, (uint32_t)p->s[S_RAM], buf, n) && opcode_ok)
        (void)nor_program(b, chip, (uint32_t)p->s[S_FLASH], buf, n);
    p->s[S_FLASH] += n;
    p->s[S_RAM] += n;
    p->s[S_LEFT] -= n;
}

static void send_erase(struct board *b, struct periph *p)
{
    struct nor *n = part(b);
    static const uint32_t len[4] = { 4096, 65536, 0, 0 };
    uint32_t l = len[p->s[S_LEFT] & 3u];
    (void)nor_erase(b, n, (uint32_t)p->s[S_FLASH], l ? l : n->part->size);
}

/* The memory is idle now: how long does the transfer take? */
static uint64_t transfer_time(const struct periph *p)
{
    uint64_t delay = 4u * (reg(p, IFCONFIG1) & 0xFFu);
    switch (p->s[S_OP] - 1) {
    case READSTART: return delay + sck(p) * (48u + p->s[S_LEFT] * 8u / read_lines(p));
    case WRITESTART: return delay + sck(p) * (48u + (uint64_t)page_bytes(p) * 8u / write_lines(p));
    default: return delay + sck(p) * 48u;
    }
}

/* Polls WIP: starts the transfer when the part is idle, comes back when it will be. */
static void go_on(struct board *b, struct periph *p)
{
    struct nor *n = part(b);
    if (!has_pins(p)) { /* erratum 215's work-around counts on it */
        if (p->s[S_OP] == ACTIVATE + 1)
            ready(b, p);
        return;
    }
    if (n->awake_at > sim_time(b)) {
        timer_set(b, p, T_OP, n->awake_at);
        return;
    }
    if (!nor_answers(b, n))
        return; /* the status poll never ends */
    if (nor_busy(b, n)) {
        timer_set(b, p, T_OP, n->busy_until);
        return;
    }
    p->s[S_STARTED] = 1;
    timer_set(b, p, T_OP, sim_time(b) + transfer_time(p));
}

static void step(struct board *b, struct periph *p)
{
    if (!p->s[S_STARTED]) {
        go_on(b, p);
        return;
    }
    p->s[S_STARTED] = 0;
    switch (p->s[S_OP] - 1) {
    case ACTIVATE:
        p->store[STATUS / 4] = (uint32_t)nor_status(b, part(b)) << 24;
        ready(b, p);
        break;
    case READSTART: finish_read(b, p); break;
    case WRITESTART:
        send_page(b, p);
        if (p->s[S_LEFT])
            go_on(b, p);
        else
            ready(b, p);
        break;
    default:
        send_erase(b, p);
        ready(b, p);
        break;
    }
}

static void begin(struct board *b, struct periph *p, unsigned n, uint32_t flash, uint32_t ram, uint32_t left)
{
    if (p->s[S_OP] > ACTIVATE + 1) /* one at a time: the second is lost */
        return;
    wait_activity(b);
    p->s[S_OP] = n + 1;
    p->s[S_FLASH] = flash;
    p->s[S_RAM] = ram;
    p->s[S_LEFT] = left;
    p->s[S_STARTED] = 0;
    go_on(b, p);
}

/* ADDRCONF is sent with ACTIVATE: how a part is told to take 4-byte addresses. */
static void send_addrconf(struct board *b, struct periph *p)
{
    uint32_t a = reg(p, ADDRCONF), mode = a >> 24 & 3u;
    struct nor *n = part(b);
    if (!mode || !connected(b, p))
        return;
    if (a & 1u << 27) {
        nor_select(b, n, true);
        (void)nor_transfer(b, n, 0x06);
        nor_select(b, n, false);
    }
    nor_select(b, n, true);
    for (unsigned i = 0; i < mode; i++)
        (void)nor_transfer(b, n, (uint8_t)(a >> (8 * i)));
    nor_select(b, n, false);
}

static void task(struct board *b, struct periph *p, unsigned n)
{
    if (!reg(p, ENABLE))
        return;
    uint32_t cnt = reg(p, n == READSTART ? READ_CNT : WRITE_CNT) & 0x3FFFCu;
    switch (n) {
    case ACTIVATE:
        p->s[S_ACTIVE] = 1;
        p->s[S_OP] = 0;
        send_addrconf(b, p);
        begin(b, p, n, 0, 0, 0);
        break;
    case READSTART: begin(b, p, n, reg(p, READ_SRC) & ~3u, reg(p, READ_DST) & ~3u, cnt); break;
    case WRITESTART: begin(b, p, n, reg(p, WRITE_DST) & ~3u, reg(p, WRITE_SRC) & ~3u, cnt); break;
    case ERASESTART: begin(b, p, n, reg(p, ERASE_PTR), 0, reg(p, ERASE_LEN)); break;
    default:
        p->s[S_ACTIVE] = p->s[S_OP] = 0;
        timer_set(b, p, T_OP, NEVER);
        timer_set(b, p, T_CINSTR, NEVER);
        break;
    }
}

/* ---- custom instructions ---- */

static void cinstr_send(struct board *b, struct periph *p)
{
    uint32_t c = reg(p, CINSTRCONF), len = c >> 8 & 15u;
    bool lfen = c >> 16 & 1u, stop = c >> 17 & 1u, held = !(c >> 12 & 1u) || !(c >> 13 & 1u);
    struct nor *n = part(b);
    if ((c & 1u << 15) && !p->s[S_FRAME]) {
        nor_select(b, n, true);
        (void)nor_transfer(b, n, 0x06);
        nor_select(b, n, false);
    }
    if (!p->s[S_FRAME]) {
        nor_select(b, n, true);
        uint8_t sr = nor_transfer(b, n, (uint8_t)c);
        (void)sr;
    }
    uint64_t out = (uint64_t)reg(p, CINSTRDAT0 + 4) << 32 | reg(p, CINSTRDAT0), in = 0;
    for (uint32_t i = 0; i + 1 < len && i < 8; i++) {
        uint8_t v = nor_transfer(b, n, (uint8_t)(out >> (8 * i)));
        /* With HOLD# or WP# low the part does not drive a proper answer. */
        in |= (uint64_t)(held && !nor_quad_enabled(n) ? 0xFF : v) << (8 * i);
    }
    p->store[CINSTRDAT0 / 4] = (uint32_t)in;
    p->store[CINSTRDAT0 / 4 + 1] = (uint32_t)(in >> 32);
    p->s[S_FRAME] = lfen && !stop;
    if (!p->s[S_FRAME])
        nor_select(b, n, false);
    if ((c & 0xFFu) == 0x05)
        p->store[STATUS / 4] = (uint32_t)(in & 0xFFu) << 24;
}

static void cinstr_timer(struct board *b, struct periph *p)
{
    struct nor *n = part(b);
    if (!connected(b, p)) { /* nothing answers, but the clocks were sent */
        if (has_pins(p) && reg(p, CINSTRCONF) >> 14 & 1u)
            return; /* WIPWAIT: it waits for ever */
        p->store[CINSTRDAT0 / 4] = p->store[CINSTRDAT0 / 4 + 1] = 0xFFFFFFFF;
    } else {
        bool wipwait = reg(p, CINSTRCONF) >> 14 & 1u;
        if (wipwait && !nor_answers(b, n))
            return;
        if (wipwait && nor_busy(b, n)) {
            timer_set(b, p, T_CINSTR, n->busy_until);
            return;
        }
        cinstr_send(b, p);
    }
    event_raise(b, p, EV_READY);
}

static void cinstr_write(struct board *b, struct periph *p, uint32_t val)
{
    uint32_t len = val >> 8 & 15u;
    if (!reg(p, ENABLE) || !p->s[S_ACTIVE] || !len)
        return;
    wait_activity(b);
    timer_set(b, p, T_CINSTR, sim_time(b) + 4u * (reg(p, IFCONFIG1) & 0xFFu) + sck(p) * 8u * len);
}

/* ---- deep power-down by IFCONFIG1.DPMEN ---- */

static void dpm_write(struct board *b, struct periph *p)
{
    bool want = reg(p, IFCONFIG1) >> 24 & 1u;
    if (!(reg(p, IFCONFIG0) >> 7 & 1u) || !connected(b, p) || !reg(p, ENABLE) || want == (p->s[S_DPM] != 0))
        return;
    struct nor *n = part(b);
    nor_select(b, n, true);
    (void)nor_transfer(b, n, want ? 0xB9 : 0xAB);
    nor_select(b, n, false);
    uint32_t dur = reg(p, DPMDUR);
    timer_set(b, p, T_DPM, sim_time(b) + 1024ull * (want ? dur & 0xFFFFu : dur >> 16));
}

/* ---- XIP ---- */

bool qspi_xip_ready(const struct board *b)
{
    struct board *w = (struct board *)(uintptr_t)b;
    const struct periph *p = periph_by_base(w, 0x40029000);
    return reg(p, ENABLE) && p->s[S_ACTIVE] && connected(w, p);
}

bool qspi_xip_read(struct board *b, uint32_t off, uint8_t *buf, uint32_t len)
{
    struct periph *p = periph_by_base(b, 0x40029000);
    struct nor *n = part(b);
    if (!qspi_xip_ready(b) || !nor_answers(b, n))
        return false;
    if (nor_busy(b, n)) { /* the access waits for the part */
        b->cpu.cycles = n->busy_until;
        attention(b);
        (void)nor_busy(b, n);
    }
    read_array(b, p, reg(p, XIPOFFSET) + off, buf, len);
    b->cpu.cycles += sck(p) * (48u + len * 8u / read_lines(p)) / 4u; /* the cache fetches 16 bytes at a time */
    return true;
}

/* ---- pins that are moved by hand ---- */

static bool owns_pins(const struct periph *p)
{
    return reg(p, ENABLE) && has_pins(p);
}

/*
 * Levels on the part's wires while the peripheral lets go of them. The part's CSN has a pull-up, IO2 and IO3 are WP# and
 * HOLD# and have one inside; what else nobody drives is low.
 */
void qspi_pins_changed(struct board *b)
{
    const uint8_t *pin = b->config.qspi_pins;
    struct nor *n = part(b);
    unsigned levels = 0;
    if (!n->part || owns_pins(periph_by_base(b, 0x40029000)))
        return;
    for (unsigned i = 0; i < 6; i++) {
        bool driven = pin[i] < 48 && gpio_is_output(b, pin[i]);
        levels |= (unsigned)(driven ? gpio_level(b, pin[i]) : i == 1 || i >= 4) << i;
    }
    nor_wires(b, n, levels);
}

bool qspi_wires_are(struct board *b, uint32_t sck, uint32_t mosi, uint32_t miso)
{
    const uint8_t *pin = b->config.qspi_pins;
    return part(b)->part && !owns_pins(periph_by_base(b, 0x40029000)) && sck == pin[0] && mosi == pin[2] && miso == pin[3];
}

/* The level at which the part holds a pin, -1 if it does not. */
int qspi_pin_level(const struct board *b, unsigned pin)
{
    const struct nor *n = &b->st.nor[0];
    if (!n->part || !n->selected || owns_pins(periph_by_base((struct board *)(uintptr_t)b, 0x40029000)))
        return -1;
    for (unsigned io = 0; io < 4; io++) {
        if (b->config.qspi_pins[2 + io] == pin)
            return nor_wire_level(n, io);
    }
    return -1;
}

/* ---- the frame ---- */

static void timer(struct board *b, struct periph *p, unsigned which)
{
    if (which == T_OP)
        step(b, p);
    else if (which == T_CINSTR)
        cinstr_timer(b, p);
    else {
        p->s[S_DPM] = reg(p, IFCONFIG1) >> 24 & 1u;
        if (p->s[S_OP] && !p->s[S_STARTED] && p->at[T_OP] == NEVER) /* its status poll may be answered now */
            go_on(b, p);
    }
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    (void)b;
    (void)off;
    bool idle = p->s[S_OP] == 0 && p->at[T_CINSTR] == NEVER && p->at[T_DPM] == NEVER;
    return reg(p, STATUS) | (p->s[S_DPM] ? 4u : 0) | (idle ? 8u : 0);
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off == CINSTRCONF) {
        cinstr_write(b, p, val);
    } else if (off == IFCONFIG1) {
        dpm_write(b, p);
    } else if (off == ENABLE) {
        if (!(val & 1u)) {
            memset(p->s, 0, sizeof p->s - sizeof p->s[0]);
            for (unsigned i = 0; i < 3; i++)
                timer_set(b, p, i, NEVER);
        } else if (part(b)->part && has_pins(p)) {
            nor_select(b, part(b), false); /* it takes the pins, CSN high */
        }
        qspi_pins_changed(b);
    }
}

static const struct reg_desc regs[] = {
    { ENABLE, 1, 0, REG_RW | REG_HOOK_W, 1, 0 }, { READ_SRC, 2, 4, REG_RW, 0xFFFFFFFF, 0 }, { READ_CNT, 1, 0, REG_RW, 0x3FFFF, 0 },
    { WRITE_DST, 2, 4, REG_RW, 0xFFFFFFFF, 0 }, { WRITE_CNT, 1, 0, REG_RW, 0x3FFFF, 0 },
    { ERASE_PTR, 1, 0, REG_RW, 0xFFFFFFFF, 0 }, { ERASE_LEN, 1, 0, REG_RW, 3, 0 },
    { PSEL_SCK, 2, 4, REG_RW, 0x8000003F, 0xFFFFFFFF }, { PSEL_IO0, 4, 4, REG_RW, 0x8000003F, 0xFFFFFFFF },
    { XIPOFFSET, 1, 0, REG_RW, 0xFFFFFFFC, 0 }, { IFCONFIG0, 1, 0, REG_RW, 0x10FF, 0 },
    { IFCONFIG1, 1, 0, REG_RW | REG_HOOK_W, 0xF3FFFFFF, 0x00040480 }, { STATUS, 1, 0, REG_R | REG_HOOK_R, 0, 0 },
    { DPMDUR, 1, 0, REG_RW, 0xFFFFFFFF, 0xFFFFFFFF }, { ADDRCONF, 1, 0, REG_RW, 0x0FFFFFFF, 0xB7 },
    { CINSTRCONF, 1, 0, REG_RW | REG_HOOK_W, 0x3FFFF, 0x2000 }, { CINSTRDAT0, 2, 4, REG_RW, 0xFFFFFFFF, 0 },
    { IFTIMING, 1, 0, REG_RW, 0x700, 0x200 }, { 0 },
};
const struct periph_type qspi_type = { .tasks = 0x1F, .events = 1, .inten = true, .inten_rw = true, .regs = regs,
    .task = task, .timer = timer, .read = read, .write = write };

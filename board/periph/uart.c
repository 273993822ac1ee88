/*
 * UART0/UARTE0 and UARTE1: one model for both interfaces of the peripheral, ENABLE says which is in
 * use. Bytes take their time on the line, one timer each for sending and receiving.
 */
#include "board/board_priv.h"

enum { STARTRX, STOPRX, STARTTX, STOPTX, SUSPEND = 7, FLUSHRX = 11 };
enum { EV_CTS, EV_NCTS, EV_RXDRDY, EV_ENDRX = 4, EV_TXDRDY = 7, EV_ENDTX = 8, EV_ERROR = 9, EV_RXTO = 17,
    EV_RXSTARTED = 19, EV_TXSTARTED = 20, EV_TXSTOPPED = 22 };
enum { SHORTS = 0x200, ERRORSRC = 0x480, ENABLE = 0x500, PSEL_TXD = 0x50C, RXD = 0x518, TXD = 0x51C, BAUD = 0x524,
    RXD_PTR = 0x534, RXD_MAXCNT = 0x538, RXD_AMOUNT = 0x53C, TXD_PTR = 0x544, TXD_MAXCNT = 0x548, TXD_AMOUNT = 0x54C,
    RX_ON = 0x564, TX_ON = 0x568, CONFIG = 0x56C };
enum { LEGACY = 4, DMA = 8, FIFO = 6, T_TX = 0, T_RX = 1, T_RXSTOP = 2 };
/*
 * State. Sending: S_TX on, S_TXPTR next byte, S_TXLEFT bytes left, S_TXBYTE on the line,
 * S_TXNEXT the one behind it + 256. Receiving: S_RX on, S_RXPTR next place (0: no buffer), S_RXLEFT
 * room, S_RXCOUNT stored; S_FIFO bytes, oldest first, S_FIFOLEN.
 */
enum { S_TX, S_TXPTR, S_TXLEFT, S_TXBYTE, S_TXBUSY, S_TXNEXT, S_RX, S_RXBUF, S_RXPTR, S_RXLEFT, S_RXCOUNT, S_FIFO,
    S_FIFOLEN };

/* Cycles of one byte: ten bits, eleven with parity or a second stop bit. */
static uint64_t byte_time(const struct periph *p)
{
    static const struct { uint32_t top, baud; } rates[] = {
        { 0x0004F, 1200 }, { 0x0009D, 2400 }, { 0x0013B, 4800 }, { 0x00275, 9600 }, { 0x003AF, 14400 },
        { 0x003B0, 14400 }, { 0x004EA, 19200 }, { 0x0075C, 28800 }, { 0x0075F, 28800 }, { 0x00800, 31250 },
        { 0x009D0, 38400 }, { 0x009D5, 38400 }, { 0x00E50, 56000 }, { 0x00EB0, 57600 }, { 0x00EBF, 57600 },
        { 0x013A9, 76800 }, { 0x01D60, 115200 }, { 0x01D7E, 115200 }, { 0x03AFB, 230400 }, { 0x03B00, 230400 },
        { 0x04000, 250000 }, { 0x07400, 460800 }, { 0x075F7, 460800 }, { 0x0EBED, 921600 }, { 0x0F000, 921600 },
        { 0x10000, 1000000 },
    };
    uint32_t r = reg(p, BAUD) >> 12, baud = 250000;
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (rates[i].top == r)
            baud = rates[i].baud;
    }
    unsigned bits = 10 + ((reg(p, CONFIG) & 0xEu) ? 1u : 0) + (reg(p, CONFIG) >> 4 & 1u);
    return (uint64_t)BOARD_CYCLES_PER_S * bits / baud;
}

static bool is_dma(const struct periph *p)
{
    return reg(p, ENABLE) == DMA;
}

/* ---- sending ---- */

static void put_byte(struct board *b, struct periph *p, uint8_t byte)
{
    hash_in(b, byte);
    if (!(reg(p, PSEL_TXD) >> 31) && b->uart_fn)
        b->uart_fn(b->uart_ctx, p->unit, &byte, 1);
}

/*
 * EasyDMA fetches a byte when its turn on the line comes, not when it has left: firmware that sends one
 * byte out of a stack frame that it then leaves (micro:bit's does) is heard correctly.
 */
static void tx_fetch(struct board *b, struct periph *p)
{
    uint8_t byte = 0; /* what EasyDMA cannot reach */
    (void)dma_read(b, (uint32_t)p->s[S_TXPTR], &byte, 1);
    p->s[S_TXBYTE] = byte;
    timer_set(b, p, T_TX, sim_time(b) + byte_time(p));
}

static void tx_start(struct board *b, struct periph *p)
{
    if (!reg(p, ENABLE))
        return;
    p->s[S_TX] = 1;
    if (!is_dma(p))
        return;
    p->s[S_TXPTR] = reg(p, TXD_PTR);
    p->s[S_TXLEFT] = reg(p, TXD_MAXCNT) & 0xFFFFu;
    p->store[TXD_AMOUNT / 4] = 0;
    event_raise(b, p, EV_TXSTARTED);
    if (p->s[S_TXLEFT]) {
        wait_activity(b);
        tx_fetch(b, p);
    } else {
        event_raise(b, p, EV_ENDTX);
    }
}

static void tx_byte_done(struct board *b, struct periph *p)
{
    wait_activity(b);
    put_byte(b, p, (uint8_t)p->s[S_TXBYTE]);
    if (!is_dma(p)) {
        p->s[S_TXBUSY] = p->s[S_TXNEXT] != 0;
        p->s[S_TXBYTE] = p->s[S_TXNEXT] & 0xFFu;
        p->s[S_TXNEXT] = 0;
        if (p->s[S_TXBUSY])
            timer_set(b, p, T_TX, sim_time(b) + byte_time(p));
        event_raise(b, p, EV_TXDRDY);
        return;
    }
    p->s[S_TXPTR]++;
    p->s[S_TXLEFT]--;
    p->store[TXD_AMOUNT / 4]++;
    if (p->s[S_TXLEFT])
        tx_fetch(b, p);
    event_raise(b, p, EV_TXDRDY);
    if (!p->s[S_TXLEFT])
        event_raise(b, p, EV_ENDTX);
}

static void tx_stop(struct board *b, struct periph *p)
{
    bool sending = p->at[T_TX] != NEVER;
    p->s[S_TX] = 0;
    p->s[S_TXNEXT] = p->s[S_TXLEFT] = p->s[S_TXBUSY] = 0;
    timer_set(b, p, T_TX, NEVER);
    if (is_dma(p) && sending) /* a transfer that is broken off has ended too */
        event_raise(b, p, EV_ENDTX);
    if (is_dma(p))
        event_raise(b, p, EV_TXSTOPPED);
}

static void tx_write(struct board *b, struct periph *p, uint32_t val)
{
    if (!p->s[S_TX])
        return;
    wait_activity(b);
    if (p->s[S_TXBUSY]) {
        p->s[S_TXNEXT] = 0x100u | (val & 0xFFu);
        return;
    }
    p->s[S_TXBUSY] = 1;
    p->s[S_TXBYTE] = val & 0xFFu;
    timer_set(b, p, T_TX, sim_time(b) + byte_time(p));
}

bool uart_sends(struct board *b)
{
    return periph_by_base(b, 0x40002000)->at[T_TX] != NEVER || periph_by_base(b, 0x40028000)->at[T_TX] != NEVER;
}

/* ---- receiving ---- */

static void listen(struct board *b, struct periph *p)
{
    if (p->s[S_RX])
        b->st.uart_flags |= 1u << p->unit;
    else
        b->st.uart_flags &= ~(1u << p->unit);
    /* With flow control RTS holds the sender off while the FIFO is nearly full. */
    bool held = (reg(p, CONFIG) & 1u) && p->s[S_FIFOLEN] >= FIFO - 2 && !(is_dma(p) && p->s[S_RXBUF]);
    if (p->s[S_RX] && b->st.rx[p->unit].count && p->at[T_RX] == NEVER && !held)
        timer_set(b, p, T_RX, sim_time(b) + byte_time(p));
}

void uart_input_came(struct board *b, unsigned uart)
{
    static const uint32_t base[BOARD_UARTS] = { 0x40002000, 0x40028000 };
    listen(b, periph_by_base(b, base[uart]));
}

static uint8_t fifo_pop(struct periph *p)
{
    uint8_t v = (uint8_t)p->s[S_FIFO];
    p->s[S_FIFO] >>= 8;
    p->s[S_FIFOLEN]--;
    return v;
}

static void fifo_push(struct board *b, struct periph *p, uint8_t byte)
{
    if (p->s[S_FIFOLEN] == FIFO) { /* the byte is lost */
        p->store[ERRORSRC / 4] |= 1;
        event_raise(b, p, EV_ERROR);
        return;
    }
    p->s[S_FIFO] |= (uint64_t)byte << (8 * p->s[S_FIFOLEN]++);
}

static void rx_start(struct board *b, struct periph *p);

static void rx_end(struct board *b, struct periph *p)
{
    uint32_t shorts = reg(p, SHORTS);
    p->s[S_RXBUF] = 0;
    p->store[RXD_AMOUNT / 4] = (uint32_t)p->s[S_RXCOUNT];
    event_raise(b, p, EV_ENDRX);
    if (shorts & 1u << 5)
        rx_start(b, p);
    if (shorts & 1u << 6)
        task_trigger(b, p, STOPRX);
}

static void rx_store(struct board *b, struct periph *p, uint8_t byte)
{
    (void)dma_write(b, (uint32_t)p->s[S_RXPTR]++, &byte, 1);
    p->s[S_RXCOUNT]++;
    if (--p->s[S_RXLEFT] == 0)
        rx_end(b, p);
}

static void rx_start(struct board *b, struct periph *p)
{
    if (!reg(p, ENABLE))
        return;
    p->s[S_RX] = 1;
    timer_set(b, p, T_RXSTOP, NEVER);
    if (is_dma(p)) {
        p->s[S_RXBUF] = 1;
        p->s[S_RXPTR] = reg(p, RXD_PTR);
        p->s[S_RXLEFT] = reg(p, RXD_MAXCNT) & 0xFFFFu;
        p->s[S_RXCOUNT] = 0;
        event_raise(b, p, EV_RXSTARTED);
        if (!p->s[S_RXLEFT])
            rx_end(b, p);
        while (p->s[S_RXBUF] && p->s[S_FIFOLEN])
            rx_store(b, p, fifo_pop(p));
    }
    listen(b, p);
}

static void rx_byte_came(struct board *b, struct periph *p)
{
    struct uart_queue *q = &b->st.rx[p->unit];
    uint8_t byte = q->data[q->head];
    if (!q->count || !p->s[S_RX])
        return;
    q->head = (q->head + 1) % UART_QUEUE;
    q->count--;
    wait_activity(b);
    if (is_dma(p)) {
        event_raise(b, p, EV_RXDRDY);
        if (p->s[S_RXBUF])
            rx_store(b, p, byte);
        else
            fifo_push(b, p, byte);
    } else {
        fifo_push(b, p, byte);
        if (p->s[S_FIFOLEN] == 1)
            event_raise(b, p, EV_RXDRDY);
    }
    listen(b, p);
}

static uint32_t rx_read(struct board *b, struct periph *p)
{
    if (!p->s[S_FIFOLEN])
        return reg(p, RXD);
    p->store[RXD / 4] = fifo_pop(p);
    if (p->s[S_FIFOLEN])
        event_raise(b, p, EV_RXDRDY);
    listen(b, p);
    return reg(p, RXD);
}

/* The receiver stays up for a moment after STOPRX, then says RXTO. */
static void rx_stopped(struct board *b, struct periph *p)
{
    p->s[S_RX] = 0;
    timer_set(b, p, T_RX, NEVER);
    listen(b, p);
    event_raise(b, p, EV_RXTO);
}

static void rx_stop(struct board *b, struct periph *p)
{
    if (!reg(p, ENABLE))
        return;
    if (is_dma(p) && p->s[S_RXBUF]) {
        p->s[S_RXBUF] = 0;
        p->store[RXD_AMOUNT / 4] = (uint32_t)p->s[S_RXCOUNT];
        event_raise(b, p, EV_ENDRX);
    }
    timer_set(b, p, T_RXSTOP, sim_time(b) + byte_time(p));
}

/* The FIFO into the buffer. The chip leaves AMOUNT alone if there was nothing, and so does this. */
static void rx_flush(struct board *b, struct periph *p)
{
    uint32_t ptr = reg(p, RXD_PTR), room = reg(p, RXD_MAXCNT) & 0xFFFFu, n = 0;
    for (; p->s[S_FIFOLEN] && n < room; n++) {
        uint8_t byte = fifo_pop(p);
        (void)dma_write(b, ptr + n, &byte, 1);
    }
    if (n)
        p->store[RXD_AMOUNT / 4] = n;
    event_raise(b, p, EV_ENDRX);
}

/* ---- the frame ---- */

static void task(struct board *b, struct periph *p, unsigned n)
{
    switch (n) {
    case STARTRX: rx_start(b, p); break;
    case STOPRX: rx_stop(b, p); break;
    case STARTTX: tx_start(b, p); break;
    case STOPTX: tx_stop(b, p); break;
    case FLUSHRX: rx_flush(b, p); break;
    default: /* SUSPEND: both directions */
        tx_stop(b, p);
        rx_stop(b, p);
        break;
    }
}

static void timer(struct board *b, struct periph *p, unsigned which)
{
    if (which == T_TX)
        tx_byte_done(b, p);
    else if (which == T_RX)
        rx_byte_came(b, p);
    else
        rx_stopped(b, p);
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    switch (off) {
    case RXD: return rx_read(b, p);
    case RX_ON: return (uint32_t)p->s[S_RX];
    case TX_ON: return (uint32_t)p->s[S_TX];
    default: return 0;
    }
}

static void disable(struct board *b, struct periph *p)
{
    for (unsigned i = 0; i < S_FIFOLEN + 1; i++)
        p->s[i] = 0;
    for (unsigned i = 0; i < 3; i++)
        timer_set(b, p, i, NEVER);
    listen(b, p);
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off == TXD)
        tx_write(b, p, val);
    else if (off == ERRORSRC)
        p->store[ERRORSRC / 4] &= ~val;
    else if (off == ENABLE && (val & 15u) == 0)
        disable(b, p);
}

static const struct reg_desc regs[] = {
    { ERRORSRC, 1, 0, REG_RW | REG_HOOK_W, 0, 0 }, { ENABLE, 1, 0, REG_RW | REG_HOOK_W, 15, 0 },
    { 0x508, 4, 4, REG_RW, 0x8000003F, 0xFFFFFFFF }, { RXD, 1, 0, REG_R | REG_HOOK_R, 0, 0 },
    { TXD, 1, 0, REG_W | REG_HOOK_W, 0, 0 }, { BAUD, 1, 0, REG_RW, 0xFFFFFFFF, 0x04000000 },
    { RXD_PTR, 1, 0, REG_RW, 0xFFFFFFFF, 0 }, { RXD_MAXCNT, 1, 0, REG_RW, 0xFFFF, 0 }, { RXD_AMOUNT, 1, 0, REG_R, 0, 0 },
    { TXD_PTR, 1, 0, REG_RW, 0xFFFFFFFF, 0 }, { TXD_MAXCNT, 1, 0, REG_RW, 0xFFFF, 0 }, { TXD_AMOUNT, 1, 0, REG_R, 0, 0 },
    { RX_ON, 2, 4, REG_RW | REG_HOOK_R, 0, 0 }, { CONFIG, 1, 0, REG_RW, 0x1F, 0 }, { 0 },
};
const struct periph_type uart_type = { .tasks = 0x88F, .events = 0x5A0397, .inten = true, .inten_rw = true,
    .shorts = 0x78, .regs = regs, .task = task, .timer = timer, .read = read, .write = write };

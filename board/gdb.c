/*
 * GDB's remote protocol (GDB manual, appendix E): registers, memory, breakpoints, single steps,
 * watch points for writes. One connection, all-stop.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "board/board_priv.h"

enum { PACKET = 4096, BREAKS = 64, SLICE = BOARD_CYCLES_PER_S / 50 };

struct gdb {
    struct board *b;
    int fd;
    uint64_t until;
    char in[PACKET], out[PACKET + 8];
    size_t in_len;
    uint32_t breaks[BREAKS];
    unsigned break_count;
    bool stepping, first; /* first: the instruction we stand on is not checked again */
    bool done, killed, no_ack;
    board_between_fn *between;
    void *ctx;
    enum board_stop stop;
};

static const char target_xml[] =
    "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target version=\"1.0\"><architecture>arm</architecture>"
    "<feature name=\"org.gnu.gdb.arm.m-profile\">"
    "<reg name=\"r0\" bitsize=\"32\"/><reg name=\"r1\" bitsize=\"32\"/><reg name=\"r2\" bitsize=\"32\"/>"
    "<reg name=\"r3\" bitsize=\"32\"/><reg name=\"r4\" bitsize=\"32\"/><reg name=\"r5\" bitsize=\"32\"/>"
    "<reg name=\"r6\" bitsize=\"32\"/><reg name=\"r7\" bitsize=\"32\"/><reg name=\"r8\" bitsize=\"32\"/>"
    "<reg name=\"r9\" bitsize=\"32\"/><reg name=\"r10\" bitsize=\"32\"/><reg name=\"r11\" bitsize=\"32\"/>"
    "<reg name=\"r12\" bitsize=\"32\"/><reg name=\"sp\" bitsize=\"32\" type=\"data_ptr\"/>"
    "<reg name=\"lr\" bitsize=\"32\"/><reg name=\"pc\" bitsize=\"32\" type=\"code_ptr\"/>"
    "<reg name=\"xpsr\" bitsize=\"32\" regnum=\"16\"/></feature>"
    "<feature name=\"org.gnu.gdb.arm.m-system\"><reg name=\"msp\" bitsize=\"32\" type=\"data_ptr\" regnum=\"17\"/>"
    "<reg name=\"psp\" bitsize=\"32\" type=\"data_ptr\" regnum=\"18\"/><reg name=\"primask\" bitsize=\"32\" regnum=\"19\"/>"
    "<reg name=\"basepri\" bitsize=\"32\" regnum=\"20\"/><reg name=\"faultmask\" bitsize=\"32\" regnum=\"21\"/>"
    "<reg name=\"control\" bitsize=\"32\" regnum=\"22\"/></feature></target>";

enum { REGS = 23 };

static const char digits[] = "0123456789abcdef";

static void put_raw(struct gdb *g, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(g->fd, data, len);
        if (n <= 0) {
            g->done = true;
            return;
        }
        data += n;
        len -= (size_t)n;
    }
}

static void reply(struct gdb *g, const char *text)
{
    unsigned sum = 0;
    size_t n = strlen(text);
    char *frame = malloc(n + 5);
    if (!frame)
        abort();
    frame[0] = '$';
    memcpy(frame + 1, text, n);
    for (size_t i = 0; i < n; i++)
        sum += (unsigned char)text[i];
    frame[n + 1] = '#';
    frame[n + 2] = digits[sum >> 4 & 15u];
    frame[n + 3] = digits[sum & 15u];
    put_raw(g, frame, n + 4);
    free(frame);
}

/* ---- hex ---- */

static int nibble(char c)
{
    const char *p = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return p ? (int)(p - digits) : -1;
}

static uint32_t number(const char **s)
{
    uint32_t v = 0;
    for (; nibble(**s) >= 0; (*s)++)
        v = v << 4 | (uint32_t)nibble(**s);
    return v;
}

static char *put_bytes(char *to, const void *from, size_t len)
{
    const uint8_t *p = from;
    for (size_t i = 0; i < len; i++) {
        *to++ = digits[p[i] >> 4];
        *to++ = digits[p[i] & 15u];
    }
    *to = '\0';
    return to;
}

static size_t get_bytes(const char *from, uint8_t *to, size_t max)
{
    size_t n = 0;
    while (n < max && nibble(from[0]) >= 0 && nibble(from[1]) >= 0) {
        to[n++] = (uint8_t)(nibble(from[0]) << 4 | nibble(from[1]));
        from += 2;
    }
    return n;
}

/* ---- running ---- */

static bool before_insn(void *ctx, uint32_t pc)
{
    struct gdb *g = ctx;
    if (g->first) {
        g->first = false;
        return false;
    }
    bool hit = g->stepping;
    for (unsigned i = 0; i < g->break_count; i++)
        hit |= g->breaks[i] == pc;
    if (hit) {
        g->stop = BOARD_BREAK;
        board_stop(g->b);
    }
    return hit;
}

/* Has the debugger said something (Ctrl-C is 0x03) while the board ran? */
static bool spoken_to(struct gdb *g)
{
    struct pollfd f = { .fd = g->fd, .events = POLLIN };
    if (poll(&f, 1, 0) <= 0)
        return false;
    char c;
    ssize_t n = read(g->fd, &c, 1);
    if (n <= 0)
        g->done = true;
    return n <= 0 || c == 3;
}

static void say_stop(struct gdb *g)
{
    switch (g->stop) {
    case BOARD_LOCKUP: case BOARD_FAULT: reply(g, "S0b"); break;
    case BOARD_CUT: case BOARD_OFF: reply(g, "S0f"); break;
    case BOARD_RUNS: reply(g, "S02"); break;
    default: reply(g, "S05"); break;
    }
}

static void resume(struct gdb *g, bool step)
{
    g->stepping = step;
    g->first = true;
    g->stop = BOARD_RUNS;
    while (g->stop == BOARD_RUNS) {
        uint64_t slice = board_now(g->b) + SLICE, to = slice < g->until ? slice : g->until;
        enum board_stop s = board_run(g->b, to);
        if (g->stop == BOARD_BREAK)
            break;
        if (s == BOARD_RUNS && board_next_event(g->b) == UINT64_MAX && board_now(g->b) >= to)
            usleep(20000); /* nothing will happen by itself, but somebody is looking */
        g->stop = s;
        bool over = board_now(g->b) >= g->until || (g->between && g->between(g->ctx));
        g->done |= over;
        if (spoken_to(g) || over)
            break;
    }
    g->stepping = false;
    if (g->done)
        reply(g, "W00"); /* the run is over: as a program that has ended */
    else
        say_stop(g);
}

/* ---- packets ---- */

static void read_registers(struct gdb *g)
{
    char *p = g->out;
    for (unsigned i = 0; i < REGS; i++) {
        uint32_t v = board_reg(g->b, i);
        uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
        p = put_bytes(p, bytes, 4);
    }
    reply(g, g->out);
}

static void write_register(struct gdb *g, unsigned n, const char *hex)
{
    uint8_t v[4];
    if (get_bytes(hex, v, 4) == 4)
        board_set_reg(g->b, n, (uint32_t)v[0] | (uint32_t)v[1] << 8 | (uint32_t)v[2] << 16 | (uint32_t)v[3] << 24);
}

static void write_registers(struct gdb *g, const char *s)
{
    for (unsigned i = 0; i < REGS && strlen(s) >= 8 * (i + 1); i++)
        write_register(g, i, s + 8 * i);
    reply(g, "OK");
}

static void one_register(struct gdb *g, const char *s, bool write)
{
    unsigned n = number(&s);
    if (n >= REGS) {
        reply(g, "E01");
    } else if (write) {
        write_register(g, n, s + 1);
        reply(g, "OK");
    } else {
        uint32_t v = board_reg(g->b, n);
        uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
        put_bytes(g->out, bytes, 4);
        reply(g, g->out);
    }
}

static void read_memory(struct gdb *g, const char *s)
{
    uint8_t buf[PACKET / 2];
    uint32_t addr = number(&s), len = *s == ',' ? (s++, number(&s)) : 0;
    if (len > sizeof buf || !board_peek(g->b, addr, buf, len)) {
        reply(g, "E01");
        return;
    }
    put_bytes(g->out, buf, len);
    reply(g, g->out);
}

static void write_memory(struct gdb *g, const char *s)
{
    uint8_t buf[PACKET / 2];
    uint32_t addr = number(&s), len = *s == ',' ? (s++, number(&s)) : 0;
    bool ok = *s == ':' && len <= sizeof buf && get_bytes(s + 1, buf, len) == len && board_poke(g->b, addr, buf, len);
    reply(g, ok ? "OK" : "E01");
}

/* Z and z: types 0 and 1 only, software and hardware breakpoints alike */
static void breakpoint(struct gdb *g, const char *s, bool set)
{
    char type = *s++;
    uint32_t addr = *s == ',' ? (s++, number(&s)) : 0;
    if (type != '0' && type != '1') {
        reply(g, "");
        return;
    }
    for (unsigned i = 0; i < g->break_count; i++) {
        if (g->breaks[i] == addr)
            g->breaks[i--] = g->breaks[--g->break_count];
    }
    if (set && g->break_count == BREAKS) {
        reply(g, "E01");
        return;
    }
    if (set)
        g->breaks[g->break_count++] = addr & ~1u;
    reply(g, "OK");
}

static void send_xml(struct gdb *g, const char *s)
{
    uint32_t off = number(&s), len = *s == ',' ? (s++, number(&s)) : 0, total = sizeof target_xml - 1;
    if (off > total)
        off = total;
    if (len > PACKET - 8)
        len = PACKET - 8;
    if (len > total - off)
        len = total - off;
    g->out[0] = off + len == total ? 'l' : 'm';
    memcpy(g->out + 1, target_xml + off, len);
    g->out[1 + len] = '\0';
    reply(g, g->out);
}

static void query(struct gdb *g, const char *s)
{
    static const char xml[] = "qXfer:features:read:target.xml:";
    if (strncmp(s, "qSupported", 10) == 0)
        reply(g, "PacketSize=fff;qXfer:features:read+;QStartNoAckMode+");
    else if (strcmp(s, "QStartNoAckMode") == 0) {
        reply(g, "OK");
        g->no_ack = true;
    } else if (strncmp(s, xml, sizeof xml - 1) == 0)
        send_xml(g, s + sizeof xml - 1);
    else if (strncmp(s, "qAttached", 9) == 0)
        reply(g, "1");
    else if (strcmp(s, "qfThreadInfo") == 0)
        reply(g, "m1");
    else if (strcmp(s, "qsThreadInfo") == 0)
        reply(g, "l");
    else if (strcmp(s, "qC") == 0)
        reply(g, "QC1");
    else if (strncmp(s, "qRcmd,", 6) == 0) { /* monitor reset */
        board_reset_pin(g->b);
        reply(g, "OK");
    } else
        reply(g, "");
}

static void command(struct gdb *g, const char *s)
{
    const char *arg = s + 1;
    switch (*s) {
    case '?': say_stop(g); break;
    case 'g': read_registers(g); break;
    case 'G': write_registers(g, arg); break;
    case 'p': one_register(g, arg, false); break;
    case 'P': one_register(g, arg, true); break;
    case 'm': read_memory(g, arg); break;
    case 'M': write_memory(g, arg); break;
    case 'Z': breakpoint(g, arg, true); break;
    case 'z': breakpoint(g, arg, false); break;
    case 'c': case 's':
        if (*arg)
            board_set_reg(g->b, 15, number(&arg));
        resume(g, *s == 's');
        break;
    case 'H': case 'T': reply(g, "OK"); break;
    case 'q': case 'Q': query(g, s); break;
    case 'D':
        reply(g, "OK");
        g->done = true;
        break;
    case 'k': g->done = g->killed = true; break;
    default: reply(g, ""); break;
    }
}

/* Takes one packet out of what has come; false if none is whole. */
static bool take_packet(struct gdb *g, char *packet)
{
    char *start = memchr(g->in, '$', g->in_len);
    if (!start) {
        g->in_len = 0;
        return false;
    }
    g->in_len -= (size_t)(start - g->in); /* acknowledgements and what else lies between packets */
    memmove(g->in, start, g->in_len);
    start = g->in;
    char *end = memchr(start, '#', g->in_len);
    if (!end || end + 3 > start + g->in_len)
        return false;
    size_t n = (size_t)(end - start) - 1;
    memcpy(packet, start + 1, n);
    packet[n] = '\0';
    size_t used = (size_t)(end + 3 - g->in);
    memmove(g->in, g->in + used, g->in_len - used);
    g->in_len -= used;
    if (!g->no_ack)
        put_raw(g, "+", 1);
    return true;
}

/* Lets the last answer arrive: a socket that is closed with something unread takes it back. */
static void hang_up(int fd)
{
    struct pollfd f = { .fd = fd, .events = POLLIN };
    char rest[64];
    shutdown(fd, SHUT_WR);
    while (poll(&f, 1, 200) > 0 && read(fd, rest, sizeof rest) > 0)
        ;
}

enum board_stop board_gdb_serve(struct board *b, int fd, uint64_t until, board_between_fn *between, void *ctx)
{
    struct gdb *g = calloc(1, sizeof *g);
    struct board_watch watch = { .insn = before_insn };
    char packet[PACKET];
    if (!g)
        return BOARD_BREAK;
    *g = (struct gdb){ .b = b, .fd = fd, .until = until, .stop = BOARD_BREAK, .between = between, .ctx = ctx };
    board_on_watch(b, &watch, g);
    while (!g->done) {
        ssize_t n = read(fd, g->in + g->in_len, sizeof g->in - g->in_len);
        if (n <= 0)
            break;
        g->in_len += (size_t)n;
        while (!g->done && take_packet(g, packet))
            command(g, packet);
        if (g->in_len == sizeof g->in)
            g->in_len = 0; /* longer than we said we take: nothing to be made of it */
    }
    board_on_watch(b, NULL, NULL);
    hang_up(fd);
    enum board_stop stop = g->killed ? BOARD_BREAK : g->stop;
    free(g);
    return stop;
}

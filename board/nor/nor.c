/* A serial NOR flash: command frames, status registers, array operations with their times. */
#include <string.h>

#include "board/board_priv.h"

enum { US = 64, SR1 = 0, SR2 = 1, SR3 = 2, SR5 = 4 };

static uint64_t time_now(const struct board *b)
{
    return sim_time(b);
}

void nor_power_on(struct nor *n)
{
    const struct nor_part *part = n->part;
    uint8_t *mem = n->mem;
    uint8_t kept[6];
    memcpy(kept, n->kept, sizeof kept);
    bool first = n->awake_at == 0 && n->busy_until == 0;
    *n = (struct nor){ .part = part, .mem = mem, .fault = n->fault, .fault_from = n->fault_from, .ops = n->ops };
    memcpy(n->kept, first ? part->sr_reset : kept, first ? sizeof part->sr_reset : sizeof kept);
    memcpy(n->sr, n->kept, sizeof n->sr);
    n->awake_at = 1; /* "has been powered" */
}

/* ---- array operations: applied when their time is over, so that a cut finds them in flight ---- */

static bool broken(const struct nor *n, enum board_chip_fault how)
{
    return n->fault == how && n->ops >= n->fault_from;
}

static bool dead(const struct nor *n)
{
    return broken(n, CHIP_ONES) || broken(n, CHIP_ZEROS);
}

/* One bit of what a bad part should have changed is as it was: the first that had to change. */
static void leave_a_bit(const struct nor *n, const uint8_t *before, uint8_t *after, uint32_t len)
{
    bool bad = n->running_erase ? broken(n, CHIP_BAD_ERASE) : broken(n, CHIP_BAD_PROGRAM);
    for (uint32_t i = 0; bad && i < len; i++) {
        uint8_t changed = before[i] ^ after[i];
        if (changed) {
            after[i] ^= changed & (uint8_t)-changed;
            return;
        }
    }
}

static void apply(struct board *b, struct nor *n, bool torn)
{
    uint8_t before[4096];
    uint32_t at = n->running_erase ? n->op_addr : n->op_addr & ~(uint32_t)(NOR_PAGE - 1);
    uint32_t len = n->running_erase ? n->op_len : NOR_PAGE, first = len < sizeof before ? len : (uint32_t)sizeof before;
    memcpy(before, n->mem + at, first);
    flash_apply(b, n->mem + at, n->running_erase ? NULL : n->op_data, len, torn);
    leave_a_bit(n, before, n->mem + at, first);
    n->running = false;
    memory_changed(b, ADDR_XIP + n->op_addr, n->op_len > 65536 ? 65536 : n->op_len);
}

bool nor_busy(struct board *b, struct nor *n)
{
    if (n->busy_until > time_now(b))
        return !dead(n);
    if (broken(n, CHIP_BUSY) && !n->fault_from)
        return true;
    if (n->running)
        apply(b, n, false);
    return false;
}

void nor_tear(struct board *b, struct nor *n)
{
    if (n->part && n->running && n->busy_until > time_now(b))
        apply(b, n, true);
    else if (n->part && n->running)
        apply(b, n, false);
    n->busy_until = 0;
}

static bool is_protected(const struct nor *n)
{
    return n->sr[SR1] & n->part->block_protect;
}

static void start(struct board *b, struct nor *n, bool erase, uint32_t addr, uint32_t len, uint64_t us)
{
    n->ops++;
    if (dead(n)) /* it dies with this one */
        return;
    n->running = true;
    n->running_erase = erase;
    n->op_addr = addr;
    n->op_len = len;
    n->wel = false;
    n->busy_until = broken(n, CHIP_BUSY) ? NEVER : time_now(b) + us * US;
    (void)flash_op(b, true, erase, addr, len, us * US); /* a cut tears it in nor_tear() */
}

static bool awake(const struct board *b, const struct nor *n)
{
    return n->part && !n->power_down && n->awake_at <= time_now(b);
}

bool nor_answers(struct board *b, const struct nor *n)
{
    if (n->part && dead(n)) /* all zeros look like a part that is idle */
        return n->fault == CHIP_ZEROS;
    return awake(b, n) && !n->qpi;
}

static bool accepts(struct board *b, struct nor *n)
{
    return awake(b, n) && !dead(n) && !nor_busy(b, n);
}

void nor_read(struct board *b, struct nor *n, uint32_t addr, uint8_t *buf, uint32_t len)
{
    if (!accepts(b, n)) {
        memset(buf, broken(n, CHIP_ZEROS) ? 0 : 0xFF, len);
        return;
    }
    for (uint32_t i = 0; i < len; i++)
        buf[i] = n->mem[(addr + i) & (n->part->size - 1u)];
}

/* Within one page, wrapping; bytes not sent keep 0xFF, which programs nothing. */
static void program_page(struct board *b, struct nor *n, uint32_t addr, uint32_t len)
{
    if (is_protected(n)) /* silently ignored: no WIP */
        return;
    start(b, n, false, addr, len < NOR_PAGE ? len : NOR_PAGE, n->part->page_us);
}

bool nor_program(struct board *b, struct nor *n, uint32_t addr, const uint8_t *data, uint32_t len)
{
    if (!accepts(b, n))
        return false;
    addr &= n->part->size - 1u;
    memset(n->op_data, 0xFF, sizeof n->op_data);
    for (uint32_t i = 0; i < len; i++)
        n->op_data[(addr + i) % NOR_PAGE] = data[i];
    program_page(b, n, addr, len);
    return true;
}

bool nor_erase(struct board *b, struct nor *n, uint32_t addr, uint32_t len)
{
    if (!accepts(b, n) || is_protected(n))
        return false;
    addr &= n->part->size - 1u;
    if (len == n->part->size) {
        start(b, n, true, 0, len, (uint64_t)n->part->chip_erase_ms * 1000);
        return true;
    }
    for (unsigned i = 0; i < NOR_ERASE_TYPES; i++) {
        if (n->part->erase[i].log2 && 1u << n->part->erase[i].log2 == len) {
            start(b, n, true, addr & ~(len - 1u), len, n->part->erase[i].us);
            return true;
        }
    }
    return false;
}

/* ---- status ---- */

uint8_t nor_status(struct board *b, struct nor *n)
{
    if (dead(n) || !awake(b, n))
        return broken(n, CHIP_ZEROS) ? 0 : 0xFF;
    bool wip = nor_busy(b, n);
    return (uint8_t)((n->sr[SR1] & ~3u) | (n->wel ? NOR_STATUS_WEL : 0) | (wip ? NOR_STATUS_WIP : 0));
}

bool nor_quad_enabled(const struct nor *n)
{
    switch (n->part ? n->part->qer : 0) {
    case 0: return true;
    case 2: return n->sr[SR1] >> 6 & 1u;
    case 3: return n->sr[SR2] >> 7 & 1u;
    default: return n->sr[SR2] >> 1 & 1u;
    }
}

/* Clocks between address and data of the 1-4-4 read, mode clocks included. */
unsigned nor_quad_io_dummies(const struct nor *n)
{
    return n->part->family == NOR_ATMEL ? 2u + 2u * (n->sr[SR5] >> 4 & 7u) : 6u;
}

/* What QSPI's WRITEOC asks for: 1 PP2O, 2 PP4O (1-1-4, 32h), 3 PP4IO (1-4-4, 38h) */
bool nor_has_program(const struct nor *n, unsigned writeoc)
{
    if (n->part->family == NOR_MACRONIX)
        return writeoc == 3;
    return n->part->family == NOR_ATMEL ? writeoc == 2 : writeoc >= 2;
}

static void write_status(struct board *b, struct nor *n, const uint8_t *val, unsigned count, unsigned first)
{
    if (!n->wel && !n->volatile_armed)
        return;
    for (unsigned i = 0; i < count && first + i < 3; i++) {
        uint8_t keep = first + i == SR1 ? n->part->sr1_keep : 0xFF;
        n->sr[first + i] = (uint8_t)((n->sr[first + i] & ~keep) | (val[i] & keep));
    }
    if (n->part->qer == 1 && first == SR1 && count == 1) /* S2B1v1: one byte clears the second */
        n->sr[SR2] = 0;
    if (n->volatile_armed) /* at once, and only until power goes */
        return;
    memcpy(n->kept, n->sr, sizeof n->kept);
    n->wel = false;
    n->busy_until = time_now(b) + (uint64_t)n->part->status_us * US;
}

/* ---- frames ---- */

enum { ADDR_NONE, ADDR_YES };

static unsigned address_bytes(const struct nor *n)
{
    switch (n->cmd) {
    case 0x03: case 0x0B: case 0x02: case 0x20: case 0x52: case 0xD8:
        return n->four_byte ? 4 : 3;
    case 0x5A: case 0x90: case 0xAB: return 3;
    case 0x65: case 0x71: return n->part->family == NOR_ATMEL ? 1 : 0;
    default: return 0;
    }
}

static unsigned dummy_bytes(const struct nor *n)
{
    switch (n->cmd) {
    case 0x0B: case 0x5A: return 1;
    case 0x65: return 1;
    case 0x4B: return 4;
    default: return 0;
    }
}

/* Byte `i` of what the part sends after address and dummies. */
static uint8_t answer(struct board *b, struct nor *n, uint32_t i)
{
    const struct nor_part *p = n->part;
    switch (n->cmd) {
    case 0x9F: return i < p->id_len ? p->id[i] : 0;
    case 0x90: return (uint8_t)(i % 2 ? p->id[2] - 1u : p->id[0]);
    case 0xAB: return (uint8_t)(p->id[2] - 1u);
    case 0x05: return nor_status(b, n);
    case 0x35: return n->sr[SR2];
    case 0x15: return p->family == NOR_MACRONIX ? n->sr[SR2] : n->sr[SR3];
    case 0x3F: return n->sr[SR2];
    case 0x5A: return n->addr + i < p->sfdp_len ? p->sfdp[n->addr + i] : 0xFF;
    case 0x4B: return (uint8_t)(0xA5 ^ i);
    case 0x65: return n->addr >= 1 && n->addr <= 6 ? (n->addr == 1 ? nor_status(b, n) : n->sr[n->addr - 1]) : 0xFF;
    case 0x03: case 0x0B: return n->mem[(n->addr + i) & (p->size - 1u)];
    default: return 0xFF;
    }
}

/* What a part takes in the middle of an operation: only questions about its state, and a reset. */
static bool allowed_while_busy(uint8_t cmd)
{
    return cmd == 0x05 || cmd == 0x35 || cmd == 0x15 || cmd == 0x65 || cmd == 0x3F || cmd == 0x66 || cmd == 0x99;
}

static void soft_reset(struct board *b, struct nor *n)
{
    if (n->busy_until == NEVER) /* nothing but its power helps a part that hangs */
        return;
    if (n->running && n->busy_until > time_now(b)) { /* what ran is torn */
        enum board_tear tear = b->st.tear;
        b->st.tear = TEAR_BITS;
        apply(b, n, true);
        b->st.tear = tear;
    }
    n->wel = n->four_byte = n->power_down = n->ultra = n->qpi = false;
    memcpy(n->sr, n->kept, sizeof n->sr);
    n->busy_until = 0;
    n->awake_at = time_now(b) + 30 * US;
}

static void wake_up(struct board *b, struct nor *n)
{
    if (!n->power_down)
        return;
    n->power_down = false;
    n->awake_at = time_now(b) + (n->ultra ? 1200u : n->part->wake_us) * US;
    n->ultra = false;
}

static void erase_command(struct board *b, struct nor *n, unsigned got)
{
    if (!n->wel)
        return;
    if (n->cmd == 0xC7 || n->cmd == 0x60) {
        (void)nor_erase(b, n, 0, n->part->size);
        return;
    }
    for (unsigned i = 0; i < NOR_ERASE_TYPES && got >= address_bytes(n); i++) {
        if (n->part->erase[i].log2 && n->part->erase[i].opcode == n->cmd)
            (void)nor_erase(b, n, n->addr, 1u << n->part->erase[i].log2);
    }
}

/* CS rises: the frame of `got` bytes after the command acts. */
static void act(struct board *b, struct nor *n, unsigned got)
{
    const struct nor_part *p = n->part;
    switch (n->cmd) {
    case 0x06: n->wel = true; break;
    case 0x50: break;
    case 0x04: n->wel = false; break;
    case 0x01: write_status(b, n, n->arg, got < 3 ? got : 3, SR1); break;
    case 0x31: write_status(b, n, n->arg, got ? 1 : 0, SR2); break;
    case 0x3E: write_status(b, n, n->arg, got ? 1 : 0, SR2); break;
    case 0x11: write_status(b, n, n->arg, got ? 1 : 0, SR3); break;
    case 0x71:
        if (n->wel && got >= 2 && n->addr >= 1 && n->addr <= 6 && p->family == NOR_ATMEL) {
            n->sr[n->addr - 1] = n->arg[0];
            memcpy(n->kept, n->sr, sizeof n->kept);
            n->wel = false;
            n->busy_until = time_now(b) + (uint64_t)p->status_us * US;
        }
        break;
    case 0x02:
        if (n->wel && got > address_bytes(n))
            program_page(b, n, n->addr & (p->size - 1u), got - address_bytes(n));
        break;
    case 0x20: case 0x52: case 0xD8: case 0xC7: case 0x60: erase_command(b, n, got); break;
    case 0xB9: n->power_down = true; break;
    case 0x79: n->power_down = n->ultra = p->family == NOR_ATMEL; break;
    case 0xB7: n->four_byte = p->four_byte; break;
    case 0xE9: n->four_byte = false; break;
    case 0x99:
        if (n->reset_armed)
            soft_reset(b, n);
        break;
    default: break;
    }
    n->reset_armed = n->cmd == 0x66;
    n->volatile_armed = n->cmd == 0x50 && p->family != NOR_MACRONIX;
}

/* A frame of one byte that enters or leaves QPI. True if it was one. */
static bool change_qpi(struct nor *n)
{
    const struct nor_part *p = n->part;
    if (!p->qpi_enter || n->cmd != (n->qpi ? p->qpi_exit : p->qpi_enter))
        return false;
    n->qpi = n->qpi ? false : nor_quad_enabled(n) || p->family == NOR_MACRONIX;
    return true;
}

static bool deaf(struct board *b, struct nor *n)
{
    if (dead(n))
        return true;
    if (n->power_down || n->awake_at > time_now(b))
        return n->cmd != 0xAB;
    return nor_busy(b, n) && !allowed_while_busy(n->cmd);
}

void nor_select(struct board *b, struct nor *n, bool low)
{
    if (!n->part || low == n->selected)
        return;
    n->selected = low;
    if (low) {
        n->pos = 0;
        n->addr = 0;
        return;
    }
    if (n->pos == 0 || dead(n))
        return;
    if (n->cmd == 0xAB)
        wake_up(b, n);
    else if (!deaf(b, n) && !(n->pos == 1 && change_qpi(n)))
        act(b, n, n->pos - 1);
    if (n->part->family == NOR_MACRONIX && n->power_down && n->cmd != 0xB9)
        wake_up(b, n); /* MX25R leaves deep power-down when CS toggles */
}

/* A byte after command and address of what carries data. */
static void take_data(struct nor *n, uint32_t i, uint8_t v)
{
    if (n->cmd == 0x02) {
        if (i == 0)
            memset(n->op_data, 0xFF, sizeof n->op_data);
        n->op_data[(n->addr + i) % NOR_PAGE] = v;
    } else if (i < sizeof n->arg) {
        n->arg[i] = v;
    }
}

uint8_t nor_sends(struct board *b, struct nor *n)
{
    unsigned skip = address_bytes(n) + dummy_bytes(n);
    if (broken(n, CHIP_ZEROS))
        return 0;
    return n->pos == 0 || deaf(b, n) || n->pos <= skip ? 0xFF : answer(b, n, n->pos - skip - 1);
}

void nor_receives(struct board *b, struct nor *n, uint8_t v)
{
    uint32_t pos = n->pos++;
    if (pos == 0)
        n->cmd = v;
    if (pos == 0 || deaf(b, n))
        return;
    unsigned address = address_bytes(n), skip = address + dummy_bytes(n);
    if (pos <= address)
        n->addr = n->addr << 8 | v;
    else if (pos > skip)
        take_data(n, pos - skip - 1, v);
}

/* A byte of a controller, on one line. In QPI that is a quarter of four bytes that mean nothing. */
uint8_t nor_transfer(struct board *b, struct nor *n, uint8_t out)
{
    if (!n->part || !n->selected || n->qpi)
        return 0xFF;
    uint8_t sent = nor_sends(b, n);
    nor_receives(b, n, out);
    return sent;
}

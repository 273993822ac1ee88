#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "sim/flash/nor_priv.h"

struct nor_geometry nor_internal_nrf52840(uint32_t size)
{
    return (struct nor_geometry) {
        .name = "internal",
        .size = size ? size : 1024 * 1024,
        .erase_size = 4096,
        .prog_size = 4,
        .prog_max = 256,
        .prog_limit = 2,
        .stalls = true,
        .erase_us = 85000,
        .word_us = 41,
        .erase_max_ms = 90,
        .prog_max_ms = 10,
    };
}

struct nor_geometry nor_external_part(uint32_t jedec, uint32_t size)
{
    uint32_t own_size = jedec == 0xC22817 ? 8u << 20 : 4u << 20;

    return (struct nor_geometry) {
        .name = "external",
        .size = size ? size : own_size,
        .erase_size = 4096,
        .prog_size = 4,
        .prog_max = 256,
        .erase_us = 48000,
        .page_us = 900,
        .poll_us = 100,
        .erase_max_ms = 3000,
        .prog_max_ms = 12,
        .jedec = jedec,
    };
}

static const struct nor_fault *fault_active(const struct nor *nor, enum nor_fault_kind kind)
{
    for (unsigned i = 0; i < nor->faults; i++) {
        if (nor->fault[i].kind == kind && nor->ops >= nor->fault[i].from_op)
            return &nor->fault[i];
    }
    return NULL;
}

static void violate(struct nor *nor, enum nor_violation_kind kind, uint32_t off)
{
    if (nor->violations < NOR_VIOLATIONS)
        nor->violation[nor->violations]
            = (struct nor_violation) { .kind = kind, .off = off, .op = nor->power->ops };
    nor->violations++;
}

/* Counts the words of a program and looks whether the chip allows it. */
static void check_program(struct nor *nor, uint32_t off, const uint8_t *data, uint32_t len)
{
    uint32_t word = nor->geo.prog_size;

    for (uint32_t at = 0; at < len; at += word) {
        uint8_t *programs = &nor->word_programs[(off + at) / word];
        if (*programs < UINT8_MAX)
            (*programs)++;
        if (nor->geo.prog_limit && *programs > nor->geo.prog_limit)
            violate(nor, NOR_VIOLATION_LIMIT, off + at);
        for (uint32_t i = at; i < at + word; i++) {
            if (data[i] & ~nor->mem[off + i]) {
                violate(nor, NOR_VIOLATION_SET, off + i);
                break;
            }
        }
    }
}

static void program_mem(struct nor *nor, uint32_t off, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        nor->mem[off + i] &= data[i];
}

void nor_op_complete(struct nor *nor)
{
    enum nor_op op = nor->op;

    nor->op = NOR_IDLE;
    if (op == NOR_PROGRAM && nor->op_data && memcmp(nor->op_data, nor->op_copy, nor->op_len) != 0)
        violate(nor, NOR_VIOLATION_DATA, nor->op_off);
    if (nor->op_void || op == NOR_IDLE)
        return;
    if (op == NOR_PROGRAM) {
        program_mem(nor, nor->op_off, nor->op_copy, nor->op_len);
        weak_apply_program(nor, nor->op_off, nor->op_copy, nor->op_len);
    } else {
        memset(nor->mem + nor->op_off, 0xFF, nor->op_len);
        memset(nor->word_programs + nor->op_off / nor->geo.prog_size, 0,
            nor->op_len / nor->geo.prog_size);
        weak_apply_erase(nor, nor->op_off, nor->op_len);
    }
}

static void tear_half(struct nor *nor, enum nor_op op)
{
    if (op == NOR_PROGRAM)
        program_mem(nor, nor->op_off, nor->op_copy, nor->op_len / 2);
    else
        memset(nor->mem + nor->op_off, 0xFF, nor->op_len / 2);
}

static void tear_bits(struct nor *nor, enum nor_op op)
{
    for (uint32_t i = 0; i < nor->op_len; i++) {
        uint8_t *p = &nor->mem[nor->op_off + i];
        uint8_t r = (uint8_t)sim_power_random(nor->power);
        if (op == NOR_PROGRAM)
            *p &= (uint8_t)(nor->op_copy[i] | r);
        else
            *p |= r;
    }
}

/* What was weak under a torn operation stays weak, whatever the kind of tear: it proved nothing. */
void nor_op_tear(struct nor *nor, enum sim_tear tear)
{
    enum nor_op op = nor->op;

    if (op == NOR_IDLE)
        return;
    if (tear == SIM_TEAR_ALL) {
        nor->op_data = NULL; /* the caller's memory is gone with the power */
        nor_op_complete(nor);
        return;
    }
    nor->op = NOR_IDLE;
    if (nor->op_void)
        return;
    if (tear == SIM_TEAR_HALF) {
        tear_half(nor, op);
        weak_widen(nor, nor->op_off, nor->op_len);
    } else if (tear == SIM_TEAR_BITS) {
        tear_bits(nor, op);
        weak_widen(nor, nor->op_off, nor->op_len);
    } else if (tear == SIM_TEAR_WEAK && op == NOR_PROGRAM)
        weak_tear_program(nor, nor->op_off, nor->op_copy, nor->op_len);
    else if (tear == SIM_TEAR_WEAK)
        weak_tear_erase(nor, nor->op_off, nor->op_len);
}

static void power_fails(struct nor *nor)
{
    struct sim_power *p = nor->power;

    p->off = true;
    for (unsigned i = 0; i < p->chips; i++)
        nor_op_tear(p->chip[i], p->chip[i] == nor ? p->tear : p->tear_other);
    if (p->cut)
        p->cut(p->ctx);
}

static void count_start(struct nor *nor, uint32_t us)
{
    uint32_t unit = nor->op_off / nor->geo.erase_size;

    nor->count.busy_us += us;
    if (nor->op == NOR_ERASE) {
        nor->count.erases++;
        nor->unit_erases[unit]++;
        return;
    }
    nor->count.programs++;
    nor->count.words += nor->op_len / nor->geo.prog_size;
    nor->unit_programs[unit]++;
    check_program(nor, nor->op_off, nor->op_copy, nor->op_len);
}

/* ERR_* if an operation cannot be started now; counts it and finds out what faults make of it. */
static int may_start(struct nor *nor, uint32_t off, enum nor_fault_kind lost)
{
    if (nor->power->off)
        return ERR_NODEV;
    if (nor->op != NOR_IDLE) {
        if (fault_active(nor, NOR_FAULT_BUSY))
            return ERR_TIMEOUT;
        violate(nor, NOR_VIOLATION_OVERLAP, off);
        return ERR_BUSY;
    }
    nor->ops++;
    nor->power->ops++;
    if (fault_active(nor, NOR_FAULT_ABSENT))
        return ERR_NODEV;
    nor->op_void = fault_active(nor, lost) != NULL || fault_active(nor, NOR_FAULT_BUSY) != NULL;
    return OK;
}

/* The operation in `nor->op*` begins: power may fail in it, the CPU may stall until its end. */
static int begin(struct nor *nor, uint32_t us)
{
    if (!nor->op_void)
        count_start(nor, us);
    nor->op_end_us = nor->clock->us + (nor->op_void ? 0 : us);
    if (nor->power->cut_at && nor->power->ops >= nor->power->cut_at) {
        power_fails(nor);
        return ERR_NODEV;
    }
    if (nor->geo.stalls) {
        sim_clock_advance(nor->clock, nor->op_end_us - nor->clock->us);
        nor_op_complete(nor);
    }
    return OK;
}

static int nor_prog_start(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    struct nor *nor = (struct nor *)ctx;
    const struct nor_geometry *g = &nor->geo;

    if (len == 0 || off >= g->size || len > g->size - off)
        return ERR_RANGE;
    if (off % g->prog_size || len % g->prog_size || off / g->prog_max != (off + len - 1) / g->prog_max)
        return ERR_ALIGN;
    int rc = may_start(nor, off, NOR_FAULT_NO_PROGRAM);
    if (rc)
        return rc;
    nor->op = NOR_PROGRAM;
    nor->op_off = off;
    nor->op_len = len;
    nor->op_data = data;
    memcpy(nor->op_copy, data, len);
    return begin(nor, g->page_us + g->word_us * (len / g->prog_size));
}

static int nor_erase_start(void *ctx, uint32_t off)
{
    struct nor *nor = (struct nor *)ctx;

    if (off >= nor->geo.size)
        return ERR_RANGE;
    if (off % nor->geo.erase_size)
        return ERR_ALIGN;
    int rc = may_start(nor, off, NOR_FAULT_NO_ERASE);
    if (rc)
        return rc;
    nor->op = NOR_ERASE;
    nor->op_off = off;
    nor->op_len = nor->geo.erase_size;
    nor->op_data = NULL;
    return begin(nor, nor->geo.erase_us);
}

static int nor_poll(void *ctx)
{
    struct nor *nor = (struct nor *)ctx;

    if (nor->power->off)
        return ERR_NODEV;
    if (nor->op == NOR_IDLE)
        return OK;
    if (fault_active(nor, NOR_FAULT_ABSENT)) {
        nor->op = NOR_IDLE;
        return ERR_NODEV;
    }
    if (fault_active(nor, NOR_FAULT_BUSY)) {
        sim_clock_advance(nor->clock, nor->geo.poll_us);
        return ERR_BUSY;
    }
    if (nor->clock->us < nor->op_end_us) {
        uint64_t left = nor->op_end_us - nor->clock->us;
        sim_clock_advance(nor->clock, left < nor->geo.poll_us ? left : nor->geo.poll_us);
        return ERR_BUSY;
    }
    nor_op_complete(nor);
    return OK;
}

static int nor_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    struct nor *nor = (struct nor *)ctx;

    if (nor->power->off)
        return ERR_NODEV;
    if (off > nor->geo.size || len > nor->geo.size - off)
        return ERR_RANGE;
    if (fault_active(nor, NOR_FAULT_ABSENT)) {
        memset(buf, 0xFF, len);
        return OK;
    }
    if (fault_active(nor, NOR_FAULT_READ_ERROR))
        return ERR_IO;
    if (fault_active(nor, NOR_FAULT_BUSY))
        return ERR_TIMEOUT;
    if (nor->op != NOR_IDLE) {
        violate(nor, NOR_VIOLATION_OVERLAP, off);
        return ERR_BUSY;
    }
    memcpy(buf, nor->mem + off, len);
    return OK;
}

static int nor_probe(void *ctx, uint32_t *jedec)
{
    struct nor *nor = (struct nor *)ctx;
    const struct nor_fault *id = fault_active(nor, NOR_FAULT_ID);

    *jedec = 0;
    if (nor->power->off)
        return ERR_NODEV;
    if (nor->geo.jedec == 0)
        return OK;
    if (fault_active(nor, NOR_FAULT_ABSENT)) {
        *jedec = 0xFFFFFF;
        return ERR_NODEV;
    }
    *jedec = id ? id->id : nor->geo.jedec;
    return fault_active(nor, NOR_FAULT_BUSY) ? ERR_TIMEOUT : OK;
}

static uint32_t nor_now_ms(void *ctx)
{
    return (uint32_t)(((struct nor *)ctx)->clock->us / 1000);
}

static const struct flash_ops nor_ops = {
    .read = nor_read,
    .prog_start = nor_prog_start,
    .erase_start = nor_erase_start,
    .poll = nor_poll,
    .probe = nor_probe,
    .now_ms = nor_now_ms,
};

void nor_device(struct nor *nor, struct flash_dev *dev)
{
    *dev = (struct flash_dev) {
        .ops = &nor_ops,
        .ctx = nor,
        .name = nor->geo.name,
        .size = nor->geo.size,
        .erase_size = nor->geo.erase_size,
        .prog_size = nor->geo.prog_size,
        .prog_max = nor->geo.prog_max,
        .erase_max_ms = nor->geo.erase_max_ms,
        .prog_max_ms = nor->geo.prog_max_ms,
        .jedec = nor->geo.jedec,
        .prog_limit = nor->geo.prog_limit,
    };
}

static bool geometry_ok(const struct nor_geometry *g)
{
    return g->prog_size && g->prog_max && g->erase_size && g->size && g->prog_max % g->prog_size == 0
        && g->erase_size % g->prog_max == 0 && g->size % g->erase_size == 0;
}

/* Words that hold something have been programmed, how often is not known: once. */
static void count_words(struct nor *nor, uint32_t off, uint32_t len)
{
    uint32_t word = nor->geo.prog_size;

    for (uint32_t at = off / word * word; at < off + len; at += word)
        nor->word_programs[at / word] = bytes_all(nor->mem + at, word, 0xFF) ? 0 : 1;
}

int nor_open(struct nor *nor, const struct nor_geometry *geo, struct sim_clock *clock,
    struct sim_power *power, uint8_t *mem)
{
    if (!geometry_ok(geo) || power->chips == SIM_CHIPS)
        return ERR_ARG;
    uint32_t units = geo->size / geo->erase_size;
    *nor = (struct nor) { .geo = *geo, .clock = clock, .power = power, .mem = mem };
    nor->own_mem = mem == NULL;
    if (nor->own_mem) {
        nor->mem = malloc(geo->size);
        if (nor->mem)
            memset(nor->mem, 0xFF, geo->size);
    }
    nor->unit_erases = calloc(units, sizeof *nor->unit_erases);
    nor->unit_programs = calloc(units, sizeof *nor->unit_programs);
    nor->word_programs = calloc(geo->size / geo->prog_size, 1);
    nor->op_copy = malloc(geo->prog_max);
    power->chip[power->chips++] = nor;
    if (!nor->mem || !nor->unit_erases || !nor->unit_programs || !nor->word_programs || !nor->op_copy) {
        nor_close(nor);
        return ERR_NOSPACE;
    }
    count_words(nor, 0, geo->size);
    return OK;
}

void nor_close(struct nor *nor)
{
    struct sim_power *p = nor->power;

    for (unsigned i = 0; p && i < p->chips; i++) {
        if (p->chip[i] == nor)
            p->chip[i--] = p->chip[--p->chips];
    }
    if (nor->own_mem)
        free(nor->mem);
    free(nor->unit_erases);
    free(nor->unit_programs);
    free(nor->word_programs);
    free(nor->op_copy);
    weak_free(&nor->weak);
    *nor = (struct nor) { 0 };
}

int nor_fault_add(struct nor *nor, const struct nor_fault *fault)
{
    if (nor->faults == NOR_FAULTS)
        return ERR_NOSPACE;
    nor->fault[nor->faults++] = *fault;
    return OK;
}

void nor_load(struct nor *nor, uint32_t off, const void *data, uint32_t len)
{
    memcpy(nor->mem + off, data, len);
    count_words(nor, off, len);
    weak_forget(nor, off, len);
}

void nor_counters_clear(struct nor *nor)
{
    uint32_t units = nor->geo.size / nor->geo.erase_size;

    nor->count = (struct nor_counters) { 0 };
    memset(nor->unit_erases, 0, units * sizeof *nor->unit_erases);
    memset(nor->unit_programs, 0, units * sizeof *nor->unit_programs);
}

uint32_t nor_max_erases(const struct nor *nor, uint32_t off, uint32_t len)
{
    uint32_t max = 0;

    for (uint32_t at = off; at < off + len; at += nor->geo.erase_size) {
        uint32_t n = nor->unit_erases[at / nor->geo.erase_size];
        max = n > max ? n : max;
    }
    return max;
}

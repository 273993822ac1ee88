/*
 * Whole runs of a firmware, in lockstep with Unicorn's Cortex-M4:
 *
 *     lockstep_run FIRMWARE.hex INSNS [expected-text]
 *
 * The board runs a stretch of instructions and notes their addresses, its accesses to peripherals
 * and what reached memory otherwise (DMA, flash, exception frames). Unicorn runs the same stretch on
 * memory of its own; what it reads from peripherals comes from the notes, what it writes there is
 * compared with them. Then all registers are compared. Instructions whose meaning lies outside of
 * Unicorn's core (SVC, CPS, MSR, MRS, WFI, WFE, SEV, BKPT, exclusive access, exception entry and
 * return) are the board's alone; how many there were is printed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicorn/unicorn.h>

#include "board/board.h"

enum { STRETCH = 20000, IO_MAX = 65536, DIRTY_MAX = 4096, RAM = 0x20000000, ALIAS = 0x00800000 };
enum { FULL, AFTER_ENTRY, AFTER_RETURN, AFTER_RESET }; /* how the stretch ended: what can be compared */

struct io {
    bool write;
    uint32_t addr, val;
    unsigned size;
};

struct dirty {
    uint32_t addr, len;
};

static struct board *board;
static uc_engine *uc;
static struct io io[IO_MAX];
static unsigned io_count, io_at;
static struct dirty dirty[DIRTY_MAX];
static unsigned dirty_count;
static uint32_t pcs[STRETCH + 8];
static unsigned started; /* instructions of this stretch */
static unsigned ran; /* by Unicorn, of this stretch */
static int ended;
static bool special_next, ends, failed, began_in_it;
/* IT blocks cannot be split in Unicorn: where the last one began, and how much of it is to come. */
static unsigned it_at, it_left;
static _Alignas(4096) uint8_t their_ram[BOARD_RAM_SIZE];
static uint64_t total, alone, stretches;
static char out[65536];
static size_t out_len;

static void complain(const char *fmt, uint32_t a, uint32_t b)
{
    if (!failed) {
        printf("after %" PRIu64 " instructions: ", total);
        printf(fmt, a, b);
        printf("\n");
    }
    failed = true;
}

/* ---- the board's side ---- */

static uint32_t half(uint32_t pc)
{
    uint8_t b[2] = { 0, 0 };
    (void)board_peek(board, pc, b, 2);
    return (uint32_t)b[0] | (uint32_t)b[1] << 8;
}

static uint32_t word(uint32_t addr)
{
    uint8_t b[4] = { 0 };
    (void)board_peek(board, addr, b, 4);
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* In a handler: BX, POP or LDM SP!, with an EXC_RETURN for the PC? */
static bool is_exception_return(uint32_t pc, uint32_t h)
{
    uint32_t target = 0, sp = board_reg(board, 13);
    if ((h & 0xFF87u) == 0x4700)
        target = board_reg(board, h >> 3 & 15u);
    else if ((h & 0xFF00u) == 0xBD00)
        target = word(sp + 4u * (uint32_t)__builtin_popcount(h & 0xFFu));
    else if (h == 0xE8BD && (half(pc + 2) & 0x8000u))
        target = word(sp + 4u * (uint32_t)__builtin_popcount(half(pc + 2) & 0x7FFFu));
    return target >= 0xF0000000u && (board_reg(board, 16) & 0x1FFu);
}

/* Is this an instruction of the board alone? Code in RAM seen through the code bus is, too. */
static bool is_special(uint32_t pc)
{
    uint32_t h = half(pc), h2;
    if (pc - ALIAS < BOARD_RAM_SIZE || is_exception_return(pc, h))
        return true;
    if (h >> 8 == 0xBE || h >> 8 == 0xDF || h == 0xBF20 || h == 0xBF30 || h == 0xBF40 || (h & 0xFFE8u) == 0xB660)
        return true;
    if (h >> 11 < 0x1D)
        return false;
    h2 = half(pc + 2);
    if ((h & 0xFFE0u) == 0xF380 && (h2 & 0xD000u) == 0x8000) /* MSR, hints */
        return true;
    if ((h & 0xFFF0u) == 0xF3B0 || (h & 0xFFF0u) == 0xF3E0 || (h & 0xFFF0u) == 0xF3A0) /* barriers, CLREX, MRS */
        return (h & 0xFFF0u) != 0xF3B0 || (h2 & 0xF0u) == 0x20;
    if ((h & 0xFFE0u) == 0xE840) /* LDREX, STREX */
        return true;
    return (h & 0xFFE0u) == 0xE8C0 && ((h2 & 0xF0u) == 0x40 || (h2 & 0xF0u) == 0x50);
}

/* In an IT block whose condition fails? Unicorn calls no hook for what it skips. */
static bool is_skipped(void)
{
    uint32_t x = board_reg(board, 16), it = (x >> 8 & 0xFCu) | (x >> 25 & 3u), cond = it >> 4;
    bool n = x >> 31, z = x >> 30 & 1u, c = x >> 29 & 1u, v = x >> 28 & 1u;
    const bool holds[8] = { z, c, n, v, c && !z, n == v, !z && n == v, true };
    return it && cond < 14 && holds[cond >> 1] == (cond & 1u);
}

static bool on_insn(void *ctx, uint32_t pc)
{
    (void)ctx;
    bool skipped = is_skipped(), special = !skipped && is_special(pc);
    bool block_over = began_in_it && !(board_reg(board, 16) & 0x0600FC00u);
    if (ends || (started && (special || special_next || block_over || started == STRETCH))) {
        ends = true;
        board_stop(board);
        return true;
    }
    special_next = special;
    uint32_t h = half(pc);
    uint32_t x = board_reg(board, 16), it = (x >> 8 & 0xCu) | (x >> 25 & 3u);
    it_left = it ? 3u - (unsigned)__builtin_ctz(it) : 0;
    if (skipped)
        return false;
    if (h >> 8 == 0xBF && (h & 15u)) {
        it_at = started;
        it_left = 4u - (unsigned)__builtin_ctz(h & 15u);
    }
    pcs[started++] = pc;
    return false;
}

static void on_mmio(void *ctx, bool write, uint32_t addr, unsigned size, uint32_t val)
{
    (void)ctx;
    if (io_count < IO_MAX)
        io[io_count++] = (struct io){ write, addr, val, size };
}

static void on_memory(void *ctx, uint32_t addr, uint32_t len)
{
    (void)ctx;
    if (dirty_count < DIRTY_MAX)
        dirty[dirty_count++] = (struct dirty){ addr, len };
    else
        complain("too many changes of memory at once", 0, 0);
    ends = true; /* the change lies between two instructions, or belongs to the last one */
    board_stop(board);
}

static void on_exception(void *ctx, unsigned n, bool enter)
{
    (void)ctx;
    if (ended == FULL)
        ended = n == 1 ? AFTER_RESET : enter && (n < 3 || n > 6) ? AFTER_ENTRY : AFTER_RETURN;
    ends = true;
    board_stop(board);
}

static void on_uart(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    (void)ctx;
    if (uart == 0 && out_len + len < sizeof out) {
        memcpy(out + out_len, data, len);
        out_len += len;
    }
}

/* ---- Unicorn's side ---- */

static void on_code(uc_engine *u, uint64_t addr, uint32_t size, void *ctx)
{
    unsigned *limit = ctx;
    (void)size;
    if (ran == *limit || failed) {
        uc_emu_stop(u);
        return;
    }
    if (pcs[ran] != (uint32_t)addr)
        complain("the board ran 0x%08x, Unicorn is at 0x%08x", pcs[ran], (uint32_t)addr);
    ran++;
}

static const struct io *next_io(bool write, uint32_t addr, unsigned size)
{
    if (io_at == io_count || io[io_at].write != write || io[io_at].addr != addr || io[io_at].size != size) {
        complain(write ? "Unicorn writes 0x%08x, the board does not" : "Unicorn reads 0x%08x, the board does not", addr, 0);
        return NULL;
    }
    return &io[io_at++];
}

static uint64_t mmio_read(uc_engine *u, uint64_t off, unsigned size, void *ctx)
{
    (void)u;
    const struct io *i = next_io(false, (uint32_t)(uintptr_t)ctx + (uint32_t)off, size);
    return i ? i->val : 0;
}

static void mmio_write(uc_engine *u, uint64_t off, unsigned size, uint64_t val, void *ctx)
{
    (void)u;
    const struct io *i = next_io(true, (uint32_t)(uintptr_t)ctx + (uint32_t)off, size);
    if (i && i->val != (uint32_t)val)
        complain("the board writes 0x%08x, Unicorn 0x%08x", i->val, (uint32_t)val);
}

static bool open_unicorn(unsigned *limit)
{
    static const uint32_t mmio[] = { 0x40000000, 0x50000000, 0xE0000000, 0xF0000000, 0x60000000 /* nothing there: BFHFNMIGN's loads */ };
    uc_hook hook;
    bool ok = !uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &uc) && !uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_M4)
        && !uc_mem_map(uc, 0, BOARD_FLASH_SIZE, UC_PROT_ALL) && !uc_mem_map_ptr(uc, RAM, BOARD_RAM_SIZE, UC_PROT_ALL, their_ram)
        && !uc_mem_map(uc, 0x10000000, 0x2000, UC_PROT_ALL) && !uc_mem_map(uc, ALIAS, BOARD_RAM_SIZE, UC_PROT_ALL)
        && !uc_hook_add(uc, &hook, UC_HOOK_CODE, (void *)(uintptr_t)on_code, limit, 1, 0);
    for (unsigned i = 0; ok && i < sizeof mmio / sizeof mmio[0]; i++)
        ok = !uc_mmio_map(uc, mmio[i], 0x100000, mmio_read, (void *)(uintptr_t)mmio[i], mmio_write, (void *)(uintptr_t)mmio[i]);
    return ok;
}

static void copy_memory(uint32_t addr, uint32_t len)
{
    static uint8_t buf[BOARD_FLASH_SIZE];
    if (addr >= ALIAS && addr < ALIAS + BOARD_RAM_SIZE)
        addr += RAM - ALIAS;
    if (len > sizeof buf || !board_peek(board, addr, buf, len))
        return;
    if (uc_mem_write(uc, addr, buf, len) == UC_ERR_OK)
        uc_ctl_remove_cache(uc, addr, addr + len);
}

static const int uc_core[15] = { UC_ARM_REG_R0, UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R4, UC_ARM_REG_R5,
    UC_ARM_REG_R6, UC_ARM_REG_R7, UC_ARM_REG_R8, UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11, UC_ARM_REG_R12,
    UC_ARM_REG_SP, UC_ARM_REG_LR };

static void copy_registers(void)
{
    for (unsigned i = 0; i < 15; i++) {
        uint32_t v = board_reg(board, i);
        uc_reg_write(uc, uc_core[i], &v);
    }
    uint32_t xpsr = board_reg(board, 16) & ~0x1FFu, flags = xpsr & 0xF8000000u, fpscr = board_reg(board, 23);
    uc_reg_write(uc, UC_ARM_REG_XPSR_NZCVQG, &xpsr);
    uc_reg_write(uc, UC_ARM_REG_APSR_NZCV, &flags);
    uc_reg_write(uc, UC_ARM_REG_FPSCR, &fpscr);
    for (unsigned i = 0; i < 32; i++) {
        uint32_t v = board_reg(board, 32 + i);
        uc_reg_write(uc, UC_ARM_REG_S0 + (int)i, &v);
    }
}

static void compare_register(const char *name, uint32_t ours, int id, uint32_t mask)
{
    uint32_t v = 0;
    uc_reg_read(uc, id, &v);
    if ((v ^ ours) & mask) {
        char text[64];
        snprintf(text, sizeof text, "%s: board 0x%%08x, Unicorn 0x%%08x", name);
        complain(text, ours, v);
    }
}

static void compare(int how)
{
    static const char *const names[15] = { "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12",
        "sp", "lr" };
    for (unsigned i = 0; i < 15; i++) {
        bool kept = i >= 4 && i <= 11;
        if (how == FULL || (how == AFTER_ENTRY && i < 13) || kept)
            compare_register(names[i], board_reg(board, i), uc_core[i], 0xFFFFFFFF);
    }
    if (how == FULL) {
        compare_register("xpsr", board_reg(board, 16), UC_ARM_REG_XPSR, 0xFF0FFC00u);
        compare_register("fpscr", board_reg(board, 23), UC_ARM_REG_FPSCR, 0xFFFFFFFF);
    }
    for (unsigned i = how == AFTER_RETURN ? 16 : 0; i < 32; i++)
        compare_register("s", board_reg(board, 32 + i), UC_ARM_REG_S0 + (int)i, 0xFFFFFFFF);
}

/* What the board alone has stored: every block of RAM that is not the same. */
static void copy_changed_ram(void)
{
    enum { BLOCK = 256 };
    for (uint32_t off = 0; off < BOARD_RAM_SIZE; off += BLOCK) {
        if (memcmp(their_ram + off, board_ram(board) + off, BLOCK))
            copy_memory(RAM + off, BLOCK);
    }
}

/* ---- together ---- */

static bool stretch(unsigned *limit)
{
    io_count = io_at = dirty_count = started = ran = 0;
    ends = special_next = false;
    ended = FULL;
    began_in_it = it_left != 0;
    enum board_stop stop = board_run(board, board_now(board) + 64000000ull * 2);
    if (stop != BOARD_RUNS && stop != BOARD_BREAK)
        return false;
    if (stop == BOARD_RUNS && !ends && !started && board_next_event(board) == UINT64_MAX)
        return false; /* asleep for good */
    bool only_special = (started == 1 && is_special(pcs[0])) || began_in_it;
    bool in_it = it_left != 0;
    /* A fault or a return: the last instruction started is not Unicorn's to run. */
    *limit = only_special ? 0 : started - (ended == AFTER_RETURN && started ? 1u : 0);
    if (in_it && !only_special)
        *limit = it_at < *limit ? it_at : *limit;
    if (*limit) {
        uc_err err = uc_emu_start(uc, pcs[0] | 1, 0, 0, 0);
        if (err != UC_ERR_OK)
            complain("Unicorn stops with error %u after 0x%08x", (uint32_t)err, ran ? pcs[ran - 1] : pcs[0]);
        if (!in_it && ended != AFTER_RESET)
            compare(ended);
    }
    alone += started - *limit;
    total += started;
    stretches++;
    for (unsigned i = 0; i < dirty_count; i++)
        copy_memory(dirty[i].addr, dirty[i].len);
    if (in_it || began_in_it) /* what the board alone ran of the block may have stored something */
        copy_changed_ram();
    copy_registers();
    return !failed;
}

static void compare_ram(void)
{
    for (uint32_t i = 0; i < BOARD_RAM_SIZE; i++) {
        if (their_ram[i] != board_ram(board)[i]) {
            complain("RAM differs at 0x%08x (board 0x%02x)", RAM + i, board_ram(board)[i]);
            return;
        }
    }
}

static char *read_text(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    static char buf[8u << 20];
    *len = f ? fread(buf, 1, sizeof buf, f) : 0;
    if (f)
        fclose(f);
    return *len ? buf : NULL;
}

static bool power_up(const char *path)
{
    char err[256];
    size_t len;
    char *text = read_text(path, &len);
    if (!text || board_load_hex(board, text, len, err, sizeof err)) {
        printf("%s: %s\n", path, text ? err : "cannot be read");
        return false;
    }
    static const struct board_watch watch = { on_insn, on_mmio, on_memory, on_exception };
    board_power_on(board);
    board_on_uart(board, on_uart, NULL);
    board_on_watch(board, &watch, NULL);
    copy_memory(0, BOARD_FLASH_SIZE);
    copy_memory(RAM, BOARD_RAM_SIZE);
    copy_memory(0x10000000, 0x2000);
    copy_registers();
    return true;
}

int main(int argc, char **argv)
{
    struct board_config config = { .qspi = nor_part_find("mx25r6435f"), .seed = 7 };
    unsigned limit = 0;
    if (argc < 3)
        return 2;
    uint64_t want = strtoull(argv[2], NULL, 0);
    board = board_new(&config);
    if (!board || !open_unicorn(&limit) || !power_up(argv[1]))
        return 1;
    while (total < want && stretch(&limit))
        ;
    compare_ram();
    bool said = argc < 4 || (memmem(out, out_len, argv[3], strlen(argv[3])) != NULL);
    printf("%s: %" PRIu64 " instructions in %" PRIu64 " stretches, %" PRIu64 " of them the board's alone%s%s\n", argv[1], total,
        stretches, alone, failed ? ": DIFFERS" : ": equal", said ? "" : ", but the expected text did not come");
    uc_close(uc);
    board_free(board);
    return failed || !said || total == 0;
}

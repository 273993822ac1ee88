/*
 * NVMC: flash and UICR, with the CPU stalled while it works (it fetches from flash, or touches it),
 * and ACL, which shares its slot. Times: page erase 85 ms, word 41 us, all 169 ms.
 */
#include <string.h>

#include "board/board_priv.h"

enum { READY = 0x400, READYNEXT = 0x408, CONFIG = 0x504, ERASEPAGE = 0x508, ERASEALL = 0x50C, ERASEUICR = 0x514,
    PARTIAL = 0x518, PARTIALCFG = 0x51C, ACL_FIRST = 0x800, ACL_END = 0x880, PAGE = 4096 };
enum { WEN = 1, EEN = 2, WORD_US = 41, PAGE_MS = 85, ALL_MS = 169, PER_US = 64 };
/* State: page being erased in parts + 1, milliseconds so far, ACL registers written since reset. */
enum { S_PARTIAL_PAGE, S_PARTIAL_MS, S_ACL_WRITTEN };

static struct periph *nvmc(struct board *b)
{
    return periph_by_base(b, 0x4001E000);
}

void nvmc_wait(struct board *b)
{
    if (b->st.flash_busy_until > now(b)) {
        b->cpu.cycles = b->st.flash_busy_until;
        attention(b);
    }
    if (b->cpu.flash_limit == 0) {
        b->cpu.flash_limit = BOARD_FLASH_SIZE - 3;
        b->st.flash_busy_until = 0;
    }
}

/* Code in flash stands still until the end; code in RAM goes on until it touches flash. */
static void busy(struct board *b, uint64_t cycles)
{
    b->st.flash_busy_until = now(b) + cycles;
    uint32_t pc = b->cpu.r[15] - 4u;
    if (pc - CPU_RAM_BASE < CPU_RAM_SIZE || pc - CPU_RAM_ALIAS < CPU_RAM_SIZE) {
        b->cpu.flash_limit = 0;
        attention(b);
    } else {
        nvmc_wait(b);
    }
}

/* ACL: regions that may not be written or erased (PERM bit 1) until the next reset. */
static bool acl_forbids(struct board *b, uint32_t addr)
{
    const struct periph *p = nvmc(b);
    for (uint32_t off = ACL_FIRST; off < ACL_END; off += 16) {
        uint32_t start = reg(p, off), size = reg(p, off + 4), perm = reg(p, off + 8);
        if ((perm & 2u) && addr - start < size)
            return true;
    }
    return false;
}

/* A program of one word. A store without Wen changes nothing (what the chip does is not documented). */
bool nvmc_store(struct board *b, uint32_t addr, unsigned size, uint32_t val)
{
    if (addr - ADDR_FICR < 0x1000)
        return false;
    if (reg(nvmc(b), CONFIG) != WEN) {
        if (!b->ren_noted)
            board_note(b, "store to 0x%08x at pc 0x%08x while NVMC.CONFIG is not Wen: it changes nothing", addr, b->cpu.r[15] - 4u);
        b->ren_noted = true;
        memory_changed(b, addr & ~3u, 4); /* no, but a second core that follows must be told so */
        return true;
    }
    if (size != 4 || (addr & 3u))
        return false;
    nvmc_wait(b);
    bool uicr = addr >= ADDR_UICR;
    if (!uicr && acl_forbids(b, addr))
        return false;
    uint8_t *cell = uicr ? b->uicr + (addr - ADDR_UICR) : b->flash + addr;
    uint8_t data[4] = { (uint8_t)val, (uint8_t)(val >> 8), (uint8_t)(val >> 16), (uint8_t)(val >> 24) };
    bool cut = flash_op(b, false, false, addr, 4, WORD_US * PER_US);
    flash_apply(b, cell, data, 4, cut);
    memory_changed(b, addr, 4);
    if (!cut)
        busy(b, WORD_US * PER_US);
    return true;
}

static void erase(struct board *b, uint32_t addr, uint8_t *mem, uint32_t len, uint64_t cycles)
{
    nvmc_wait(b);
    bool cut = flash_op(b, false, true, addr, len, cycles);
    flash_apply(b, mem, NULL, len, cut);
    memory_changed(b, addr, len);
    if (!cut)
        busy(b, cycles);
}

static void erase_page(struct board *b, uint32_t addr)
{
    addr &= ~(uint32_t)(PAGE - 1);
    if (addr < BOARD_FLASH_SIZE && !acl_forbids(b, addr))
        erase(b, addr, b->flash + addr, PAGE, (uint64_t)PAGE_MS * 1000 * PER_US);
}

/* The content is undefined until the steps add up to a whole erase; here each step clears some bits. */
static void erase_partial(struct board *b, struct periph *p, uint32_t addr)
{
    addr &= ~(uint32_t)(PAGE - 1);
    if (addr >= BOARD_FLASH_SIZE || acl_forbids(b, addr))
        return;
    if (p->s[S_PARTIAL_PAGE] != addr + 1u) {
        p->s[S_PARTIAL_PAGE] = addr + 1u;
        p->s[S_PARTIAL_MS] = 0;
    }
    uint32_t ms = reg(p, PARTIALCFG) & 0x7Fu;
    p->s[S_PARTIAL_MS] += ms;
    nvmc_wait(b);
    bool cut = flash_op(b, false, true, addr, PAGE, (uint64_t)ms * 1000 * PER_US);
    if (p->s[S_PARTIAL_MS] >= PAGE_MS) {
        flash_apply(b, b->flash + addr, NULL, PAGE, cut);
        p->s[S_PARTIAL_PAGE] = 0;
    } else {
        for (uint32_t i = 0; i < PAGE; i++)
            b->flash[addr + i] |= (uint8_t)board_random(b);
    }
    memory_changed(b, addr, PAGE);
    if (!cut)
        busy(b, (uint64_t)ms * 1000 * PER_US);
}

static void erase_all(struct board *b)
{
    for (uint32_t a = 0; a < BOARD_FLASH_SIZE; a += PAGE) {
        if (acl_forbids(b, a))
            return;
    }
    erase(b, 0, b->flash, BOARD_FLASH_SIZE, (uint64_t)ALL_MS * 1000 * PER_US);
    if (!b->st.cut)
        memset(b->uicr, 0xFF, BOARD_UICR_SIZE);
}

static void acl_write(struct periph *p, uint32_t off, uint32_t val)
{
    unsigned word = (off - ACL_FIRST) / 4u;
    if (off % 16 == 12 || p->s[S_ACL_WRITTEN] >> word & 1u)
        return;
    p->store[off / 4] = val;
    p->s[S_ACL_WRITTEN] |= 1ull << word;
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    bool een = reg(p, CONFIG) == EEN;
    if (off >= ACL_FIRST && off < ACL_END)
        acl_write(p, off, val);
    else if (off == ERASEPAGE && een)
        erase_page(b, val);
    else if (off == PARTIAL && een)
        erase_partial(b, p, val);
    else if (off == ERASEALL && een && (val & 1u))
        erase_all(b);
    else if (off == ERASEUICR && een && (val & 1u))
        erase(b, ADDR_UICR, b->uicr, BOARD_UICR_SIZE, (uint64_t)PAGE_MS * 1000 * PER_US);
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    (void)p;
    if (off == READY || off == READYNEXT)
        return b->st.flash_busy_until <= now(b);
    return 0;
}

static void reset(struct board *b, struct periph *p)
{
    (void)p;
    b->st.flash_busy_until = 0;
    b->cpu.flash_limit = BOARD_FLASH_SIZE - 3;
}

static const struct reg_desc regs[] = {
    { READY, 1, 0, REG_R | REG_HOOK_R, 0, 1 }, { READYNEXT, 1, 0, REG_R | REG_HOOK_R, 0, 1 },
    { CONFIG, 1, 0, REG_RW, 3, 0 }, { ERASEPAGE, 1, 0, REG_W | REG_HOOK_W, 0, 0 },
    { ERASEALL, 1, 0, REG_W | REG_HOOK_W, 0, 0 }, { ERASEUICR, 1, 0, REG_W | REG_HOOK_W, 0, 0 },
    { PARTIAL, 1, 0, REG_W | REG_HOOK_W, 0, 0 }, { PARTIALCFG, 1, 0, REG_RW, 0x7F, 10 },
    { 0x540, 1, 0, REG_RW, 0x101, 0 }, { 0x548, 2, 4, REG_RW, 0, 0 },
    { ACL_FIRST, 32, 4, REG_RW | REG_HOOK_W, 0, 0 }, { 0 },
};
const struct periph_type nvmc_type = { .regs = regs, .reset = reset, .read = read, .write = write };

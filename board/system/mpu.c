/* The MPU: eight regions, ARM ARM B3.5. */
#include <string.h>

#include "board/board_priv.h"

enum { CTRL_ENABLE = 1, CTRL_HFNMIENA = 2, CTRL_PRIVDEFENA = 4 };

uint32_t mpu_read(struct board *b, unsigned off)
{
    const struct system *s = &b->st.sys;
    uint32_t r = s->mpu_rnr & (MPU_REGIONS - 1u);
    switch (off) {
    case 0x90: return MPU_REGIONS << 8;
    case 0x94: return s->mpu_ctrl;
    case 0x98: return s->mpu_rnr;
    case 0x9C: case 0xA4: case 0xAC: case 0xB4: return s->mpu_rbar[r] | r;
    default: return s->mpu_rasr[r];
    }
}

void mpu_write(struct board *b, unsigned off, uint32_t val)
{
    struct system *s = &b->st.sys;
    if (off == 0x94) {
        s->mpu_ctrl = val & 7u;
    } else if (off == 0x98) {
        s->mpu_rnr = val & (MPU_REGIONS - 1u);
    } else if (off >= 0x9C && (off & 4u)) { /* RBAR and its aliases: 9C, A4, AC, B4 */
        if (val & 0x10u)
            s->mpu_rnr = val & (MPU_REGIONS - 1u);
        s->mpu_rbar[s->mpu_rnr] = val & ~31u;
    } else if (off >= 0xA0) {
        s->mpu_rasr[s->mpu_rnr] = val & 0x173FFF3Fu;
    }
    mpu_changed(b);
    sys_update(b);
}

/* Does region r hold addr? Sizes below 32 bytes are reserved and match nothing. */
static bool region_holds(const struct system *s, unsigned r, uint32_t addr)
{
    uint32_t rasr = s->mpu_rasr[r], log2 = (rasr >> 1 & 31u) + 1u;
    if (!(rasr & 1u) || log2 < 5)
        return false;
    if (log2 < 32 && ((addr ^ s->mpu_rbar[r]) >> log2) != 0)
        return false;
    if (log2 < 8)
        return true;
    return !(rasr >> 8 >> (addr >> (log2 - 3) & 7u) & 1u); /* subregion disabled */
}

static bool default_map_allows(uint32_t addr, unsigned kind)
{
    if (kind != MPU_EXEC)
        return true;
    return addr < 0x40000000u || (addr >= 0x60000000u && addr < 0xA0000000u);
}

static bool region_allows(uint32_t rasr, unsigned kind, bool user)
{
    static const uint8_t rights[8] = { 0, 3, 3 | 4, 3 | 12, 0, 1, 1 | 4, 1 | 4 }; /* 1 r 2 w, user 4 r 8 w */
    unsigned have = rights[rasr >> 24 & 7u];
    if (user)
        have >>= 2;
    if (kind == MPU_EXEC)
        return (have & 1u) && !(rasr >> 28 & 1u);
    return have & (kind == MPU_WRITE ? 2u : 1u);
}

bool mpu_allows(const struct board *b, uint32_t addr, unsigned kind, bool user)
{
    const struct system *s = &b->st.sys;
    if (!(s->mpu_ctrl & CTRL_ENABLE) || addr >> 20 == 0xE00)
        return default_map_allows(addr, kind);
    if (!(s->mpu_ctrl & CTRL_HFNMIENA)
        && (b->cpu.ipsr == EXC_HARD || b->cpu.ipsr == EXC_NMI || b->cpu.faultmask))
        return default_map_allows(addr, kind);
    for (unsigned r = MPU_REGIONS; r-- > 0;) {
        if (region_holds(s, r, addr))
            return region_allows(s->mpu_rasr[r], kind, user) && (kind != MPU_EXEC || default_map_allows(addr, kind));
    }
    return (s->mpu_ctrl & CTRL_PRIVDEFENA) && !user && default_map_allows(addr, kind);
}

int mpu_block(const struct board *b, uint32_t block, unsigned log2, unsigned kind, bool user)
{
    const struct system *s = &b->st.sys;
    uint32_t low = (1u << log2) - 1u;
    bool first = mpu_allows(b, block, kind, user);
    if (!(s->mpu_ctrl & CTRL_ENABLE))
        return first;
    for (unsigned r = 0; r < MPU_REGIONS; r++) {
        uint32_t rasr = s->mpu_rasr[r], size = (rasr >> 1 & 31u) + 1u;
        if (!(rasr & 1u) || size < 5)
            continue;
        uint32_t unit = size < 8 || !(rasr >> 8 & 0xFFu) ? size : size - 3; /* in which it can differ */
        uint32_t base = s->mpu_rbar[r];
        if (unit < log2 && (size >= log2 ? size > 31 || (block ^ base) >> size == 0 : (base & ~low) == block))
            return -1;
    }
    return first;
}

/* ---- grants ---- */

enum { GRANT_MODES = 4, GRANT_NEVER = 0x7FFFFFFF };

void mpu_changed(struct board *b)
{
    b->grants += GRANT_MODES;
    if (b->grants < GRANT_NEVER - GRANT_MODES)
        return;
    b->grants = GRANT_MODES; /* once in 500 million changes */
    memset(b->cpu.ram_grant, 0, sizeof b->cpu.ram_grant);
    memset(b->cpu.load_grant, 0, sizeof b->cpu.load_grant);
    memset(b->cpu.exec_grant, 0, sizeof b->cpu.exec_grant);
}

uint32_t mpu_grant(const struct board *b)
{
    const struct cpu *c = &b->cpu;
    bool strong = c->ipsr == EXC_HARD || c->ipsr == EXC_NMI || c->faultmask;
    if (b->watching || c->trap_unaligned)
        return GRANT_NEVER;
    return b->grants + (c->user ? 1u : 0) + (strong ? 2u : 0);
}

void mpu_grant_data(struct board *b, uint32_t addr)
{
    struct cpu *c = &b->cpu;
    uint32_t off = addr - CPU_RAM_BASE, block = addr & ~(uint32_t)(CPU_GRANT_FLASH - 1);
    if (c->grant == GRANT_NEVER)
        return;
    if (off < CPU_RAM_SIZE) {
        uint32_t grain = addr & ~(uint32_t)(CPU_RAM_GRAIN - 1);
        if (mpu_block(b, grain, 8, MPU_READ, c->user) == 1 && mpu_block(b, grain, 8, MPU_WRITE, c->user) == 1)
            c->ram_grant[off / CPU_RAM_GRAIN] = c->grant;
    } else if (addr < CPU_FLASH_SIZE) {
        if (mpu_block(b, block, 16, MPU_READ, c->user) == 1)
            c->load_grant[addr / CPU_GRANT_FLASH] = c->grant;
        if (mpu_block(b, block, 16, MPU_EXEC, c->user) == 1)
            c->exec_grant[addr / CPU_GRANT_FLASH] = c->grant;
    }
}

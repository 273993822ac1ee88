/* The MPU: eight regions, ARM ARM B3.5. */
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

int mpu_page(const struct board *b, uint32_t page, unsigned kind, bool user)
{
    const struct system *s = &b->st.sys;
    bool first = mpu_allows(b, page, kind, user);
    if (!(s->mpu_ctrl & CTRL_ENABLE))
        return first;
    for (unsigned r = 0; r < MPU_REGIONS; r++) {
        uint32_t rasr = s->mpu_rasr[r], log2 = (rasr >> 1 & 31u) + 1u;
        if (!(rasr & 1u) || log2 < 5)
            continue;
        uint32_t sub = log2 < 8 || !(rasr >> 8 & 0xFFu) ? log2 : log2 - 3; /* unit in which it can differ */
        if (sub < 12 && (s->mpu_rbar[r] & ~4095u) <= page
            && (log2 >= 12 ? (page ^ s->mpu_rbar[r]) >> log2 == 0 : (s->mpu_rbar[r] & ~4095u) == page))
            return -1;
    }
    return first;
}

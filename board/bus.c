/* The bus: which address is what, for the core, for the exception logic and for EasyDMA. */
#include <string.h>

#include "board/board_priv.h"

/* Direct memory behind an address, or NULL. `size` bytes must lie in it. */
static uint8_t *ram_at(const struct board *b, uint32_t addr, uint32_t size)
{
    uint32_t off = addr - CPU_RAM_BASE;
    if (off >= CPU_RAM_SIZE)
        off = addr - CPU_RAM_ALIAS;
    return off < CPU_RAM_SIZE && size <= CPU_RAM_SIZE - off ? b->ram + off : NULL;
}

static const uint8_t *rom_at(const struct board *b, uint32_t addr, uint32_t size)
{
    if (addr < BOARD_FLASH_SIZE)
        return size <= BOARD_FLASH_SIZE - addr ? b->flash + addr : NULL;
    if (addr - ADDR_FICR < 0x1000)
        return size <= 0x1000 - (addr - ADDR_FICR) ? b->ficr + (addr - ADDR_FICR) : NULL;
    if (addr - ADDR_UICR < BOARD_UICR_SIZE)
        return size <= BOARD_UICR_SIZE - (addr - ADDR_UICR) ? b->uicr + (addr - ADDR_UICR) : NULL;
    return NULL;
}

static bool is_device(uint32_t addr)
{
    return addr >= 0x40000000u && addr < 0x60000000u;
}

static uint32_t little_endian(const uint8_t *p, unsigned size)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint32_t)p[i] << (8 * i);
    return v;
}

/*
 * The chip's own ROM table, which older start-up code reads to tell part and revision (the newer asks
 * FICR 0x130, 0x134): part 8, revision nibble 3.
 */
static bool rom_table_read(uint32_t addr, unsigned size, uint32_t *val)
{
    static const uint32_t id[4] = { 0x08, 0x00, 0x30, 0x00 }; /* 0xF0000FE0 .. FEC */
    if (addr >> 12 != 0xF0000)
        return false;
    *val = (addr & 0xFFFu) >= 0xFE0 && (addr & 0xFFFu) < 0xFF0 ? id[addr / 4 & 3u] >> (8 * (addr & 3u)) : 0;
    if (size < 4)
        *val &= (1u << (8 * size)) - 1u;
    return true;
}

static bool read_any(struct board *b, uint32_t addr, unsigned size, uint32_t *val)
{
    const uint8_t *p = ram_at(b, addr, size);
    if (!p) {
        p = rom_at(b, addr, size);
        if (p)
            nvmc_wait(b);
    }
    if (p) {
        *val = little_endian(p, size);
        return true;
    }
    if (is_device(addr)) {
        *val = periph_read(b, addr, size);
        return true;
    }
    if (addr - ADDR_XIP < XIP_SIZE) {
        uint8_t buf[4];
        bool ok = qspi_xip_read(b, addr - ADDR_XIP, buf, size);
        *val = ok ? little_endian(buf, size) : 0;
        return ok;
    }
    return (addr >> 20 == 0xE00 && scs_read(b, addr, size, val)) || rom_table_read(addr, size, val);
}

static void ram_store(struct board *b, uint8_t *p, uint32_t addr, unsigned size, uint32_t val)
{
    uint32_t off = (uint32_t)(p - b->ram);
    for (unsigned i = 0; i < size; i++)
        p[i] = (uint8_t)(val >> (8 * i));
    if (b->cpu.ram_code[off / CPU_RAM_GRAIN] | b->cpu.ram_code[(off + size - 1u) / CPU_RAM_GRAIN])
        cpu_code_changed(&b->cpu, addr, size);
}

static bool write_any(struct board *b, uint32_t addr, unsigned size, uint32_t val)
{
    uint8_t *p = ram_at(b, addr, size);
    if (p) {
        ram_store(b, p, addr, size, val);
        return true;
    }
    if (is_device(addr)) {
        periph_write(b, addr, size, val);
        return true;
    }
    if (rom_at(b, addr, size))
        return nvmc_store(b, addr, size, val);
    return addr >> 20 == 0xE00 && scs_write(b, addr, size, val);
}

/* CFSR bits of an access that is not allowed, 0 if it is. */
static uint32_t refused(const struct board *b, uint32_t addr, unsigned size, bool write, bool user)
{
    unsigned kind = write ? MPU_WRITE : MPU_READ;
    if (b->st.sys.mpu_ctrl & 1u) {
        if (!mpu_allows(b, addr, kind, user) || !mpu_allows(b, addr + size - 1u, kind, user))
            return CFSR_DACCVIOL | CFSR_MMARVALID;
    }
    if (user && addr >> 20 == 0xE00)
        return CFSR_PRECISERR | CFSR_BFARVALID;
    return 0;
}

uint32_t bus_try(struct board *b, uint32_t addr, unsigned size, bool write, uint32_t *val)
{
    uint32_t bad = refused(b, addr, size, write, b->cpu.user);
    if (bad)
        return bad;
    bool ok = write ? write_any(b, addr, size, *val) : read_any(b, addr, size, val);
    if (ok && write && b->watching && b->watch.memory)
        b->watch.memory(b->watch_ctx, addr, size);
    return ok ? 0 : CFSR_PRECISERR | CFSR_BFARVALID;
}

/* ---- what the core calls ---- */

static void check(void *ctx, uint32_t addr, unsigned size, bool write, bool user)
{
    struct board *b = ctx;
    if (b->cpu.trap_unaligned && (addr & (size - 1u)))
        cpu_fault(&b->cpu, CFSR_UNALIGNED, 0);
    uint32_t bad = refused(b, addr, size, write, user);
    if (bad)
        cpu_fault(&b->cpu, bad, addr);
    mpu_grant_data(b, addr);
}

/* Device memory and the PPB take aligned accesses only (A3.2.1). */
static void check_device(struct board *b, uint32_t addr, unsigned size)
{
    if (addr >= 0x40000000u && (addr & (size - 1u)) && (is_device(addr) || addr >= 0xE0000000u))
        cpu_fault(&b->cpu, CFSR_UNALIGNED, 0);
}

static void watch_mmio(struct board *b, bool write, uint32_t addr, unsigned size, uint32_t val)
{
    if (b->watching && b->watch.mmio && !ram_at(b, addr, size) && !rom_at(b, addr, size))
        b->watch.mmio(b->watch_ctx, write, addr, size, val);
}

/* A bus fault, unless CCR.BFHFNMIGN has handlers at priority -1 and -2 go on (B3.2.8). */
static void bus_fault(struct board *b, uint32_t addr)
{
    if (!(b->st.sys.ccr & CCR_BFHFNMIGN) || exc_running_priority(b) > -1)
        cpu_fault(&b->cpu, CFSR_PRECISERR | CFSR_BFARVALID, addr);
}

static uint32_t core_read(void *ctx, uint32_t addr, unsigned size)
{
    struct board *b = ctx;
    uint32_t v = 0;
    if (b->cpu.guarded)
        check(b, addr, size, false, b->cpu.user);
    check_device(b, addr, size);
    if ((b->cpu.user && addr >> 20 == 0xE00) || !read_any(b, addr, size, &v))
        bus_fault(b, addr);
    watch_mmio(b, false, addr, size, v);
    return v;
}

static void core_write(void *ctx, uint32_t addr, unsigned size, uint32_t val)
{
    struct board *b = ctx;
    if (b->cpu.guarded)
        check(b, addr, size, true, b->cpu.user);
    check_device(b, addr, size);
    watch_mmio(b, true, addr, size, val);
    if ((b->cpu.user && addr >> 20 == 0xE00) || !write_any(b, addr, size, val))
        bus_fault(b, addr);
}

static bool core_fetch(void *ctx, uint32_t addr, uint16_t *insn)
{
    struct board *b = ctx;
    uint32_t v = 0;
    if (is_device(addr) || addr >= 0xA0000000u || !read_any(b, addr, 2, &v))
        return false;
    *insn = (uint16_t)v;
    return true;
}

static int core_exec(void *ctx, uint32_t addr, bool page)
{
    struct board *b = ctx;
    if (addr < BOARD_FLASH_SIZE)
        nvmc_wait(b);
    bool mapped = addr < BOARD_FLASH_SIZE || ram_at(b, addr, 2) || rom_at(b, addr, 2)
        || (addr - ADDR_XIP < XIP_SIZE && qspi_xip_ready(b));
    if (!mapped)
        return addr >= 0x40000000u && (addr < 0x60000000u || addr >= 0xA0000000u) ? EXEC_DENIED : EXEC_NONE;
    if (!page)
        return mpu_allows(b, addr, MPU_EXEC, b->cpu.user) ? EXEC_OK : EXEC_DENIED;
    if (addr < BOARD_FLASH_SIZE)
        mpu_grant_data(b, addr);
    int all = mpu_block(b, addr & ~4095u, 12, MPU_EXEC, b->cpu.user);
    return all < 0 ? EXEC_MIXED : all ? EXEC_OK : EXEC_DENIED;
}

static uint32_t core_sysreg_read(void *ctx, unsigned sysm)
{
    return sysreg_read(ctx, sysm);
}

static void core_sysreg_write(void *ctx, unsigned sysm, uint32_t val)
{
    sysreg_write(ctx, sysm, val);
}

static void core_exception_return(void *ctx, uint32_t er)
{
    exc_return(ctx, er);
}

static void core_event(void *ctx, unsigned kind)
{
    exc_core_event(ctx, kind);
}

void bus_connect(struct board *b)
{
    b->cpu.bus = (struct cpu_bus){ b, core_read, core_write, core_fetch, core_exec, check, core_sysreg_read,
        core_sysreg_write, core_exception_return, core_event };
    b->cpu.ram = b->ram;
    b->cpu.flash = b->flash;
    b->cpu.flash_limit = BOARD_FLASH_SIZE - 3;
}

/* ---- EasyDMA ---- */

static uint8_t *dma_at(const struct board *b, uint32_t addr, uint32_t len)
{
    uint32_t off = addr - CPU_RAM_BASE;
    return off < CPU_RAM_SIZE && len <= CPU_RAM_SIZE - off ? b->ram + off : NULL;
}

bool dma_read(struct board *b, uint32_t addr, void *buf, uint32_t len)
{
    const uint8_t *p = dma_at(b, addr, len);
    if (len == 0)
        return true;
    if (p)
        memcpy(buf, p, len);
    return p != NULL;
}

bool dma_write(struct board *b, uint32_t addr, const void *buf, uint32_t len)
{
    uint8_t *p = dma_at(b, addr, len);
    if (len == 0)
        return true;
    if (!p)
        return false;
    memcpy(p, buf, len);
    uint32_t off = addr - CPU_RAM_BASE;
    for (uint32_t g = off / CPU_RAM_GRAIN; g <= (off + len - 1) / CPU_RAM_GRAIN; g++) {
        if (b->cpu.ram_code[g])
            cpu_code_changed(&b->cpu, CPU_RAM_BASE + g * CPU_RAM_GRAIN, CPU_RAM_GRAIN);
    }
    if (b->watching && b->watch.memory)
        b->watch.memory(b->watch_ctx, addr, len);
    return true;
}

void memory_changed(struct board *b, uint32_t addr, uint32_t len)
{
    cpu_code_changed(&b->cpu, addr, len);
    if (b->watching && b->watch.memory)
        b->watch.memory(b->watch_ctx, addr, len);
}

/* ---- a debugger's view ---- */

bool board_peek(struct board *b, uint32_t addr, void *buf, size_t len)
{
    uint8_t *out = buf;
    for (size_t i = 0; i < len; i++) {
        uint32_t a = addr + (uint32_t)i, v = 0;
        const uint8_t *p = ram_at(b, a, 1);
        if (!p)
            p = rom_at(b, a, 1);
        size_t ext;
        uint8_t *external = board_external(b, &ext);
        if (p)
            out[i] = *p;
        else if (external && a - ADDR_XIP < ext)
            out[i] = external[a - ADDR_XIP];
        else if (is_device(a) || a >> 20 == 0xE00) {
            if (!read_any(b, a, 1, &v))
                return false;
            out[i] = (uint8_t)v;
        } else
            return false;
    }
    return true;
}

bool board_poke(struct board *b, uint32_t addr, const void *buf, size_t len)
{
    const uint8_t *in = buf;
    uint8_t *p = ram_at(b, addr, (uint32_t)len);
    if (p || (addr < BOARD_FLASH_SIZE && len <= BOARD_FLASH_SIZE - addr)) {
        memcpy(p ? p : b->flash + addr, in, len);
        if (len)
            cpu_code_changed(&b->cpu, addr, (uint32_t)len);
        return true;
    }
    if (len == 4 && (is_device(addr) || addr >> 20 == 0xE00))
        return write_any(b, addr, 4, little_endian(in, 4));
    return false;
}

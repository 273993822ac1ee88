#include "arch/cortex_m4/fault.h"

#include <string.h>

#include "arch/cortex_m4/cpu.h"
#include "arch/cortex_m4/scb.h"
#include "core/base/crc.h"

#define FAULT_RECORD     ((struct arch_fault_record *)0x2003FF00u)
#define FAULT_MAGIC_WORD 0x544C4146u /* "FALT" */
enum { FRAME_WORDS = 8, FRAME_PAD_BIT = 9, RAM_START = 0x20000000, RAM_SIZE = 0x40000 };

static uint32_t record_crc(const struct arch_fault_record *r)
{
    return crc32(0, r->word, FAULT_CRC * sizeof r->word[0]);
}

/* A stack that ran out of RAM is one of the faults: the frame is looked at only where memory is. */
static bool is_ram(uintptr_t at, uint32_t len)
{
    return at % 4 == 0 && at >= RAM_START && at - RAM_START <= (uint32_t)RAM_SIZE - len;
}

/* Called by arch_fault() with the stack pointer that holds the exception's frame. */
__attribute__((used, noreturn)) void arch_fault_store(const uint32_t *frame, uint32_t exception);
void arch_fault_store(const uint32_t *frame, uint32_t exception)
{
    struct arch_fault_record *r = FAULT_RECORD;
    const struct scs_scb *scb = SCS_SCB;

    memset(r, 0, sizeof *r);
    r->word[FAULT_EXCEPTION] = exception & 0x1FF;
    r->word[FAULT_SP] = (uint32_t)(uintptr_t)frame;
    if (is_ram((uintptr_t)frame, FRAME_WORDS * 4)) {
        memcpy(&r->word[FAULT_R0], frame, FRAME_WORDS * 4);
        r->word[FAULT_SP] += FRAME_WORDS * 4u + (frame[FRAME_WORDS - 1] >> FRAME_PAD_BIT & 1) * 4u;
    }
    r->word[FAULT_CFSR] = scb->cfsr;
    r->word[FAULT_HFSR] = scb->hfsr;
    r->word[FAULT_MMFAR] = scb->mmfar;
    r->word[FAULT_BFAR] = scb->bfar;
    r->word[FAULT_VTOR] = scb->vtor;
    r->word[FAULT_MAGIC] = FAULT_MAGIC_WORD;
    r->word[FAULT_CRC] = record_crc(r);
    cpu_reset();
}

/*
 * The stack may be what is broken, so the handler brings its own: below the record, in memory that no
 * image of ours uses. EXC_RETURN bit 2 says on which stack the frame is.
 */
__attribute__((naked)) void arch_fault(void)
{
    __asm volatile("tst lr, #4\n"
                   "ite eq\n"
                   "mrseq r0, msp\n"
                   "mrsne r0, psp\n"
                   "mrs r1, ipsr\n"
                   "ldr r2, =0x2003FF00\n"
                   "msr msp, r2\n"
                   "b arch_fault_store\n"
                   ".ltorg\n");
}

bool arch_fault_take(struct arch_fault_record *r)
{
    bool good = FAULT_RECORD->word[FAULT_MAGIC] == FAULT_MAGIC_WORD
        && FAULT_RECORD->word[FAULT_CRC] == record_crc(FAULT_RECORD);

    if (good)
        *r = *FAULT_RECORD;
    FAULT_RECORD->word[FAULT_MAGIC] = 0;
    return good;
}

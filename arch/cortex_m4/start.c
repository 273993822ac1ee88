#include <string.h>

#include "arch/cortex_m4/vectors.h"

extern uint32_t image_data_start[], image_data_end[], image_bss_start[], image_bss_end[];
extern const uint32_t image_data_load[];

static uint32_t bytes(const uint32_t *from, const uint32_t *to)
{
    return (uint32_t)((uintptr_t)to - (uintptr_t)from);
}

void arch_reset(void)
{
    memcpy(image_data_start, image_data_load, bytes(image_data_start, image_data_end));
    memset(image_bss_start, 0, bytes(image_bss_start, image_bss_end));
    main();
    for (;;)
        continue;
}

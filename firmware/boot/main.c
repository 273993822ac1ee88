#include "arch/cortex_m4/cpu.h"
#include "arch/cortex_m4/vectors.h"
#include "slipway_board.h"

ARCH_VECTORS_SECTION const struct arch_vectors image_vectors = { ARCH_VECTORS_COMMON };

int main(void)
{
    cpu_start_image(SLIPWAY_SLOT0_OFF + 0x200);
}

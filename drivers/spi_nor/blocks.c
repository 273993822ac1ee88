#include "drivers/spi_nor/spi_nor_priv.h"

enum { LARGEST_EXPONENT = 16 }; /* of two: 64 KiB is block 0, 32 KiB block 1 */

static void take_block(struct spi_nor *nor, uint16_t type, uint32_t max_ms)
{
    uint32_t exponent = type & 0xFF, at_least = 2 * nor->dev->erase_max_ms;

    if (exponent > LARGEST_EXPONENT || exponent + FLASH_BLOCKS <= LARGEST_EXPONENT)
        return;
    nor->block_op[LARGEST_EXPONENT - exponent] = (uint8_t)(type >> 8);
    nor->dev->block[LARGEST_EXPONENT - exponent]
        = (struct flash_block) { (uint32_t)1 << exponent, max_ms > at_least ? max_ms : at_least };
}

static int block_start(void *ctx, uint32_t off, uint32_t size)
{
    struct spi_nor *nor = ctx;

    for (unsigned i = 0; i < FLASH_BLOCKS; i++) {
        if (nor->dev->block[i].size == size)
            return spi_nor_erase(nor, nor->block_op[i], off);
    }
    return ERR_ALIGN;
}

void spi_nor_use_blocks(struct spi_nor *nor)
{
    nor->ops = *nor->dev->ops;
    nor->ops.block_start = block_start;
    nor->dev->ops = &nor->ops;
    nor->take_block = take_block;
}

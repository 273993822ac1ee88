/*
 * Where an image lies. Preprocessed with the board's header: IMAGE_OF_BOOT is the bootloader at the
 * start of its partition, IMAGE_OF_SLOT0 an application behind its image header. The last KiB of RAM
 * is left to what bootloader and application tell each other (core/boot/handover.h).
 */
#include "slipway_board.h"

#if IMAGE_OF_BOOT
#define IMAGE_ORIGIN SLIPWAY_BOOT_OFF
#define IMAGE_LENGTH SLIPWAY_BOOT_CODE_SIZE
#define IMAGE_TOO_LARGE "the bootloader is larger than what its state leaves of boot_partition: enlarge it, or add a scratch_partition of four units"
#else
#define IMAGE_ORIGIN (SLIPWAY_SLOT0_OFF + IMAGE_HEADER)
#define IMAGE_LENGTH (SLIPWAY_SLOT0_SIZE - SLIPWAY_UNIT - IMAGE_HEADER)
#define IMAGE_TOO_LARGE "the application is larger than slot0_partition less its header and trailer"
#endif

MEMORY {
    FLASH (rx) : ORIGIN = IMAGE_ORIGIN, LENGTH = 0x100000 /* IMAGE_LENGTH is asserted below, in words */
    RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 0x3FC00
}

ENTRY(arch_reset)

SECTIONS {
    .text : {
        KEEP(*(.vectors))
        *(.text .text.*)
        *(.rodata .rodata.*)
        . = ALIGN(4);
    } > FLASH
    .data : {
        image_data_start = .;
        *(.data .data.*)
        . = ALIGN(4);
        image_data_end = .;
    } > RAM AT > FLASH
    image_data_load = LOADADDR(.data);
    ASSERT(image_data_load + SIZEOF(.data) <= IMAGE_ORIGIN + IMAGE_LENGTH, IMAGE_TOO_LARGE)
    .bss (NOLOAD) : {
        image_bss_start = .;
        *(.bss .bss.* COMMON)
        . = ALIGN(4);
        image_bss_end = .;
    } > RAM
    /* Not cleared at reset: buffers, whose contents are written before they are read. */
    .noinit (NOLOAD) : {
        . = ALIGN(8);
        *(.noinit .noinit.*)
        . = ALIGN(8);
        image_ram_end = .;
    } > RAM
    image_stack_top = ORIGIN(RAM) + LENGTH(RAM);
    /DISCARD/ : {
        *(.ARM.exidx* .ARM.extab* .comment .ARM.attributes)
    }
}

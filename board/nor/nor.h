/*
 * A serial NOR flash as its bus sees it: command bytes while CS is low, and the direct operations
 * that a QSPI controller's DMA comes down to. Times are the parts' typical ones, in cycles of the
 * board. What a busy part is told it ignores, except to tell its status.
 */
#ifndef BOARD_NOR_NOR_H
#define BOARD_NOR_NOR_H

#include <stdbool.h>
#include <stdint.h>

#include "board/board.h"

enum { NOR_ERASE_TYPES = 4, NOR_SFDP_SIZE = 256, NOR_PAGE = 256 };
enum { NOR_STATUS_WIP = 1, NOR_STATUS_WEL = 2 };
/* How the status registers are laid out and written. */
enum nor_family { NOR_ATMEL, NOR_MACRONIX, NOR_GENERIC };

struct nor_part {
    const char *name;
    uint8_t id[4];
    uint8_t id_len;
    enum nor_family family;
    unsigned qer; /* JESD216 code of the quad enable requirement */
    uint32_t size;
    struct { uint8_t log2, opcode; uint32_t us; } erase[NOR_ERASE_TYPES];
    uint32_t chip_erase_ms, page_us, status_us, wake_us;
    uint8_t block_protect; /* bits of status register 1 that protect all of the array if any is set */
    uint8_t sr1_keep; /* bits of status register 1 that a write changes */
    uint8_t sr_reset[3];
    bool four_byte;
    uint8_t qpi_enter, qpi_exit; /* opcodes; 0: the part has no 4-4-4 mode */
    uint8_t sfdp[NOR_SFDP_SIZE];
    uint32_t sfdp_len;
};

/* State of one chip; plain data. Its contents are in `mem`, owned by the board. */
struct nor {
    const struct nor_part *part;
    uint8_t *mem;
    uint8_t sr[6], kept[6]; /* status registers, and what of them survives a loss of power */
    bool power_down, ultra, reset_armed, four_byte, selected, wel, qpi;
    bool volatile_armed; /* 50h: the next status write is a volatile one */
    uint64_t busy_until, awake_at;
    /* the array operation running: applied when it ends, so that a cut can tear it */
    bool running, running_erase;
    uint32_t op_addr, op_len;
    uint8_t op_data[NOR_PAGE];
    /* the frame being received */
    uint32_t pos, addr;
    uint8_t cmd;
    uint8_t arg[4];
    /* the wires, when pins are driven by hand (pins.c): what was clocked in, what is being clocked out */
    bool sck;
    uint8_t in, in_bits, out, out_bits;
    /* how it is broken, and from which of its operations on (0: always); outlives a loss of power */
    enum board_chip_fault fault;
    uint64_t fault_from, ops;
};

void nor_power_on(struct nor *n);
/* CS falls or rises; a frame acts when CS rises, as the parts do. */
void nor_select(struct board *b, struct nor *n, bool low);
uint8_t nor_transfer(struct board *b, struct nor *n, uint8_t out);
/* The same in two halves, on one line or four: what the part sends in this byte's time, and what it receives. */
uint8_t nor_sends(struct board *b, struct nor *n);
void nor_receives(struct board *b, struct nor *n, uint8_t v);
/*
 * The wires of a part that no controller drives. Levels are of SCK, CSN, IO0 to IO3 in bits 0 to 5; the part samples
 * when SCK rises and sends when it falls.
 */
void nor_wires(struct board *b, struct nor *n, unsigned levels);
int nor_wire_level(const struct nor *n, unsigned io); /* 0 or 1 if the part drives IO `io`, else -1 */
bool nor_busy(struct board *b, struct nor *n); /* also completes what has ended */
/* Does the part answer a status read on one line: there, awake, not in the middle of waking up, not in QPI? */
bool nor_answers(struct board *b, const struct nor *n);
uint8_t nor_status(struct board *b, struct nor *n);
bool nor_quad_enabled(const struct nor *n);
unsigned nor_quad_io_dummies(const struct nor *n);
bool nor_has_program(const struct nor *n, unsigned writeoc);
/* Array operations as a controller sends them (write enable included); false: part does not do it. */
void nor_read(struct board *b, struct nor *n, uint32_t addr, uint8_t *buf, uint32_t len);
bool nor_program(struct board *b, struct nor *n, uint32_t addr, const uint8_t *data, uint32_t len);
bool nor_erase(struct board *b, struct nor *n, uint32_t addr, uint32_t len); /* len = part->size: chip */
/* Power fails: what runs stays torn. */
void nor_tear(struct board *b, struct nor *n);

#endif

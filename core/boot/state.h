/*
 * The state cell: what a board knows about a swap after any power cut. It lies in the first three
 * erase units of the state area of internal flash; one unit holds the state, the others are history.
 *
 *     0x000  magic 'SLPW'        0x010  gap u8, starts u8       0x040  SEAL    0x080  mark[0]
 *     0x004  seq u32             0x012  n_P u16                 0x044  ACT     0x084  mark[1]
 *     0x008  prev_seq u32        0x014  n_S u16                 0x048  SETTLE   ...
 *     0x00C  prev u8             0x016  start u16               0x04C  DONE    0x800  CRC-32 per unit:
 *     0x00D  state u8            0x018  layout hash u32         0x050  START          image in S, then
 *     0x00E  kind u8             0x01C  CRC-32 of the tables                          image in P, as
 *     0x00F  dir u8              0x020  CRC-32 of 0x00..0x1F                          the swap began
 *
 * Why it is so (power may fail anywhere, and a cell that was in flight may read differently at every
 * boot): a record counts only with a proof that its writing was completed, a word programmed after
 * it. A unit is programmed only by the boot that erased it; the one exception is overwriting a SEAL
 * with 0 before an erase, so that a half erase cannot bring it back. The protocol is checked by
 * tests/model and described in SPEC.md.
 */
#ifndef CORE_BOOT_STATE_H
#define CORE_BOOT_STATE_H

#include "core/boot/layout.h"
#include "core/flash/flash.h"

enum {
    STATE_UNITS = 3, /* of the state area; a fourth unit holds the log of failures */
    STATE_AREA_UNITS = 4,
    STATE_OFF_WORDS = 0x40,
    STATE_OFF_MARKS = 0x80,
    STATE_OFF_TABLES = 0x800,
    STATE_MAGIC = 0x57504C53, /* "SLPW" */
    STATE_NO_PREV = 0xFF,
};

/*
 * Flash wears out long before. A higher one is not believed: behind the very last there would be none for
 * the next state, and it would outrank every state to come. A boot that begins at this has room.
 */
#define STATE_SEQ_MAX 0xFFFF0000u

enum state_kind {
    STATE_CONFIRMED, /* no swap: kind, dir, gap and tables are 0 */
    STATE_SWAP,
};

enum swap_kind {
    SWAP_NONE,
    SWAP_TEST,
    SWAP_PERM,
    SWAP_REVERT,
    SWAP_RECOVER, /* copy of S to P only: n_p is 0 */
};

enum swap_dir {
    SWAP_FORWARD, /* the image in S lies at S[0]; the one in P goes to S[gap] */
    SWAP_BACKWARD, /* the image in S lies at S[gap]; the one in P goes to S[0] */
};

/* Words of a unit, in the order in which they are programmed. */
enum state_word {
    STATE_SEAL,
    STATE_ACT,
    STATE_SETTLE,
    STATE_DONE,
    STATE_START,
    STATE_WORDS
};

struct state {
    uint8_t state; /* enum state_kind */
    uint8_t kind; /* enum swap_kind */
    uint8_t dir; /* enum swap_dir */
    uint8_t gap; /* 1 or 2 */
    uint8_t starts; /* of the image on trial, before this unit was written */
    uint16_t n_p; /* units of the image that lay in P when the swap began */
    uint16_t n_s; /* units of the image that lay in S */
    uint16_t start; /* group at which this unit was written */
    uint32_t tables_crc;
};

struct state_unit {
    bool valid; /* magic, CRCs and layout hash are right; else nothing below counts */
    bool word[STATE_WORDS];
    bool marked; /* any mark is set */
    uint16_t mark; /* highest mark that is set */
    uint8_t prev;
    uint32_t seq;
    uint32_t prev_seq;
    struct state st;
};

struct state_cell {
    struct flash_area area; /* the whole state area */
    uint32_t unit_size;
    uint32_t layout_hash;
    struct state_unit unit[STATE_UNITS]; /* as read once in this boot */
    int base; /* the unit that holds the state; -1: none is valid */
    bool fresh; /* base was erased and written by this boot: it may be programmed */
};

/* Reads all units and finds the base. Flash errors only; then no unit is valid. */
int state_read(struct state_cell *c, const struct flash_area *area, uint32_t unit_size, uint32_t layout_hash) MUST_CHECK;

/* The state, or NULL if the cell holds none. */
const struct state_unit *state_base(const struct state_cell *c);

/* Position of an unfinished swap: the larger of `start` and the highest mark. */
uint16_t state_position(const struct state_unit *u);

/* Whether the base may be left as it is when an application starts: settled, and nothing newer lies beside it. */
bool state_settled(const struct state_cell *c);

/* Where the tables of a new state unit come from. */
struct state_tables {
    const uint8_t *new_le; /* n_s + n_p words, little-endian; or NULL: copied from the base, */
    bool exchange; /* exchanged: the base's P table becomes the S table (a revert) */
};

/*
 * Writes a new state unit from the base, seals it and makes it the base: the commit of every decision.
 * The units are chosen so that one complete unit survives any cut. st->tables_crc is filled in.
 * Flash errors, ERR_READBACK, ERR_SOURCE if the base's tables no longer have their CRC.
 */
int state_write(struct state_cell *c, struct state *st, const struct state_tables *tables) MUST_CHECK;

/* Programs a word or a mark of the base, which this boot has written. */
int state_set(struct state_cell *c, enum state_word w) MUST_CHECK;
int state_mark(struct state_cell *c, uint16_t group) MUST_CHECK;

/* CRC-32 of unit i of the image in S (or P) as the base's tables have it. */
int state_digest_s(const struct state_cell *c, uint16_t i, uint32_t *crc) MUST_CHECK;
int state_digest_p(const struct state_cell *c, uint16_t i, uint32_t *crc) MUST_CHECK;

#endif

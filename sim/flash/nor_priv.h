/* Between the files of the flash model. */
#ifndef SIM_FLASH_NOR_PRIV_H
#define SIM_FLASH_NOR_PRIV_H

#include "sim/flash/nor.h"

/* The operation in flight ends as it should. */
void nor_op_complete(struct nor *nor);
/* Power failed: the operation in flight, if any, is torn. */
void nor_op_tear(struct nor *nor, enum sim_tear tear);

/* A completed erase or program of [off, off + len): erased cells are solid, programmed bits too. */
void weak_apply_erase(struct nor *nor, uint32_t off, uint32_t len);
void weak_apply_program(struct nor *nor, uint32_t off, const uint8_t *data, uint32_t len);
/* The same, cut: what was possible before stays so, and the result and torn ones are added. */
void weak_tear_erase(struct nor *nor, uint32_t off, uint32_t len);
void weak_tear_program(struct nor *nor, uint32_t off, const uint8_t *data, uint32_t len);
/* What a range holds now becomes one more of the readings of what is weak in it. */
void weak_widen(struct nor *nor, uint32_t off, uint32_t len);
/* Power-up: every range gets a reading, which becomes what memory holds. */
void weak_choose(struct nor *nor);
void weak_forget(struct nor *nor, uint32_t off, uint32_t len);
void weak_free(struct nor_weak **list);
int weak_copy(struct nor_weak **to, const struct nor_weak *from) MUST_CHECK;

#endif

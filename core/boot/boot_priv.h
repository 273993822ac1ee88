/* Between boot.c (the flow and its steps) and facts.c (the answers to boot_decide()'s questions). */
#ifndef CORE_BOOT_BOOT_PRIV_H
#define CORE_BOOT_BOOT_PRIV_H

#include "core/boot/boot.h"
#include "core/boot/decide.h"
#include "core/boot/slide.h"

struct boot {
    struct boot_facts f;
    const struct boot_config *cfg;
    const struct store *st;
    struct boot_report *report;
    enum boot_phase phase; /* what is being done, since when */
    uint32_t phase_since_ms;
    uint8_t s_gap; /* for the swap of p and s */
    unsigned s_unit; /* where the image of S begins */
    struct finding p_why; /* why p_good is NO */
    struct finding s_why;
    struct slide slide;
    struct image p; /* valid where p_good was answered YES */
    struct image s; /* valid where s_good was answered YES */
    struct state_cell cell;
};

/* What is done from here on: the time until now is booked on what was done before. */
void boot_phase(struct boot *b, enum boot_phase phase);

/* Facts that are read once, at the beginning: state cell, chips, trailers. */
void facts_read(struct boot *b);
/* Answers one question of boot_decide(). */
void facts_answer(struct boot *b, enum boot_step question);
/* Asks the external chip who it is, and notes what is wrong with it. */
void facts_probe(struct boot *b);
/* Fills in the report's picture of both slots. */
void facts_report(struct boot *b);

#endif

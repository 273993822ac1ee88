/*
 * A NOR part whose pins are moved by hand: mode 0 or 3, one line, or four in QPI. The part samples when SCK
 * rises and puts out its next bit when SCK falls. Commands that move data on several lines outside QPI
 * (6Bh, 32h ...) are not followed on the wires.
 */
#include "board/board_priv.h"

enum { SCK, CSN, IO0, IO1, IO3 = IO0 + 3 };

static unsigned lines(const struct nor *n)
{
    return n->qpi ? 4 : 1;
}

static void fetch(struct board *b, struct nor *n)
{
    n->out = nor_sends(b, n);
    n->out_bits = 8;
}

static void clock_in(struct board *b, struct nor *n, unsigned levels)
{
    unsigned k = lines(n);
    n->in = (uint8_t)((unsigned)n->in << k | (levels >> IO0 & ((1u << k) - 1u)));
    n->in_bits = (uint8_t)(n->in_bits + k);
    if (n->in_bits == 8) {
        nor_receives(b, n, n->in);
        n->in_bits = 0;
    }
}

static void clock_out(struct board *b, struct nor *n)
{
    if (n->in_bits == 0)
        fetch(b, n);
    else
        n->out_bits = (uint8_t)(8 - n->in_bits);
}

void nor_wires(struct board *b, struct nor *n, unsigned levels)
{
    bool sck = levels >> SCK & 1u, low = !(levels >> CSN & 1u), rises = sck && !n->sck, falls = !sck && n->sck;
    bool held = !(levels >> IO3 & 1u) && !n->qpi && !nor_quad_enabled(n); /* IO3 is HOLD# then */
    n->sck = sck;
    if (low != n->selected) {
        nor_select(b, n, low);
        n->in_bits = 0;
        if (low)
            fetch(b, n);
        return;
    }
    if (!low || held)
        return;
    if (rises)
        clock_in(b, n, levels);
    else if (falls)
        clock_out(b, n);
}

int nor_wire_level(const struct nor *n, unsigned io)
{
    bool data = n->pos > 0; /* before that its outputs are off */
    if (!n->selected || !data)
        return -1;
    if (n->qpi)
        return n->out >> ((n->out_bits > 4 ? 4u : 0u) + io) & 1;
    return io == 1 ? n->out >> (n->out_bits - 1) & 1 : -1;
}

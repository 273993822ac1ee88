/* Every operation of both flashes passes here: counted, announced, timed, cut (board_priv.h). */
#include <string.h>

#include "board/board_priv.h"

uint64_t board_random(struct board *b)
{
    uint64_t x = b->st.rng += 0x9E3779B97F4A7C15ull; /* splitmix64 */
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ x >> 27) * 0x94D049BB133111EBull;
    return x ^ x >> 31;
}

/* Time that both chips work together: what of this operation lies in the other's. */
static void account(struct board *b, unsigned chip, uint64_t cycles)
{
    struct board_state *st = &b->st;
    uint64_t from = sim_time(b), until = from + cycles, other = st->busy_until[!chip];
    if (other > from && st->busy_from[!chip] < until)
        st->overlap_cycles += (other < until ? other : until) - from;
    st->busy_from[chip] = from;
    st->busy_until[chip] = until;
    st->chip[chip].busy_cycles += cycles;
}

bool flash_op(struct board *b, bool external, bool erase, uint32_t addr, uint32_t len, uint64_t cycles)
{
    struct board_state *st = &b->st;
    struct board_chip_stats *chip = &st->chip[external];

    wait_activity(b);
    st->flash_ops++;
    if (erase)
        chip->erases++;
    else
        chip->programs++;
    account(b, external, cycles);
    struct board_flash_op op = { st->flash_ops, sim_time(b), external, erase, addr, len };
    hash_in(b, op.number ^ (uint64_t)addr << 24 ^ sim_time(b));
    if (b->flash_fn)
        b->flash_fn(b->flash_ctx, &op);
    if (st->cut_at != st->flash_ops)
        return false;
    st->cut = true;
    attention(b);
    return true;
}

void flash_apply(struct board *b, uint8_t *mem, const uint8_t *data, uint32_t len, bool torn)
{
    enum board_tear tear = torn ? b->st.tear : TEAR_ALL;
    if (tear == TEAR_NONE)
        return;
    if (tear == TEAR_HALF)
        len = len > 1 ? len / 2 : len;
    for (uint32_t i = 0; i < len; i++) {
        uint8_t target = data ? mem[i] & data[i] : 0xFF;
        if (tear == TEAR_BITS) {
            uint8_t changes = (uint8_t)((mem[i] ^ target) & board_random(b));
            target = mem[i] ^ changes;
        }
        mem[i] = target;
        if (data && data[i] != 0xFF)
            hash_in(b, data[i]);
    }
}

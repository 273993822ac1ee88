#include <string.h>

#include "sim/flash/nor_priv.h"
#include "sim/flash/power.h"

static const char *const tear_names[SIM_TEARS] = {
#define SIM_TEAR_TEXT(name, text) [SIM_TEAR_##name] = text,
    SIM_TEAR_TABLE(SIM_TEAR_TEXT)
#undef SIM_TEAR_TEXT
};

const char *sim_tear_name(enum sim_tear tear)
{
    return (unsigned)tear < SIM_TEARS ? tear_names[tear] : "unknown";
}

int sim_tear_find(const char *name)
{
    for (int i = 0; i < SIM_TEARS; i++) {
        if (strcmp(tear_names[i], name) == 0)
            return i;
    }
    return -1;
}

void sim_clock_advance(struct sim_clock *clock, uint64_t us)
{
    clock->us += us;
    if (clock->stepped)
        clock->stepped(clock->ctx, us);
}

uint32_t sim_power_random(struct sim_power *p)
{
    uint64_t x = p->seed ? p->seed : 0x9E3779B97F4A7C15u;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    p->seed = x;
    return (uint32_t)((x * 0x2545F4914F6CDD1Du) >> 32);
}

void sim_power_cut_at(struct sim_power *p, uint64_t n, enum sim_tear tear)
{
    p->cut_at = n;
    p->tear = tear;
    p->tear_other = tear;
}

void sim_power_up(struct sim_power *p)
{
    p->off = false;
    for (unsigned i = 0; i < p->chips; i++) {
        p->chip[i]->op = NOR_IDLE;
        weak_choose(p->chip[i]);
    }
}

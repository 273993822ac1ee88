/* The campaigns: sizes of the images, what the application does, and what else may happen. */
#include "tests/powerloss/bench.h"

#include <string.h>

enum { A, B, C };

const struct campaign campaigns[] = {
    /* name, units of A B C, spare, shared, attempts, extra, script, runs at the end */
    { "install", { 2, 2, 1 }, 2, 0, 1, 0, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "install-gap1", { 2, 2, 1 }, 1, 0, 1, 0, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "install-1-3", { 1, 3, 1 }, 2, 0, 1, 0, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "install-3-1", { 3, 1, 1 }, 2, 0, 1, 0, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "install-1-3-gap1", { 1, 3, 1 }, 1, 0, 1, 0, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "install-3-1-gap1", { 3, 1, 1 }, 1, 0, 1, X_STATE_IN_BOOT, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "install-3-3-shared", { 3, 3, 1 }, 2, 2, 1, 0, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "revert", { 2, 2, 1 }, 2, 0, 1, 0, { ACT_TEST_B, ACT_HANG }, A },
    { "revert-gap1", { 2, 2, 1 }, 1, 0, 1, X_STATE_IN_BOOT, { ACT_TEST_B, ACT_HANG }, A },
    { "revert-3-1", { 3, 1, 1 }, 2, 0, 1, X_STATE_IN_BOOT, { ACT_TEST_B, ACT_HANG }, A },
    { "revert-1-3-gap1", { 1, 3, 1 }, 1, 0, 1, 0, { ACT_TEST_B, ACT_HANG }, A },
    { "revert-1-3", { 1, 3, 1 }, 2, 0, 1, 0, { ACT_TEST_B, ACT_HANG }, A },
    { "revert-3-1-gap1", { 3, 1, 1 }, 1, 0, 1, 0, { ACT_TEST_B, ACT_HANG }, A },
    { "revert-3-3-shared", { 3, 3, 1 }, 2, 2, 1, 0, { ACT_TEST_B, ACT_HANG }, A },
    { "revert-asked", { 2, 2, 1 }, 2, 0, 3, 0, { ACT_TEST_B, ACT_ASK_REVERT }, A },
    { "revert-attempts3", { 1, 1, 1 }, 2, 0, 3, 0, { ACT_TEST_B, ACT_HANG }, A },
    { "install-attempts3", { 1, 1, 1 }, 2, 0, 3, 0, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "permanent", { 2, 2, 1 }, 2, 0, 1, 0, { ACT_PERM_B }, B },
    { "permanent-gap1", { 1, 2, 1 }, 1, 0, 1, 0, { ACT_PERM_B }, B },
    { "recover", { 2, 2, 1 }, 2, 0, 1, X_BROKEN_P, { ACT_END }, A },
    { "recover-old", { 1, 2, 1 }, 2, 0, 1, 0, { ACT_TEST_B, ACT_CONFIRM, ACT_DAMAGE_LATER }, A },
    { "recover-gap1", { 2, 1, 1 }, 1, 0, 1, 0, { ACT_PERM_B, ACT_DAMAGE_LATER }, A },
    { "mcuboot", { 2, 2, 1 }, 2, 0, 1, X_MCUBOOT, { ACT_HANG }, A },
    { "back-by-hand", { 2, 1, 1 }, 2, 0, 1, 0, { ACT_PERM_B, ACT_TEST_A, ACT_CONFIRM }, A },
    { "next-upload", { 1, 1, 2 }, 2, 0, 1, 0, { ACT_TEST_B, ACT_CONFIRM_UPLOAD_C, ACT_UPLOAD_C, ACT_CONFIRM }, C },
    { "install-dead", { 1, 1, 1 }, 2, 0, 1, X_DEAD, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "revert-dead", { 1, 1, 1 }, 1, 0, 1, X_DEAD, { ACT_TEST_B, ACT_HANG }, A },
    { "attempts3-dead", { 1, 1, 1 }, 2, 0, 3, X_DEAD, { ACT_TEST_B, ACT_HANG }, A },
    { "flashed", { 2, 2, 1 }, 2, 0, 1, X_FLASHED, { ACT_TEST_B, ACT_HANG }, A },
    { "flashed-gap1", { 2, 2, 1 }, 1, 0, 1, X_FLASHED, { ACT_TEST_B, ACT_HANG }, A },
    { "flashed-asked", { 2, 2, 1 }, 2, 0, 1, X_FLASHED, { ACT_TEST_B, ACT_ASK_REVERT }, A },
    { "rotten", { 2, 2, 1 }, 2, 0, 1, X_ROT, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "rotten-gap1", { 1, 2, 1 }, 1, 0, 1, X_ROT, { ACT_PERM_B }, B },
    { "real-install", { 213, 211, 1 }, 0, 0, 1, X_REAL, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "real-revert", { 211, 213, 1 }, 0, 0, 1, X_REAL | X_STATE_IN_BOOT, { ACT_TEST_B, ACT_HANG }, A },
    { "real-install-gap1", { 224, 224, 1 }, 0, 0, 1, X_REAL | X_EQUAL_SLOTS | X_STATE_IN_BOOT, { ACT_TEST_B, ACT_CONFIRM }, B },
    { "real-revert-gap1", { 224, 213, 1 }, 0, 0, 1, X_REAL | X_EQUAL_SLOTS, { ACT_TEST_B, ACT_HANG }, A },
    { "damaged", { 2, 2, 1 }, 2, 0, 1, 0, { ACT_TEST_B, ACT_DAMAGE }, A },
};
const unsigned campaign_count = sizeof campaigns / sizeof campaigns[0];

const struct campaign *campaign_find(const char *name, size_t len)
{
    for (unsigned i = 0; i < campaign_count; i++)
        if (strlen(campaigns[i].name) == len && strncmp(campaigns[i].name, name, len) == 0)
            return &campaigns[i];
    return NULL;
}

bool campaign_searched(const struct campaign *c)
{
    return !(c->extra & X_REAL);
}

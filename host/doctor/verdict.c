/* The one line at the top: will an update reach slot 1, and if not, where does it go? */
#include <string.h>

#include "host/doctor/doctor.h"

static const struct finding *find(const struct doctor *d, const char *rule, enum severity at_least)
{
    for (const struct finding *f = d->findings; f; f = f->next) {
        if (!f->suppressed && f->severity >= at_least && strcmp(f->rule->id, rule) == 0)
            return f;
    }
    return NULL;
}

/* Findings that by themselves decide that slot 1 is not reached, and how to say it. */
static const char *placement_verdict(struct doctor *d)
{
    const char *chip = d->drawing.chip ? d->drawing.chip : "the external flash";
    const struct finding *off = find(d, "PM03", SEV_ERROR), *unseen = find(d, "PM01", SEV_ERROR);
    const char *sb = "SB_CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY=y";

    if (off && unseen)
        return pool_printf(&d->pool,
            "NO: the upload goes to internal flash, not to %s. sysbuild keeps slot 1 internal because it was not told "
            "otherwise, and the application does not choose the chip. Two lines fix it: \"%s\" in sysbuild.conf, and "
            "\"/ { chosen { nordic,pm-ext-flash = &%s; }; };\" in the application's overlay.", chip, sb, chip);
    if (off)
        return pool_printf(&d->pool,
            "NO: the upload goes to internal flash, not to %s. sysbuild keeps slot 1 internal because it was not told "
            "otherwise. One line fixes it: \"%s\" in sysbuild.conf.", chip, sb);
    if (unseen)
        return pool_printf(&d->pool,
            "NO: there is no slot 1 on %s. Only MCUboot chooses the chip; the Partition Manager asks the application. "
            "One line fixes it: \"/ { chosen { nordic,pm-ext-flash = &%s; }; };\" in the application's overlay.", chip, chip);
    if (find(d, "PM22", SEV_WARNING))
        return pool_printf(&d->pool, "NO: as built, the upload goes to internal flash, not to %s.", chip);
    if (find(d, "PM02", SEV_ERROR))
        return pool_printf(&d->pool,
            "NO: the upload reaches %s, but MCUboot does not know the chip and never installs it.", chip);
    return NULL;
}

void verdict_finish(struct doctor *d)
{
    struct drawing *g = &d->drawing;
    const char *placed = placement_verdict(d);

    if (placed) {
        d->reach = REACH_NO;
        d->verdict = placed;
        return;
    }
    const struct finding *worst = d->findings;
    if (worst && !worst->suppressed && worst->severity == SEV_ERROR) {
        d->reach = REACH_NO;
        d->verdict = pool_printf(&d->pool, "NO: an update will not get through: %s.", worst->message);
        return;
    }
    if (!g->any) {
        d->verdict = "UNKNOWN: no bootloader is configured in what can be seen here, so there is no slot 1 to reach.";
        return;
    }
    if (g->slot1_known || g->external_as_built) {
        d->reach = REACH_YES;
        d->verdict = g->external_as_built
            ? pool_printf(&d->pool, "YES: slot 1 is on %s, and nothing found here keeps an update from it.",
                  g->chip ? g->chip : "the external flash")
            : "YES: slot 1 is in internal flash, and nothing found here keeps an update from it.";
        return;
    }
    d->verdict = g->external_as_meant
        ? "UNKNOWN: slot 1 is meant for the external flash, but an input that decides it is missing; see below."
        : "UNKNOWN: where slot 1 lies cannot be told from these files; see below for what is missing.";
}

#include "core/smp/groups/os.h"

#include <string.h>

enum { INFO_LETTERS = 9 };

void smp_os_init(struct smp_os *os, const struct smp_os_info *info)
{
    *os = (struct smp_os) { .info = info };
}

bool smp_os_reset_due(struct smp_os *os, uint32_t now_ms)
{
    if (!os->reset_asked || now_ms - os->reset_ms < SMP_OS_RESET_DELAY_MS)
        return false;
    os->reset_asked = false;
    return true;
}

static int echo(void *ctx, struct smp_call *call)
{
    struct span text = span_of("", 0);
    struct cbor_field f[] = { { .key = "d", .kind = CBOR_TSTR, .value = &text } };

    (void)ctx;
    if (cbor_read_map(call->payload, f, 1) != OK)
        return smp_rc(SMP_RC_INVALID);
    cbor_put_text_n(call->out, "r", text);
    return SMP_DONE;
}

/* `force` is accepted: a reset is never refused. A phone in an upgrade would wait for ever. */
static int reset(void *ctx, struct smp_call *call)
{
    struct smp_os *os = ctx;
    uint32_t mode = SMP_OS_BOOT_NORMAL;
    struct cbor_field f[] = { { .key = "boot_mode", .kind = CBOR_UINT, .value = &mode } };

    if (cbor_read_map(call->payload, f, 1) != OK || mode > SMP_OS_BOOT_RECOVERY)
        return smp_rc(SMP_RC_INVALID);
    os->boot_mode = (uint8_t)mode;
    os->reset_asked = true;
    os->reset_ms = call->now_ms;
    return SMP_DONE;
}

static int params(void *ctx, struct smp_call *call)
{
    (void)ctx;
    cbor_put_uint(call->out, "buf_size", SMP_BUF_SIZE);
    cbor_put_uint(call->out, "buf_count", SMP_BUF_COUNT);
    return SMP_DONE;
}

/* Which texts a format asks for; false if it holds an unknown letter. */
static bool info_wanted(struct span format, bool wanted[INFO_LETTERS])
{
    static const char letters[INFO_LETTERS + 1] = "snrvbmpio";

    for (size_t i = 0; i < format.len; i++) {
        char c = (char)format.p[i];
        bool known = c == 'a';
        for (unsigned k = 0; k < INFO_LETTERS; k++) {
            wanted[k] = wanted[k] || c == 'a' || c == letters[k];
            known = known || c == letters[k];
        }
        if (!known)
            return false;
    }
    return true;
}

/* As uname: the texts in a fixed order, whatever the order of the letters. */
static int info(void *ctx, struct smp_call *call)
{
    const struct smp_os_info *t = ((struct smp_os *)ctx)->info;
    const char *const text[INFO_LETTERS] = { t->kernel, t->node, t->release, t->version, t->build,
        t->machine, t->processor, t->platform, t->system };
    struct span format = span_of("s", 1);
    struct cbor_field f[] = { { .key = "format", .kind = CBOR_TSTR, .value = &format } };
    bool wanted[INFO_LETTERS] = { false };
    uint8_t line[256];
    size_t n = 0;

    if (cbor_read_map(call->payload, f, 1) != OK)
        return smp_rc(SMP_RC_INVALID);
    if (!info_wanted(format, wanted))
        return smp_err(SMP_OS_ERR_INVALID_FORMAT);
    for (unsigned i = 0; i < INFO_LETTERS; i++) {
        size_t len = strlen(text[i]);
        if (!wanted[i])
            continue;
        if (n + 1 + len > sizeof line)
            return smp_rc(SMP_RC_TOO_LARGE);
        if (n > 0)
            line[n++] = ' ';
        memcpy(line + n, text[i], len);
        n += len;
    }
    cbor_put_text_n(call->out, "output", span_of(line, n));
    return SMP_DONE;
}

/* Clients look for this name and choose by this mode how they upgrade; group 64 says the rest. */
static int bootloader(void *ctx, struct smp_call *call)
{
    struct span query = span_of("", 0);
    struct cbor_field f[] = { { .key = "query", .kind = CBOR_TSTR, .value = &query } };

    (void)ctx;
    if (cbor_read_map(call->payload, f, 1) != OK)
        return smp_rc(SMP_RC_INVALID);
    if (!f[0].present)
        cbor_put_text(call->out, "bootloader", "MCUboot");
    else if (query.len == 4 && memcmp(query.p, "mode", 4) == 0)
        cbor_put_int(call->out, "mode", SMP_OS_MODE_SWAP);
    else
        return smp_err(SMP_OS_ERR_NO_ANSWER);
    return SMP_DONE;
}

static enum smp_rc v1_code(unsigned err)
{
    switch (err) {
    case SMP_OS_ERR_INVALID_FORMAT:
        return SMP_RC_INVALID;
    case SMP_OS_ERR_NO_ANSWER:
        return SMP_RC_NO_ENTRY;
    default:
        return SMP_RC_UNKNOWN;
    }
}

static const struct smp_cmd cmds[] = {
    { .id = SMP_OS_ECHO, .read = echo, .write = echo },
    { .id = SMP_OS_RESET, .write = reset },
    { .id = SMP_OS_PARAMS, .read = params },
    { .id = SMP_OS_INFO, .read = info },
    { .id = SMP_OS_BOOTLOADER, .read = bootloader },
};

const struct smp_group smp_group_os = {
    .id = SMP_GROUP_OS,
    .cmds = cmds,
    .count = sizeof cmds / sizeof cmds[0],
    .v1 = v1_code,
};

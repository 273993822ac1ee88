/* The external flash of a board, from its devicetree. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/err.h"
#include "host/cli/board_files.h"
#include "host/lib/devicetree/devicetree.h"
#include "host/lib/layout/load.h"

/* What the node of a flash chip says. */
struct chip {
    const struct dt_node *node;
    bool qspi;
    unsigned bus; /* SPIM */
    unsigned cs_pin;
    uint8_t id[3];
    uint32_t size;
    const uint8_t *bfpt;
    size_t bfpt_len;
    unsigned qer;
};

static int unusable(const struct cli *cli, const char *board, const struct dt_node *n, const char *why, const char *next)
{
    return cli_fail(cli, EXIT_FILE, "board", why, next, "board %s: %s (line %u of %s); nothing was run", board, n->name,
        n->loc.line, n->loc.file ? n->loc.file : "its devicetree");
}

static bool enabled(const struct dt_node *n)
{
    for (; n; n = n->parent) {
        if (!dt_is_okay(n))
            return false;
    }
    return true;
}

static bool is_flash(const struct dt_node *n)
{
    return (dt_is_compatible(n, "nordic,qspi-nor") || dt_is_compatible(n, "jedec,spi-nor")) && enabled(n);
}

/* Which SPIM a bus node is: by its address, or by the label of a node whose definition is not at hand. */
static int spim_number(const struct dt_node *bus)
{
    static const uint32_t base[4] = { 0x40003000, 0x40004000, 0x40023000, 0x4002F000 };
    for (int i = 0; bus && i < 4; i++) {
        char label[8] = { '&', 's', 'p', 'i', (char)('0' + i), '\0' };
        if ((bus->has_address && bus->address == base[i]) || strcmp(bus->name, label) == 0)
            return i;
    }
    return -1;
}

/* The pin of entry `reg` in cs-gpios = <&gpioP pin flags>, ...; -1 if it cannot be told. */
static int cs_pin(const struct dt_node *bus, uint32_t reg)
{
    const struct dt_prop *p = dt_prop(bus, "cs-gpios");
    const struct dt_value *v = p ? p->value : NULL;
    uint32_t entry = 0;
    for (; v; v = v->next) {
        if (v->kind != DT_PHANDLE)
            continue;
        if (entry++ == reg)
            break;
    }
    if (!v || !v->text || !v->next || v->next->kind != DT_CELL || v->next->num > 31)
        return -1;
    int port = strcmp(v->text, "gpio1") == 0 || strstr(v->text, "50000300") ? 1 : 0;
    return port * 32 + (int)v->next->num;
}

static unsigned quad_code(const struct dt_node *n, bool macronix)
{
    static const char *const names[] = { "NONE", "S2B1v1", "S1B6", "S2B7", "S2B1v4", "S2B1v5", "S2B1v6" };
    const char *said = dt_string(n, "quad-enable-requirements", 0);
    for (unsigned i = 0; said && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(said, names[i]) == 0)
            return i;
    }
    return macronix ? 2 : 5;
}

static int read_bus(const struct cli *cli, const char *board, struct chip *c)
{
    uint32_t reg = 0;
    int pin, bus = spim_number(c->node->parent);
    c->qspi = dt_is_compatible(c->node, "nordic,qspi-nor");
    if (c->qspi)
        return EXIT_DONE;
    if (bus < 0)
        return unusable(cli, board, c->node, "the bus it is on is none of SPIM0 to SPIM3", "&spi2 { ... }, or a nordic,qspi-nor");
    if (dt_u32(c->node, "reg", &reg) < 0 || (pin = cs_pin(c->node->parent, reg)) < 0)
        return unusable(cli, board, c->node, "its bus does not say which pin selects it",
            "cs-gpios = <&gpio0 17 GPIO_ACTIVE_LOW>; in the bus's node");
    c->bus = (unsigned)bus;
    c->cs_pin = (unsigned)pin;
    return EXIT_DONE;
}

static int read_chip(const struct cli *cli, const char *board, struct chip *c)
{
    size_t len = 0;
    uint32_t bits = 0;
    const uint8_t *id = dt_bytes(c->node, "jedec-id", &len);
    if (!id || len != 3)
        return unusable(cli, board, c->node, "it has no jedec-id of three bytes", "jedec-id = [c2 28 17]; with your chip's bytes");
    memcpy(c->id, id, 3);
    if (dt_u32(c->node, "size-in-bytes", &c->size) < 0) {
        if (dt_u32(c->node, "size", &bits) < 0)
            bits = id[2] >= 16 && id[2] < 28 ? 8u << id[2] : 0;
        c->size = bits / 8;
    }
    c->bfpt = dt_bytes(c->node, "sfdp-bfp", &c->bfpt_len);
    if (!c->bfpt)
        c->bfpt_len = 0;
    c->qer = quad_code(c->node, id[0] == 0xC2);
    return read_bus(cli, board, c);
}

/* A part that is known by its id, or one made of what the node says. */
static int find_part(const struct cli *cli, const char *board, const struct chip *c, const struct nor_part **part,
    struct nor_part **made)
{
    static const uint8_t adesto[3] = { 0x1F, 0x47, 0x0C }, macronix[3] = { 0xC2, 0x28, 0x17 };
    if (memcmp(c->id, adesto, 3) == 0)
        *part = nor_part_find("at25xe321d");
    else if (memcmp(c->id, macronix, 3) == 0)
        *part = nor_part_find("mx25r6435f");
    else
        *part = *made = nor_part_generic(c->id, c->size, c->bfpt, c->bfpt_len, c->qer);
    if (!*part)
        return unusable(cli, board, c->node, "its size is no power of two of 64 KiB to 128 MiB, or its sfdp-bfp is no table",
            "size = <67108864>; in bits");
    return EXIT_DONE;
}

static int take_chips(const struct cli *cli, const char *board, const struct dt_tree *t, struct board_config *config,
    struct board_parts *parts)
{
    config->qspi = NULL;
    for (const struct dt_node *n = dt_each(t, NULL); n; n = dt_each(t, n)) {
        struct chip c = { .node = n };
        const struct nor_part *part = NULL;
        if (!is_flash(n))
            continue;
        int rc = read_chip(cli, board, &c);
        if (rc || (c.qspi ? config->qspi : config->spi)) /* the first of each kind counts */
            return rc;
        rc = find_part(cli, board, &c, &part, &parts->made[c.qspi ? 0 : 1]);
        if (rc)
            return rc;
        if (c.qspi) {
            config->qspi = part;
        } else {
            config->spi = part;
            config->spi_bus = c.bus;
            config->spi_cs_pin = c.cs_pin;
        }
    }
    return EXIT_DONE;
}

/* The wires of the chip behind QSPI, if the file says; else they are those of Nordic's kit. */
static void take_pins(const char *path, struct board_config *config)
{
    struct layout layout;
    struct layout_report *r = calloc(1, sizeof *r);
    bool read = r && (layout_load(path, &layout, r) == OK || r->wiring.qspi); /* partitions do not matter here */
    const struct layout_wiring *w = r ? &r->wiring : NULL;
    if (read && w->qspi) {
        config->qspi_pins[0] = w->qspi_sck;
        config->qspi_pins[1] = w->qspi_csn;
        memcpy(config->qspi_pins + 2, w->qspi_io, sizeof w->qspi_io);
    }
    free(r);
}

int board_parts_read(const struct cli *cli, const char *board, struct board_config *config, struct board_parts *parts)
{
    char path[LAYOUT_PATH_MAX];
    config->qspi = nor_part_find("mx25r6435f");
    if (!board)
        return EXIT_DONE;
    if (layout_find(board, path, sizeof path) != OK)
        return cli_fail(cli, EXIT_FILE, "board", "there is no such folder below boards/, and no such file",
            "--board takes a folder name below boards/, or the path of a devicetree file",
            "board %s was not found; nothing was run", board);
    struct dt_tree *t = dt_new(NULL);
    int err = t ? dt_read_file(t, path) : ERR_NOSPACE;
    const struct dt_problem *p = t && err == OK ? dt_problems(t) : NULL;
    while (p && p->kind != DT_SYNTAX && p->kind != DT_LIMIT)
        p = p->next;
    int rc = EXIT_DONE;
    if (err != OK)
        rc = cli_fail(cli, EXIT_FILE, "board", err_text(err), NULL, "cannot read %s; nothing was run", path);
    else if (p)
        rc = cli_fail(cli, EXIT_FILE, "board", p->message, "slipway layout BOARD shows every problem",
            "%s, line %u is no devicetree; nothing was run", p->loc.file, p->loc.line);
    else
        rc = take_chips(cli, board, t, config, parts);
    if (rc == EXIT_DONE)
        take_pins(path, config);
    dt_free(t);
    return rc;
}

void board_parts_free(struct board_parts *parts)
{
    for (unsigned i = 0; i < 2; i++)
        nor_part_free(parts->made[i]);
}

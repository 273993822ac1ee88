/* Devicetree: what is said of the flash part and its wiring, against data sheets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "host/doctor/rule.h"

typedef unsigned long long ull;

/* 512 KiB: no chip for a second slot is smaller; a declared size below it is a slip. */
enum { SMALLEST_SLOT_BITS = 4 << 20 };

static const char *name_of(const struct dt_node *n)
{
    return n->label ? n->label->name : n->name;
}

/* Calls fn for each enabled flash node that the project itself writes, in both images. */
static void each_flash(struct check *c, void (*fn)(struct check *, const struct image *, const struct dt_node *))
{
    const struct image *images[] = { &c->v->app, &c->v->boot };

    for (int i = 0; i < 2; i++) {
        for (const struct dt_node *n = NULL; (n = dt_each(images[i]->dt, n));) {
            if (is_nor(n) && dt_is_okay(n) && n->first.file && n->first.file[0] != '(')
                fn(c, images[i], n);
        }
    }
}

static bool id_of(const struct dt_node *n, const uint8_t **id)
{
    size_t len = 0;

    *id = dt_bytes(n, "jedec-id", &len);
    return *id && len == 3;
}

static void size_in_bytes(struct check *c, const struct image *i, const struct dt_node *n)
{
    const uint8_t *id;
    uint64_t bits, implied;

    if (!dt_prop(n, "size") || !node_bits(n, &bits) || !id_of(n, &id) || !(implied = nor_bits_of_id(id)) || bits == implied)
        return;
    bool bytes = bits * 8 == implied;
    if (!bytes && !nor_by_id(id))
        return;
    struct finding *f = check_report(c, prop_place(c->v, n, "size"), i->name,
        "size = <%llu> is in bits: that is %llu KiB, but the part with jedec-id %02x %02x %02x has %llu KiB%s", (ull)bits,
        (ull)bits / 8192, id[0], id[1], id[2], (ull)implied / 8192, bytes ? " (the value is the size in bytes)" : "");
    /* a chip that is declared smaller, and large enough for a slot, works in its lower part */
    if (!bytes && bits < implied && bits >= SMALLEST_SLOT_BITS)
        f->severity = SEV_WARNING;
    struct place at = prop_place(c->v, n, "size");
    f->fix = check_say(c, "size = <%llu>;", (ull)implied);
    fix_replace(c, f, &at, f->fix);
}

static void dt01(struct check *c)
{
    each_flash(c, size_in_bytes);
}

/* The name's letters up to the unit address: "at25xe321d" of "at25xe321d@0". */
static const char *vendor_by_name(const struct dt_node *n, const char **name)
{
    const char *compatible = dt_string(n, "compatible", 0), *comma = compatible ? strchr(compatible, ',') : NULL;
    const char *vendor = nor_vendor_of_name(n->name);

    *name = n->name;
    if (!vendor && comma) {
        vendor = nor_vendor_of_name(comma + 1);
        *name = compatible;
    }
    return vendor;
}

/* The chips of Nordic's kits, whose nodes are copied most. */
static bool is_of_kit(const uint8_t *id)
{
    static const uint8_t kits[][3] = { { 0xc2, 0x28, 0x17 }, { 0xc8, 0x65, 0x19 } };

    return memcmp(id, kits[0], 3) == 0 || memcmp(id, kits[1], 3) == 0;
}

static void wrong_id(struct check *c, const struct image *i, const struct dt_node *n)
{
    const uint8_t *id;
    const char *name;
    uint64_t bits;

    if (!id_of(n, &id))
        return;
    const char *by_id = nor_vendor_of_id(id[0]), *by_name = vendor_by_name(n, &name);
    if (by_id && by_name && strcmp(by_id, by_name) != 0) {
        struct finding *f = check_report(c, prop_place(c->v, n, "jedec-id"), i->name,
            "jedec-id %02x %02x %02x is a %s part, the node is called %s (%s)", id[0], id[1], id[2], by_id, name, by_name);
        /* an id that is not a kit's and has the size on its side was hardly copied: the name may be what is old */
        if (!is_of_kit(id) && node_bits(n, &bits) && (bits == nor_bits_of_id(id) || bits * 8 == nor_bits_of_id(id))) {
            f->severity = SEV_WARNING;
            f->message = check_say(c, "%s; if the chip was replaced, the name is what is wrong", f->message);
        }
        return;
    }
    const struct nor_part *part = nor_by_name(n->name), *other = nor_by_id(id);
    if (part && other && part->mbit != other->mbit)
        check_report(c, prop_place(c->v, n, "jedec-id"), i->name,
            "jedec-id %02x %02x %02x is that of a %s (%u Mbit), the node is called %s (%u Mbit)", id[0], id[1], id[2],
            other->name, other->mbit, n->name, part->mbit);
}

static void dt02(struct check *c)
{
    each_flash(c, wrong_id);
}

static void wrong_capacity(struct check *c, const struct image *i, const struct dt_node *n)
{
    const uint8_t *id;
    uint64_t bits;

    if (!id_of(n, &id) || !node_bits(n, &bits) || !nor_bits_of_id(id) || nor_bits_of_id(id) == bits)
        return;
    check_report(c, prop_place(c->v, n, "jedec-id"), i->name, "the capacity in jedec-id %02x %02x %02x is %llu Mbit, size says %llu.%llu",
        id[0], id[1], id[2], (ull)nor_bits_of_id(id) >> 20, (ull)bits >> 20, (ull)((bits & 0xfffff) * 10) >> 20);
}

static void dt03(struct check *c)
{
    each_flash(c, wrong_capacity);
}

/* --- wiring ------------------------------------------------------------------------------------ */

/* A pin of psels: NRF_PSEL(FUNCTION, port, pin), or the number that a built devicetree has. */
static bool pin_of(const struct dt_value *v, char *function, int *port, int *pin)
{
    function[0] = '\0';
    if (v->kind == DT_CELL) {
        *port = (int)(v->num & 0x7f) / 32;
        *pin = (int)(v->num & 0x7f) % 32;
        return true;
    }
    return v->kind == DT_UNKNOWN && sscanf(v->text, "NRF_PSEL(%39[A-Z0-9_], %d, %d", function, port, pin) == 3;
}

typedef bool (*pin_fn)(struct check *c, const struct image *i, const struct dt_prop *psels, const char *function, int port,
    int pin);

/* Every pin of the bus's first pinctrl state. False if the state cannot be seen. */
static bool each_pin(struct check *c, const struct image *i, const struct dt_node *bus, pin_fn fn)
{
    const struct dt_prop *state = dt_prop(bus, "pinctrl-0");
    const struct dt_node *group = state ? dt_target(i->dt, state->value) : NULL;
    bool any = false;

    for (const struct dt_node *g = group ? group->child : NULL; g; g = g->next) {
        const struct dt_prop *psels = dt_prop(g, "psels");
        for (const struct dt_value *v = psels ? psels->value : NULL; v; v = v->next) {
            char function[40];
            int port, pin;
            if (!pin_of(v, function, &port, &pin))
                continue;
            any = true;
            if (fn(c, i, psels, function, port, pin))
                return true;
        }
    }
    return any;
}

static bool gives_up_nfc(const struct check *c, const struct image *i)
{
    const struct dt_node *uicr = dt_by_label(i->dt, "uicr");

    if (uicr && dt_prop(uicr, "nfct-pins-as-gpios"))
        return true;
    return opt_on(c->v, i, "NFCT_PINS_AS_GPIOS");
}

static bool nfc_pin(struct check *c, const struct image *i, const struct dt_prop *psels, const char *function, int port, int pin)
{
    const struct soc *soc = c->v->soc;
    int nfc_port = soc ? soc->nfc_port : 0, first = soc ? soc->nfc_pin[0] : 9, second = soc ? soc->nfc_pin[1] : 10;

    if (port != nfc_port || (pin != first && pin != second) || gives_up_nfc(c, i))
        return false;
    struct finding *f = check_report(c, dt_place(c->v, &psels->loc), i->name,
        "%s is on P%d.%02d, an NFC antenna pin, and %s's devicetree does not turn it into a GPIO", *function ? function : "a line",
        port, pin, i->name);
    f->fix = "&uicr { nfct-pins-as-gpios; }; in the board's dts, for every image, then erase all once";
    return true;
}

static void nfc_pins(struct check *c, const struct image *i, const struct dt_node *n)
{
    if (n->parent && i->present)
        each_pin(c, i, n->parent, nfc_pin);
}

static void dt04(struct check *c)
{
    each_flash(c, nfc_pins);
}

static bool is_quad(const char *opcode)
{
    return opcode && strchr(opcode, '4') != NULL;
}

static bool uses_quad(const struct dt_node *n)
{
    return is_quad(dt_string(n, "readoc", 0)) || is_quad(dt_string(n, "writeoc", 0));
}

static void wrong_qer(struct check *c, const struct image *i, const struct dt_node *n)
{
    const char *qer = dt_string(n, "quad-enable-requirements", 0);
    const struct nor_part *part = part_of(n);
    const uint8_t *id;
    const char *vendor = id_of(n, &id) ? nor_vendor_of_id(id[0]) : nor_vendor_of_name(n->name);
    enum qer want = part ? part->qer : nor_vendor_qer(vendor);
    enum qer has = !qer || strcmp(qer, "S1B6") == 0 ? QER_S1B6 : text_starts(qer, "S2B1") ? QER_S2B1 : QER_NONE;

    if (!is_qspi_nor(n) || !uses_quad(n) || want == QER_ANY || has == want || (want == QER_NONE && !qer))
        return;
    if (qer && strcmp(qer, "NONE") == 0 && want != QER_NONE)
        has = QER_NONE;
    struct finding *f = check_report(c, prop_place(c->v, n, qer ? "quad-enable-requirements" : "readoc"), i->name,
        "%s uses four data lines with quad-enable-requirements %s; parts of %s have the bit elsewhere (%s)", name_of(n),
        qer ? qer : "left at its default, S1B6", vendor ? vendor : "this vendor", want == QER_S2B1 ? "S2B1v1 or alike" : "S1B6");
    f->fix = check_say(c, "quad-enable-requirements = \"%s\"; or single-line opcodes (fastread, pp)", want == QER_S2B1 ? "S2B1v1" : "S1B6");
}

static void dt05(struct check *c)
{
    each_flash(c, wrong_qer);
}

static void short_address(struct check *c, const struct image *i, const struct dt_node *n)
{
    uint64_t bits;

    if (!node_bits(n, &bits) || bits <= 128u << 20)
        return;
    bool wide = dt_prop(n, "address-size-32"), enter = dt_prop(n, "enter-4byte-addr");
    if (is_qspi_nor(n) && !wide)
        check_report(c, prop_place(c->v, n, "size"), i->name, "%s has %llu Mbit and is addressed with 24 bits, which reach 128 Mbit",
            name_of(n), (ull)bits >> 20);
    else if (!enter && (is_qspi_nor(n) || is_spi_nor(n))) {
        struct finding *f = check_report(c, prop_place(c->v, n, "size"), i->name,
            "%s has %llu Mbit and no enter-4byte-addr: it may stay in 24-bit mode", name_of(n), (ull)bits >> 20);
        f->severity = SEV_WARNING;
    }
}

static void dt06(struct check *c)
{
    each_flash(c, short_address);
}

static void long_address(struct check *c, const struct image *i, const struct dt_node *n)
{
    uint64_t bits;

    if (!dt_prop(n, "address-size-32") || !node_bits(n, &bits) || bits > 128u << 20)
        return;
    struct place at = prop_place(c->v, n, "address-size-32");
    struct finding *f = check_report(c, at, i->name, "%s has %llu Mbit and takes 24-bit addresses; address-size-32 shifts every one",
        name_of(n), (ull)bits >> 20);
    fix_delete(c, f, &at);
}

static void dt07(struct check *c)
{
    each_flash(c, long_address);
}

/* --- deep power-down --------------------------------------------------------------------------- */

static void sleeping_part(struct check *c, const struct image *i, const struct dt_node *n)
{
    const struct nor_part *part = part_of(n);
    const struct view *v = c->v;

    if (!is_qspi_nor(n) || !dt_prop(n, "has-dpd"))
        return;
    if (zephyr_below(v, 30600) || (!v->p->zephyr && part && part->needs_unlock_dpd))
        check_report(c, prop_place(v, n, "has-dpd"), i->name,
            "%s is put into deep power-down, and the QSPI driver of Zephyr before 3.6 cannot wake it after a soft reset%s",
            name_of(n), v->p->zephyr ? "" : " (the version is not known here)");
}

static void dt15(struct check *c)
{
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };

    for (int i = 0; i < 2; i++) {
        if (opt_on(v, images[i], "SPI_NOR_IDLE_IN_DPD") && opt_on(v, images[i], "SPI_NOR_SFDP_RUNTIME"))
            check_report(c, opt_place(images[i], "SPI_NOR_IDLE_IN_DPD"), images[i]->name,
                "SPI_NOR_IDLE_IN_DPD sends the chip to sleep after its id was read; SPI_NOR_SFDP_RUNTIME then asks it for more");
    }
    each_flash(c, sleeping_part);
    const struct dt_node *a = ext_flash(v, &v->app), *b = ext_flash(v, &v->boot);
    if (a && b && a->parent && b->parent && dt_prop(a, "has-dpd") && !dt_prop(b, "has-dpd"))
        check_report(c, prop_place(v, a, "has-dpd"), "mcuboot", "%s has has-dpd in the application and not in MCUboot, which finds it asleep",
            name_of(a));
}

static void too_fast(struct check *c, const struct image *i, const struct dt_node *n)
{
    static const char *const props[] = { "sck-frequency", "spi-max-frequency" };
    const struct nor_part *part = part_of(n);
    uint32_t hz;

    for (int k = 0; k < 2; k++) {
        if (dt_u32(n, props[k], &hz) != OK)
            continue;
        uint32_t soc = k == 0 && c->v->soc && strcmp(c->v->soc->name, "nrf52840") == 0 ? 32000000 : 0;
        if (soc && hz > soc)
            check_report(c, prop_place(c->v, n, props[k]), i->name, "%s = %u is more than the QSPI of an nRF52840 can do (%u)", props[k],
                hz, soc);
        else if (part && hz > part->max_hz)
            check_report(c, prop_place(c->v, n, props[k]), i->name, "%s = %u is more than a %s takes (%u)", props[k], hz, part->name,
                part->max_hz);
    }
}

static void dt16(struct check *c)
{
    each_flash(c, too_fast);
}

static void protected_part(struct check *c, const struct image *i, const struct dt_node *n)
{
    const struct nor_part *part = part_of(n);

    if (!part || !part->protects || dt_prop(n, "has-lock") || dt_prop(n, "requires-ulbpr"))
        return;
    struct finding *f = check_report(c, node_place(c->v, n), i->name,
        "the %s may have blocks protected; it then ignores erase and write without an error", part->name);
    f->fix = is_spi_nor(n) ? "has-lock = <0x3c>; so that the driver clears the protection"
                           : "read status register 1; if it is not 0x00, clear bits 5:2 once (the QSPI driver has no option for it)";
}

static void dt17(struct check *c)
{
    each_flash(c, protected_part);
}

static void quad_risk(struct check *c, const struct image *i, const struct dt_node *n)
{
    const struct nor_part *part = part_of(n);
    const char *read = dt_string(n, "readoc", 0);

    if (!is_qspi_nor(n) || !uses_quad(n))
        return;
    if (part && part->dummy_cycles && read && strcmp(read, "read4io") == 0) {
        struct finding *f = check_report(c, prop_place(c->v, n, "readoc"), i->name,
            "the %s has programmable dummy cycles for read4io, the QSPI peripheral a fixed number; the driver never checks "
            "that quad mode works", part->name);
        struct place at = prop_place(c->v, n, "readoc");
        f->fix = "try readoc = \"fastread\", writeoc = \"pp\", quad-enable-requirements = \"NONE\"; if DFU then works, go on to "
                 "read4o and pp4o";
        fix_replace(c, f, &at, "readoc = \"fastread\";");
    }
    if (!n->parent || !dt_prop(n->parent, "pinctrl-0"))
        return;
    const struct dt_node *group = dt_target(i->dt, dt_prop(n->parent, "pinctrl-0")->value);
    bool io = false, any = false;
    for (const struct dt_node *g = group ? group->child : NULL; g; g = g->next) {
        const struct dt_prop *psels = dt_prop(g, "psels");
        for (const struct dt_value *v = psels ? psels->value : NULL; v; v = v->next) {
            any |= v->kind == DT_UNKNOWN && strstr(v->text, "QSPI_");
            io |= v->kind == DT_UNKNOWN && (strstr(v->text, "QSPI_IO2") || strstr(v->text, "QSPI_IO3"));
        }
    }
    if (any && !io)
        check_report(c, prop_place(c->v, n, read ? "readoc" : "writeoc"), i->name,
            "%s uses four data lines, but the pin control has neither IO2 nor IO3", name_of(n));
}

static void dt18(struct check *c)
{
    each_flash(c, quad_risk);
}

/* --- other kinds of memory --------------------------------------------------------------------- */

static const struct dt_node *chosen_part(const struct view *v, const struct image **image)
{
    const struct image *images[] = { &v->app, &v->boot };

    for (int i = 0; i < 2; i++) {
        const struct dt_node *n = ext_flash(v, images[i]);
        *image = images[i];
        if (n && dt_string(n, "compatible", 0))
            return n;
    }
    return NULL;
}

static bool is_kind(const struct dt_node *n, const char *const *words)
{
    const char *compatible;

    for (unsigned i = 0; (compatible = dt_string(n, "compatible", i)); i++) {
        for (const char *const *w = words; *w; w++) {
            if (strstr(compatible, *w))
                return true;
        }
    }
    return false;
}

static void dt19(struct check *c)
{
    static const char *const odd[] = { "at45", "mb85rs", "fram", "mram", "everspin", "nand", NULL };
    const struct image *i;
    const struct dt_node *n = chosen_part(c->v, &i);

    if (n && is_kind(n, odd) && swaps(swap_mode(c->v)))
        check_report(c, node_place(c->v, n), i->name, "%s (\"%s\") has no uniform 4 KiB erase, which a swap with internal flash needs",
            name_of(n), dt_string(n, "compatible", 0));
}

static void dt20(struct check *c)
{
    static const char *const nand[] = { "nand", NULL };
    const struct image *i;
    const struct dt_node *n = chosen_part(c->v, &i);
    uint32_t block, internal = 4;

    if (!n)
        return;
    const struct dt_node *flash = dt_by_label(i->dt, "flash0");
    if (flash && dt_u32(flash, "write-block-size", &block) == OK)
        internal = block;
    if (dt_u32(n, "write-block-size", &block) == OK && block > internal && block > 8)
        check_report(c, prop_place(c->v, n, "write-block-size"), i->name,
            "%s is written in blocks of %u bytes, the internal flash in %u: the trailer's flags cannot be written one by one",
            name_of(n), block, internal);
    else if (is_kind(n, nand))
        check_report(c, node_place(c->v, n), i->name, "%s is a NAND flash, written in pages: the trailer's flags cannot be written one by one",
            name_of(n));
}

/* JESD216 BFP, second word: bits of the part less one, if bit 31 is clear. */
static void foreign_sfdp(struct check *c, const struct image *i, const struct dt_node *n)
{
    static const uint8_t mx25r64[] = { 0xe5, 0x20, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x03, 0x44, 0xeb, 0x08, 0x6b };
    size_t len = 0;
    const uint8_t *bfp = dt_bytes(n, "sfdp-bfp", &len), *id;
    uint64_t bits;

    if (!bfp || len < 16 || !id_of(n, &id))
        return;
    if (memcmp(bfp, mx25r64, sizeof mx25r64) == 0 && id[0] != 0xc2) {
        check_report(c, prop_place(c->v, n, "sfdp-bfp"), i->name, "these SFDP bytes are those of a Macronix MX25R64, the part is a %s one",
            nor_vendor_of_id(id[0]) ? nor_vendor_of_id(id[0]) : "different");
        return;
    }
    uint32_t density = ld_le32(bfp + 4);
    uint64_t implied = nor_bits_of_id(id);
    if (!(density >> 31) && implied && node_bits(n, &bits) && (uint64_t)density + 1 != implied)
        check_report(c, prop_place(c->v, n, "sfdp-bfp"), i->name, "these SFDP bytes describe a part of %llu Mbit, the id one of %llu",
            ((ull)density + 1) >> 20, (ull)implied >> 20);
}

static void dt21(struct check *c)
{
    each_flash(c, foreign_sfdp);
}

const struct rule rules_dt_flash[] = {
    { "DT01", SEV_ERROR, IN_ANY, false, "sources", "the flash's size is given in bytes, or is not the part's",
        "The region is eight times too small: the Partition Manager fails, or makes a map with negative sizes in silence.",
        "Give the size in bits.", "The property size of a flash node counts bits; the Partition Manager divides by 8.",
        "devzone 85987; partition_manager.cmake", dt01 },
    { "DT02", SEV_ERROR, IN_ANY, false, "sources", "jedec-id belongs to another part than the node's name",
        "The driver's init fails: 'JEDEC id [..] expect [..]', -ENODEV, and every access to slot 1 gives -19.",
        "Write the id of the data sheet (or read it out with RDID).",
        "The driver compares the chip's answer with jedec-id and gives up if they differ.", "nrf_qspi_nor.c; devzone 106822",
        dt02 },
    { "DT03", SEV_WARNING, IN_ANY, false, "sources", "the capacity in jedec-id and size disagree",
        "Slots are placed for a chip of another size.", "Correct the one that is wrong.",
        "The third byte of most ids is the capacity as a power of two; Adesto keeps it in the second.", "JEDEC practice; data sheets",
        dt03 },
    { "DT04", SEV_ERROR, IN_ANY, false, "sources", "the flash is wired to the NFC pins, and they are not GPIOs",
        "'JEDEC id [00 00 00]': the chip cannot be reached.", "&uicr { nfct-pins-as-gpios; }; for every image.",
        "The NFC pins belong to the antenna until UICR says otherwise; MCUboot is the first to run.", "devzone 119703", dt04 },
    { "DT05", SEV_WARNING, IN_ANY, false, "sources", "four data lines, and the quad-enable bit of another vendor",
        "Writes are acknowledged and read back as garbage: 'Hash not Found', or bad header magic.",
        "Set quad-enable-requirements for the part, or use single-line opcodes.",
        "The driver sets the bit it is told to and never reads it back.", "nrf_qspi_nor.c; data sheets", dt05 },
    { "DT06", SEV_ERROR, IN_ANY, false, "sources", "a part of more than 128 Mbit with 24-bit addresses",
        "What is written above 16 MiB lands at address 0: a slot overwrites other data.",
        "Add address-size-32; and enter-4byte-addr = <...>;.", "24 address bits end at 16 MiB.", "devzone 104860; nrf_qspi_nor.c",
        dt06 },
    { "DT07", SEV_ERROR, IN_ANY, false, "sources", "32-bit addresses for a part that takes 24",
        "Nothing can be read, erase fails.", "Remove address-size-32.", "The fourth address byte is taken for data.",
        "reddit Zephyr_RTOS 1ghcaux", dt07 },
    { "DT15", SEV_WARNING, IN_ANY, false, "sources", "the chip may be asleep when it is opened",
        "After a soft reset the flash does not answer: -19, no update, or no boot.",
        "Drop the option, or give has-dpd and its times to both images; use a newer SDK.",
        "A chip in deep power-down answers one command only.", "zephyr #33015, #43766, #55543, PR #64782", dt15 },
    { "DT16", SEV_WARNING, IN_ANY, false, "sources", "the clock is faster than the part or the SoC allows", "Now and then garbage is read.",
        "Lower the frequency.", "The binding does not know the part.", "data sheets", dt16 },
    { "DT17", SEV_WARNING, IN_ANY, false, "sources", "the part may be write-protected",
        "Erase and write do nothing and report nothing: the upload is acknowledged, the slot stays as it was.",
        "Clear the block-protection bits.", "These families come up, or can be left, with protected blocks; a refused erase raises no error.",
        "data sheets of AT25XE/DF/FF, SST26, IS25", dt17 },
    { "DT18", SEV_WARNING, IN_ANY, false, "sources", "quad reads that are not proven to work",
        "RDID and status work, data is shifted: 'Hash not Found' after a complete upload.",
        "Start with single-line opcodes.", "The peripheral's number of dummy cycles is fixed; some parts' is programmable. Without IO2 and IO3 nothing can work.",
        "data sheet AT25XE321D, status register 5; nRF52840 product specification, QSPI", dt18 },
    { "DT19", SEV_WARNING, IN_ANY, false, "sources", "a memory without uniform 4 KiB erase as slot 1",
        "The layouts differ and nothing is swapped; the driver may be unknown to the Partition Manager.",
        "Use overwrite-only, or a NOR flash.", "A swap moves erase units one to one.", "devzone 102734", dt19 },
    { "DT20", SEV_ERROR, IN_ANY, false, "sources", "slot 1 can only be written in larger blocks than internal flash",
        "The image's trailer cannot be written: no update is ever requested.", "Use a NOR flash.",
        "The trailer sets single flags, each in its own write.", "zephyr PR #30737; bootloader_partitioning.rst", dt20 },
    { "DT21", SEV_WARNING, IN_ANY, false, "sources", "SFDP bytes of another part",
        "With SPI_NOR_SFDP_DEVICETREE the driver erases and enables quad mode in the wrong way.",
        "Use the part's own bytes, or SFDP at run time.", "The bytes of a development kit are often copied.", "devzone 88971 and others",
        dt21 },
    { .id = NULL },
};

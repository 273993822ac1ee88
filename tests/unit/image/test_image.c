/* What is an image, whose signature counts, what may run. imgtool's images are in tests/interop. */
#include "tests/unit/image/image_kit.h"

static int open_and_verify(uint32_t limit, struct image *img, struct finding *why)
{
    uint8_t buf[96];
    enum verdict v = VERDICT_GOOD;
    int rc = image_open(img, &area, 0, limit, why);

    if (rc != OK)
        return rc;
    rc = image_verify(img, &known, buf, sizeof buf, &v, why);
    assert_int_equal(v, rc == OK ? VERDICT_GOOD : VERDICT_BAD);
    return rc;
}

static void test_a_good_image(void **state)
{
    static const struct {
        const char *name;
        struct parts p;
    } cases[] = {
        { "plain", { .hdr_size = 0x200, .img_size = 1000 } },
        { "smallest header", { .hdr_size = 32, .img_size = 1000 } },
        { "odd sizes", { .hdr_size = 0x123, .img_size = 777 } },
        { "padded signature", { .hdr_size = 0x200, .img_size = 500, .pad_sig = 3 } },
        { "second key", { .hdr_size = 0x200, .img_size = 500, .key = 1 } },
        { "a tiny payload", { .hdr_size = 32, .img_size = 1 } },
        { "unknown TLVs before the others", { .hdr_size = 32, .img_size = 100,
                                                .extra = "\xA0\x00\x03\x00xyz\xA1\x00\x00\x00",
                                                .extra_len = 11 } },
        { "protected TLVs", { .hdr_size = 32, .img_size = 100,
                                .prot = "\x50\x00\x04\x00\x07\x00\x00\x01"
                                        "\xA0\x5A\x04\x00\x78\x56\x34\x12"
                                        "\xA1\x5A\x04\x00\x1E\x00\x00\x00"
                                        "\x40\x00\x0C\x00\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x00\x00",
                                .prot_len = 40 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct image img;
        struct finding why;
        build(&cases[i].p);
        rom.bound = image_end;
        int rc = open_and_verify(MEM, &img, &why);
        if (rc != OK)
            fail_msg("%s: %s", cases[i].name, reason_text(why.reason));
        assert_int_equal(why.reason, REASON_NONE);
        assert_int_equal(img.end, image_end);
        assert_int_equal(img.hdr_size, cases[i].p.hdr_size);
        assert_int_equal(img.img_size, cases[i].p.img_size);
        assert_int_equal(img.version.major, 1);
        assert_int_equal(img.version.minor, 2);
        assert_int_equal(img.version.revision, 3);
        assert_int_equal(img.version.build, 4);
        assert_int_equal(img.has_layout, cases[i].p.prot_len != 0);
    }
}

static void test_what_protected_tlvs_say(void **state)
{
    struct parts p = plain;
    struct image img;
    struct finding why;
    struct image_tlv_iter it;

    (void)state;
    memcpy(p.prot, "\x50\x00\x04\x00\x07\x00\x00\x01\xA0\x5A\x04\x00\x78\x56\x34\x12"
                   "\xA1\x5A\x04\x00\x1E\x00\x00\x00", 24);
    p.prot_len = 24;
    build(&p);
    assert_int_equal(open_and_verify(MEM, &img, &why), OK);
    assert_true(img.has_counter && img.has_layout && img.has_hash);
    assert_int_equal(img.security_counter, 0x01000007);
    assert_int_equal(img.layout_hash, 0x12345678);
    assert_int_equal(img.trial_s, 30);
    assert_int_equal(img.initial_sp, 0x20010000);
    assert_int_equal(img.reset_vector, SLOT0 + 0x201);

    static const struct {
        unsigned type, len;
        bool prot;
    } want[] = { { 0x50, 4, true }, { 0x5AA0, 4, true }, { 0x5AA1, 4, true }, { 0x10, 32, false },
        { 0x01, 32, false } };
    image_tlv_begin(&it, &img);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        assert_int_equal(image_tlv_next(&it), 1);
        assert_int_equal(it.type, want[i].type);
        assert_int_equal(it.len, want[i].len);
        assert_int_equal(it.prot, want[i].prot);
    }
    assert_int_equal(image_tlv_next(&it), 1);
    assert_int_equal(it.type, IMAGE_TLV_ECDSA_SIG);
    assert_int_equal(it.data_off + it.len, img.end);
    assert_int_equal(image_tlv_next(&it), 0);
    assert_int_equal(image_tlv_next(&it), 0);
}

/* A layout hash or a counter that nobody signed says nothing. */
static void test_unprotected_claims_do_not_count(void **state)
{
    struct parts p = plain;
    struct image img;
    struct finding why;

    (void)state;
    p.extra = "\xA0\x5A\x04\x00\x78\x56\x34\x12\x50\x00\x04\x00\x07\x00\x00\x01\xA1\x5A\x01\x00\x09";
    p.extra_len = 21;
    build(&p);
    assert_int_equal(open_and_verify(MEM, &img, &why), OK);
    assert_false(img.has_layout);
    assert_false(img.has_counter);
    assert_int_equal(img.trial_s, 0);
}

static void test_an_image_inside_an_area(void **state)
{
    struct image img;
    struct finding why;
    uint8_t buf[64];
    enum verdict v;

    (void)state;
    rom_new();
    build_at(3000, &plain);
    area = (struct flash_area) { .dev = &dev, .off = 1000, .size = 2000 + image_end };
    rom.bound = 3000 + image_end;
    assert_int_equal(image_open(&img, &area, 2000, 0xFFFFFFFF, &why), OK);
    assert_int_equal(image_verify(&img, &known, buf, sizeof buf, &v, &why), OK);
    area.size--;
    assert_int_equal(image_open(&img, &area, 2000, 0xFFFFFFFF, &why), ERR_FORMAT);
    assert_int_equal(why.reason, REASON_IMG_TRUNCATED);
    assert_int_equal(image_open(&img, &area, 0xFFFFFFF0, 0xFFFFFFFF, &why), ERR_FORMAT);
    assert_int_equal(why.reason, REASON_IMG_TRUNCATED);
}

/* One patch of bytes to an otherwise good image, and what has to be found. */
enum where { AT_START, AT_TLVS, AT_PROT };
struct patch {
    const char *name;
    enum where from;
    uint32_t at;
    const char *bytes;
    size_t len;
    int want;
    enum reason reason;
    uint32_t found, expected, where;
};

/* plain with a layout TLV: payload 0x100..0x2F3, protected 0x2F4..0x2FF, TLVs at 0x300. */
static const struct patch patches[] = {
    { "another magic", AT_START, 0, "\x3C", 1, ERR_FORMAT, REASON_IMG_MAGIC, 0x96F3B83C,
        IMAGE_MAGIC, 0 },
    { "zeros", AT_START, 0, "\0\0\0\0", 4, ERR_FORMAT, REASON_IMG_MAGIC, 0, IMAGE_MAGIC, 0 },
    { "header too short", AT_START, 8, "\x1F\x00", 2, ERR_FORMAT, REASON_IMG_HEADER, 31, 32, 0 },
    { "no header size", AT_START, 8, "\x00\x00", 2, ERR_FORMAT, REASON_IMG_HEADER, 0, 32, 0 },
    { "protected size 3", AT_START, 10, "\x03\x00", 2, ERR_FORMAT, REASON_IMG_HEADER, 3, 4, 0 },
    { "sizes that wrap", AT_START, 12, "\xF0\xFF\xFF\xFF", 4, ERR_FORMAT, REASON_IMG_HEADER,
        0xFFFFFFF0, MEM, 0 },
    { "sizes that nearly wrap", AT_START, 12, "\xEF\xFE\xFF\xFF", 4, ERR_FORMAT,
        REASON_IMG_TRUNCATED, MEM, 0xFFFFFFFF, 0 },
    { "payload larger than the area", AT_START, 12, "\x00\x20\x00\x00", 4, ERR_FORMAT,
        REASON_IMG_TRUNCATED, MEM, 0x2110, 0 },
    { "AES-128", AT_START, 16, "\x04", 1, ERR_FORMAT, REASON_IMG_ENCRYPTED, 4, 0, 0 },
    { "AES-256", AT_START, 16, "\x08", 1, ERR_FORMAT, REASON_IMG_ENCRYPTED, 8, 0, 0 },
    { "both", AT_START, 16, "\x0C", 1, ERR_FORMAT, REASON_IMG_ENCRYPTED, 12, 0, 0 },
    { "LZMA1", AT_START, 17, "\x02", 1, ERR_FORMAT, REASON_IMG_FLAGS, 0x200, 0, 0 },
    { "LZMA2", AT_START, 17, "\x04", 1, ERR_FORMAT, REASON_IMG_FLAGS, 0x400, 0, 0 },
    { "version changed", AT_START, 20, "\x09", 1, ERR_VERIFY, REASON_IMG_HASH, 0, 0, 0 },
    { "payload changed", AT_START, 0x180, "\x00", 1, ERR_VERIFY, REASON_IMG_HASH, 0, 0, 0 },
    { "no protected TLVs announced", AT_START, 10, "\x00\x00", 2, ERR_FORMAT, REASON_IMG_TLV,
        0x6908, 0, 0x2F4 },
    { "protected TLVs missing", AT_PROT, 0, "\xFF\xFF", 2, ERR_FORMAT, REASON_IMG_NO_TLVS, 0xFFFF,
        0x6908, 0x2F4 },
    { "protected area of another length", AT_PROT, 2, "\x08", 1, ERR_FORMAT, REASON_IMG_TLV, 0x6908,
        0, 0x2F4 },
    { "protected entry too long", AT_PROT, 6, "\x05", 1, ERR_FORMAT, REASON_IMG_TLV, 0x5AA0, 0,
        0x2F8 },
    { "layout of another length", AT_PROT, 6, "\x03", 1, ERR_FORMAT, REASON_IMG_TLV, 0x5AA0, 0,
        0x2F8 },
    { "hash in the protected area", AT_PROT, 4, "\x10\x00", 2, ERR_FORMAT, REASON_IMG_TLV, 0x10, 0,
        0x2F8 },
    { "nothing behind the image", AT_TLVS, 0, "\xFF\xFF\xFF\xFF", 4, ERR_FORMAT,
        REASON_IMG_NO_TLVS, 0xFFFF, 0x6907, 0x300 },
    { "two protected areas", AT_TLVS, 0, "\x08", 1, ERR_FORMAT, REASON_IMG_TLV, 0x6908, 0, 0x300 },
    { "TLVs shorter than their header", AT_TLVS, 2, "\x03\x00", 2, ERR_FORMAT, REASON_IMG_TLV,
        0x6907, 0, 0x300 },
    { "TLVs longer than the area", AT_TLVS, 2, "\xFF\xFF", 2, ERR_FORMAT, REASON_IMG_TRUNCATED, MEM,
        0x102FF, 0x300 },
    { "no TLVs", AT_TLVS, 2, "\x04\x00", 2, ERR_FORMAT, REASON_IMG_NO_HASH, 0, 0, 0 },
    { "TLVs that end in an entry", AT_TLVS, 2, "\x06\x00", 2, ERR_FORMAT, REASON_IMG_TLV, 0, 0,
        0x304 },
    { "TLVs that end in data", AT_TLVS, 2, "\x27\x00", 2, ERR_FORMAT, REASON_IMG_TLV, 0x10, 0,
        0x304 },
    { "hash of another length", AT_TLVS, 6, "\x1F", 1, ERR_FORMAT, REASON_IMG_TLV, 0x10, 0, 0x304 },
    { "hash of another kind", AT_TLVS, 4, "\x12", 1, ERR_FORMAT, REASON_IMG_NO_HASH, 0, 0, 0 },
    { "two hashes", AT_TLVS, 0x28, "\x10", 1, ERR_FORMAT, REASON_IMG_TLV, 0x10, 0, 0x328 },
    { "another hash", AT_TLVS, 8, "\0\0\0\0", 4, ERR_VERIFY, REASON_IMG_HASH, 0, 0, 0 },
    { "an unknown key", AT_TLVS, 0x2C, "\xDE\xAD\xBE\xEF", 4, ERR_VERIFY, REASON_IMG_STRANGER,
        0xDEADBEEF, 0, 0 },
    { "no key hash", AT_TLVS, 0x28, "\x03", 1, ERR_VERIFY, REASON_IMG_STRANGER, 0, 0, 0 },
    { "signature changed", AT_TLVS, 0x60, "\x00\x00", 2, ERR_VERIFY, REASON_IMG_SIGNATURE, 0, 0,
        0 },
    { "signature of another kind", AT_TLVS, 0x4C, "\x24", 1, ERR_VERIFY, REASON_IMG_STRANGER, 1, 0,
        0 },
    { "something else than a signature", AT_TLVS, 0x4C, "\x26", 1, ERR_VERIFY,
        REASON_IMG_UNSIGNED, 0, 0, 0 },
};

static void with_layout(struct parts *p)
{
    *p = plain;
    memcpy(p->prot, "\xA0\x5A\x04\x00\x78\x56\x34\x12", 8);
    p->prot_len = 8;
}

static void test_every_reason(void **state)
{
    struct parts p;

    (void)state;
    with_layout(&p);
    for (size_t i = 0; i < sizeof patches / sizeof patches[0]; i++) {
        const struct patch *c = &patches[i];
        struct image img;
        struct finding why;
        build(&p);
        uint32_t base = c->from == AT_TLVS ? tlv_at : c->from == AT_PROT ? tlv_at - 12 : 0;
        put(base + c->at, c->bytes, c->len);
        int rc = open_and_verify(MEM, &img, &why);
        if (rc != c->want || why.reason != c->reason)
            fail_msg("%s: %s, %s", c->name, err_name(rc), reason_code(why.reason));
        assert_int_equal(why.slot, FINDING_NO_SLOT);
        if (why.reason == REASON_IMG_HASH) {
            assert_int_not_equal(why.found, why.expected);
            continue;
        }
        if (c->reason == REASON_IMG_STRANGER && c->found == 1)
            why.found = why.found == ld_be32(keys[0].hash);
        if (why.found != c->found || why.expected != c->expected || why.where != c->where)
            fail_msg("%s: found %x, expected %x, where %x", c->name, why.found, why.expected,
                why.where);
    }
}

static void test_a_blank_slot(void **state)
{
    struct image img;
    struct finding why;

    (void)state;
    rom_new();
    assert_int_equal(open_and_verify(MEM, &img, &why), ERR_FORMAT);
    assert_int_equal(why.reason, REASON_IMG_NONE);
    rom.mem[31] = 0xFE;
    assert_int_equal(open_and_verify(MEM, &img, &why), ERR_FORMAT);
    assert_int_equal(why.reason, REASON_IMG_MAGIC);
}

/* It would cover itself; MCUboot would compare it and refuse as well. */
static void test_a_hash_in_the_protected_area(void **state)
{
    struct parts p = plain;
    struct image img;
    struct finding why;

    (void)state;
    memcpy(p.prot, "\x10\x00\x20\x00", 4);
    p.prot_len = 36;
    for (int other = 0; other < 2; other++) {
        p.no_hash = other;
        build(&p);
        assert_int_equal(open_and_verify(MEM, &img, &why), ERR_FORMAT);
        assert_int_equal(why.reason, REASON_IMG_TLV);
        assert_int_equal(why.where, p.hdr_size + p.img_size + 4);
    }
}

/* What a tool may still show of an image that this bootloader refuses. */
static void test_refused_but_readable(void **state)
{
    struct parts p = plain;
    struct image img;
    struct finding why;

    (void)state;
    p.flags = IMAGE_F_ENCRYPTED_AES128;
    build(&p);
    assert_int_equal(image_open(&img, &area, 0, MEM, &why), ERR_FORMAT);
    assert_int_equal(img.end, image_end);
    assert_true(img.has_hash);
    p.flags = 0;
    p.no_hash = true;
    build(&p);
    assert_int_equal(image_open(&img, &area, 0, MEM, &why), ERR_FORMAT);
    assert_int_equal(why.reason, REASON_IMG_NO_HASH);
    assert_int_equal(img.end, image_end);
    put_info(tlv_at, 0, 0);
    assert_int_equal(image_open(&img, &area, 0, MEM, &why), ERR_FORMAT);
    assert_int_equal(img.end, 0);
}

static void test_every_bit_matters(void **state)
{
    struct parts p;
    struct image img;
    struct finding why;

    (void)state;
    with_layout(&p);
    build(&p);
    for (uint32_t bit = 0; bit < 8 * image_end; bit++) {
        rom.mem[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int rc = open_and_verify(MEM, &img, &why);
        if (rc == OK || why.reason == REASON_NONE)
            fail_msg("bit %u of byte 0x%x may be flipped", bit % 8, bit / 8);
        rom.mem[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(open_and_verify(MEM, &img, &why), OK);
}

/* Each byte of header and TLVs with each value: no read outside, no endless walk, a defined answer. */
static void test_every_byte_of_the_structure(void **state)
{
    struct parts p;
    struct image img;
    struct finding why;

    (void)state;
    with_layout(&p);
    build(&p);
    rom.bound = image_end;
    for (uint32_t at = 0; at < image_end; at++) {
        if (at == IMAGE_HEADER_LEN)
            at = tlv_at - 12;
        uint8_t was = rom.mem[at];
        for (unsigned v = 0; v < 256; v++) {
            rom.mem[at] = (uint8_t)v;
            int rc = image_open(&img, &area, 0, image_end, &why);
            assert_int_equal(rc == OK, why.reason == REASON_NONE);
            assert_true(img.end <= image_end);
        }
        rom.mem[at] = was;
    }
}

static void test_truncated_at_every_length(void **state)
{
    struct parts p;
    struct image img;
    struct finding why;

    (void)state;
    with_layout(&p);
    build(&p);
    for (uint32_t n = 0; n < image_end; n++) {
        rom.bound = n;
        assert_int_equal(open_and_verify(n, &img, &why), ERR_FORMAT);
        assert_int_equal(why.reason, REASON_IMG_TRUNCATED);
        assert_int_equal(why.found, n);
        assert_true(why.expected > n && why.expected <= image_end);
        area.size = n; /* the same by the end of the area */
        assert_int_equal(open_and_verify(MEM, &img, &why), ERR_FORMAT);
        area.size = MEM;
    }
    rom.bound = image_end;
    assert_int_equal(open_and_verify(image_end, &img, &why), OK);
}

static void test_every_read_fails(void **state)
{
    static const int errors[] = { ERR_TIMEOUT, ERR_NODEV, ERR_IO };
    struct parts p;
    struct image img;
    struct finding why;

    (void)state;
    with_layout(&p);
    build(&p);
    assert_int_equal(open_and_verify(MEM, &img, &why), OK);
    unsigned reads = rom.reads;
    assert_true(reads > 10);
    for (unsigned n = 1; n <= reads; n++) {
        bool external = n % 2 != 0;
        dev.jedec = external ? 0x1F470C : 0;
        rom.reads = 0;
        rom.fail_at = n;
        rom.error = errors[n % 3];
        assert_int_equal(open_and_verify(MEM, &img, &why), rom.error);
        assert_int_equal(why.reason, external ? REASON_EXT_READ : REASON_INT_READ);
        assert_int_equal(why.found, -rom.error);
    }
}

/* A chip with something else to do makes the check wait, not skip a TLV. */
static void test_a_busy_chip_is_asked_again(void **state)
{
    struct image img;
    struct finding why;
    uint8_t buf[64], hash[CRYPTO_SHA256_LEN];

    (void)state;
    build(&plain);
    assert_int_equal(image_open(&img, &area, 0, MEM, &why), OK);
    assert_int_equal(image_hash(&img, buf, sizeof buf, hash), OK);
    for (unsigned n = 1; n <= 8; n++) {
        struct image_auth a;
        enum verdict v;
        int rc, polls = 0;
        rom.reads = 0;
        rom.fail_at = n;
        rom.error = ERR_BUSY;
        image_auth_start(&a, &img, &known, hash);
        do
            rc = image_auth_poll(&a, &v, &why);
        while (rc == ERR_BUSY && ++polls < 100);
        assert_int_equal(rc, OK);
        assert_int_equal(v, VERDICT_GOOD);
    }
}

static int verify_now(struct finding *why)
{
    struct image img;
    return open_and_verify(MEM, &img, why);
}

static void test_who_signed(void **state)
{
    struct parts p = plain;
    struct finding why;

    (void)state;
    p.no_sig = true;
    build(&p);
    assert_int_equal(verify_now(&why), ERR_VERIFY);
    assert_int_equal(why.reason, REASON_IMG_UNSIGNED);
    p = plain;
    p.key = 2;
    build(&p);
    assert_int_equal(verify_now(&why), ERR_VERIFY);
    assert_int_equal(why.reason, REASON_IMG_STRANGER);
    assert_int_equal(why.found, ld_be32(keys[2].hash));
    p = plain;
    p.no_keyhash = true;
    build(&p);
    assert_int_equal(verify_now(&why), ERR_VERIFY);
    assert_int_equal(why.reason, REASON_IMG_STRANGER);
}

/* Several pairs of KEYHASH and signature: at least one known, and none of a known key bad. */
static void test_several_signatures(void **state)
{
    enum { NONE = -1 };
    static const struct {
        const char *name;
        int key[3];
        bool bad[3];
        int want;
        enum reason reason;
    } cases[] = {
        { "known, known", { 0, 1, NONE }, { 0 }, OK, REASON_NONE },
        { "stranger, known", { 2, 1, NONE }, { 0 }, OK, REASON_NONE },
        { "known, stranger", { 0, 2, NONE }, { 0 }, OK, REASON_NONE },
        { "known, stranger bad", { 0, 2, NONE }, { 0, 1 }, OK, REASON_NONE },
        { "stranger, stranger", { 2, 2, NONE }, { 0 }, ERR_VERIFY, REASON_IMG_STRANGER },
        { "bad, known", { 0, 1, NONE }, { 1 }, ERR_VERIFY, REASON_IMG_SIGNATURE },
        { "known, bad", { 0, 1, NONE }, { 0, 1 }, ERR_VERIFY, REASON_IMG_SIGNATURE },
        { "stranger, bad, known", { 2, 0, 1 }, { 0, 1, 0 }, ERR_VERIFY, REASON_IMG_SIGNATURE },
    };
    uint8_t hash[32], other[32] = { 1 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parts p = plain;
        struct finding why;
        p.no_sig = true;
        build(&p);
        sha256(rom.mem, tlv_at, hash);
        uint32_t at = image_end;
        for (int k = 0; k < 3 && cases[i].key[k] >= 0; k++)
            at = put_signature(at, cases[i].key[k], cases[i].bad[k] ? other : hash, 0);
        put_info(tlv_at, IMAGE_TLV_MAGIC, at - tlv_at);
        int rc = verify_now(&why);
        if (rc != cases[i].want || why.reason != cases[i].reason)
            fail_msg("%s: %s, %s", cases[i].name, err_name(rc), reason_code(why.reason));
    }
}

/* A KEYHASH that is only the beginning of a known one, and one key for two signatures. */
static void test_key_hashes_that_select_nothing(void **state)
{
    uint8_t hash[32], sig[80], longer[33] = { 0 };
    struct parts p = plain;
    struct finding why;

    (void)state;
    p.no_sig = true;
    for (size_t len = 0; len <= 33; len++) {
        build(&p);
        sha256(rom.mem, tlv_at, hash);
        memcpy(longer, keys[0].hash, 32);
        uint32_t at = put_tlv(image_end, IMAGE_TLV_KEYHASH, longer, len);
        at = put_tlv(at, IMAGE_TLV_ECDSA_SIG, sig, sign(0, hash, sig));
        put_info(tlv_at, IMAGE_TLV_MAGIC, at - tlv_at);
        assert_int_equal(verify_now(&why), len == 32 ? OK : ERR_VERIFY);
        assert_int_equal(why.reason, len == 32 ? REASON_NONE : REASON_IMG_STRANGER);
    }
    /* The second signature stands without a KEYHASH of its own: it is nobody's. */
    build(&plain);
    uint32_t at = put_tlv(image_end, IMAGE_TLV_ECDSA_SIG, "\x30\x00", 2);
    put_info(tlv_at, IMAGE_TLV_MAGIC, at - tlv_at);
    assert_int_equal(verify_now(&why), OK);
}

static void test_a_signature_that_is_too_long(void **state)
{
    struct parts p = plain;
    struct finding why;

    (void)state;
    p.no_sig = true;
    build(&p);
    uint8_t big[200] = { 0 };
    uint32_t at = put_tlv(image_end, IMAGE_TLV_KEYHASH, keys[0].hash, 32);
    at = put_tlv(at, IMAGE_TLV_ECDSA_SIG, big, sizeof big);
    put_info(tlv_at, IMAGE_TLV_MAGIC, at - tlv_at);
    assert_int_equal(verify_now(&why), ERR_VERIFY);
    assert_int_equal(why.reason, REASON_IMG_SIGNATURE);
}

static void test_no_keys_no_verdict(void **state)
{
    struct image img;
    struct finding why;
    uint8_t buf[64];
    enum verdict v = VERDICT_GOOD;
    const struct image_keys none = { 0 };

    (void)state;
    build(&plain);
    assert_int_equal(image_open(&img, &area, 0, MEM, &why), OK);
    assert_int_equal(image_verify(&img, &none, buf, sizeof buf, &v, &why), ERR_VERIFY);
    assert_int_equal(v, VERDICT_BAD);
    assert_int_equal(why.reason, REASON_IMG_STRANGER);
}

/* A header in memory is judged as the one in flash, TLVs aside. */
static void test_parse_header(void **state)
{
    struct parts p;
    struct image img;
    struct finding why;

    (void)state;
    with_layout(&p);
    build(&p);
    struct span first = span_of(rom.mem, IMAGE_HEADER_LEN);
    rom.bound = 0;
    assert_int_equal(image_parse_header(&img, first, 0x304, &why), OK);
    assert_int_equal(img.tlv_off, 0x300);
    assert_int_equal(img.version.build, 4);
    assert_int_equal(image_parse_header(&img, first, 0x303, &why), ERR_FORMAT);
    assert_int_equal(why.reason, REASON_IMG_TRUNCATED);
    assert_int_equal(why.expected, 0x304);
    for (size_t n = 0; n < IMAGE_HEADER_LEN; n++) {
        assert_int_equal(image_parse_header(&img, span_of(rom.mem, n), MEM, &why), ERR_FORMAT);
        assert_int_equal(why.reason, REASON_IMG_TRUNCATED);
    }
    for (size_t i = 0; i < sizeof patches / sizeof patches[0]; i++) {
        const struct patch *c = &patches[i];
        if (c->from != AT_START || c->at >= IMAGE_HEADER_LEN || c->want != ERR_FORMAT
            || c->reason == REASON_IMG_TLV)
            continue;
        build(&p);
        rom.bound = 0;
        put(c->at, c->bytes, c->len);
        assert_int_equal(image_parse_header(&img, first, MEM, &why), ERR_FORMAT);
        if (why.reason != c->reason)
            fail_msg("%s: %s", c->name, reason_code(why.reason));
    }
}

static void test_runnable(void **state)
{
    enum { HASH = 0x12345678 };
    static const struct {
        const char *name;
        uint32_t flags, load, hdr;
        bool has_layout;
        uint32_t layout, reset;
        int want;
        enum reason reason;
    } cases[] = {
        { "with its layout", 0, 0, 0x200, true, HASH, 0, OK, REASON_NONE },
        { "imgtool's, into slot 0", 0, 0, 0x200, false, 0, SLOT0 + 0x201, OK, REASON_NONE },
        { "first address", 0, 0, 0x200, false, 0, SLOT0 + 1, OK, REASON_NONE },
        { "last address", 0, 0, 0x200, false, 0, SLOT0 + SLOT0_SIZE - 1, OK, REASON_NONE },
        { "below slot 0", 0, 0, 0x200, false, 0, SLOT0 - 1, ERR_LAYOUT, REASON_IMG_VECTORS },
        { "behind slot 0", 0, 0, 0x200, false, 0, SLOT0 + SLOT0_SIZE + 1, ERR_LAYOUT,
            REASON_IMG_VECTORS },
        { "blank vectors", 0, 0, 0x200, false, 0, 0xFFFFFFFF, ERR_LAYOUT, REASON_IMG_VECTORS },
        { "no vectors", 0, 0, 0x200, false, 0, 0, ERR_LAYOUT, REASON_IMG_VECTORS },
        { "for another layout", 0, 0, 0x200, true, HASH + 1, SLOT0 + 0x201, ERR_LAYOUT,
            REASON_IMG_LAYOUT },
        { "header 0x100", 0, 0, 0x100, true, HASH, 0, OK, REASON_NONE },
        { "header 0x20", 0, 0, 0x20, true, HASH, 0, ERR_UNSUPPORTED, REASON_IMG_ALIGN },
        { "header 0x180", 0, 0, 0x180, true, HASH, 0, ERR_UNSUPPORTED, REASON_IMG_ALIGN },
        { "not bootable", IMAGE_F_NON_BOOTABLE, 0, 0x200, true, HASH, 0, ERR_UNSUPPORTED,
            REASON_IMG_FLAGS },
        { "for RAM", IMAGE_F_RAM_LOAD, 0x20000000, 0x200, true, HASH, 0, ERR_UNSUPPORTED,
            REASON_IMG_FLAGS },
        { "fixed elsewhere", IMAGE_F_ROM_FIXED, 0x80000, 0x200, true, HASH, 0, ERR_UNSUPPORTED,
            REASON_IMG_FLAGS },
        { "fixed here", IMAGE_F_ROM_FIXED, SLOT0, 0x200, true, HASH, 0, OK, REASON_NONE },
        { "position-independent", IMAGE_F_PIC, 0, 0x200, true, HASH, 0, OK, REASON_NONE },
        { "encrypted", IMAGE_F_ENCRYPTED_AES128, 0, 0x200, true, HASH, 0, ERR_UNSUPPORTED,
            REASON_IMG_FLAGS },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct finding why;
        const struct image img = { .flags = cases[i].flags, .load_addr = cases[i].load,
            .hdr_size = cases[i].hdr, .has_layout = cases[i].has_layout,
            .layout_hash = cases[i].layout, .reset_vector = cases[i].reset };
        int rc = image_runnable(&img, SLOT0, SLOT0_SIZE, HASH, &why);
        if (rc != cases[i].want || why.reason != cases[i].reason)
            fail_msg("%s: %s, %s", cases[i].name, err_name(rc), reason_code(why.reason));
    }
}

static void test_versions(void **state)
{
    static const struct {
        struct image_version a, b;
        int want;
    } cases[] = {
        { { 1, 2, 3, 4 }, { 1, 2, 3, 4 }, 0 },
        { { 1, 2, 3, 4 }, { 1, 2, 3, 9 }, 0 },
        { { 2, 0, 0, 0 }, { 1, 255, 65535, 9 }, 1 },
        { { 1, 0, 0, 0 }, { 2, 0, 0, 0 }, -1 },
        { { 1, 3, 0, 0 }, { 1, 2, 65535, 9 }, 1 },
        { { 1, 2, 0, 0 }, { 1, 3, 0, 0 }, -1 },
        { { 1, 2, 256, 0 }, { 1, 2, 255, 9 }, 1 },
        { { 1, 2, 255, 0 }, { 1, 2, 256, 0 }, -1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int c = image_version_cmp(&cases[i].a, &cases[i].b);
        assert_int_equal((c > 0) - (c < 0), cases[i].want);
    }
}

/* SHA-256 over the SubjectPublicKeyInfo that OpenSSL writes. */
static void test_key_hash(void **state)
{
    uint8_t want[32];

    (void)state;
    key_hash(signers[0], want);
    assert_memory_equal(keys[0].hash, want, 32);
}

static int setup(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        signers[i] = key_generate();
        if (!signers[i])
            return 1;
        key_point(signers[i], keys[i].point);
        image_key_hash(&keys[i]);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        key_free(signers[i]);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_image),
        cmocka_unit_test(test_what_protected_tlvs_say),
        cmocka_unit_test(test_unprotected_claims_do_not_count),
        cmocka_unit_test(test_an_image_inside_an_area),
        cmocka_unit_test(test_every_reason),
        cmocka_unit_test(test_a_blank_slot),
        cmocka_unit_test(test_a_hash_in_the_protected_area),
        cmocka_unit_test(test_refused_but_readable),
        cmocka_unit_test(test_every_bit_matters),
        cmocka_unit_test(test_every_byte_of_the_structure),
        cmocka_unit_test(test_truncated_at_every_length),
        cmocka_unit_test(test_every_read_fails),
        cmocka_unit_test(test_a_busy_chip_is_asked_again),
        cmocka_unit_test(test_who_signed),
        cmocka_unit_test(test_several_signatures),
        cmocka_unit_test(test_key_hashes_that_select_nothing),
        cmocka_unit_test(test_a_signature_that_is_too_long),
        cmocka_unit_test(test_no_keys_no_verdict),
        cmocka_unit_test(test_parse_header),
        cmocka_unit_test(test_runnable),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_key_hash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

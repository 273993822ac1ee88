/*
 * The bootloader's recovery as somebody on its UART meets it: raw messages of any kind between an upload
 * of B (boot_bench.h), requests and lists. Nothing may crash, hang, answer what is no message, or write
 * outside of slots and state area; and while the external chip answers, slot 0 is never written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/smp/groups/img.h"
#include "core/smp/groups/rescue.h"
#include "core/smp/smp.h"
#include "core/smp/tiny.h"
#include "tests/fuzz/boot_bench.h"

enum { BUF = 1024, HASH_AT_END = 76 + 36 + 32 };

#define require(ok)                                                                                \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            fprintf(stderr, "%d: %s\n", __LINE__, #ok);                                            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct visit {
    struct boot_bench board;
    struct rescue rescue;
    uint32_t hash_buf[4096 / 4];
    uint8_t answer[BUF];
    uint32_t len; /* of the answer */
};

static uint32_t now_ms(void *ctx)
{
    return (uint32_t)(((struct boot_bench *)ctx)->clock.us / 1000);
}

/* From memory of its own, so that a read past the message is seen. */
static void handle(struct visit *b, const uint8_t *msg, uint32_t len)
{
    struct smp_header h;
    uint8_t *copy = malloc(len ? len : 1);

    require(copy != NULL);
    memcpy(copy, msg, len);
    b->len = rescue_handle(&b->rescue, span_of(copy, len), b->answer);
    free(copy);
    require(b->len <= BUF);
    require(b->len == 0 || (smp_header_read(span_of(b->answer, b->len), &h) && h.len == b->len - SMP_HEADER_LEN));
}

static void ask(struct visit *b, unsigned id, struct tiny_out *o)
{
    const struct smp_header h = { .op = SMP_OP_WRITE, .version = SMP_V2, .group = SMP_GROUP_IMG, .id = (uint8_t)id,
        .len = (uint16_t)(o->len - SMP_HEADER_LEN) };

    require(!o->bad);
    smp_header_write(o->p, &h);
    handle(b, o->p, o->len);
}

/* The next part of B, as the device wants it, or from elsewhere. */
static void send_chunk(struct visit *b, struct rd *r)
{
    const struct pl_image *im = &b->board.b;
    uint8_t msg[1400], how = rd_u8(r);
    struct tiny_out o = { .p = msg, .len = SMP_HEADER_LEN, .cap = sizeof msg };
    uint32_t off = how & 1 ? rd_le16(r) % im->len : how & 2 ? 0 : b->rescue.off;
    uint32_t n = 1 + (how & 4 ? rd_le16(r) % 1200 : 1199);

    if (off > im->len)
        off = 0;
    if (n > im->len - off && !(how & 8))
        n = im->len - off;
    if (off + n > im->units * UNIT)
        return;
    tiny_map_begin(&o, NULL);
    tiny_uint(&o, "off", off);
    if (off == 0)
        tiny_uint(&o, "len", how & 16 ? rd_le32(r) : im->len);
    tiny_bytes(&o, "data", im->data + off, n);
    tiny_end(&o);
    ask(b, SMP_IMG_UPLOAD, &o);
}

static void request(struct visit *b, struct rd *r)
{
    uint8_t msg[128], how = rd_u8(r);
    struct tiny_out o = { .p = msg, .len = SMP_HEADER_LEN, .cap = sizeof msg };
    const struct pl_image *im = how & 1 ? &b->board.a : &b->board.b;

    tiny_map_begin(&o, NULL);
    tiny_bytes(&o, "hash", im->data + im->len - HASH_AT_END, 32);
    tiny_bool(&o, "confirm", (how & 2) != 0);
    tiny_end(&o);
    ask(b, SMP_IMG_STATE, &o);
}

static void raw(struct visit *b, struct rd *r)
{
    uint32_t n = rd_u8(r);

    n = n < r->left ? n : (uint32_t)r->left;
    const uint8_t *p = rd_take(r, n);
    if (p)
        handle(b, p, n);
}

static void check(struct visit *b, const uint8_t *before)
{
    require(boot_bench_rest_untouched(&b->board));
    require(b->board.chip[INTERNAL].violations == 0);
    require(b->board.chip[EXTERNAL].violations == 0);
    require(memcmp(boot_bench_slot(&b->board, 0), before, b->board.layout.slot0.size) == 0);
    if (b->rescue.state == UPLOAD_DONE)
        require(memcmp(boot_bench_slot(&b->board, 1), b->board.b.data, b->rescue.img.end) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct visit b;
    static bool made;
    static uint8_t before[CHIP_LEN];
    struct rd r = rd_of(span_of(data, size));

    if (!made)
        boot_bench_make(&b.board);
    made = true;
    boot_bench_set(&b.board, rd_u8(&r) % SCENES);
    memcpy(before, boot_bench_slot(&b.board, 0), b.board.layout.slot0.size);
    for (unsigned i = 0; i < CHIPS; i++)
        nor_device(&b.board.chip[i], &b.board.dev[i]);
    const struct rescue_config cfg = { .store = &b.board.store, .report = &b.board.report, .buf_size = BUF,
        .work = { .buf = (uint8_t *)b.hash_buf, .len = sizeof b.hash_buf, .ctx = &b.board }, .now_ms = now_ms };
    rescue_init(&b.rescue, &cfg);
    for (unsigned i = 0; i < 40 && r.left > 0; i++) {
        uint8_t what = rd_u8(&r);
        if (what % 4 == 0)
            raw(&b, &r);
        else if (what % 4 == 1)
            request(&b, &r);
        else
            send_chunk(&b, &r);
        check(&b, before);
    }
    boot_bench_boot(&b.board);
    require((b.board.result.outcome == BOOT_START) == boot_bench_primary_good(&b.board));
    return 0;
}

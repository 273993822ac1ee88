/*
 * SAADC: eight channels, one after the other, results into RAM. A pin is at 3.0 V or at 0 V, as its GPIO says;
 * VDD is 3.0 V and VDDH the same. The resistors of a channel move nothing.
 */
#include "board/board_priv.h"

enum { TASK_START, TASK_SAMPLE, TASK_STOP, TASK_CALIBRATE };
enum { EV_STARTED, EV_END, EV_DONE, EV_RESULTDONE, EV_CALIBRATEDONE, EV_STOPPED, EV_LIMITS };
enum {
    ENABLE = 0x500,
    PSELP = 0x510,
    PSELN = 0x514,
    CONFIG = 0x518,
    LIMIT = 0x51C,
    CH_STRIDE = 16,
    STATUS = 0x400,
    RESOLUTION = 0x5F0,
    OVERSAMPLE = 0x5F4,
    SAMPLERATE = 0x5F8,
    PTR = 0x62C,
    MAXCNT = 0x630,
    AMOUNT = 0x634
};
enum { T_CONVERSION, T_CALIBRATION, T_RATE };
/* A buffer is open; where the next result goes; how many still fit; channel under way; conversions that its result has. */
enum { S_OPEN, S_AT, S_LEFT, S_CHANNEL, S_ADDED };
enum { CHANNELS = 8, US = 64, VDD_MV = 3000, CALIBRATION_US = 240 };

static uint32_t channel_reg(const struct periph *p, unsigned ch, uint32_t off)
{
    return reg(p, off + CH_STRIDE * ch);
}

/* The next channel from `ch` on that has an input. */
static unsigned next_channel(const struct periph *p, unsigned ch)
{
    while (ch < CHANNELS && channel_reg(p, ch, PSELP) == 0)
        ch++;
    return ch;
}

static int32_t input_mv(const struct board *b, uint32_t psel)
{
    static const uint8_t pins[] = { 2, 3, 4, 5, 28, 29, 30, 31 }; /* AIN0 to AIN7 */
    if (psel >= 1 && psel <= 8)
        return gpio_level(b, pins[psel - 1]) ? VDD_MV : 0;
    if (psel == 9)
        return VDD_MV;
    return psel == 0x0D ? VDD_MV / 5 : 0; /* VDDH by 5; not connected */
}

static int32_t result_of(const struct board *b, const struct periph *p, unsigned ch)
{
    static const struct {
        uint8_t by, of;
    } gains[] = { { 1, 6 }, { 1, 5 }, { 1, 4 }, { 1, 3 }, { 1, 2 }, { 1, 1 }, { 2, 1 }, { 4, 1 } };
    uint32_t config = channel_reg(p, ch, CONFIG);
    bool differential = config >> 20 & 1u;
    int64_t mv = input_mv(b, channel_reg(p, ch, PSELP));
    if (differential)
        mv -= input_mv(b, channel_reg(p, ch, PSELN));
    unsigned bits = 8 + 2 * (reg(p, RESOLUTION) & 3u) - (differential ? 1u : 0u), gain = config >> 8 & 7u;
    int64_t reference = config >> 12 & 1u ? VDD_MV / 4 : 600;
    int64_t v = mv * gains[gain].by * (1 << bits) / (gains[gain].of * reference), top = (1 << bits) - 1;
    if (v > top)
        v = top;
    return (int32_t)(v < -top - 1 ? -top - 1 : v);
}

static void convert(struct board *b, struct periph *p)
{
    static const uint8_t acquisition_us[] = { 3, 5, 10, 15, 20, 40, 40, 40 };
    uint32_t config = channel_reg(p, (unsigned)p->s[S_CHANNEL], CONFIG);
    timer_set(b, p, T_CONVERSION, sim_time(b) + (acquisition_us[config >> 16 & 7u] + 2u) * US);
}

static void sample(struct board *b, struct periph *p)
{
    unsigned first = next_channel(p, 0);
    if (!(reg(p, ENABLE) & 1u))
        return;
    uint32_t rate = reg(p, SAMPLERATE);
    if (rate >> 12 & 1u) /* the internal timer goes on by itself until STOP, at 16 MHz / CC */
        timer_set(b, p, T_RATE, sim_time(b) + 4u * ((rate & 0x7FFu) ? rate & 0x7FFu : 1u));
    if (!p->s[S_OPEN] || p->at[T_CONVERSION] != NEVER || first == CHANNELS)
        return;
    p->s[S_CHANNEL] = first;
    convert(b, p);
}

static void stop(struct board *b, struct periph *p)
{
    timer_set(b, p, T_CONVERSION, NEVER);
    timer_set(b, p, T_RATE, NEVER);
    p->s[S_OPEN] = 0;
    event_raise(b, p, EV_STOPPED);
}

static void saadc_task(struct board *b, struct periph *p, unsigned n)
{
    if (n == TASK_STOP) {
        stop(b, p);
    } else if (n == TASK_SAMPLE) {
        sample(b, p);
    } else if (reg(p, ENABLE) & 1u) {
        if (n == TASK_CALIBRATE) {
            timer_set(b, p, T_CALIBRATION, sim_time(b) + CALIBRATION_US * US);
            return;
        }
        p->s[S_OPEN] = 1;
        p->s[S_AT] = reg(p, PTR);
        p->s[S_LEFT] = reg(p, MAXCNT);
        p->s[S_ADDED] = 0;
        p->store[AMOUNT / 4] = 0;
        event_raise(b, p, EV_STARTED);
    }
}

static void check_limits(struct board *b, struct periph *p, unsigned ch, int32_t v)
{
    uint32_t limit = channel_reg(p, ch, LIMIT);
    if (v >= (int16_t)(limit >> 16))
        event_raise(b, p, EV_LIMITS + 2 * ch);
    if (v <= (int16_t)(limit & 0xFFFFu))
        event_raise(b, p, EV_LIMITS + 2 * ch + 1);
}

/* A result goes to RAM; the buffer that is full is closed. */
static void store_result(struct board *b, struct periph *p, unsigned ch)
{
    int32_t v = result_of(b, p, ch);
    uint8_t bytes[2] = { (uint8_t)v, (uint8_t)((uint32_t)v >> 8) };
    p->s[S_ADDED] = 0;
    if (p->s[S_LEFT]) {
        (void)dma_write(b, (uint32_t)p->s[S_AT], bytes, sizeof bytes);
        p->s[S_AT] += sizeof bytes;
        p->s[S_LEFT]--;
        p->store[AMOUNT / 4]++;
    }
    event_raise(b, p, EV_RESULTDONE);
    check_limits(b, p, ch, v);
    if (p->s[S_LEFT] == 0) {
        p->s[S_OPEN] = 0;
        event_raise(b, p, EV_END);
    }
}

static void conversion_done(struct board *b, struct periph *p)
{
    unsigned ch = (unsigned)p->s[S_CHANNEL], needed = 1u << (reg(p, OVERSAMPLE) & 0xFu);
    bool burst = channel_reg(p, ch, CONFIG) >> 24 & 1u;
    bool complete = ++p->s[S_ADDED] >= needed;
    if (!complete && burst) {
        convert(b, p);
    } else { /* free for the next SAMPLE before anybody hears of it */
        p->s[S_CHANNEL] = next_channel(p, ch + 1);
        if (p->s[S_CHANNEL] < CHANNELS)
            convert(b, p);
    }
    event_raise(b, p, EV_DONE);
    if (complete)
        store_result(b, p, ch);
}

static void saadc_timer(struct board *b, struct periph *p, unsigned which)
{
    if (which == T_CONVERSION)
        conversion_done(b, p);
    else if (which == T_RATE)
        sample(b, p);
    else
        event_raise(b, p, EV_CALIBRATEDONE);
}

static uint32_t saadc_read(struct board *b, struct periph *p, uint32_t off)
{
    (void)b;
    (void)off;
    return p->at[T_CONVERSION] != NEVER || p->at[T_CALIBRATION] != NEVER;
}

static void saadc_write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off != ENABLE || val & 1u)
        return;
    for (unsigned t = T_CONVERSION; t <= T_RATE; t++)
        timer_set(b, p, t, NEVER);
    p->s[S_OPEN] = 0;
}

static const struct reg_desc saadc_regs[] = {
    { STATUS, 1, 0, REG_R | REG_HOOK_R, 0, 0 },
    { ENABLE, 1, 0, REG_RW | REG_HOOK_W, 1, 0 },
    { PSELP, CHANNELS, CH_STRIDE, REG_RW, 0x1F, 0 },
    { PSELN, CHANNELS, CH_STRIDE, REG_RW, 0x1F, 0 },
    { CONFIG, CHANNELS, CH_STRIDE, REG_RW, 0x01171733, 0x00020000 },
    { LIMIT, CHANNELS, CH_STRIDE, REG_RW, 0xFFFFFFFF, 0x7FFF8000 },
    { RESOLUTION, 1, 0, REG_RW, 7, 1 },
    { OVERSAMPLE, 1, 0, REG_RW, 0xF, 0 },
    { SAMPLERATE, 1, 0, REG_RW, 0x17FF, 0 },
    { PTR, 1, 0, REG_RW, 0xFFFFFFFF, 0 },
    { MAXCNT, 1, 0, REG_RW, 0x7FFF, 0 },
    { AMOUNT, 1, 0, REG_R, 0, 0 },
    { 0xFFC, 1, 0, REG_IGNORED, 0, 0 },
    /* errata: off and on again */ { 0x640, 3, 4, REG_IGNORED, 0, 0 },
    { 0 },
};
const struct periph_type saadc_type = { .tasks = 0xF,
    .events = 0x3FFFFF,
    .inten = true,
    .inten_rw = true,
    .regs = saadc_regs,
    .task = saadc_task,
    .read = saadc_read,
    .write = saadc_write,
    .timer = saadc_timer };

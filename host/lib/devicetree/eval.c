/*
 * Integer expressions of devicetree sources and of #if: precedence climbing over the text.
 *
 * Works on text and not on the syntax tree, because a macro's value is text anyway. Bounded by the
 * depth of parentheses and macros and by a number of steps for the whole tree: `#define A B+B`,
 * `#define B C+C`, ... doubles with each line.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/devicetree/dt_priv.h"

enum { MAX_EVAL_DEPTH = 48, MAX_EVAL_STEPS = 2000000 };

struct eval {
    struct dt_tree *t;
    const char *at, *end;
    bool in_if, bad;
    int depth;
};

static uint64_t eval_binary(struct eval *e, int min_level);

static void skip_blank(struct eval *e)
{
    while (e->at < e->end) {
        if (isspace((unsigned char)*e->at)) {
            e->at++;
        } else if (*e->at == '\\' && e->at + 1 < e->end && (e->at[1] == '\n' || e->at[1] == '\r')) {
            e->at += 2;
        } else if (*e->at == '/' && e->at + 1 < e->end && e->at[1] == '*') {
            e->at += 2;
            while (e->at + 1 < e->end && !(e->at[0] == '*' && e->at[1] == '/'))
                e->at++;
            e->at += e->at + 1 < e->end ? 2 : 1;
        } else if (*e->at == '/' && e->at + 1 < e->end && e->at[1] == '/') {
            while (e->at < e->end && *e->at != '\n')
                e->at++;
        } else {
            return;
        }
    }
}

static bool take(struct eval *e, const char *token)
{
    size_t n = strlen(token);

    skip_blank(e);
    if ((size_t)(e->end - e->at) < n || memcmp(e->at, token, n) != 0)
        return false;
    e->at += n;
    return true;
}

static uint64_t fail(struct eval *e)
{
    e->bad = true;
    return 0;
}

static size_t name_length(const struct eval *e)
{
    const char *p = e->at;

    while (p < e->end && (isalnum((unsigned char)*p) || *p == '_'))
        p++;
    return (size_t)(p - e->at);
}

static uint64_t number(struct eval *e)
{
    char digits[40], *stop;
    size_t n = 0;
    uint64_t v;

    while (e->at < e->end && n + 1 < sizeof digits && (isalnum((unsigned char)*e->at) || *e->at == '\'')) {
        if (*e->at != '\'')
            digits[n++] = *e->at;
        e->at++;
    }
    digits[n] = '\0';
    if (digits[0] == '0' && (digits[1] == 'b' || digits[1] == 'B'))
        v = strtoull(digits + 2, &stop, 2);
    else
        v = strtoull(digits, &stop, 0);
    if (stop[strspn(stop, "uUlL")] != '\0')
        return fail(e);
    return v;
}

/* What Zephyr's own headers define and every board uses. */
static bool known_call(const char *name, uint64_t arg, uint64_t *out)
{
    static const struct {
        const char *name;
        uint64_t factor;
    } factors[] = {
        { "DT_SIZE_K", 1u << 10 },
        { "DT_SIZE_M", 1u << 20 },
        { "DT_SIZE_G", 1u << 30 },
        { "DT_FREQ_K", 1000 },
        { "DT_FREQ_M", 1000000 },
    };

    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        if (strcmp(name, factors[i].name) == 0) {
            *out = arg * factors[i].factor;
            return true;
        }
    }
    if (strcmp(name, "BIT") == 0 && arg < 64) {
        *out = (uint64_t)1 << arg;
        return true;
    }
    return false;
}

static uint64_t expand(struct eval *e, const struct dt_macro *m)
{
    struct eval inner = { .t = e->t, .at = m->text, .end = m->text + strlen(m->text),
        .in_if = e->in_if, .depth = e->depth + 1 };

    skip_blank(&inner);
    if (inner.at == inner.end && e->in_if)
        return fail(e);
    uint64_t v = eval_binary(&inner, 0);
    skip_blank(&inner);
    if (inner.bad || inner.at != inner.end)
        return fail(e);
    return v;
}

static uint64_t is_defined(struct eval *e)
{
    char name[64];
    bool paren = take(e, "(");

    skip_blank(e);
    size_t n = name_length(e);
    if (n == 0 || n >= sizeof name)
        return fail(e);
    memcpy(name, e->at, n);
    name[n] = '\0';
    e->at += n;
    if (paren && !take(e, ")"))
        return fail(e);
    return dt_get(e->t, NULL, DT_BY_MACRO, name) ? 1 : 0;
}

static uint64_t named(struct eval *e)
{
    char name[64];
    size_t n = name_length(e);
    uint64_t v;

    if (n == 0 || n >= sizeof name)
        return fail(e);
    memcpy(name, e->at, n);
    name[n] = '\0';
    e->at += n;
    if (e->in_if && strcmp(name, "defined") == 0)
        return is_defined(e);
    const struct dt_macro *m = dt_get(e->t, NULL, DT_BY_MACRO, name);
    if (take(e, "(")) {
        uint64_t arg = eval_binary(e, 0);
        if (e->bad || !take(e, ")") || !known_call(name, arg, &v))
            return fail(e);
        return v;
    }
    if (m && !m->function)
        return expand(e, m);
    return e->in_if ? 0 : fail(e);
}

static uint64_t unary(struct eval *e)
{
    skip_blank(e);
    if (e->bad || e->at == e->end || e->depth >= MAX_EVAL_DEPTH || ++e->t->eval_steps > MAX_EVAL_STEPS)
        return fail(e);
    e->depth++;
    uint64_t v;
    if (take(e, "(")) {
        v = eval_binary(e, 0);
        if (!take(e, ")"))
            v = fail(e);
    } else if (take(e, "~")) {
        v = ~unary(e);
    } else if (take(e, "-")) {
        v = 0 - unary(e);
    } else if (take(e, "+")) {
        v = unary(e);
    } else if (take(e, "!")) {
        v = !unary(e);
    } else if (isdigit((unsigned char)*e->at)) {
        v = number(e);
    } else {
        v = named(e);
    }
    e->depth--;
    return v;
}

enum op { LOR, LAND, OR, XOR, AND, EQ, NE, LE, GE, SHL, SHR, LT, GT, ADD, SUB, MUL, DIV, MOD };

/* Two-character operators first; `level` binds tighter the higher it is. */
static const struct {
    const char *token;
    enum op op;
    int level;
} ops[] = {
    { "||", LOR, 1 }, { "&&", LAND, 2 }, { "==", EQ, 6 }, { "!=", NE, 6 }, { "<=", LE, 7 },
    { ">=", GE, 7 }, { "<<", SHL, 8 }, { ">>", SHR, 8 }, { "|", OR, 3 }, { "^", XOR, 4 },
    { "&", AND, 5 }, { "<", LT, 7 }, { ">", GT, 7 }, { "+", ADD, 9 }, { "-", SUB, 9 },
    { "*", MUL, 10 }, { "/", DIV, 10 }, { "%", MOD, 10 },
};

static uint64_t apply(struct eval *e, enum op op, uint64_t a, uint64_t b)
{
    switch (op) {
    case LOR: return a || b;
    case LAND: return a && b;
    case OR: return a | b;
    case XOR: return a ^ b;
    case AND: return a & b;
    case EQ: return a == b;
    case NE: return a != b;
    case LE: return (int64_t)a <= (int64_t)b;
    case GE: return (int64_t)a >= (int64_t)b;
    case LT: return (int64_t)a < (int64_t)b;
    case GT: return (int64_t)a > (int64_t)b;
    case SHL: return b < 64 ? a << b : 0;
    case SHR: return b < 64 ? a >> b : 0;
    case ADD: return a + b;
    case SUB: return a - b;
    case MUL: return a * b;
    case DIV: return b ? a / b : fail(e);
    case MOD: return b ? a % b : fail(e);
    }
    return fail(e);
}

static uint64_t eval_binary(struct eval *e, int min_level)
{
    uint64_t left = unary(e);

    while (!e->bad) {
        size_t i, count = sizeof ops / sizeof ops[0];
        const char *before = e->at;
        for (i = 0; i < count && !take(e, ops[i].token); i++) { }
        if (i == count || ops[i].level < min_level) {
            e->at = before;
            break;
        }
        uint64_t right = eval_binary(e, ops[i].level + 1);
        left = apply(e, ops[i].op, left, right);
    }
    if (min_level == 0 && !e->bad && take(e, "?")) {
        uint64_t yes = eval_binary(e, 0);
        if (!take(e, ":"))
            return fail(e);
        uint64_t no = eval_binary(e, 0);
        return left ? yes : no;
    }
    return left;
}

bool dt_eval(struct dt_tree *t, const char *text, size_t len, bool in_if, uint64_t *out)
{
    struct eval e = { .t = t, .at = text, .end = text + len, .in_if = in_if };

    uint64_t v = eval_binary(&e, 0);
    skip_blank(&e);
    if (e.bad || e.at != e.end)
        return false;
    *out = v;
    return true;
}

#include <stdlib.h>
#include <string.h>

#include <zcbor_decode.h>

#include "host/lib/smp/answer.h"

enum { DEPTH_MAX = 8 };

/* C0, DEL, and C1 (U+0080 to U+009F, in UTF-8 C2 80 to C2 9F), which some terminals obey as well. */
void answer_clean(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        if (p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F) {
            p[0] = p[1] = '?';
            p++;
        } else if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7F) {
            *p = '?';
        }
    }
}

static json_t *text_value(const struct zcbor_string *s)
{
    char *copy = malloc(s->len + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < s->len; i++)
        copy[i] = s->value[i] ? (char)s->value[i] : '?';
    copy[s->len] = '\0';
    answer_clean(copy);
    json_t *text = json_string(copy); /* NULL if it is not UTF-8 */
    free(copy);
    return text ? text : json_string("?");
}

static json_t *hex_value(const struct zcbor_string *s)
{
    static const char digit[] = "0123456789abcdef";
    char *hex = malloc(2 * s->len + 1);
    if (!hex)
        return NULL;
    for (size_t i = 0; i < s->len; i++) {
        hex[2 * i] = digit[s->value[i] >> 4];
        hex[2 * i + 1] = digit[s->value[i] & 15];
    }
    hex[2 * s->len] = '\0';
    json_t *text = json_string(hex);
    free(hex);
    return text;
}

static json_t *value(zcbor_state_t *z, unsigned depth);

static json_t *list_value(zcbor_state_t *z, unsigned depth)
{
    json_t *list = json_array();

    if (!zcbor_list_start_decode(z))
        goto bad;
    while (!zcbor_array_at_end(z)) {
        json_t *v = value(z, depth + 1);
        if (!v || json_array_append_new(list, v) != 0)
            goto bad;
    }
    if (zcbor_list_end_decode(z))
        return list;
bad:
    json_decref(list);
    return NULL;
}

static json_t *map_value(zcbor_state_t *z, unsigned depth)
{
    json_t *map = json_object();

    if (!zcbor_map_start_decode(z))
        goto bad;
    while (!zcbor_array_at_end(z)) {
        struct zcbor_string name;
        char key[64];
        if (!zcbor_tstr_decode(z, &name) || name.len >= sizeof key)
            goto bad;
        memcpy(key, name.value, name.len);
        key[name.len] = '\0';
        json_t *v = value(z, depth + 1);
        if (!v || json_object_set_new(map, key, v) != 0)
            goto bad;
    }
    if (zcbor_map_end_decode(z))
        return map;
bad:
    json_decref(map);
    return NULL;
}

static json_t *simple_value(zcbor_state_t *z)
{
    bool yes;
    double number;

    if (zcbor_bool_decode(z, &yes))
        return json_boolean(yes);
    if (zcbor_nil_expect(z, NULL) || zcbor_undefined_expect(z, NULL))
        return json_null();
    if (!zcbor_float_decode(z, &number))
        return NULL;
    json_t *real = json_real(number);
    return real ? real : json_null(); /* not a number, infinite */
}

static json_t *value(zcbor_state_t *z, unsigned depth)
{
    struct zcbor_string s;
    uint64_t u;
    int64_t i;
    uint32_t tag;

    if (depth > DEPTH_MAX || z->payload >= z->payload_end)
        return NULL;
    switch (ZCBOR_MAJOR_TYPE(*z->payload)) {
    case ZCBOR_MAJOR_TYPE_PINT:
        return zcbor_uint64_decode(z, &u) ? json_integer(u > INT64_MAX ? INT64_MAX : (json_int_t)u) : NULL;
    case ZCBOR_MAJOR_TYPE_NINT:
        return zcbor_int64_decode(z, &i) ? json_integer(i) : NULL;
    case ZCBOR_MAJOR_TYPE_BSTR:
        return zcbor_bstr_decode(z, &s) ? hex_value(&s) : NULL;
    case ZCBOR_MAJOR_TYPE_TSTR:
        return zcbor_tstr_decode(z, &s) ? text_value(&s) : NULL;
    case ZCBOR_MAJOR_TYPE_LIST:
        return list_value(z, depth);
    case ZCBOR_MAJOR_TYPE_MAP:
        return map_value(z, depth);
    case ZCBOR_MAJOR_TYPE_TAG:
        return zcbor_tag_decode(z, &tag) ? value(z, depth + 1) : NULL;
    default:
        return simple_value(z);
    }
}

json_t *smpc_answer_decode(struct span cbor)
{
    ZCBOR_STATE_D(z, DEPTH_MAX + 2, cbor.p, cbor.len, 1, 0);

    if (cbor.len == 0 || ZCBOR_MAJOR_TYPE(*cbor.p) != ZCBOR_MAJOR_TYPE_MAP)
        return NULL;
    json_t *map = map_value(z, 0);
    if (map && z->payload != cbor.p + cbor.len) {
        json_decref(map);
        return NULL;
    }
    return map;
}

json_int_t answer_int(const json_t *map, const char *key, json_int_t otherwise)
{
    const json_t *v = json_object_get(map, key);
    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

bool answer_bool(const json_t *map, const char *key)
{
    return json_is_true(json_object_get(map, key));
}

const char *answer_text(const json_t *map, const char *key, const char *otherwise)
{
    const json_t *v = json_object_get(map, key);
    return json_is_string(v) ? json_string_value(v) : otherwise;
}

const json_t *answer_list(const json_t *map, const char *key)
{
    const json_t *v = json_object_get(map, key);
    return json_is_array(v) ? v : NULL;
}

/* CBOR maps as JSON: what the client reads answers through. */
#ifndef HOST_LIB_SMP_ANSWER_H
#define HOST_LIB_SMP_ANSWER_H

#include <jansson.h>

#include "core/base/bytes.h"

/*
 * One CBOR map, definite or not, at most 8 deep: integers, texts, booleans, null, floats, lists, maps;
 * byte strings become lower-case hex. Keys must be texts. Control characters in texts become '?',
 * integers beyond 63 bits the largest. NULL if it is anything else or something is left behind it.
 */
json_t *smpc_answer_decode(struct span cbor);

/* Members with a default for what is missing or of another type. */
json_int_t answer_int(const json_t *map, const char *key, json_int_t otherwise);
bool answer_bool(const json_t *map, const char *key);
const char *answer_text(const json_t *map, const char *key, const char *otherwise);
const json_t *answer_list(const json_t *map, const char *key);

/* Control characters as '?', in place: for texts of a device that go to a terminal. */
void answer_clean(char *text);

#endif

/*
 * Names and meanings of SMP's error codes. The same number means different things: 8 alone is "this
 * command is not built in", 8 of group IMG is "no slot holds that hash", so names always carry the
 * group. Numbers from Zephyr's MCUmgr and its documentation.
 */
#ifndef HOST_LIB_SMP_NAMES_H
#define HOST_LIB_SMP_NAMES_H

#include <stddef.h>

/* For `group`: an error of SMP itself, {"rc":n}. */
enum { SMPC_GROUP_SMP = -1 };

/* "IMG", "OS", "SMP" for SMPC_GROUP_SMP, ...; NULL for a group without a name. */
const char *smpc_group_name(int group);
/* "HASH_NOT_FOUND"; NULL for a number that is not known. */
const char *smpc_rc_name(int group, unsigned rc);
/* What it means, one clause without a full stop; NULL if not known. */
const char *smpc_rc_text(int group, unsigned rc);
/* "IMG 8 HASH_NOT_FOUND", "SMP 8 ENOTSUP", "group 70 error 3". Returns buf. */
const char *smpc_rc_label(int group, unsigned rc, char *buf, size_t cap);
/* The group of a name ("img", "os", "smp"), or -2. */
int smpc_group_by_name(const char *name);

#endif

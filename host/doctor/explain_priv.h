/* The tables of explanations; each ends with a NULL title. */
#ifndef HOST_DOCTOR_EXPLAIN_PRIV_H
#define HOST_DOCTOR_EXPLAIN_PRIV_H

#include "host/doctor/explain.h"

extern const struct explanation explain_boot[];    /* MCUboot, Zephyr's drivers, builds; errnos */
extern const struct explanation explain_codes[];   /* SMP's numbers */
extern const struct explanation explain_clients[]; /* phone apps and other clients */

#endif

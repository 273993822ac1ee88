/* The table of explanations, ends with a NULL title. */
#ifndef HOST_DOCTOR_EXPLAIN_PRIV_H
#define HOST_DOCTOR_EXPLAIN_PRIV_H

#include "host/doctor/explain.h"

extern const struct explanation explanations[];

#endif

/* What the JSON and SARIF reporters share. */
#ifndef HOST_DOCTOR_REPORT_JSON_H
#define HOST_DOCTOR_REPORT_JSON_H

#include <jansson.h>

#include "host/doctor/rule.h"

json_t *json_text(const char *text);               /* a string even of what is not UTF-8 */
const char *finding_flow(const struct finding *f); /* "sysbuild", "child", "none" or "any" */

#endif

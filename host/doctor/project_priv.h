/* Between finding a project's parts (project.c) and making views of them (view.c). */
#ifndef HOST_DOCTOR_PROJECT_PRIV_H
#define HOST_DOCTOR_PROJECT_PRIV_H

#include "host/doctor/model.h"

bool project_in_build(const struct project *p, const char *rel);
bool project_is_log(const struct source *f);
bool board_matches(const char *a, const char *b);
size_t project_boards(struct project *p, const char *app, const char **boards); /* room for 16 */
struct source *project_board_dts(struct project *p, const char *board);

#endif

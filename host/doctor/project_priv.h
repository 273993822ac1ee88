/* Between finding a project's parts (project.c) and making views of them (view.c). */
#ifndef HOST_DOCTOR_PROJECT_PRIV_H
#define HOST_DOCTOR_PROJECT_PRIV_H

#include "host/doctor/model.h"

/* Values of FILE_SUFFIX that an application has files for: prj_NAME.conf, sysbuild_NAME.conf. */
struct suffixes {
    const char *name[8];
    bool sysbuild[8]; /* sysbuild_NAME.conf is there: a way to build of its own */
    size_t count;
};
void project_suffixes(struct project *p, const char *app, struct suffixes *out);

/* A board's name without the FILE_SUFFIX that a file's name has behind it; *suffix is NULL if it has none. */
const char *without_file_suffix(const struct project *p, const struct suffixes *s, const char *name, const char **suffix);

bool project_in_build(const struct project *p, const char *rel);
bool project_is_log(const struct source *f);
bool board_matches(const char *a, const char *b);
size_t project_boards(struct project *p, const char *app, const char **boards); /* room for 16 */
struct source *project_board_dts(struct project *p, const char *board);

#endif

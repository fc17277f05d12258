/* The files that a training run of a name writes: DIR/NAME.pt, DIR/NAME_metrics.json, … */
#ifndef DINOFT_RUN_FILES_H
#define DINOFT_RUN_FILES_H

#include "dinoft/run_lock.h"

#include <stdint.h>

struct df_run_files {
    const char *folder; /* there already, or made */
    char *name;         /* of the run; it may lead into a folder ("dinov2/large_voc") */
    struct df_run_lock *lock;
};

/* What every run writes behind its name; ends with NULL. The first is the checkpoint's. */
extern const char *const df_run_endings[];

/* Checks that these files can be written, and keeps other runs of the name away. -1 with the error set, with
 * the advice where there is one (dinoft/run_lock.h); close it in either case. */
int df_run_files_open(struct df_run_files *files, const char *folder, const char *name, const char *advice);

/* The same for the first of the names BASE, BASE_2, BASE_3, … that no run has, and none has left results
 * of. Runs that choose at the same time get different ones. */
int df_run_files_choose(struct df_run_files *files, const char *folder, const char *base);

void df_run_files_close(struct df_run_files *files);

/* -1 with the error set, and the advice behind it, where an earlier run of the name has left results.
 * with_logs: those of a run that was killed before its first checkpoint count. */
int df_run_files_check_new(const struct df_run_files *files, bool with_logs, const char *advice);

/* The path of the file with that ending, ".pt", to be freed. NULL with the error set. */
char *df_run_file(const struct df_run_files *files, const char *ending);
/* The same of an epoch: DIR/NAME_viz_7.png for "_viz_", 7 and ".png". */
char *df_run_epoch_file(const struct df_run_files *files, const char *before, int64_t epoch,
                        const char *ending);

#endif

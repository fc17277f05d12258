/* One run at a time writes the files of a name in a folder.
 *
 * The lock is that of a file .dinoft-NAME.lock beside those files, which says whose it is; the kernel
 * releases it when the process ends, however it does (file_lock.h). The file is removed at a normal end and
 * by signals that end the process (cleanup.h). One that a killed process leaves is not locked, and the next
 * run of that name takes it over. Between machines it works on file systems whose locks do (NFS); where there
 * are none at all, a log line says so and the run goes on. */
#ifndef DINOFT_RUN_LOCK_H
#define DINOFT_RUN_LOCK_H

#include <stdbool.h>

struct df_run_lock;

/* stem: of the files, relative to the folder, which exists; it may name a folder too. The folder that it
 * leads to exists. NULL with the error set if another run has it ("the run 'STEM' in FOLDER is being written
 * by process 12 on host A since …"),
 * and behind it the advice: what the caller lets one do. */
struct df_run_lock *df_run_lock_open(const char *folder, const char *stem, const char *advice);
/* The same, for who has other names to try. *taken: whether it is NULL because another run has it. */
struct df_run_lock *df_run_lock_try(const char *folder, const char *stem, bool *taken);
void df_run_lock_close(struct df_run_lock *lock); /* NULL is allowed; keeps the error text */

#endif

/* Names that a process has taken for a while, and that shall be gone also when a signal ends it: those of
 * temporaries, and of a run's lock; and folders that it made, where nothing came into them. */
#ifndef DINOFT_CLEANUP_H
#define DINOFT_CLEANUP_H

/* The name in the folder, a descriptor that stays open until df_cleanup_drop(), is removed by
 * df_cleanup_run(). Enter it before the file is made. A number for df_cleanup_drop(); -1 where the table is
 * full or the name too long: then the file stays if a signal ends the process, and whoever writes there next
 * removes it. */
int df_cleanup_add(int folder, const char *name);

/* Forgets it: the file is gone, or has its final name. -1 is allowed. */
void df_cleanup_drop(int number);

/* A folder that the process has just made. It stays when it is not empty at the process's end; so it does
 * where the table is full. */
void df_cleanup_folder(const char *path);

/* At the process's end: removes those folders that are empty. */
void df_cleanup_folders(void);

/* Removes what was entered and not dropped, and folders that are empty then. To be called by a handler that
 * then ends the process (it is async-signal-safe); what other threads still do to those files fails. */
void df_cleanup_run(void);

#endif

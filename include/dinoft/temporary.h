/* Temporary files: what becomes a file under its final name later (atomic_write.h), and files without a name.
 *
 * They are called .dinoft-PLACE-NUMBER.tmp, two times 16 hexadecimal digits: a number that is drawn, so that
 * no two writers anywhere get the same, and one that stands for the running system and the mounted file
 * system. The writer holds a lock on its file (file_lock.h) until it is renamed or removed. Signals that end
 * the process remove it (cleanup.h); what a killed process or a machine that went down leaves,
 * df_check_writable() removes when somebody writes to that folder next. */
#ifndef DINOFT_TEMPORARY_H
#define DINOFT_TEMPORARY_H

#define DF_TEMPORARY_NAME_SIZE 48

struct df_temporary {
    int folder;     /* a descriptor that names can be given relative to, no more */
    int descriptor; /* for reading and writing; the lock is on it */
    int cleanup;
    char name[DF_TEMPORARY_NAME_SIZE];
};

/* A new, empty file in the folder, of the mode that the umask leaves. -1 with errno set. */
int df_temporary_create(struct df_temporary *temporary, const char *folder);

/* Gives it its final name, in place of what had that; closes it. -1 with errno set: then it is removed. */
int df_temporary_rename(struct df_temporary *temporary, const char *path);

/* Removes and closes it; errno stays. */
void df_temporary_remove(struct df_temporary *temporary);

/* A descriptor, for reading and writing, of a new file in the folder that has no name: it is gone when the
 * descriptor is closed. -1 with the error set. */
int df_temporary_nameless(const char *folder);

/* Removes what dead writers left in the folder of a temporary that was made just now, and logs it. Those are
 * regular files whose name is exactly of the form above and that nobody has locked. Where the lock is no
 * proof, as the file is of another machine or mount, or of a file system without locks, it must be a day old
 * besides. So must a file of the form .dinoft-PROCESS-NUMBER.tmp, which earlier builds made, without a lock.
 * path: the folder's, for the log. */
void df_temporary_sweep(const struct df_temporary *own, const char *path);

#endif

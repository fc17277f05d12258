/* The lock that tells a file in use from one that a dead process left: the kernel releases it when the last
 * descriptor is closed, however a process ends.
 *
 * flock(): it belongs to the open file, not to the process, so that another file of the same process, or
 * another descriptor of this one that is closed, does not release it. On NFS it holds between machines (the
 * descriptor must be open for writing there). Some network file systems have it on each machine for itself,
 * or not at all: who goes by it must say what follows then. */
#ifndef DINOFT_FILES_FILE_LOCK_H
#define DINOFT_FILES_FILE_LOCK_H

enum df_file_lock {
    DF_LOCK_HELD,  /* by this descriptor, from now on */
    DF_LOCK_TAKEN, /* by somebody else */
    DF_LOCK_NONE   /* the file system has no locks; errno says how it put it */
};

/* Does not wait. */
enum df_file_lock df_file_lock_try(int descriptor);

#endif

#define _GNU_SOURCE /* O_PATH: a folder that can be written to need not be readable */

#include "dinoft/temporary.h"

#include "dinoft/cleanup.h"
#include "dinoft/error.h"
#include "file_lock.h"
#include "temporary_name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 16 /* the first name is free, unless others remove the new file before it is locked */

static void close_all(struct df_temporary *temporary)
{
    const int kept = errno;

    df_cleanup_drop(temporary->cleanup);
    close(temporary->descriptor);
    close(temporary->folder);
    errno = kept;
}

/* Whoever sweeps the folder may have found the file before it was locked: then it has no name any more, or
 * soon has none. */
static bool is_ours(const struct df_temporary *temporary)
{
    struct stat status;

    return df_file_lock_try(temporary->descriptor) != DF_LOCK_TAKEN &&
           fstat(temporary->descriptor, &status) == 0 && status.st_nlink > 0;
}

/* 0; 1 where another name is to be tried; -1 with errno set. Not mkstemp: that makes files of mode 0600, and
 * learning the umask in order to widen it would change it for every thread for a moment. */
static int try_name(struct df_temporary *temporary)
{
    uint64_t number;

    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return -1;
    snprintf(temporary->name, sizeof temporary->name, ".dinoft-%016" PRIx64 "-%016" PRIx64 ".tmp",
             df_temporary_origin(temporary->folder), number);
    temporary->cleanup = df_cleanup_add(temporary->folder, temporary->name);
    temporary->descriptor =
        openat(temporary->folder, temporary->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (temporary->descriptor >= 0 && is_ours(temporary))
        return 0;
    const int reason = errno;
    df_cleanup_drop(temporary->cleanup);
    if (temporary->descriptor < 0) {
        errno = reason;
        return reason == EEXIST ? 1 : -1;
    }
    unlinkat(temporary->folder, temporary->name, 0);
    close(temporary->descriptor);
    return 1;
}

int df_temporary_create(struct df_temporary *temporary, const char *folder)
{
    int status = 1;

    temporary->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (temporary->folder < 0)
        return -1;
    for (int i = 0; i < TRIES && status == 1; i++)
        status = try_name(temporary);
    if (status == 0)
        return 0;
    const int reason = status < 0 ? errno : EEXIST;
    close(temporary->folder);
    errno = reason;
    return -1;
}

int df_temporary_rename(struct df_temporary *temporary, const char *path)
{
    if (renameat(temporary->folder, temporary->name, AT_FDCWD, path) != 0) {
        df_temporary_remove(temporary);
        return -1;
    }
    close_all(temporary);
    return 0;
}

void df_temporary_remove(struct df_temporary *temporary)
{
    const int kept = errno;

    unlinkat(temporary->folder, temporary->name, 0);
    errno = kept;
    close_all(temporary);
}

int df_temporary_nameless(const char *folder)
{
    struct df_temporary temporary;
    int descriptor = -1;

    if (df_temporary_create(&temporary, folder) == 0) {
        descriptor = fcntl(temporary.descriptor, F_DUPFD_CLOEXEC, 0);
        df_temporary_remove(&temporary);
    }
    if (descriptor < 0)
        df_error_set("cannot make a temporary file in %s: %s", folder, strerror(errno));
    return descriptor;
}

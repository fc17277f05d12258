#include "dinoft/temporary.h"

#include "dinoft/log.h"
#include "file_lock.h"
#include "temporary_name.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB 1048576.0
#define DAY (24 * 60 * 60)

struct sweep {
    int folder;
    uint64_t origin;
    time_t now; /* by the clock that the folder's files have their times from */
    int64_t count, bytes;
};

/* The descriptor's lock is held when it returns true, and goes when that is closed: the file's writer, if it
 * has just made it, sees that and takes another name. */
static bool is_dead(const struct sweep *sweep, enum df_temporary_kind kind, int descriptor,
                    const struct stat *status)
{
    const enum df_file_lock lock = df_file_lock_try(descriptor);

    if (!S_ISREG(status->st_mode) || lock == DF_LOCK_TAKEN)
        return false;
    if (kind == DF_TEMPORARY_HERE && lock == DF_LOCK_HELD)
        return true;
    return sweep->now - status->st_mtime > DAY;
}

static void look_at(struct sweep *sweep, const char *name)
{
    const enum df_temporary_kind kind = df_temporary_kind_of(name, sweep->origin);
    struct stat status;

    if (kind == DF_TEMPORARY_NOT)
        return;
    const int descriptor = openat(sweep->folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return;
    if (fstat(descriptor, &status) == 0 && is_dead(sweep, kind, descriptor, &status) &&
        unlinkat(sweep->folder, name, 0) == 0) {
        sweep->count++;
        sweep->bytes += (int64_t)status.st_blocks * 512;
    }
    close(descriptor);
}

void df_temporary_sweep(const struct df_temporary *own, const char *path)
{
    struct sweep sweep = {.origin = df_temporary_origin(own->folder)};
    struct stat status;

    sweep.folder = openat(own->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sweep.folder < 0)
        return;
    DIR *entries = fstat(own->descriptor, &status) == 0 ? fdopendir(sweep.folder) : NULL;
    if (!entries) {
        close(sweep.folder);
        return;
    }
    sweep.now = status.st_mtime;
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
        look_at(&sweep, entry->d_name);
    closedir(entries);
    if (sweep.count > 0)
        df_log("removed %lld temporary file%s (%.1f MiB) that killed runs left in %s", (long long)sweep.count,
               sweep.count == 1 ? "" : "s", (double)sweep.bytes / MIB, path);
}

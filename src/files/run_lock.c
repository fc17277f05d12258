#define _GNU_SOURCE /* O_PATH */

#include "dinoft/run_lock.h"

#include "dinoft/cleanup.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"
#include "file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES      100 /* others may end just then, but not so often */
#define HOST_MAX   256
#define HOLDER_MAX 512

struct df_run_lock {
    int folder, descriptor; /* -1: not open */
    int cleanup;
    char *name; /* in the folder */
};

/* "process 12 on host A since 2025-01-31 12:00:00 UTC" */
static void describe_self(char text[HOLDER_MAX])
{
    char host[HOST_MAX] = "", when[32] = "";
    const time_t now = time(NULL);
    struct tm parts;

    gethostname(host, sizeof host - 1);
    if (gmtime_r(&now, &parts))
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(text, HOLDER_MAX, "process %ld on host %s since %s UTC", (long)getpid(), host, when);
}

/* Whoever finds the lock taken reads it. A failure costs no more than that. */
static void write_holder(int descriptor)
{
    char text[HOLDER_MAX];

    describe_self(text);
    if (ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, strlen(text), 0) > 0)
        fsync(descriptor); /* for other machines */
}

static void read_holder(int descriptor, char text[HOLDER_MAX])
{
    const ssize_t got = pread(descriptor, text, HOLDER_MAX - 1, 0);

    text[got > 0 ? got : 0] = '\0';
    if (got <= 0) /* it has the lock and is about to write that */
        snprintf(text, HOLDER_MAX, "another process");
}

/* Whether the name still leads to the file that was locked: its holder before may have removed it in between,
 * and a third process made a new one. Opened, not asked for, since that goes by what the server has. */
static bool is_current(const struct df_run_lock *lock)
{
    struct stat ours, named;
    const int again = openat(lock->folder, lock->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const bool same = again >= 0 && fstat(again, &named) == 0 && fstat(lock->descriptor, &ours) == 0 &&
                      named.st_dev == ours.st_dev && named.st_ino == ours.st_ino;

    if (again >= 0)
        close(again);
    return same;
}

/* Only the holder removes the file, and a lock on a file without that name counts for nothing. A signal that
 * ends the process in between leaves the file, which harms nobody; were it still in the list of what is to be
 * removed, another run's file of that name could be. */
static void forget_file(struct df_run_lock *lock)
{
    df_cleanup_drop(lock->cleanup);
    unlinkat(lock->folder, lock->name, 0);
    close(lock->descriptor);
    lock->descriptor = -1;
}

enum outcome { OURS, TAKEN, FAILED, AGAIN, IMPOSSIBLE };

/* The error is set for one that is taken, and where the file cannot be made. */
static enum outcome try_lock(struct df_run_lock *lock, const char *folder, const char *stem,
                             const char *advice)
{
    char holder[HOLDER_MAX];

    lock->descriptor =
        openat(lock->folder, lock->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (lock->descriptor < 0) {
        df_error_set("cannot lock the run '%s' in %s: %s: %s", stem, folder, lock->name, strerror(errno));
        return FAILED;
    }
    switch (df_file_lock_try(lock->descriptor)) {
    case DF_LOCK_TAKEN:
        read_holder(lock->descriptor, holder);
        df_error_set("the run '%s' in %s is being written by %s%s", stem, folder, holder, advice);
        return TAKEN;
    case DF_LOCK_NONE:
        forget_file(lock);
        return IMPOSSIBLE;
    case DF_LOCK_HELD:
        break;
    }
    if (is_current(lock)) {
        lock->cleanup = df_cleanup_add(lock->folder, lock->name);
        write_holder(lock->descriptor);
        return OURS;
    }
    close(lock->descriptor);
    lock->descriptor = -1;
    return AGAIN;
}

static void release(struct df_run_lock *lock)
{
    if (lock->descriptor >= 0)
        close(lock->descriptor);
    if (lock->folder >= 0)
        close(lock->folder);
    free(lock->name);
    free(lock);
}

static int open_folder(struct df_run_lock *lock, const char *folder, const char *stem)
{
    char *path = df_text_format("%s/%s", folder, stem), *inner = path ? df_path_folder(path) : NULL;
    int status = -1;

    if (inner) {
        lock->name = df_text_format(".dinoft-%s.lock", strrchr(path, '/') + 1);
        lock->folder = open(inner, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (lock->folder < 0)
            df_error_set("cannot lock the run '%s' in %s: %s", stem, folder, strerror(errno));
        else if (lock->name)
            status = 0;
    }
    free(inner);
    free(path);
    return status;
}

static struct df_run_lock *open_lock(const char *folder, const char *stem, const char *advice, bool *taken)
{
    struct df_run_lock *lock = calloc(1, sizeof *lock);
    enum outcome outcome = FAILED;

    *taken = false;
    if (!lock) {
        df_error_memory("a run's lock", sizeof *lock);
        return NULL;
    }
    lock->folder = lock->descriptor = lock->cleanup = -1;
    if (open_folder(lock, folder, stem) == 0)
        outcome = AGAIN;
    for (int i = 0; i < TRIES && outcome == AGAIN; i++)
        outcome = try_lock(lock, folder, stem, advice);
    *taken = outcome == TAKEN;
    if (*taken || outcome == FAILED) {
        release(lock);
        return NULL;
    }
    if (outcome != OURS)
        df_log("warning: files cannot be locked in %s: another run '%s' there would not be noticed", folder,
               stem);
    return lock;
}

struct df_run_lock *df_run_lock_open(const char *folder, const char *stem, const char *advice)
{
    bool taken;

    return open_lock(folder, stem, advice, &taken);
}

struct df_run_lock *df_run_lock_try(const char *folder, const char *stem, bool *taken)
{
    return open_lock(folder, stem, "", taken);
}

void df_run_lock_close(struct df_run_lock *lock)
{
    if (!lock)
        return;
    if (lock->descriptor >= 0)
        forget_file(lock);
    release(lock);
}

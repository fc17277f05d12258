#include "map_fault.h"

#include "dinoft/cleanup.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WATCHED_MOST 64 /* a model in pieces has some ten files */

/* The handler reads the table while other threads open and close files. Of the file at whose memory it was
 * called, nobody changes the entry: that is being read. Others' are passed over by their addresses. */
struct watched {
    _Atomic uintptr_t begin; /* 0: free */
    atomic_size_t size;
    char path[DF_ERROR_TEXT_MAX];
};

static struct watched table[WATCHED_MOST];
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER; /* of those who write to it */
static pthread_once_t installed = PTHREAD_ONCE_INIT;
static struct sigaction before; /* what SIGBUS did without us */

static const struct watched *find(uintptr_t address)
{
    for (size_t i = 0; i < WATCHED_MOST; i++) {
        const uintptr_t begin = atomic_load(&table[i].begin);
        const size_t size = atomic_load(&table[i].size);
        /* Asked again: the size may be a newer entry's. */
        if (begin && address - begin < size && atomic_load(&table[i].begin) == begin)
            return &table[i];
    }
    return NULL;
}

static size_t append(char *line, size_t used, const char *text)
{
    const size_t length = strlen(text);

    memcpy(line + used, text, length);
    return used + length;
}

/* One line, and the end; other threads that get here wait for it. */
static void end_with_error(const char *path)
{
    static const char start[] = "\ndinoft: error: cannot read ";
    static const char end[] =
        ": the file became shorter while it was in use, or its disk failed (replace a file by "
        "renaming, not by writing into it)\n";
    static atomic_flag told = ATOMIC_FLAG_INIT;
    char line[sizeof start + DF_ERROR_TEXT_MAX + sizeof end];
    size_t used;

    while (atomic_flag_test_and_set(&told))
        pause();
    df_cleanup_run();
    used = append(line, append(line, append(line, 0, start), path), end);
    const ssize_t written = write(STDERR_FILENO, line, used);
    (void)written; /* nobody may be there */
    _exit(1);
}

/* si_code is positive for what the kernel found, and only then si_addr is an address. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
    const struct watched *file = info->si_code > 0 ? find((uintptr_t)info->si_addr) : NULL;

    (void)context;
    if (file)
        end_with_error(file->path);
    sigaction(number, &before, NULL);
    if (info->si_code <= 0) /* else the instruction is run again, and fails again */
        raise(number);
}

static void install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, &before);
}

int df_map_fault_watch(const void *bytes, size_t size, const char *path)
{
    int status = -1;

    pthread_once(&installed, install);
    pthread_mutex_lock(&table_lock);
    for (size_t i = 0; i < WATCHED_MOST && status != 0; i++) {
        struct watched *entry = &table[i];
        if (atomic_load(&entry->begin))
            continue;
        snprintf(entry->path, sizeof entry->path, "%s", path);
        df_text_replace_controls(entry->path);
        atomic_store(&entry->size, size);
        atomic_store(&entry->begin, (uintptr_t)bytes);
        status = 0;
    }
    pthread_mutex_unlock(&table_lock);
    if (status != 0)
        df_error_set("cannot map %s: %d files are mapped already", path, WATCHED_MOST);
    return status;
}

void df_map_fault_forget(const void *bytes)
{
    pthread_mutex_lock(&table_lock);
    for (size_t i = 0; i < WATCHED_MOST; i++) {
        if (atomic_load(&table[i].begin) == (uintptr_t)bytes)
            atomic_store(&table[i].begin, 0);
    }
    pthread_mutex_unlock(&table_lock);
}

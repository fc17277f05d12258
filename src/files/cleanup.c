#include "dinoft/cleanup.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_MOST   256 /* a thread writes one file at a time */
#define FOLDERS_MOST 64

enum { FREE, CHANGING, ENTERED, REMOVED };

/* What is beside the state belongs to the thread that made it CHANGING, until that makes it ENTERED; then to
 * the one that takes it from there. So a handler reads no name that is being written. */
struct entry {
    atomic_int state;
    int folder;
    char name[NAME_MAX + 1];
};

static struct entry table[NAMES_MOST];
static _Atomic(char *) folders[FOLDERS_MOST]; /* inner ones behind those that they lie in */

static int take(struct entry *entry, int from, int to)
{
    return atomic_compare_exchange_strong(&entry->state, &from, to);
}

int df_cleanup_add(int folder, const char *name)
{
    if (strlen(name) > NAME_MAX)
        return -1;
    for (int i = 0; i < NAMES_MOST; i++) {
        if (!take(&table[i], FREE, CHANGING))
            continue;
        table[i].folder = folder;
        strcpy(table[i].name, name);
        atomic_store(&table[i].state, ENTERED);
        return i;
    }
    return -1;
}

void df_cleanup_drop(int number)
{
    if (number >= 0)
        take(&table[number], ENTERED, FREE);
}

void df_cleanup_folder(const char *path)
{
    char *copy = strdup(path);

    for (int i = 0; copy && i < FOLDERS_MOST; i++) {
        char *none = NULL;
        if (atomic_compare_exchange_strong(&folders[i], &none, copy))
            return;
    }
    free(copy);
}

/* A handler frees nothing: the process ends. */
static void remove_folders(int in_handler)
{
    for (size_t i = FOLDERS_MOST; i-- > 0;) {
        char *path = atomic_exchange(&folders[i], NULL);
        if (path)
            rmdir(path); /* fails where something is in it */
        if (!in_handler)
            free(path);
    }
}

void df_cleanup_folders(void)
{
    remove_folders(0);
}

void df_cleanup_run(void)
{
    const int kept = errno;

    for (size_t i = 0; i < NAMES_MOST; i++) {
        if (take(&table[i], ENTERED, REMOVED))
            unlinkat(table[i].folder, table[i].name, 0);
    }
    remove_folders(1);
    errno = kept;
}

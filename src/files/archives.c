/* The archives in use: one table for the program, as the system has one for its files. So a path means the
 * same to whoever reads it, and each archive's directory is read once. */
#include "archive.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define PATH_MOST 4096 /* bytes of a path that the system takes, with its end */

struct known {
    char *path;
    struct df_archive *archive;
    struct df_mapping *mapping; /* NULL: it is not needed any more */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

static struct {
    pthread_mutex_t lock;
    struct known *items; /* sorted by paths */
    size_t count, room;
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool ends_as_archive(const char *name, size_t length)
{
    return length > 4 &&
           (strncasecmp(name + length - 4, ".zip", 4) == 0 || strncasecmp(name + length - 4, ".tar", 4) == 0);
}

bool df_path_names_archive(const char *path)
{
    const char *name = df_path_name(path);
    return ends_as_archive(name, strlen(name));
}

bool df_path_is_archive(const char *path)
{
    struct stat facts;
    return df_path_names_archive(path) && stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

/* --- the table, locked --- */

/* Where a path is, or would be. */
static size_t find_known(const char *path)
{
    size_t first = 0, last = table.count;

    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        if (strcmp(table.items[middle].path, path) < 0)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}

static int make_room(void)
{
    const size_t room = 2 * table.room + 8;

    if (table.count < table.room)
        return 0;
    struct known *items = realloc(table.items, room * sizeof *items);
    if (!items)
        return df_error_memory("a table of archives", room * sizeof *items);
    table.items = items;
    table.room = room;
    return 0;
}

static void forget(struct known *known)
{
    df_archive_free(known->archive);
    df_mapping_close(known->mapping);
    free(known->path);
}

static int open_archive(struct known *known, const char *path, const struct stat *facts)
{
    *known = (struct known){.path = df_text_copy(path),
                            .mapping = df_mapping_open(path),
                            .device = facts->st_dev,
                            .inode = facts->st_ino,
                            .size = facts->st_size,
                            .changed = facts->st_mtim};
    if (known->path && known->mapping)
        known->archive = df_archive_read(path, known->mapping);
    if (!known->archive) {
        forget(known);
        return -1;
    }
    if (!df_archive_needs_mapping(known->archive)) {
        df_mapping_close(known->mapping);
        known->mapping = NULL;
    }
    return 0;
}

static bool is_unchanged(const struct known *known, const struct stat *facts)
{
    return known->device == facts->st_dev && known->inode == facts->st_ino && known->size == facts->st_size &&
           known->changed.tv_sec == facts->st_mtim.tv_sec && known->changed.tv_nsec == facts->st_mtim.tv_nsec;
}

static int look_up(const char *path, const struct stat *facts, const struct df_archive **archive)
{
    const size_t at = find_known(path);
    struct known opened;

    if (at < table.count && strcmp(table.items[at].path, path) == 0) {
        *archive = table.items[at].archive;
        return is_unchanged(&table.items[at], facts)
                   ? 0
                   : df_error_set("the archive %s has changed since it was first read", path);
    }
    DF_TRY(make_room());
    DF_TRY(open_archive(&opened, path, facts));
    memmove(table.items + at + 1, table.items + at, (table.count - at) * sizeof *table.items);
    table.items[at] = opened;
    table.count++;
    *archive = opened.archive;
    return 0;
}

/* --- paths --- */

static int use_archive(const char *path, const struct stat *facts, struct df_archive_place *place)
{
    pthread_mutex_lock(&table.lock);
    const int status = look_up(path, facts, &place->archive);
    pthread_mutex_unlock(&table.lock);
    return status == 0 ? 1 : -1;
}

/* A path in an archive without "." and "..", as a folder would take it. What leads out of it becomes "..",
 * which no archive has; so does what is too long. */
static void take_inside(const char *path, char inside[DF_ARCHIVE_NAME_MAX])
{
    size_t used = 0, part;

    for (path += strspn(path, "/"); *path; path += part, path += strspn(path, "/")) {
        part = strcspn(path, "/");
        const bool up = part == 2 && memcmp(path, "..", 2) == 0;
        if (part == 1 && *path == '.')
            continue;
        if (up && used > 0) {
            while (used > 0 && inside[--used] != '/')
                ;
            continue;
        }
        if (up || part + 2 > DF_ARCHIVE_NAME_MAX - used) {
            memcpy(inside, "..", 3);
            return;
        }
        if (used > 0)
            inside[used++] = '/';
        memcpy(inside + used, path, part);
        used += part;
    }
    inside[used] = '\0';
}

/* Without memory that might not be there, but for an archive that is new: a folder would seem not to be
 * there.
 */
int df_archive_find(const char *path, struct df_archive_place *place)
{
    char prefix[PATH_MOST];
    struct stat facts;
    int found = 0;

    for (const char *part = path, *end; *part && found == 0; part = end) {
        part += strspn(part, "/");
        end = part + strcspn(part, "/");
        if (!ends_as_archive(part, (size_t)(end - part)) || end - path >= PATH_MOST)
            continue;
        memcpy(prefix, path, (size_t)(end - path));
        prefix[end - path] = '\0';
        if (stat(prefix, &facts) != 0 || !S_ISREG(facts.st_mode))
            continue;
        take_inside(end, place->inside);
        found = use_archive(prefix, &facts, place);
    }
    return found;
}

void df_archives_close(void)
{
    pthread_mutex_lock(&table.lock);
    for (size_t i = 0; i < table.count; i++)
        forget(&table.items[i]);
    free(table.items);
    table.items = NULL;
    table.count = table.room = 0;
    pthread_mutex_unlock(&table.lock);
}

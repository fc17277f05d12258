#include "event_folder.h"

#include "dinoft/error.h"
#include "dinoft/event_file.h"
#include "dinoft/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START       "events.out.tfevents." /* TensorBoard looks for "tfevents" */
#define END         ".dinoft"
#define TIME_DIGITS 10 /* until the year 2286 */
#define HOST_MAX    64

/* The time in a name of ours; -1: it is none. */
static int64_t time_of(const char *name)
{
    if (!df_text_starts_with(name, START) || !df_text_ends_with(name, END))
        return -1;
    const char *digits = name + strlen(START);
    if (strspn(digits, "0123456789") != TIME_DIGITS || digits[TIME_DIGITS] != '.')
        return -1;
    return strtoll(digits, NULL, 10);
}

static int add(struct df_event_folder *folder, const char *path, const char *name)
{
    char **paths = realloc(folder->paths, (folder->count + 1) * sizeof *paths);

    if (!paths)
        return df_error_memory("the names of event files", (folder->count + 1) * sizeof *paths);
    folder->paths = paths;
    paths[folder->count] = df_text_format("%s/%s", path, name);
    if (!paths[folder->count])
        return -1;
    folder->count++;
    return 0;
}

int df_event_folder_list(const char *path, struct df_event_folder *folder)
{
    int status = 0;

    *folder = (struct df_event_folder){0};
    DIR *entries = opendir(path);
    if (!entries)
        return errno == ENOENT ? 0 : df_error_set("cannot read the folder %s: %s", path, strerror(errno));
    errno = 0;
    for (const struct dirent *entry; status == 0 && (entry = readdir(entries));) {
        const int64_t time = time_of(entry->d_name);
        if (time > folder->newest)
            folder->newest = time;
        if (time >= 0)
            status = add(folder, path, entry->d_name);
        errno = 0;
    }
    if (status == 0 && errno != 0)
        status = df_error_set("cannot read the folder %s: %s", path, strerror(errno));
    closedir(entries);
    if (folder->count > 0)
        qsort(folder->paths, folder->count, sizeof *folder->paths, df_text_compare);
    return status;
}

void df_event_folder_clear(struct df_event_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        free(folder->paths[i]);
    free(folder->paths);
    *folder = (struct df_event_folder){0};
}

char *df_event_folder_path(const char *path, int64_t time, int number)
{
    char host[HOST_MAX] = "";

    gethostname(host, sizeof host - 1);
    for (char *at = host; *at; at++) {
        if (*at == '/')
            *at = '_';
    }
    return df_text_format("%s/" START "%0*lld.%s.%ld.%d" END, path, TIME_DIGITS, (long long)time,
                          *host ? host : "host", (long)getpid(), number);
}

int df_event_folder_check(const char *path, const char *name)
{
    struct df_event_folder ours;
    int status = df_event_folder_list(path, &ours);
    bool found = status == 0 && ours.count == 0;

    for (size_t i = 0; status == 0 && i < ours.count; i++)
        found |= strcmp(strrchr(ours.paths[i], '/') + 1, name) == 0;
    if (status == 0 && !found)
        status = df_error_set("%s is of another run: %s, which this one wrote last, is not there",
                              ours.paths[0], name);
    df_event_folder_clear(&ours);
    return status;
}

int df_event_files_check_none(const char *folder, const char *advice)
{
    struct df_event_folder ours;
    int status = df_event_folder_list(folder, &ours);

    if (status == 0 && ours.count > 0)
        status = df_error_set("%s is there already, from another run%s", ours.paths[0], advice);
    df_event_folder_clear(&ours);
    return status;
}

int df_event_files_remove(const char *folder)
{
    struct df_event_folder ours;
    int status = df_event_folder_list(folder, &ours);

    for (size_t i = 0; status == 0 && i < ours.count; i++) {
        if (unlink(ours.paths[i]) != 0 && errno != ENOENT)
            status = df_error_set("cannot remove %s: %s", ours.paths[i], strerror(errno));
    }
    df_event_folder_clear(&ours);
    return status;
}

#include "dinoft/run_files.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Whether a file is younger than the one that was found so far, whose time is *newest. */
static bool is_newer(const char *folder, const char *name, struct timespec *newest)
{
    char *path = df_text_format("%s/%s", folder, name);
    struct stat facts;
    const bool there = path && stat(path, &facts) == 0 && S_ISREG(facts.st_mode);

    free(path);
    if (!there || facts.st_mtim.tv_sec < newest->tv_sec ||
        (facts.st_mtim.tv_sec == newest->tv_sec && facts.st_mtim.tv_nsec <= newest->tv_nsec))
        return false;
    *newest = facts.st_mtim;
    return true;
}

int df_newest_run(const char *folder, const char *ending, char **name)
{
    DIR *directory = opendir(folder);
    struct timespec newest = {0};
    const struct dirent *entry;
    int status = 0;

    *name = NULL;
    if (!directory)
        return errno == ENOENT ? 0 : df_error_set("cannot read %s: %s", folder, strerror(errno));
    while (status == 0 && (entry = readdir(directory))) {
        if (entry->d_name[0] == '.' || !df_text_ends_with(entry->d_name, ending) ||
            !is_newer(folder, entry->d_name, &newest))
            continue;
        free(*name);
        *name = df_text_copy(entry->d_name);
        if (*name)
            (*name)[strlen(*name) - strlen(ending)] = '\0';
        else
            status = -1;
    }
    closedir(directory);
    return status;
}

#include "dinoft/run_files.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define NUMBERS_MOST 10000 /* of names that differ by it */

/* Models, logs, and the configuration, which is written before the first step and nobody's loss. */
const char *const df_run_endings[] = {".pt",        ".state",       "_best.pt",     "_metrics.json",
                                      "_steps.csv", "_report.html", "_config.json", NULL};

enum { MODELS = 3, RESULTS = 6 }; /* of them */

char *df_run_file(const struct df_run_files *files, const char *ending)
{
    return df_text_format("%s/%s%s", files->folder, files->name, ending);
}

char *df_run_epoch_file(const struct df_run_files *files, const char *before, int64_t epoch,
                        const char *ending)
{
    char *name = df_text_format("%s%" PRId64 "%s", before, epoch, ending);
    char *path = name ? df_run_file(files, name) : NULL;

    free(name);
    return path;
}

static int check_writable(const struct df_run_files *files)
{
    int status = 0;

    for (int i = 0; status == 0 && df_run_endings[i]; i++) {
        char *path = df_run_file(files, df_run_endings[i]);
        status = path ? df_check_writable_file(path) : -1;
        free(path);
    }
    return status;
}

int df_run_files_open(struct df_run_files *files, const char *folder, const char *name, const char *advice)
{
    *files = (struct df_run_files){.folder = folder, .name = df_text_copy(name)};
    if (!files->name)
        return -1;
    DF_TRY(check_writable(files));
    files->lock = df_run_lock_open(folder, name, advice);
    return files->lock ? 0 : -1;
}

/* *path: the first of so many files that is there, to be freed; NULL: there is none. */
static int find_results(const struct df_run_files *files, int count, char **path)
{
    for (int i = 0; i < count; i++) {
        *path = df_run_file(files, df_run_endings[i]);
        if (!*path)
            return -1;
        if (access(*path, F_OK) == 0)
            return 0;
        free(*path);
    }
    *path = NULL;
    return 0;
}

int df_run_files_check_new(const struct df_run_files *files, bool with_logs, const char *advice)
{
    char *path;

    DF_TRY(find_results(files, with_logs ? RESULTS : MODELS, &path));
    if (path)
        df_error_set("%s is there already, from another run%s", path, advice);
    free(path);
    return path ? -1 : 0;
}

/* One name of those that differ by a number. 1: it is taken, and nothing is held of it. */
static int try_name(struct df_run_files *files, const char *base, int number)
{
    bool taken;
    char *path;

    files->name = number == 1 ? df_text_copy(base) : df_text_format("%s_%d", base, number);
    if (!files->name)
        return -1;
    files->lock = df_run_lock_try(files->folder, files->name, &taken);
    if (!files->lock && !taken)
        return -1;
    if (files->lock) {
        DF_TRY(find_results(files, RESULTS, &path)); /* under the lock, or another run might end in between */
        if (!path)
            return 0;
        free(path);
    }
    df_run_files_close(files);
    return 1;
}

int df_run_files_choose(struct df_run_files *files, const char *folder, const char *base)
{
    int status = 1;

    *files = (struct df_run_files){.folder = folder};
    DF_TRY(df_check_writable(folder));
    for (int number = 1; status == 1 && number <= NUMBERS_MOST; number++)
        status = try_name(files, base, number);
    if (status == 1)
        return df_error_set("%s has runs of all names from %s to %s_%d", folder, base, base, NUMBERS_MOST);
    return status == 0 ? check_writable(files) : -1;
}

void df_run_files_close(struct df_run_files *files)
{
    df_run_lock_close(files->lock);
    files->lock = NULL;
    free(files->name);
    files->name = NULL;
}

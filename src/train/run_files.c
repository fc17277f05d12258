#include "dinoft/run_files.h"

#include "dinoft/atomic_write.h"
#include "dinoft/text.h"

#include <stdlib.h>

const char *const df_run_endings[] = {".pt",        ".state",       "_best.pt", "_metrics.json",
                                      "_steps.csv", "_config.json", NULL};

char *df_run_file(const struct df_run_files *files, const char *ending)
{
    return df_text_format("%s/%s%s", files->folder, files->name, ending);
}

int df_run_files_open(struct df_run_files *files, const char *folder, const char *name)
{
    int status = 0;

    *files = (struct df_run_files){.folder = folder, .name = name};
    for (int i = 0; status == 0 && df_run_endings[i]; i++) {
        char *path = df_run_file(files, df_run_endings[i]);
        status = path ? df_check_writable_file(path) : -1;
        free(path);
    }
    return status;
}

int df_run_files_lock(struct df_run_files *files, const char *advice)
{
    files->lock = df_run_lock_open(files->folder, files->name, advice);
    return files->lock ? 0 : -1;
}

void df_run_files_close(struct df_run_files *files)
{
    df_run_lock_close(files->lock);
    files->lock = NULL;
}

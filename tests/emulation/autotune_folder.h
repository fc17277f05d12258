/* A cache folder of the test's own, the one autotune cache file in it, and cuDNN's plans. */
#ifndef EMULATION_AUTOTUNE_FOLDER_H
#define EMULATION_AUTOTUNE_FOLDER_H

#include "support/cmocka_all.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLAN_FILES_MAX 64

struct autotune_folder {
    char path[64], file[512]; /* `file` once there is one */
    char plans[PLAN_FILES_MAX][512];
    int n_plans;
};

static inline int make_autotune_folder(void **state)
{
    static struct autotune_folder folder;

    folder = (struct autotune_folder){.path = "/tmp/dinoft-test-XXXXXX"};
    if (!mkdtemp(folder.path))
        return -1;
    setenv("XDG_CACHE_HOME", folder.path, 1);
    unsetenv("DINOFT_CUDA_ALGO");
    *state = &folder;
    return 0;
}

/* The one file of choices; false if there is none. Finds the plans too. */
static inline bool find_file(struct autotune_folder *folder)
{
    char cache[128];
    snprintf(cache, sizeof cache, "%s/dinoft", folder->path);
    DIR *list = opendir(cache);
    bool found = false;

    folder->n_plans = 0;
    for (struct dirent *entry = list ? readdir(list) : NULL; entry; entry = readdir(list)) {
        if (entry->d_name[0] == '.')
            continue;
        if (strncmp(entry->d_name, "cudnn-plan-", 11) == 0) {
            assert_true(folder->n_plans < PLAN_FILES_MAX);
            snprintf(folder->plans[folder->n_plans++], sizeof folder->plans[0], "%s/%s", cache,
                     entry->d_name);
            continue;
        }
        assert_false(found);
        found = true;
        snprintf(folder->file, sizeof folder->file, "%s/%s", cache, entry->d_name);
    }
    if (list)
        closedir(list);
    return found;
}

static inline int plan_files(struct autotune_folder *folder)
{
    (void)find_file(folder);
    return folder->n_plans;
}

static inline void clear_plans(struct autotune_folder *folder)
{
    for (int i = plan_files(folder); i > 0; i--)
        unlink(folder->plans[i - 1]);
}

static inline void clear_cache(struct autotune_folder *folder)
{
    clear_plans(folder);
    if (find_file(folder))
        unlink(folder->file);
}

static inline int remove_autotune_folder(void **state)
{
    struct autotune_folder *folder = *state;
    char cache[128];

    clear_cache(folder);
    snprintf(cache, sizeof cache, "%s/dinoft", folder->path);
    rmdir(cache);
    return rmdir(folder->path);
}

static inline int cache_entries(struct autotune_folder *folder)
{
    int entries = 0;

    if (!find_file(folder))
        return 0;
    FILE *file = fopen(folder->file, "r");
    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        entries += c == '\n';
    fclose(file);
    return entries;
}

/* Replaces the algorithm in the file's only line. */
static inline void write_algorithm(struct autotune_folder *folder, const char *before, const char *algorithm)
{
    char line[512] = "";

    assert_true(find_file(folder));
    FILE *file = fopen(folder->file, "r");
    assert_true(file && fgets(line, sizeof line, file));
    fclose(file);
    char *last = strrchr(line, ' ');
    assert_non_null(last);
    *last = '\0';
    file = fopen(folder->file, "w");
    assert_non_null(file);
    fprintf(file, "%s%s %s\n", before, line, algorithm);
    fclose(file);
}

#endif

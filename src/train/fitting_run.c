/* Which of a folder's runs goes on, where nobody names one, and whether one is over. */
#include "run_state.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ENDING ".state"

struct found {
    char *path;
    struct timespec written; /* by the clock of then */
};

struct list {
    struct found *items; /* [count] */
    size_t count;
};

static void free_list(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].path);
    free(list->items);
}

/* Adds a file, if it is one. Takes the path over. */
static int add_file(struct list *list, char *path)
{
    struct found *items = realloc(list->items, (list->count + 1) * sizeof *items);
    struct stat facts;

    if (!items) {
        free(path);
        return df_error_memory("the list of runs", (list->count + 1) * sizeof *items);
    }
    list->items = items;
    if (stat(path, &facts) == 0 && S_ISREG(facts.st_mode))
        items[list->count++] = (struct found){path, facts.st_mtim};
    else
        free(path);
    return 0;
}

static int list_states(const char *folder, struct list *list)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    int status = 0;

    if (!directory)
        return errno == ENOENT ? 0 : df_error_set("cannot read %s: %s", folder, strerror(errno));
    while (status == 0 && (entry = readdir(directory))) {
        if (entry->d_name[0] == '.' || !df_text_ends_with(entry->d_name, ENDING))
            continue;
        char *path = df_text_format("%s/%s", folder, entry->d_name);
        status = path ? add_file(list, path) : -1;
    }
    closedir(directory);
    return status;
}

/* Of equal times, which coarse clocks give, the order of names decides. */
static int newest_first(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->written.tv_sec != y->written.tv_sec)
        return x->written.tv_sec < y->written.tv_sec ? 1 : -1;
    if (x->written.tv_nsec != y->written.tv_nsec)
        return x->written.tv_nsec < y->written.tv_nsec ? 1 : -1;
    return strcmp(x->path, y->path);
}

static char *name_of(const char *path)
{
    char *name = df_text_copy(strrchr(path, '/') + 1);

    if (name)
        name[strlen(name) - strlen(ENDING)] = '\0';
    return name;
}

/* 1 with the error of the newest one: none fits. */
static int choose(const struct df_training *training, const char *folder, const struct list *list,
                  char **name)
{
    struct df_error newest;

    for (size_t i = 0; i < list->count; i++) {
        const int other = run_state_fits(training, list->items[i].path);
        if (other == 0) {
            *name = name_of(list->items[i].path);
            return *name ? 0 : -1;
        }
        if (df_error_is_memory())
            return -1;
        if (other < 0)
            df_log("warning: %s", df_error_text());
        if (i == 0)
            df_error_keep(&newest);
    }
    if (list->count == 0) {
        df_error_set("there is nothing to resume in %s", folder);
    } else {
        df_error_again(&newest);
        df_error_context("no run in %s can go on%s", folder, list->count > 1 ? "; the newest" : "");
    }
    return 1;
}

int df_training_find(const struct df_training_options *options, struct df_setup *setup,
                     struct df_dataset *train_set, struct df_dataset *val_set, const char *folder,
                     char **name)
{
    struct df_training *training = training_new(options, setup, train_set, val_set);
    struct list list = {0};
    int status = training && list_states(folder, &list) == 0 ? 0 : -1;

    *name = NULL;
    if (status == 0 && list.count > 0) {
        qsort(list.items, list.count, sizeof *list.items, newest_first);
        status = training_fill_record(training);
    }
    if (status == 0)
        status = choose(training, folder, &list, name);
    free_list(&list);
    free(training);
    return status;
}

int df_training_is_over(const struct df_training_options *options, struct df_setup *setup,
                        const struct df_run_files *files, struct df_dataset *train_set,
                        struct df_dataset *val_set, const volatile sig_atomic_t *stop, bool *over)
{
    struct df_training *training = training_new(options, setup, train_set, val_set);
    int status = -1;

    if (!training)
        return -1;
    training->files = files;
    training->stop = stop;
    if (training_fill_record(training) == 0 && training_name_files(training) == 0)
        status = run_state_read_course(training);
    *over = status == 0 && training_is_over(training);
    df_training_close(training);
    return status;
}

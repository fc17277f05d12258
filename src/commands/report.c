/* Pages about training runs. */
#include "commands.h"
#include "version.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/run_files.h"
#include "dinoft/run_report.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define METRICS "_metrics.json" /* what a run has as soon as an epoch has ended */
#define EVENTS  "_tb"           /* of the folder for TensorBoard, beside a run's files */

/* The beginnings of the names of runs' files, "output/voc_lora", no two of one run. */
struct runs {
    char *prefixes[DF_RUNS_MOST];      /* [count] */
    struct stat metrics[DF_RUNS_MOST]; /* of the same runs, in the order in which they were named */
    size_t count;
};

static bool is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* Whatever paths lead to it. */
static bool is_known(const struct runs *runs, const struct stat *metrics)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (runs->metrics[i].st_dev == metrics->st_dev && runs->metrics[i].st_ino == metrics->st_ino)
            return true;
    }
    return false;
}

/* Takes the prefix over. */
static int add_run(struct runs *runs, char *prefix)
{
    char *path = prefix ? df_text_format("%s" METRICS, prefix) : NULL;
    struct stat metrics;
    int status = -1;

    if (path && stat(path, &metrics) != 0) {
        df_error_set("cannot read %s: %s", path, strerror(errno));
    } else if (path && is_known(runs, &metrics)) {
        status = 0;
    } else if (path && runs->count == DF_RUNS_MOST) {
        df_error_set("a page shows at most %d runs", DF_RUNS_MOST);
    } else if (path) {
        runs->metrics[runs->count] = metrics;
        runs->prefixes[runs->count++] = prefix;
        prefix = NULL;
        status = 0;
    }
    free(path);
    free(prefix);
    return status;
}

/* Every run of a folder, in the order of their names. */
static int add_folder(struct runs *runs, const char *folder)
{
    DIR *directory = opendir(folder);
    const size_t before = runs->count;
    const struct dirent *entry;
    bool has_run = false;
    int status = 0;

    if (!directory)
        return df_error_set("cannot read %s: %s", folder, strerror(errno));
    while (status == 0 && (entry = readdir(directory))) {
        if (entry->d_name[0] == '.' || !df_text_ends_with(entry->d_name, METRICS))
            continue;
        const char *slash = df_text_ends_with(folder, "/") ? "" : "/";
        has_run = true;
        status = add_run(runs, df_text_format("%s%s%.*s", folder, slash,
                                              (int)(strlen(entry->d_name) - strlen(METRICS)), entry->d_name));
    }
    closedir(directory);
    if (status == 0 && !has_run)
        return df_error_set("%s has no run: no file is called NAME" METRICS " there", folder);
    qsort(runs->prefixes + before, runs->count - before, sizeof *runs->prefixes, df_text_compare);
    return status;
}

/* The length of text without an ending in which # stands for a number; 0: it ends otherwise. */
static size_t length_before(const char *text, const char *ending)
{
    const char *number = strchr(ending, '#'), *behind = number ? number + 1 : ending;
    size_t length = strlen(text);

    if (!df_text_ends_with(text, behind))
        return 0;
    length -= strlen(behind);
    if (!number)
        return length;
    const size_t mark = (size_t)(number - ending), end = length;
    while (length > 0 && isdigit((unsigned char)text[length - 1]))
        length--;
    if (length == end || length <= mark)
        return 0;
    return strncmp(text + length - mark, ending, mark) == 0 ? length - mark : 0;
}

static bool has_metrics(const char *prefix)
{
    char *path = df_text_format("%s" METRICS, prefix);
    const bool found = path && access(path, F_OK) == 0;

    free(path);
    return found;
}

/* Of what only some runs leave: the run's prefix. *prefix is NULL where text is no such file of a run. */
static int find_by_other_file(const char *text, char **prefix)
{
    static const char *const endings[] = {"_e#.pt", "_viz_#.png", "_augmented.png", "_stopped.pt",
                                          "_features.cache"};

    *prefix = NULL;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t length = length_before(text, endings[i]);
        char *begin = df_text_format("%.*s", (int)length, text);
        if (!begin)
            return -1;
        if (length > 0 && has_metrics(begin)) {
            *prefix = begin;
            return 0;
        }
        free(begin);
    }
    return 0;
}

/* A file of a run without its ending, or the text itself. NULL when out of memory. */
static char *prefix_of(const char *text)
{
    size_t longest = 0;

    for (int i = 0; df_run_endings[i]; i++) {
        const size_t length = strlen(df_run_endings[i]);
        if (df_text_ends_with(text, df_run_endings[i]) && length > longest && length < strlen(text))
            longest = length;
    }
    char *prefix = df_text_format("%.*s", (int)(strlen(text) - longest), text), *other;
    if (!prefix || has_metrics(prefix)) /* a run may be called "a_e3" */
        return prefix;
    if (find_by_other_file(text, &other) == 0 && !other)
        return prefix;
    free(prefix);
    return other;
}

/* One that has only begun is left out: where all of a folder's files are named, others are there. */
static int add_named(struct runs *runs, const char *text)
{
    char *prefix = prefix_of(text), *metrics = prefix ? df_text_format("%s" METRICS, prefix) : NULL;
    char *config = metrics ? df_text_format("%s_config.json", prefix) : NULL;
    int status = -1;

    if (config && access(metrics, F_OK) == 0) {
        status = add_run(runs, prefix);
        prefix = NULL;
    } else if (config && access(config, F_OK) == 0) {
        df_log("warning: %s is left out: none of its epochs has ended", prefix);
        status = 0;
    } else if (config) {
        df_error_set("%s is no run: there is no %s", text, metrics);
    }
    free(config);
    free(metrics);
    free(prefix);
    return status;
}

/* A folder of runs, or of one run's events. */
static int add_from_folder(struct runs *runs, const char *text)
{
    size_t length = strlen(text);

    while (length > 1 && text[length - 1] == '/')
        length--;
    char *folder = df_text_format("%.*s", (int)length, text), *config = NULL;
    int status = -1;

    if (folder && df_text_ends_with(folder, EVENTS)) {
        folder[strlen(folder) - strlen(EVENTS)] = '\0';
        config = df_text_format("%s_config.json", folder);
    }
    if (config && access(config, F_OK) == 0)
        status = add_named(runs, folder);
    else if (folder)
        status = add_folder(runs, text);
    free(config);
    free(folder);
    return status;
}

/* A page that an earlier command has made, or what a sweep leaves: of those that a folder's files name, none
 * of a run. */
static bool is_of_many(const struct df_config *config, const char *text)
{
    return strcmp(text, config->output) == 0 || length_before(text, "_sweep.csv") > 0 ||
           length_before(text, "_sweep.html") > 0 || length_before(text, "_sweep_features.cache") > 0;
}

static int find_runs(const struct df_config *config, struct runs *runs)
{
    for (int i = 0; i < config->n_inputs; i++) {
        if (is_folder(config->inputs[i]))
            DF_TRY(add_from_folder(runs, config->inputs[i]));
        else if (!is_of_many(config, config->inputs[i]))
            DF_TRY(add_named(runs, config->inputs[i]));
    }
    return runs->count > 0 ? 0 : df_error_set("there is no run with an epoch that has ended");
}

/* The page takes the place of no file of a run: of those that it shows, and whatever is no page. */
static int check_output(const struct runs *runs, const char *output)
{
    int status = 0;

    DF_TRY(df_check_writable_file(output));
    for (size_t i = 0; i < runs->count; i++) {
        for (int k = 0; df_run_endings[k] && status == 0; k++) {
            char *path = df_text_format("%s%s", runs->prefixes[i], df_run_endings[k]);
            if (!path)
                return -1;
            if (df_check_other_file(output, path) != 0)
                status =
                    df_error_set("--output %s is a file of the run %s itself", output, runs->prefixes[i]);
            free(path);
        }
    }
    if (status == 0 && access(output, F_OK) == 0 && !df_text_ends_with(output, ".html"))
        return df_error_set("--output %s is there already and is no page: pages end in .html", output);
    return status;
}

static int report(const struct df_config *config, struct runs *runs)
{
    DF_TRY(find_runs(config, runs));
    DF_TRY(check_output(runs, config->output));
    char *defaults = df_config_defaults(DF_COMMAND_TRAIN);
    const struct df_run_page_texts texts = {defaults, program_text()};
    const int status =
        defaults ? df_run_report_write(config->output, runs->prefixes, runs->count, &texts) : -1;
    free(defaults);
    return status;
}

int command_report(struct df_config *config)
{
    struct runs runs = {.count = 0};
    const int status = report(config, &runs);

    for (size_t i = 0; i < runs.count; i++)
        free(runs.prefixes[i]);
    return status == 0 ? 0 : 1;
}

/* What is written of a list of images, held against what is there. */
#include "file_identity.h"
#include "inputs.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define ONCE 2

char *input_output_path(const struct df_config *config, const struct input *input, const char *ending)
{
    return df_text_format("%s/%s%s", config->output_dir, input->name, ending);
}

bool input_is_tiff(const struct input *input)
{
    const char *dot = strrchr(input->path, '.');
    return dot && (strcasecmp(dot, ".tif") == 0 || strcasecmp(dot, ".tiff") == 0);
}

static char *output_path(const struct df_config *config, const struct input_outputs *outputs,
                         const struct input *input, int e)
{
    const bool as_tiff = outputs->endings_of_tiff && input_is_tiff(input);
    return input_output_path(config, input, as_tiff ? outputs->endings_of_tiff[e] : outputs->endings[e]);
}

/* --- those that are done --- */

static int is_done(const struct df_config *config, const struct input_outputs *outputs,
                   const struct input *input, bool *done)
{
    struct stat status;

    *done = outputs->n_endings > 0;
    for (int e = 0; e < outputs->n_endings && *done; e++) {
        char *path = output_path(config, outputs, input, e);
        if (!path)
            return -1;
        *done = stat(path, &status) == 0 && S_ISREG(status.st_mode);
        free(path);
    }
    return 0;
}

int inputs_skip_done(struct inputs *inputs, const struct df_config *config,
                     const struct input_outputs *outputs,
                     bool (*wants)(const void *context, const struct input *input), const void *context)
{
    size_t count = 0, skipped;

    for (size_t i = 0; i < inputs->count; i++) {
        struct input *input = &inputs->items[i];
        bool done = false;
        if (is_done(config, outputs, input, &done) != 0)
            return -1;
        if (done && (!wants || !wants(context, input))) {
            free(input->path);
            free(input->name);
            input->path = input->name = NULL;
        }
    }
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->items[i].path)
            inputs->items[count++] = inputs->items[i];
    }
    skipped = inputs->count - count;
    if (skipped > 0)
        df_log("--skip_existing: %zu of the %zu images are done, %zu are left", skipped, inputs->count,
               count);
    inputs->count = count;
    return 0;
}

/* --- all paths --- */

struct paths {
    char **items; /* sorted */
    size_t count;
    struct file_identity *inputs; /* sorted */
    size_t n_inputs;
};

static int gather(struct paths *paths, const struct inputs *inputs, const struct df_config *config,
                  const struct input_outputs *outputs)
{
    const size_t most = inputs->count * (size_t)outputs->n_endings + ONCE;

    paths->items = calloc(most, sizeof *paths->items);
    paths->inputs = calloc(inputs->count + 1, sizeof *paths->inputs);
    if (!paths->items || !paths->inputs)
        return df_error_memory("the list of images", most * sizeof *paths->items);
    for (size_t i = 0; i < inputs->count; i++) {
        const struct input *input = &inputs->items[i];
        paths->n_inputs += file_identify(input->path, &paths->inputs[paths->n_inputs]);
        for (int e = 0; e < outputs->n_endings; e++) {
            if (!(paths->items[paths->count] = output_path(config, outputs, input, e)))
                return -1;
            paths->count++;
        }
    }
    for (int i = 0; i < ONCE; i++) {
        if (outputs->once[i] && !(paths->items[paths->count++] = df_text_copy(outputs->once[i])))
            return -1;
    }
    qsort(paths->items, paths->count, sizeof *paths->items, df_text_compare);
    qsort(paths->inputs, paths->n_inputs, sizeof *paths->inputs, file_identity_compare);
    return 0;
}

static void free_paths(struct paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->items[i]);
    free(paths->items);
    free(paths->inputs);
}

static int check_distinct(const struct paths *paths)
{
    for (size_t i = 1; i < paths->count; i++) {
        if (strcmp(paths->items[i - 1], paths->items[i]) == 0)
            return df_error_set("two of the outputs would both be written to %s", paths->items[i]);
    }
    return 0;
}

static int check_there(const struct paths *paths, const struct df_config *config)
{
    size_t there = 0;
    const char *first = NULL;

    for (size_t i = 0; i < paths->count; i++) {
        struct stat status;
        if (stat(paths->items[i], &status) != 0)
            continue;
        const struct file_identity output = {status.st_dev, status.st_ino, NULL};
        const struct file_identity *input =
            bsearch(&output, paths->inputs, paths->n_inputs, sizeof output, file_identity_compare);
        if (input)
            return df_error_set("%s would overwrite the image %s: choose another --%s", paths->items[i],
                                input->path,
                                config->command == DF_COMMAND_FEATURES ? "output" : "output_dir");
        if (!S_ISREG(status.st_mode))
            return df_error_set("cannot write %s: it is %s", paths->items[i],
                                S_ISDIR(status.st_mode) ? "a folder" : "no regular file");
        first = first ? first : paths->items[i];
        there++;
    }
    if (there == 0 || config->overwrite || config->skip_existing)
        return 0;
    return df_error_set(
        "%zu of the %zu files that would be written %s there already, the first is %s: "
        "--overwrite replaces them%s",
        there, paths->count, there == 1 ? "is" : "are", first,
        config->command == DF_COMMAND_PREDICT ? ", --skip_existing leaves out the images that are done" : "");
}

int inputs_check_outputs(const struct inputs *inputs, const struct df_config *config,
                         const struct input_outputs *outputs)
{
    struct paths paths = {0};
    int status = -1;

    if (gather(&paths, inputs, config, outputs) == 0 && check_distinct(&paths) == 0)
        status = check_there(&paths, config);
    free_paths(&paths);
    return status;
}

int inputs_check_model(const struct inputs *inputs, const struct df_config *config,
                       const struct df_setup *setup, const struct input_outputs *outputs)
{
    struct paths paths = {0};
    struct stat there;
    int status = gather(&paths, inputs, config, outputs);

    for (size_t i = 0; i < paths.count && status == 0; i++) {
        if (stat(paths.items[i], &there) == 0)
            status = df_setup_check_output(setup, config, paths.items[i]);
    }
    free_paths(&paths);
    return status;
}

/* Images of one folder follow each other mostly. */
int inputs_make_folders(const struct inputs *inputs, const struct df_config *config)
{
    char *last = NULL;
    int status = 0;

    for (size_t i = 0; i < inputs->count && status == 0; i++) {
        char *path = input_output_path(config, &inputs->items[i], "");
        char *folder = path ? df_path_folder(path) : NULL;
        if (!folder)
            status = -1;
        else if (!last || strcmp(folder, last) != 0)
            status = df_make_folder(folder);
        free(path);
        free(last);
        last = folder;
    }
    free(last);
    return status;
}

#include "inputs.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int input_decode(const char *path, const struct df_image_reading *reading, struct df_image *image)
{
    DF_TRY(df_image_read(path, reading, image));
    df_image_warn(path, image);
    return 0;
}

int input_read(const char *path, const struct df_image_reading *reading, int64_t height, int64_t width,
               struct df_image *image, uint8_t *pixels)
{
    DF_TRY(input_decode(path, reading, image));
    if (df_resize_linear(image, pixels, width, height) == 0)
        return 0;
    df_image_free(image);
    return -1;
}

int inputs_check(const struct df_config *config)
{
    struct stat status;

    for (int i = 0; i < config->n_inputs; i++) {
        const char *path = config->inputs[i];
        if (stat(path, &status) != 0 || access(path, R_OK) != 0)
            return df_error_set("cannot read %s: %s", path, strerror(errno));
        if (S_ISDIR(status.st_mode))
            return df_error_set("cannot read %s: it is a folder, expected an image", path);
    }
    return 0;
}

char *input_output_path(const struct df_config *config, const char *input, const char *ending)
{
    char *stem = df_path_stem(input);
    char *path = stem ? df_text_format("%s/%s%s", config->output_dir, stem, ending) : NULL;
    free(stem);
    return path;
}

/* A file that is there, whatever path leads to it. */
struct identity {
    dev_t device;
    ino_t inode;
    const char *path;
};

static int compare_identities(const void *a, const void *b)
{
    const struct identity *first = a, *second = b;
    if (first->device != second->device)
        return first->device < second->device ? -1 : 1;
    if (first->inode != second->inode)
        return first->inode < second->inode ? -1 : 1;
    return 0;
}

static bool identify(const char *path, struct identity *identity)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return false;
    *identity = (struct identity){status.st_dev, status.st_ino, path};
    return true;
}

static int check_distinct(char **outputs, size_t count)
{
    qsort(outputs, count, sizeof *outputs, df_text_compare);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(outputs[i - 1], outputs[i]) == 0)
            return df_error_set("two of the outputs would both be written to %s", outputs[i]);
    }
    return 0;
}

static int check_inputs_stay(char *const *outputs, size_t count, const struct identity *inputs,
                             size_t n_inputs)
{
    for (size_t i = 0; i < count; i++) {
        struct identity output;
        if (!identify(outputs[i], &output))
            continue;
        const struct identity *input = bsearch(&output, inputs, n_inputs, sizeof output, compare_identities);
        if (input)
            return df_error_set("%s would overwrite the image %s: choose another --output_dir", outputs[i],
                                input->path);
    }
    return 0;
}

int inputs_check_outputs(const struct df_config *config, const char *const *endings, int n_endings,
                         const char *once)
{
    size_t count = 0, n_inputs = 0, most = (size_t)config->n_inputs * (size_t)n_endings + (once ? 1 : 0);
    char **outputs = calloc(most, sizeof *outputs);
    struct identity *inputs = calloc((size_t)config->n_inputs, sizeof *inputs);
    int status = -1;

    if (!outputs || !inputs) {
        df_error_memory("the list of images", most * sizeof *outputs);
        goto done;
    }
    for (int i = 0; i < config->n_inputs; i++) {
        n_inputs += identify(config->inputs[i], &inputs[n_inputs]);
        for (int e = 0; e < n_endings; e++) {
            if (!(outputs[count] = input_output_path(config, config->inputs[i], endings[e])))
                goto done;
            count++;
        }
    }
    if (once && !(outputs[count++] = df_text_copy(once)))
        goto done;
    qsort(inputs, n_inputs, sizeof *inputs, compare_identities);
    if (check_distinct(outputs, count) == 0)
        status = check_inputs_stay(outputs, count, inputs, n_inputs);
done:
    for (size_t i = 0; i < count; i++)
        free(outputs[i]);
    free(outputs);
    free(inputs);
    return status;
}

int inputs_check_model(const struct df_config *config, const struct df_setup *setup,
                       const char *const *endings, int n_endings)
{
    int status = 0;

    for (int i = 0; i < config->n_inputs; i++) {
        for (int e = 0; e < n_endings && status == 0; e++) {
            char *path = input_output_path(config, config->inputs[i], endings[e]);
            status = path ? df_setup_check_output(setup, config, path) : -1;
            free(path);
        }
    }
    return status;
}

#include "save_masks.h"

#include "file_identity.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"
#include "dinoft/setup.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAMED_MOST 3

/* The data set's images and masks, sorted; *count of them, to be freed. NULL with the error set. */
static struct file_identity *list_inputs(const struct df_dataset *dataset, size_t *count)
{
    const size_t bytes = (2 * (size_t)dataset->count + 1) * sizeof(struct file_identity);
    struct file_identity *inputs = malloc(bytes);

    *count = 0;
    if (!inputs) {
        df_error_memory("a list of files", bytes);
        return NULL;
    }
    for (int64_t i = 0; i < dataset->count; i++) {
        const struct df_sample *sample = &dataset->samples[i];
        *count += file_identify(sample->image_path, &inputs[*count]);
        *count += sample->mask_path && file_identify(sample->mask_path, &inputs[*count]);
    }
    qsort(inputs, *count, sizeof *inputs, file_identity_compare);
    return inputs;
}

static char *mask_path(const char *folder, const char *name)
{
    return df_text_format("%s/%s.png", folder, name);
}

/* Names are paths below the folder where images of several folders have equal ones. */
static int check_name(const char *name)
{
    char *within = df_text_format("/%s/", name);

    if (!within)
        return -1;
    const bool leaves = strstr(within, "/../") != NULL;
    free(within);
    return leaves ? df_error_set("--save_masks: the image %s would have its mask outside of the folder", name)
                  : 0;
}

/* What is there already goes to `there`. */
static int check_path(const struct df_config *config, const struct df_measure *measure, const char *path,
                      const struct file_identity *inputs, size_t n_inputs, struct df_name_list *there)
{
    struct file_identity identity;

    if (!file_identify(path, &identity))
        return 0;
    const struct file_identity *input =
        bsearch(&identity, inputs, n_inputs, sizeof *inputs, file_identity_compare);
    if (input)
        return df_error_set("--save_masks would overwrite a file of the data set, %s", input->path);
    DF_TRY(df_setup_check_output(&measure->setup, config, path));
    df_name_list_add(there, "%s", path);
    return 0;
}

static int check_paths(const struct df_config *config, const struct df_measure *measure,
                       struct df_name_list *there)
{
    const struct df_dataset *dataset = measure->dataset;
    size_t n_inputs;
    struct file_identity *inputs = list_inputs(dataset, &n_inputs);
    int status = inputs ? 0 : -1;

    for (int64_t i = 0; i < dataset->count && status == 0; i++) {
        char *path = mask_path(config->save_masks, dataset->samples[i].name);
        status = path ? check_name(dataset->samples[i].name) : -1;
        if (status == 0)
            status = check_path(config, measure, path, inputs, n_inputs, there);
        free(path);
    }
    free(inputs);
    return status;
}

int save_masks_check(const struct df_config *config, const struct df_measure *measure)
{
    struct df_name_list there = {.most = NAMED_MOST};

    if (!config->save_masks)
        return 0;
    if (!measure->options.original)
        df_log(
            "--save_masks: masks have the network's input size, at which they are measured; with --eval_size "
            "original they are those of predict");
    DF_TRY(df_check_writable(config->save_masks));
    DF_TRY(check_paths(config, measure, &there));
    if (there.count == 0 || config->overwrite)
        return 0;
    return df_error_set("--save_masks: %zu of %" PRId64 " masks are there already: %s (--overwrite replaces "
                        "them)",
                        there.count, measure->dataset->count, there.text);
}

static int make_folder_of(const char *path)
{
    char *folder = df_path_folder(path);
    const int status = folder ? df_make_folder(folder) : -1;

    free(folder);
    return status;
}

int save_masks_write(const char *folder, const char *name, const struct df_prediction *prediction,
                     const struct df_palette *palette)
{
    const struct df_image classes = {.width = prediction->width,
                                     .height = prediction->height,
                                     .channels = 1,
                                     .pixels = (uint8_t *)prediction->classes};
    char *path = mask_path(folder, name);
    int status = path ? 0 : -1;

    if (path && strchr(name, '/'))
        status = make_folder_of(path);
    if (status == 0)
        status = df_png_write_palette(path, &classes, palette->rgb);
    free(path);
    return status;
}

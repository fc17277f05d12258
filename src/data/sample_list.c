#include "sample_list.h"

#include "folder_files.h"

#include "dinoft/archive_path.h"
#include "dinoft/error.h"
#include "dinoft/name_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NAMED_AT_MOST 3 /* missing files that an error lists by name */

int df_sample_add(struct df_dataset *dataset, char *name, char *image_path, char *mask_path)
{
    struct df_sample *samples = NULL;

    if (name && image_path && mask_path)
        samples = df_grown(dataset->samples, (size_t)dataset->count, sizeof *samples);
    if (!samples) {
        free(name);
        free(image_path);
        free(mask_path);
        return -1;
    }
    dataset->samples = samples;
    samples[dataset->count++] =
        (struct df_sample){.name = name, .image_path = image_path, .mask_path = mask_path};
    return 0;
}

void df_sample_free(struct df_sample *sample)
{
    free(sample->name);
    free(sample->image_path);
    free(sample->mask_path);
    for (int i = 0; i < sample->n_layers; i++)
        free(sample->layers[i].path);
    free(sample->layers);
}

int df_sample_select(struct df_dataset *dataset, const int64_t *chosen, int64_t count)
{
    struct df_sample *samples = calloc((size_t)count + 1, sizeof *samples);

    if (!samples)
        return df_error_memory("samples", (unsigned long long)count * sizeof *samples);
    for (int64_t i = 0; i < count; i++) {
        samples[i] = dataset->samples[chosen[i]];
        dataset->samples[chosen[i]] = (struct df_sample){0};
    }
    for (int64_t i = 0; i < dataset->count; i++)
        df_sample_free(&dataset->samples[i]);
    free(dataset->samples);
    dataset->samples = samples;
    dataset->count = count;
    return 0;
}

static bool is_file(const char *path, int64_t *bytes)
{
    struct stat status;
    const bool found = df_path_stat(path, &status) == 0 && S_ISREG(status.st_mode);

    *bytes = found ? (int64_t)status.st_size : 0;
    return found;
}

/* Notes a mask's size, which may be in several files. */
static void check_mask(struct df_sample *sample, struct df_name_list *missing)
{
    if (sample->n_layers == 0 && !is_file(sample->mask_path, &sample->mask_bytes))
        df_name_list_add(missing, "%s", sample->mask_path);
    for (int i = 0; i < sample->n_layers; i++) {
        int64_t bytes;
        if (!is_file(sample->layers[i].path, &bytes))
            df_name_list_add(missing, "%s", sample->layers[i].path);
        sample->mask_bytes += bytes;
    }
}

int df_sample_check_files(struct df_dataset *dataset)
{
    struct df_name_list missing = {.most = NAMED_AT_MOST};

    for (int64_t i = 0; i < dataset->count; i++) {
        struct df_sample *sample = &dataset->samples[i];
        if (!is_file(sample->image_path, &sample->image_bytes))
            df_name_list_add(&missing, "%s", sample->image_path);
        check_mask(sample, &missing);
    }
    if (missing.count == 0)
        return 0;
    return df_error_set("%zu of the %lld files of the data set are missing: %s", missing.count,
                        (long long)(2 * dataset->count), missing.text);
}

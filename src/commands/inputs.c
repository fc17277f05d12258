#include "inputs.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int input_read(const char *path, int64_t height, int64_t width, struct df_image *image, uint8_t *pixels)
{
    DF_TRY(df_image_read(path, image));
    if (df_resize_linear(image, pixels, width, height) == 0)
        return 0;
    df_image_free(image);
    return -1;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_distinct(const struct df_config *config)
{
    int status = -1, n = 0;
    char **stems = calloc((size_t)config->n_inputs, sizeof *stems);
    if (!stems)
        return df_error_memory("the list of images", (unsigned long long)config->n_inputs * sizeof *stems);
    for (; n < config->n_inputs; n++) {
        if (!(stems[n] = df_path_stem(config->inputs[n])))
            goto done;
    }
    qsort(stems, (size_t)n, sizeof *stems, compare_texts);
    for (int i = 1; i < n; i++) {
        if (strcmp(stems[i - 1], stems[i]) == 0) {
            df_error_set("two of the images are called '%s': their results would overwrite each other",
                         stems[i]);
            goto done;
        }
    }
    status = 0;
done:
    for (int i = 0; i < n; i++)
        free(stems[i]);
    free(stems);
    return status;
}

int inputs_check(const struct df_config *config, bool distinct_names)
{
    for (int i = 0; i < config->n_inputs; i++) {
        if (access(config->inputs[i], R_OK) != 0)
            return df_error_set("cannot read %s: %s", config->inputs[i], strerror(errno));
    }
    return distinct_names ? check_distinct(config) : 0;
}

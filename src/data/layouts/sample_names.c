#include "layout.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    const struct df_sample *const *first = a, *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

/* A pair of samples of one name; pair[0] is NULL where all differ. */
static int find_equal(const struct df_dataset *dataset, const struct df_sample *pair[2])
{
    const size_t count = (size_t)dataset->count;
    const struct df_sample **sorted = calloc(count, sizeof *sorted);

    pair[0] = pair[1] = NULL;
    if (count == 0 || !sorted) {
        free(sorted);
        return count == 0 ? 0 : df_error_memory("names of samples", count * sizeof *sorted);
    }
    for (size_t i = 0; i < count; i++)
        sorted[i] = &dataset->samples[i];
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 1; i < count && !pair[0]; i++) {
        if (compare(&sorted[i - 1], &sorted[i]) == 0) {
            pair[0] = sorted[i - 1];
            pair[1] = sorted[i];
        }
    }
    free(sorted);
    return 0;
}

/* The bytes of a path that name the folder which all images share, with the slash. */
static size_t shared_folder(const struct df_dataset *dataset)
{
    const char *first = dataset->samples[0].image_path;
    size_t length = strlen(first);

    for (int64_t i = 0; i < dataset->count; i++) {
        const char *path = dataset->samples[i].image_path;
        size_t same = 0;
        while (same < length && path[same] == first[same])
            same++;
        length = same;
    }
    while (length > 0 && first[length - 1] != '/')
        length--;
    return length;
}

static char *path_name(const char *path)
{
    const char *file = df_path_name(path);
    const char *dot = strrchr(file, '.');

    return df_text_format("%.*s", (int)((dot && dot != file ? dot : file + strlen(file)) - path), path);
}

int df_sample_names_settle(struct df_dataset *dataset)
{
    const struct df_sample *pair[2];

    DF_TRY(find_equal(dataset, pair));
    if (!pair[0])
        return 0;
    const size_t shared = shared_folder(dataset);
    for (int64_t i = 0; i < dataset->count; i++) {
        struct df_sample *sample = &dataset->samples[i];
        char *name = path_name(sample->image_path + shared);
        if (!name)
            return -1;
        free(sample->name);
        sample->name = name;
    }
    DF_TRY(find_equal(dataset, pair));
    if (!pair[0])
        return 0;
    if (strcmp(pair[0]->image_path, pair[1]->image_path) == 0)
        return df_error_set("the image %s is there twice, with the masks %s and %s", pair[0]->image_path,
                            pair[0]->mask_path, pair[1]->mask_path);
    return df_error_set("two images have the same name but for their endings: %s and %s", pair[0]->image_path,
                        pair[1]->image_path);
}

#include "dinoft/split_overlap.h"

#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"

#include <stdlib.h>
#include <string.h>

#define COMPARED_MOST 32 /* pairs of files that are read: a moment, also from a slow disk */
#define NAMED_MOST    3

static int compare(const void *a, const void *b)
{
    const struct df_sample *x = *(const struct df_sample *const *)a, *y = *(const struct df_sample *const *)b;
    const int order = strcmp(x->name, y->name);

    return order != 0 ? order : (x->image_bytes > y->image_bytes) - (x->image_bytes < y->image_bytes);
}

static bool have_equal_bytes(const char *path, const char *other)
{
    struct df_file_bytes a, b;
    bool equal = false;

    if (df_file_bytes_read(path, &a) != 0)
        return false;
    if (df_file_bytes_read(other, &b) == 0) {
        equal = a.size == b.size && memcmp(a.bytes, b.bytes, a.size) == 0;
        df_file_bytes_free(&b);
    }
    df_file_bytes_free(&a);
    return equal;
}

/* by_name [training's count] */
static void find(const struct df_sample **by_name, const struct df_dataset *training,
                 const struct df_dataset *validation, struct df_name_list *found)
{
    int compared = 0;

    for (int64_t i = 0; i < validation->count; i++) {
        const struct df_sample *sample = &validation->samples[i];
        const struct df_sample **same =
            bsearch(&sample, by_name, (size_t)training->count, sizeof *by_name, compare);
        if (!same)
            continue;
        bool equal = strcmp(sample->image_path, (*same)->image_path) == 0;
        if (!equal && compared < COMPARED_MOST) {
            compared++;
            equal = have_equal_bytes(sample->image_path, (*same)->image_path);
        }
        if (equal)
            df_name_list_add(found, "%s", sample->image_path);
    }
}

int df_split_overlap_report(const struct df_dataset *training, const struct df_dataset *validation)
{
    struct df_name_list found = {.most = NAMED_MOST};
    const size_t bytes = (size_t)(training->count + 1) * sizeof(struct df_sample *);
    const struct df_sample **by_name = malloc(bytes);

    if (!by_name)
        return df_error_memory("a search for images of both sets", bytes);
    for (int64_t i = 0; i < training->count; i++)
        by_name[i] = &training->samples[i];
    qsort(by_name, (size_t)training->count, sizeof *by_name, compare);
    find(by_name, training, validation, &found);
    free(by_name);
    if (found.count > 0)
        df_log("warning: %zu of the %lld validation images are training images, so that scores will look "
               "better than they are: %s (dinoft data finds all)",
               found.count, (long long)validation->count, found.text);
    return 0;
}

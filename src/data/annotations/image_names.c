/* Finding an image by its path. */
#include "annotations.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    const char *name; /* without folders */
    size_t image;
};

static int compare(const void *a, const void *b)
{
    const struct entry *first = a, *second = b;
    const int names = strcmp(first->name, second->name);
    return names != 0 ? names : (first->image > second->image) - (first->image < second->image);
}

int df_annotations_index(struct df_annotations *annotations)
{
    const size_t count = annotations->images.count, bytes = (count + 1) * sizeof(struct entry);
    struct entry *entries = malloc(bytes);
    const struct df_annotated_image *images = annotations->images.items;

    free(annotations->by_name);
    annotations->by_name = malloc((count + 1) * sizeof *annotations->by_name);
    if (!entries || !annotations->by_name) {
        free(entries);
        return df_error_memory("a list of images", bytes);
    }
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct entry){df_path_name(images[i].name), i};
    if (count > 0)
        qsort(entries, count, sizeof *entries, compare);
    for (size_t i = 0; i < count; i++)
        annotations->by_name[i] = entries[i].image;
    free(entries);
    return 0;
}

/* The first of the index whose name is not before this one. */
static size_t first_not_before(const struct df_annotations *annotations, const char *name)
{
    const struct df_annotated_image *images = annotations->images.items;
    size_t low = 0, high = annotations->images.count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(df_path_name(images[annotations->by_name[middle]].name), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* How many bytes two paths have in common from their ends on, which must begin at a folder. */
static size_t common_end(const char *a, const char *b)
{
    const size_t a_length = strlen(a), b_length = strlen(b);
    const size_t shorter = a_length < b_length ? a_length : b_length;
    size_t same = 0, whole = 0;

    while (same < shorter && a[a_length - 1 - same] == b[b_length - 1 - same]) {
        same++;
        const bool a_ends = same == a_length || a[a_length - 1 - same] == '/';
        const bool b_ends = same == b_length || b[b_length - 1 - same] == '/';
        if (a_ends && b_ends)
            whole = same;
    }
    return whole;
}

int64_t df_annotations_find(const struct df_annotations *annotations, const char *path)
{
    const struct df_annotated_image *images = annotations->images.items;
    const char *name = df_path_name(path);
    size_t best = 0;
    int64_t found = -1;
    bool twice = false;

    for (size_t i = first_not_before(annotations, name); i < annotations->images.count; i++) {
        const size_t image = annotations->by_name[i], common = common_end(images[image].name, path);
        if (strcmp(df_path_name(images[image].name), name) != 0)
            break;
        twice = common == best || (twice && common < best);
        if (common > best) {
            best = common;
            found = (int64_t)image;
        }
    }
    if (twice)
        return df_error_set("%s has several images that may be %s", annotations->path, path);
    return found < 0 ? df_error_set("%s has no image %s", annotations->path, path) : found;
}

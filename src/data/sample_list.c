#include "sample_list.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define NAMED_AT_MOST 3 /* missing files that an error lists by name */

static const char *const image_extensions[] = {".jpg", ".jpeg", ".png", ".bmp", ".gif",
                                               ".tga", ".ppm",  ".pgm", ".pnm", ".psd"};
static const char *const mask_extensions[] = {".png"};

struct names {
    char **items;
    size_t count;
};

/* Arrays grow when their length reaches a power of two, so no capacity need be kept. */
static void *grown(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return items;
    void *larger = realloc(items, (count ? 2 * count : 1) * size);
    if (!larger)
        df_error_memory("a list of files", (unsigned long long)(2 * count * size));
    return larger;
}

int df_sample_add(struct df_dataset *dataset, char *name, char *image_path, char *mask_path)
{
    struct df_sample *samples = NULL;

    if (name && image_path && mask_path)
        samples = grown(dataset->samples, (size_t)dataset->count, sizeof *samples);
    if (!samples) {
        free(name);
        free(image_path);
        free(mask_path);
        return -1;
    }
    dataset->samples = samples;
    samples[dataset->count++] = (struct df_sample){name, image_path, mask_path};
    return 0;
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static bool has_extension(const char *name, const char *const *extensions, size_t count)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && dot != name && i < count; i++) {
        if (strcasecmp(dot, extensions[i]) == 0)
            return true;
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The folder's files with one of the extensions, hidden ones left out, in the order of strcmp. */
static int list_folder(const char *folder, const char *const *extensions, size_t n_extensions,
                       struct names *names)
{
    DIR *stream = opendir(folder);
    struct dirent *entry;

    *names = (struct names){0};
    if (!stream)
        return df_error_set("cannot open the folder %s: %s", folder, strerror(errno));
    while ((entry = readdir(stream))) {
        if (entry->d_name[0] == '.' || !has_extension(entry->d_name, extensions, n_extensions))
            continue;
        char **items = grown(names->items, names->count, sizeof *items);
        if (items)
            names->items = items;
        char *copy = items ? df_text_copy(entry->d_name) : NULL;
        if (!copy) {
            closedir(stream);
            free_names(names);
            return -1;
        }
        names->items[names->count++] = copy;
    }
    closedir(stream);
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, compare_names);
    return 0;
}

static int compare_samples(const void *a, const void *b)
{
    return strcmp(((const struct df_sample *)a)->name, ((const struct df_sample *)b)->name);
}

static int add_images(struct df_dataset *dataset, const char *images, const char *masks)
{
    struct names names;
    int status = -1;

    DF_TRY(list_folder(images, image_extensions, sizeof image_extensions / sizeof *image_extensions, &names));
    for (size_t i = 0; i < names.count; i++) {
        char *stem = df_path_stem(names.items[i]);
        if (df_sample_add(dataset, stem, df_text_format("%s/%s", images, names.items[i]),
                          stem ? df_text_format("%s/%s.png", masks, stem) : NULL) != 0)
            goto done;
    }
    if (dataset->count > 0)
        qsort(dataset->samples, (size_t)dataset->count, sizeof *dataset->samples, compare_samples);
    for (int64_t i = 1; i < dataset->count; i++) {
        const struct df_sample *pair = dataset->samples + i - 1;
        if (strcmp(pair[0].name, pair[1].name) == 0) {
            df_error_set("two images have the same base name: %s and %s", pair[0].image_path,
                         pair[1].image_path);
            goto done;
        }
    }
    status = 0;
done:
    free_names(&names);
    return status;
}

/* Puts the real name of each mask file ("a.PNG") into its sample; a mask that belongs to none is an error. */
static int match_masks(struct df_dataset *dataset, const char *images, const char *masks)
{
    struct names names;
    int status = -1;

    DF_TRY(list_folder(masks, mask_extensions, 1, &names));
    for (size_t i = 0; i < names.count; i++) {
        struct df_sample *sample = NULL;
        struct df_sample key = {.name = df_path_stem(names.items[i])};
        if (key.name && dataset->count > 0)
            sample = bsearch(&key, dataset->samples, (size_t)dataset->count, sizeof key, compare_samples);
        if (key.name && !sample)
            df_error_set("the mask %s/%s has no image of its name in %s", masks, names.items[i], images);
        free(key.name);
        char *path = sample ? df_text_format("%s/%s", masks, names.items[i]) : NULL;
        if (!path)
            goto done;
        free(sample->mask_path);
        sample->mask_path = path;
    }
    status = 0;
done:
    free_names(&names);
    return status;
}

int df_sample_add_folder(struct df_dataset *dataset, const char *images, const char *masks)
{
    DF_TRY(add_images(dataset, images, masks));
    DF_TRY(match_masks(dataset, images, masks));
    if (dataset->count == 0)
        return df_error_set("the folder %s has no images", images);
    return 0;
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

int df_sample_check_files(const struct df_dataset *dataset)
{
    char list[DF_ERROR_TEXT_MAX] = "";
    size_t used = 0;
    int64_t missing = 0;

    for (int64_t i = 0; i < 2 * dataset->count; i++) {
        const struct df_sample *sample = &dataset->samples[i / 2];
        const char *path = i % 2 == 0 ? sample->image_path : sample->mask_path;
        if (is_file(path))
            continue;
        if (missing < NAMED_AT_MOST && used < sizeof list - 1) {
            int length = snprintf(list + used, sizeof list - used, "%s%s", missing ? ", " : "", path);
            used += length > 0 ? (size_t)length : 0;
        }
        missing++;
    }
    if (missing == 0)
        return 0;
    return df_error_set("%lld of the %lld files of the data set are missing: %s%s", (long long)missing,
                        (long long)(2 * dataset->count), list, missing > NAMED_AT_MOST ? ", ..." : "");
}

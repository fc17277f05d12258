/* Writes the demonstration pictures in the layout of Pascal VOC. */
#include "dinoft/dataset.h"

#include "demo.h"
#include "../lines.h"
#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/palette.h"
#include "dinoft/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JPEG_QUALITY 92
#define MAX_IMAGES   100000
#define DIGITS       5 /* of an image's number in its name */

static const char *const splits[] = {"train", "val"};

static int write_pair(const char *folder, int split, int64_t number, uint64_t seed)
{
    char *image_path =
        df_text_format("%s/JPEGImages/%s_%05lld.jpg", folder, splits[split], (long long)number);
    char *mask_path =
        df_text_format("%s/SegmentationClass/%s_%05lld.png", folder, splits[split], (long long)number);
    struct df_image image = {0}, mask = {0};
    struct df_palette palette;
    int status = -1;

    df_palette_fill(&palette, DF_DATASET_VOC, NULL);
    /* Even numbers are for training, so that neither split depends on the other's length. */
    if (image_path && mask_path &&
        df_demo_draw(seed, 2 * (uint64_t)number + (uint64_t)split, &image, &mask) == 0 &&
        df_jpeg_write(image_path, &image, JPEG_QUALITY) == 0 &&
        df_png_write_palette(mask_path, &mask, palette.rgb) == 0)
        status = 0;
    df_image_free(&mask);
    df_image_free(&image);
    free(mask_path);
    free(image_path);
    return status;
}

static char *list_path(const char *folder, const char *name)
{
    return df_text_format("%s/ImageSets/Segmentation/%s.txt", folder, name);
}

/* A name as write_pair gives it; it does not end in a NUL. */
static bool is_demo_name(const char *name, size_t length)
{
    size_t digits = 0;

    while (digits < length && isdigit((unsigned char)name[length - 1 - digits]))
        digits++;
    for (int split = 0; split < 2; split++) {
        size_t start = strlen(splits[split]);
        if (digits == DIGITS && length == start + 1 + DIGITS && name[start] == '_' &&
            memcmp(name, splits[split], start) == 0)
            return true;
    }
    return false;
}

static int check_listed_name(void *path, int64_t line, const char *name, size_t length)
{
    const int shown = length < 80 ? (int)length : 80;

    if (is_demo_name(name, length))
        return 0;
    return df_error_set("%s belongs to another data set, which is not overwritten: line %lld is \"%.*s\", "
                        "expected %s_NNNNN or %s_NNNNN; choose another folder",
                        (const char *)path, (long long)line, shown, name, splits[0], splits[1]);
}

/* Fails if the folder has lists of anything but demonstration images. */
static int check_lists(const char *folder)
{
    static const char *const names[] = {"train", "val", "trainval"};

    for (int i = 0; i < 3; i++) {
        char *path = list_path(folder, names[i]);
        int status = path ? 0 : -1;
        if (path && access(path, F_OK) == 0)
            status = df_each_line(path, check_listed_name, path);
        free(path);
        DF_TRY(status);
    }
    return 0;
}

static int write_list(const char *folder, const char *name, const int64_t counts[2])
{
    char *path = list_path(folder, name);
    struct df_atomic_file *file = path ? df_atomic_open(path) : NULL;

    free(path);
    if (!file)
        return -1;
    for (int split = 0; split < 2; split++) {
        for (int64_t i = 0; i < counts[split]; i++)
            fprintf(df_atomic_stream(file), "%s_%05lld\n", splits[split], (long long)i);
    }
    return df_atomic_commit(file);
}

static int write_lists(const char *folder, int64_t train, int64_t val)
{
    DF_TRY(write_list(folder, "train", (const int64_t[]){train, 0}));
    DF_TRY(write_list(folder, "val", (const int64_t[]){0, val}));
    return write_list(folder, "trainval", (const int64_t[]){train, val});
}

static int make_folders(const char *folder)
{
    static const char *const names[] = {"JPEGImages", "SegmentationClass", "ImageSets/Segmentation"};

    for (int i = 0; i < 3; i++) {
        char *path = df_text_format("%s/%s", folder, names[i]);
        int status = path ? df_check_writable(path) : -1;
        free(path);
        DF_TRY(status);
    }
    return 0;
}

int df_demo_data_write(const char *root, int64_t train, int64_t val, uint64_t seed)
{
    const int64_t counts[2] = {train, val};
    int status = -1;

    if (train < 1 || val < 1 || train > MAX_IMAGES || val > MAX_IMAGES)
        return df_error_set("demonstration data needs 1 to %d images of each split, not %lld and %lld",
                            MAX_IMAGES, (long long)train, (long long)val);
    char *folder = df_text_format("%s/VOCdevkit/VOC2012", root);
    if (!folder || check_lists(folder) != 0 || make_folders(folder) != 0)
        goto done;
    for (int split = 0; split < 2; split++) {
        for (int64_t i = 0; i < counts[split]; i++) {
            if (write_pair(folder, split, i, seed) != 0)
                goto done;
        }
    }
    status = write_lists(folder, train, val);
done:
    free(folder);
    return status;
}

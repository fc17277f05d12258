#include "dinoft/dataset.h"

#include "dinoft/error.h"
#include "dinoft/text.h"
#include "lines.h"
#include "sample_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLASS_NAME_MAX_BYTES 200

static const char *const kind_names[] = {DF_DATASET_KINDS(DF_CHOICE_TEXT)};

static int (*const list_samples[])(struct df_dataset *dataset, const struct df_dataset_options *options) = {
    [DF_DATASET_VOC] = df_voc_list,
    [DF_DATASET_ADE20K] = df_ade20k_list,
    [DF_DATASET_FOLDER] = df_folder_list};

const char *df_dataset_kind_name(enum df_dataset_kind kind)
{
    return kind_names[kind];
}

bool df_dataset_kind_named(const char *name, enum df_dataset_kind *kind)
{
    for (int i = 0; i < DF_DATASET_KIND_COUNT; i++) {
        if (strcmp(kind_names[i], name) == 0) {
            *kind = (enum df_dataset_kind)i;
            return true;
        }
    }
    return false;
}

struct name_list {
    struct df_dataset *dataset;
    const char *path;
    int count;
};

static int add_class_name(void *context, int64_t line, const char *name, size_t length)
{
    struct name_list *list = context;
    struct df_dataset *dataset = list->dataset;

    if (list->count == dataset->n_classes)
        return df_error_set("%s has more names than the %d classes", list->path, dataset->n_classes);
    if (length > CLASS_NAME_MAX_BYTES)
        return df_error_set("line %lld of %s has %zu bytes, a class name at most %d", (long long)line,
                            list->path, length, CLASS_NAME_MAX_BYTES);
    if (!df_text_is_utf8(name, length) || memchr(name, '\0', length))
        return df_error_set("line %lld of %s is not UTF-8", (long long)line, list->path);
    dataset->class_names[list->count] = df_text_format("%.*s", (int)length, name);
    if (!dataset->class_names[list->count])
        return -1;
    df_text_replace_controls(dataset->class_names[list->count++]);
    return 0;
}

static int read_class_names(struct df_dataset *dataset, const char *path)
{
    struct name_list list = {dataset, path, 0};

    DF_TRY(df_each_line(path, add_class_name, &list));
    if (list.count != dataset->n_classes)
        return df_error_set("%s has %d names for %d classes", path, list.count, dataset->n_classes);
    return 0;
}

static int set_class_names(struct df_dataset *dataset, const struct df_dataset_options *options,
                           const char *const *built_in)
{
    dataset->class_names = calloc((size_t)dataset->n_classes, sizeof *dataset->class_names);
    if (!dataset->class_names)
        return df_error_memory("class names", (unsigned long long)dataset->n_classes * sizeof(char *));
    if (!built_in && options->class_names)
        return read_class_names(dataset, options->class_names);
    for (int i = 0; i < dataset->n_classes; i++) {
        dataset->class_names[i] = built_in ? df_text_copy(built_in[i]) : df_text_format("class_%d", i);
        if (!dataset->class_names[i])
            return -1;
    }
    return 0;
}

static int set_classes(struct df_dataset *dataset, const struct df_dataset_options *options)
{
    int built_in_classes = 0;
    const char *const *built_in = df_dataset_names(options->kind, &built_in_classes);

    if (built_in && options->n_classes != 0 && options->n_classes != built_in_classes)
        return df_error_set("the data set %s has %d classes, not %d", kind_names[options->kind],
                            built_in_classes, options->n_classes);
    dataset->n_classes = built_in ? built_in_classes : options->n_classes;
    if (dataset->n_classes < 1 || dataset->n_classes > DF_MAX_CLASSES)
        return df_error_set("the data set %s needs a number of classes from 1 to %d, not %d",
                            kind_names[options->kind], DF_MAX_CLASSES, dataset->n_classes);
    return set_class_names(dataset, options, built_in);
}

struct df_dataset *df_dataset_open(const struct df_dataset_options *options)
{
    struct df_dataset *dataset = calloc(1, sizeof *dataset);
    if (!dataset) {
        df_error_memory("a data set", sizeof *dataset);
        return NULL;
    }
    dataset->kind = options->kind;
    dataset->advice = options->advice;
    if (set_classes(dataset, options) == 0 && list_samples[options->kind](dataset, options) == 0 &&
        df_sample_check_files(dataset) == 0 && (dataset->census = df_label_census_new(dataset->count)))
        return dataset;
    df_dataset_free(dataset);
    return NULL;
}

int df_dataset_keep(struct df_dataset *dataset, const bool *kept)
{
    struct df_sample *samples = dataset->samples;
    int64_t count = 0;

    for (int64_t i = 0; i < dataset->count; i++)
        count += kept[i];
    struct df_label_census *census = df_label_census_new(count);
    if (!census)
        return -1;
    count = 0;
    for (int64_t i = 0; i < dataset->count; i++) {
        if (kept[i])
            samples[count++] = samples[i];
        else
            df_sample_free(&samples[i]);
    }
    dataset->count = count;
    df_label_census_free(dataset->census);
    dataset->census = census;
    return 0;
}

void df_dataset_free(struct df_dataset *dataset)
{
    if (!dataset)
        return;
    for (int i = 0; dataset->class_names && i < dataset->n_classes; i++)
        free(dataset->class_names[i]);
    free(dataset->class_names);
    for (int64_t i = 0; i < dataset->count; i++)
        df_sample_free(&dataset->samples[i]);
    free(dataset->samples);
    free(dataset->mask_values);
    df_label_census_free(dataset->census);
    free(dataset);
}

static int largest_label(const struct df_dataset *dataset)
{
    int largest = DF_IGNORE_LABEL - 1;
    while (largest > 0 && !dataset->label_valid[largest])
        largest--;
    return largest;
}

/* Names the mask's first value that is not allowed, and its position. */
static int wrong_label(const struct df_dataset *dataset, const char *path, const struct df_image *mask)
{
    const bool may_be_void =
        dataset->label_valid[DF_IGNORE_LABEL] && dataset->label_map[DF_IGNORE_LABEL] == DF_IGNORE_LABEL;
    int64_t i = 0;

    while (dataset->label_valid[mask->pixels[i]])
        i++;
    const int value = mask->pixels[i];
    const long long column = i % mask->width, row = i / mask->width;
    if (dataset->mask_values)
        return df_error_set("%s: label %d at column %lld, row %lld is none of the mask values %s%s", path,
                            value, column, row, dataset->mask_values,
                            may_be_void ? ", nor 255 for \"ignore\"" : "");
    return df_error_set("%s: label %d at column %lld, row %lld; the largest allowed is %d%s%s", path, value,
                        column, row, largest_label(dataset), may_be_void ? ", or 255 for \"ignore\"" : "",
                        dataset->void_is_assumed && dataset->advice ? dataset->advice : "");
}

/* Values become labels, and are counted. */
static int map_labels(const struct df_dataset *dataset, int64_t index, struct df_image *mask)
{
    const size_t count = (size_t)(mask->width * mask->height);
    int64_t values[DF_LABEL_VALUES], labels[DF_LABEL_VALUES] = {0};
    bool changes = false;

    df_count_bytes(mask->pixels, count, values);
    for (int value = 0; value < DF_LABEL_VALUES; value++) {
        if (values[value] == 0)
            continue;
        if (!dataset->label_valid[value])
            return wrong_label(dataset, dataset->samples[index].mask_path, mask);
        labels[dataset->label_map[value]] += values[value];
        changes = changes || dataset->label_map[value] != value;
    }
    for (size_t i = 0; changes && i < count; i++)
        mask->pixels[i] = dataset->label_map[mask->pixels[i]];
    df_label_census_add(dataset->census, index, labels);
    return 0;
}

/* An image and a mask of different sizes. */
static int wrong_size(const struct df_sample *sample, const struct df_image *image,
                      const struct df_image *mask)
{
    const bool swapped = image->width == mask->height && image->height == mask->width;
    const int orientation = swapped ? df_image_orientation(sample->image_path) : 1;
    char reason[160] = "";

    if (orientation != 1)
        snprintf(
            reason, sizeof reason,
            ": the image's EXIF orientation %d turns it, and nothing turns the mask; turn the mask too, or "
            "store the image without that entry",
            orientation);
    return df_error_set("%s has %lld x %lld pixels, its mask %s has %lld x %lld%s", sample->image_path,
                        (long long)image->width, (long long)image->height, sample->mask_path,
                        (long long)mask->width, (long long)mask->height, reason);
}

static int read_sample(const struct df_dataset *dataset, int64_t index, struct df_image *image,
                       struct df_image *mask)
{
    const struct df_sample *sample = &dataset->samples[index];

    if (image)
        DF_TRY(df_image_read(sample->image_path, image));
    if (mask)
        DF_TRY(df_mask_read(sample->mask_path, mask));
    if (image && mask && (image->width != mask->width || image->height != mask->height))
        return wrong_size(sample, image, mask);
    return mask ? map_labels(dataset, index, mask) : 0;
}

int df_dataset_read(const struct df_dataset *dataset, int64_t index, struct df_image *image,
                    struct df_image *mask)
{
    struct df_image none = {0};

    if (image)
        *image = none;
    if (mask)
        *mask = none;
    if (read_sample(dataset, index, image, mask) == 0)
        return 0;
    if (image)
        df_image_free(image);
    if (mask)
        df_image_free(mask);
    return -1;
}

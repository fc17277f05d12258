/* One sample: its image, and its mask as labels. */
#include "sample_read.h"

#include "annotations/annotated_set.h"

#include "dinoft/error.h"

#include <stdio.h>

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

/* The mask as its file has it. */
static int read_file(const struct df_dataset *dataset, const struct df_sample *sample, struct df_image *mask)
{
    return dataset->rule.values.source == DF_SOURCE_COLORS ? df_mask_read_colors(sample->mask_path, mask)
                                                           : df_mask_read(sample->mask_path, mask);
}

int df_dataset_mark_values(const struct df_dataset *dataset, int64_t index, bool seen[DF_MASK_VALUE_MOST + 1])
{
    const struct df_sample *sample = &dataset->samples[index];
    struct df_image mask;

    if (sample->n_layers > 0 || dataset->annotations || dataset->rule.values.source != DF_SOURCE_VALUES)
        return 0;
    DF_TRY(read_file(dataset, sample, &mask));
    df_mask_mark_values(&mask, seen);
    df_image_free(&mask);
    return 0;
}

/* Where masks come from: each source makes labels of the data set and counts them. */
static int read_labels(const struct df_dataset *dataset, const struct df_sample *sample,
                       const struct df_image *image, struct df_image *mask, int64_t *labels)
{
    if (sample->n_layers > 0)
        return df_mask_layers_read(dataset, sample, mask, labels);
    DF_TRY(dataset->annotations ? df_annotated_set_mask(dataset, sample, image, mask)
                                : read_file(dataset, sample, mask));
    return df_mask_to_labels(dataset, sample->mask_path, mask, labels);
}

/* Images are read anew in each epoch, by several threads. */
static void warn_once(struct df_sample *sample, const struct df_image *image)
{
    if (image->warning && !atomic_exchange(&sample->warned, true))
        df_image_warn(sample->image_path, image);
}

static int read_sample(const struct df_dataset *dataset, int64_t index, struct df_image *image,
                       struct df_image *mask)
{
    struct df_sample *sample = &dataset->samples[index];
    int64_t labels[DF_LABEL_VALUES] = {0};

    if (image) {
        DF_TRY(df_image_read(sample->image_path, &dataset->reading, image));
        warn_once(sample, image);
    }
    if (!mask)
        return 0;
    DF_TRY(read_labels(dataset, sample, image, mask, labels));
    if (image && (image->width != mask->width || image->height != mask->height))
        return wrong_size(sample, image, mask);
    df_label_census_add(dataset->census, index, labels);
    return 0;
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

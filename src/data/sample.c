#include "sample.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int df_sample_read(const struct df_loader_options *options, const struct df_dataset *dataset, int64_t sample,
                   struct df_image *image, struct df_image *mask)
{
    if (options->read)
        return options->read(options->read_context, dataset, sample, image, mask);
    return df_dataset_read(dataset, sample, image, mask);
}

static int64_t draw_below(struct df_rng *rng, int64_t bound)
{
    return (int64_t)df_rng_below(rng, (uint64_t)bound);
}

/* The pixels from centre - length / 2 on that are among `whole`. */
static void cut_span(int64_t centre, int64_t length, int64_t whole, int64_t *start, int64_t *count)
{
    *start = df_max_i64(0, centre - length / 2);
    *count = df_min_i64(whole, centre + length / 2) - *start;
}

/* CutMix's box: its area is uniform, its centre anywhere; what lies outside is cut off. */
static struct df_image_part draw_box(struct df_rng *rng, const struct df_tile *tile)
{
    const double side = sqrt(df_rng_double(rng));
    const int64_t x = draw_below(rng, tile->width), y = draw_below(rng, tile->height);
    struct df_image_part box;

    cut_span(x, (int64_t)((double)tile->width * side), tile->width, &box.x, &box.width);
    cut_span(y, (int64_t)((double)tile->height * side), tile->height, &box.y, &box.height);
    return box;
}

static void lay_over(const struct df_tile *tile, const struct df_tile *other, const struct df_image_part *box)
{
    for (int64_t y = box->y; y < box->y + box->height; y++) {
        const int64_t at = y * tile->width + box->x;
        memcpy(tile->pixels + 3 * at, other->pixels + 3 * at, 3 * (size_t)box->width);
        memcpy(tile->labels + at, other->labels + at, (size_t)box->width);
    }
}

/* Another sample, or this one, drawn from this one's stream: so whatever else is in the batch changes
 * nothing. */
static int read_tile(const struct df_loader_options *options, const struct df_dataset *dataset,
                     struct df_rng *rng, const struct df_tile *tile)
{
    const int64_t sample = draw_below(rng, dataset->count);
    struct df_image image, mask;

    DF_TRY(df_sample_read(options, dataset, sample, &image, &mask));
    const int status = df_augment_tile(&options->augment, rng, &image, &mask, tile);
    df_image_free(&image);
    df_image_free(&mask);
    return status;
}

static int mix(const struct df_loader_options *options, const struct df_dataset *dataset, struct df_rng *rng,
               const struct df_tile *tile)
{
    const struct df_image_part box = draw_box(rng, tile);
    const size_t pixels = (size_t)(tile->width * tile->height);
    struct df_tile other = *tile;

    other.pixels = malloc(4 * pixels);
    if (!other.pixels)
        return df_error_memory("an image to mix with another", 4 * pixels);
    other.labels = other.pixels + 3 * pixels;
    const int status = read_tile(options, dataset, rng, &other);
    if (status == 0)
        lay_over(tile, &other, &box);
    free(other.pixels);
    return status;
}

int df_sample_tile(const struct df_loader_options *options, const struct df_sample_place *place,
                   const struct df_image *image, const struct df_image *mask, const struct df_tile *tile)
{
    struct df_rng rng;

    df_augment_stream(&options->augment, &rng, options->seed, place->epoch, place->sample);
    DF_TRY(df_augment_tile(&options->augment, &rng, image, mask, tile));
    if (options->augment.kind != DF_AUGMENT_STRONG || df_rng_below(&rng, 2) == 0)
        return 0;
    return mix(options, place->dataset, &rng, tile);
}

int df_loader_sample(const struct df_dataset *dataset, const struct df_loader_options *options, int64_t epoch,
                     int64_t sample, struct df_image *image, struct df_image *mask)
{
    const struct df_sample_place place = {dataset, epoch, sample};
    struct df_image read_image, read_mask;
    int status = -1;

    *image = *mask = (struct df_image){0};
    DF_TRY(df_sample_read(options, dataset, sample, &read_image, &read_mask));
    if (df_image_alloc(image, options->width, options->height, 3) == 0 &&
        df_image_alloc(mask, options->width, options->height, 1) == 0) {
        const struct df_tile tile = {options->width, options->height, image->pixels, mask->pixels};
        status = df_sample_tile(options, &place, &read_image, &read_mask, &tile);
    }
    df_image_free(&read_image);
    df_image_free(&read_mask);
    if (status != 0) {
        df_image_free(image);
        df_image_free(mask);
    }
    return status;
}

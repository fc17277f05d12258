#include "crop.h"

#include "dinoft/label_census.h"
#include "dinoft/labels.h"
#include "dinoft/size.h"

#define SHARE_MOST 0.75 /* of a class */
#define TRIES      10

/* The shorter side gets the tile's smaller number times the scale, unless the longer one were too long. */
static void choose_size(struct df_crop *crop, double scale, const struct df_image *mask,
                        const struct df_tile *tile)
{
    const double base = (double)df_min_i64(tile->width, tile->height) * scale;
    const double by_short = base / (double)df_min_i64(mask->width, mask->height);
    const double by_long = base * DF_IMAGE_MAX_RATIO / (double)df_max_i64(mask->width, mask->height);
    const double factor = by_short < by_long ? by_short : by_long;

    crop->width = df_max_i64(1, (int64_t)((double)mask->width * factor + 0.5));
    crop->height = df_max_i64(1, (int64_t)((double)mask->height * factor + 0.5));
    crop->window.width = df_min_i64(tile->width, crop->width);
    crop->window.height = df_min_i64(tile->height, crop->height);
}

void df_crop_centre(struct df_crop *crop, const struct df_image *mask, const struct df_tile *tile)
{
    choose_size(crop, 1.0, mask, tile);
    crop->window.x = (crop->width - crop->window.width) / 2;
    crop->window.y = (crop->height - crop->window.height) / 2;
}

static int64_t draw_below(struct df_rng *rng, int64_t bound)
{
    return (int64_t)df_rng_below(rng, (uint64_t)bound);
}

static void draw_place(struct df_crop *crop, struct df_rng *rng)
{
    crop->window.y = draw_below(rng, crop->height - crop->window.height + 1);
    crop->window.x = draw_below(rng, crop->width - crop->window.width + 1);
}

static int64_t count_in_row(const uint8_t *row, int64_t width, uint8_t label)
{
    int64_t count = 0;

    for (int64_t x = 0; x < width; x++)
        count += row[x] == label;
    return count;
}

/* Where a class has its pixel number n, which it has, in a mask: its row is found first. */
static int64_t find_pixel(const struct df_image *mask, int label, int64_t n)
{
    const uint8_t *row = mask->pixels, *at;

    for (int64_t in_row; (in_row = count_in_row(row, mask->width, (uint8_t)label)) <= n; n -= in_row)
        row += mask->width;
    for (at = row; *at != label || n-- > 0;)
        at++;
    return at - mask->pixels;
}

/* The start of a span of `length` among `whole` that holds the pixel which `at` of `source` becomes. */
static int64_t draw_around(struct df_rng *rng, int64_t at, int64_t source, int64_t whole, int64_t length)
{
    const int64_t centre = (int64_t)(((double)at + 0.5) * (double)whole / (double)source);
    const int64_t pixel = df_min_i64(centre, whole - 1);
    const int64_t least = df_max_i64(0, pixel - length + 1), most = df_min_i64(pixel, whole - length);

    return least + draw_below(rng, most - least + 1);
}

/* Around a pixel of a class, each that the mask has as often as the others. counts: of the mask. */
static void draw_balanced_place(struct df_crop *crop, struct df_rng *rng, const struct df_image *mask,
                                const int64_t counts[DF_LABEL_VALUES])
{
    int classes[DF_MAX_CLASSES], present = 0;

    for (int label = 0; label < DF_MAX_CLASSES; label++) {
        if (counts[label] > 0)
            classes[present++] = label;
    }
    if (present == 0) {
        draw_place(crop, rng);
        return;
    }
    const int label = classes[draw_below(rng, present)];
    const int64_t at = find_pixel(mask, label, draw_below(rng, counts[label]));
    crop->window.y = draw_around(rng, at / mask->width, mask->height, crop->height, crop->window.height);
    crop->window.x = draw_around(rng, at % mask->width, mask->width, crop->width, crop->window.width);
}

/* More than one class, and none with too large a share. */
static bool is_varied(const struct df_tile *tile, const struct df_image_part *window)
{
    int64_t counts[DF_LABEL_VALUES] = {0}, sum = 0, most = 0;
    int classes = 0;

    for (int64_t y = 0; y < window->height; y++) {
        const uint8_t *row = tile->labels + y * tile->width;
        for (int64_t x = 0; x < window->width; x++)
            counts[row[x]]++;
    }
    for (int label = 0; label < DF_MAX_CLASSES; label++) {
        classes += counts[label] > 0;
        sum += counts[label];
        most = df_max_i64(most, counts[label]);
    }
    return classes > 1 && (double)most / (double)sum < SHARE_MOST;
}

void df_crop_draw(struct df_crop *crop, const struct df_augment_options *options, const double scale[2],
                  struct df_rng *rng, const struct df_image *mask, const struct df_tile *tile)
{
    int64_t counts[DF_LABEL_VALUES];
    bool varied = false;

    choose_size(crop, df_rng_uniform(rng, scale[0], scale[1]), mask, tile);
    if (options->crop_class_balance)
        df_count_bytes(mask->pixels, (size_t)(mask->width * mask->height), counts);
    for (int i = 0; i <= TRIES && !varied; i++) {
        if (options->crop_class_balance)
            draw_balanced_place(crop, rng, mask, counts);
        else
            draw_place(crop, rng);
        df_resize_nearest_window(mask, crop->width, crop->height, &crop->window, tile->labels, tile->width);
        varied = i < TRIES && is_varied(tile, &crop->window);
    }
}

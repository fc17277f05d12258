#include "dinoft/augment.h"

#include "crop.h"
#include "photometric.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ImageNet's, about 0 after --normalize imagenet. */
static const uint8_t mean_colour[3] = {124, 116, 104};

static const double once[2] = {1.0, 1.0};

void df_augment_stream(const struct df_augment_options *options, struct df_rng *rng, uint64_t seed,
                       int64_t epoch, int64_t sample)
{
    const uint64_t view = (uint64_t)(options->views > 0 ? epoch % options->views : epoch);

    df_rng_seed(rng, seed, df_hash_text("augmentation") + (view << 32) + (uint64_t)sample);
}

static void swap_pixels(uint8_t *a, uint8_t *b, size_t bytes)
{
    uint8_t kept[3];

    memcpy(kept, a, bytes);
    memcpy(a, b, bytes);
    memcpy(b, kept, bytes);
}

static void mirror(uint8_t *rows, int64_t width, int64_t height, int64_t row_pixels, int64_t channels)
{
    for (int64_t y = 0; y < height; y++) {
        uint8_t *row = rows + y * row_pixels * channels;
        for (int64_t left = 0, right = width - 1; left < right; left++, right--)
            swap_pixels(row + left * channels, row + right * channels, (size_t)channels);
    }
}

static void fill_pixels(uint8_t *pixels, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(pixels + 3 * i, mean_colour, sizeof mean_colour);
}

/* To the right of a window in the upper left corner, and below it. */
static void fill_around(const struct df_tile *tile, const struct df_image_part *window)
{
    for (int64_t y = 0; y < tile->height; y++) {
        const int64_t from = y < window->height ? window->width : 0, at = y * tile->width + from;
        fill_pixels(tile->pixels + 3 * at, tile->width - from);
        memset(tile->labels + at, DF_IGNORE_LABEL, (size_t)(tile->width - from));
    }
}

/* What of the image is seen, whose labels are in the tile then. */
static void choose_part(struct df_crop *crop, const struct df_augment_options *options, struct df_rng *rng,
                        const struct df_image *mask, const struct df_tile *tile)
{
    const bool scales = options->kind >= DF_AUGMENT_STANDARD;

    if (scales || (options->keeps_ratio && options->kind == DF_AUGMENT_FLIP)) {
        df_crop_draw(crop, options, scales ? options->scale : once, rng, mask, tile);
        return;
    }
    if (options->keeps_ratio)
        df_crop_centre(crop, mask, tile);
    else
        *crop = (struct df_crop){tile->width, tile->height, {0, 0, tile->width, tile->height}};
    df_resize_nearest_window(mask, crop->width, crop->height, &crop->window, tile->labels, tile->width);
}

static void flip(struct df_rng *rng, const struct df_tile *tile, const struct df_image_part *window)
{
    if (df_rng_below(rng, 2) == 0)
        return;
    mirror(tile->pixels, window->width, window->height, tile->width, 3);
    mirror(tile->labels, window->width, window->height, tile->width, 1);
}

int df_augment_tile(const struct df_augment_options *options, struct df_rng *rng,
                    const struct df_image *image, const struct df_image *mask, const struct df_tile *tile)
{
    struct df_crop crop;
    struct df_photometric colours;

    choose_part(&crop, options, rng, mask, tile);
    DF_TRY(df_resize_linear_window(image, crop.width, crop.height, &crop.window, tile->pixels, tile->width));
    if (options->kind >= DF_AUGMENT_FLIP)
        flip(rng, tile, &crop.window);
    if (options->kind >= DF_AUGMENT_STANDARD) {
        df_photometric_draw(&colours, rng);
        df_photometric_apply(&colours, tile->pixels, crop.window.width, crop.window.height, tile->width);
    }
    fill_around(tile, &crop.window);
    return 0;
}

bool df_augment_changes(const struct df_augment_options *options)
{
    return options->kind != DF_AUGMENT_NONE || options->keeps_ratio;
}

void df_augment_text(const struct df_augment_options *options, char text[DF_AUGMENT_TEXT_MAX])
{
    static const char *const kinds[] = {DF_AUGMENTATIONS(DF_CHOICE_TEXT)};
    int used = snprintf(text, DF_AUGMENT_TEXT_MAX, "%s", kinds[options->kind]);

    if (options->kind >= DF_AUGMENT_STANDARD)
        used += snprintf(text + used, DF_AUGMENT_TEXT_MAX - (size_t)used, ", scale %.12g to %.12g%s",
                         options->scale[0], options->scale[1],
                         options->crop_class_balance ? ", crops balanced by class" : "");
    if (options->keeps_ratio)
        used += snprintf(text + used, DF_AUGMENT_TEXT_MAX - (size_t)used, ", resize short");
    if (options->views > 0)
        snprintf(text + used, DF_AUGMENT_TEXT_MAX - (size_t)used, ", %" PRId64 " view%s", options->views,
                 options->views == 1 ? "" : "s");
}

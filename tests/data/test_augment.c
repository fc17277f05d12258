/* Augmented images against mmsegmentation's formulas, and as the loader hands them out: the same for any
 * threads, batches and order. */
#include "data/augment_goldens.h"
#include "data/scratch_images.h"
#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/loader.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The formulas of make_augment_goldens.py. */
static struct df_image picture(int64_t height, int64_t width)
{
    struct df_image image;

    assert_int_equal(df_image_alloc(&image, width, height, 3), 0);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            for (int64_t c = 0; c < 3; c++)
                image.pixels[(y * width + x) * 3 + c] =
                    (uint8_t)(x * x * 13 + y * x * 29 + y * y * 7 + c * 83);
    return image;
}

static uint8_t label(int64_t y, int64_t x, int64_t height, int64_t width)
{
    if (y < 2)
        return DF_IGNORE_LABEL;
    if (y >= height / 8 && y < height / 4 && x >= width / 8 && x < width / 2)
        return 254;
    return y >= height * 3 / 4 && x >= width * 3 / 4 ? 7 : 0;
}

static struct df_image labels(int64_t height, int64_t width)
{
    struct df_image mask;

    assert_int_equal(df_image_alloc(&mask, width, height, 1), 0);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            mask.pixels[y * width + x] = label(y, x, height, width);
    return mask;
}

static void colours_are_mmsegmentations(void **state)
{
    for (size_t i = 0; i < sizeof colour_goldens / sizeof colour_goldens[0]; i++) {
        struct df_image image = picture(37, 61);
        df_photometric_apply(&colour_goldens[i].colours, image.pixels, 61, 37, 61);
        if (hash_bytes(image.pixels, 3 * 37 * 61) != colour_goldens[i].pixels)
            fail_msg("colours %zu differ from mmsegmentation's", i);
        df_image_free(&image);
    }
}

static void colours_of_a_part_alone(void **state)
{
    const struct df_photometric colours = {.brightness = 20.0f, .contrast = 1.0f};
    struct df_image image = picture(9, 11), before = picture(9, 11);

    df_photometric_apply(&colours, image.pixels + 3 * (2 * 11 + 3), 4, 5, 11);
    for (int64_t y = 0; y < 9; y++)
        for (int64_t x = 0; x < 11; x++) {
            const bool inside = x >= 3 && x < 7 && y >= 2 && y < 7;
            const int64_t at = 3 * (y * 11 + x);
            const int was = before.pixels[at], more = was + 20 > 255 ? 255 : was + 20;
            assert_int_equal(image.pixels[at], inside ? more : was);
        }
    df_image_free(&image);
    df_image_free(&before);
}

static void tiles_are_mmsegmentations(void **state)
{
    for (size_t i = 0; i < sizeof tile_goldens / sizeof tile_goldens[0]; i++) {
        const struct tile_setting *setting = &tile_settings[tile_goldens[i].setting];
        const int64_t *sizes = setting->sizes;
        const size_t pixels = (size_t)(sizes[0] * sizes[1]);
        struct df_image image = picture(sizes[2], sizes[3]), mask = labels(sizes[2], sizes[3]);
        const struct df_tile tile = {sizes[1], sizes[0], malloc(3 * pixels), malloc(pixels)};
        struct df_rng rng;

        df_augment_stream(&setting->options, &rng, setting->seed, tile_goldens[i].epoch,
                          tile_goldens[i].sample);
        assert_works(df_augment_tile(&setting->options, &rng, &image, &mask, &tile) == 0);
        if (hash_bytes(tile.labels, pixels) != tile_goldens[i].labels)
            fail_msg("the labels of tile %zu differ from mmsegmentation's", i);
        if (hash_bytes(tile.pixels, 3 * pixels) != tile_goldens[i].pixels)
            fail_msg("tile %zu differs from mmsegmentation's", i);
        free(tile.pixels);
        free(tile.labels);
        df_image_free(&image);
        df_image_free(&mask);
    }
}

static void texts(void **state)
{
    char text[DF_AUGMENT_TEXT_MAX];

    df_augment_text(&(struct df_augment_options){DF_AUGMENT_FLIP, 1, {0.5, 2.0}, true, false}, text);
    assert_string_equal(text, "flip, 1 view");
    df_augment_text(&(struct df_augment_options){DF_AUGMENT_NONE, 0, {0.5, 2.0}, false, true}, text);
    assert_string_equal(text, "none, resize short");
    df_augment_text(&(struct df_augment_options){DF_AUGMENT_STRONG, 0, {0.25, 2.0}, false, false}, text);
    assert_string_equal(text, "strong, scale 0.25 to 2");
    df_augment_text(
        &(struct df_augment_options){DF_AUGMENT_STANDARD, 100000, {1e-11 / 3, 16.0 / 3}, true, true}, text);
    assert_string_equal(text, "standard, scale 3.33333333333e-12 to 5.33333333333, crops balanced by class, "
                              "resize short, 100000 views");
}

/* --- the loader --- */

#define IMAGES 7
#define HEIGHT 28
#define WIDTH  42
#define PIXELS (HEIGHT * WIDTH)

/* Sample i has the shade 30 i + 20 and the label i. */
static struct df_dataset *open_samples(void)
{
    struct df_dataset_options options = {.kind = DF_DATASET_FOLDER, .n_classes = IMAGES};
    char name[64];

    for (int i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "set/images/train/%02d.png", i);
        scratch_image(name, 40, 30 + i, 30 * i + 20);
        snprintf(name, sizeof name, "set/masks/train/%02d.png", i);
        scratch_mask(name, 40, 30 + i, i);
    }
    options.root = scratch_path("set");
    struct df_dataset *dataset = df_dataset_open(&options);
    assert_works(dataset);
    return dataset;
}

static struct df_loader_options options_of(enum df_augmentation kind, int workers, int64_t batch_size)
{
    return (struct df_loader_options){.batch_size = batch_size,
                                      .height = HEIGHT,
                                      .width = WIDTH,
                                      .workers = workers,
                                      .shuffle = true,
                                      .seed = 5,
                                      .augment = {kind, 0, {0.5, 2.0}, false, false}};
}

struct seen {
    uint8_t pixels[IMAGES][3 * PIXELS], labels[IMAGES][PIXELS];
};

/* What an epoch shows of each sample, from a batch on. */
static void see(const struct df_dataset *dataset, const struct df_loader_options *options, int64_t epoch,
                int64_t first_batch, struct seen *seen)
{
    struct df_loader *loader = df_loader_open(dataset, options);
    struct df_batch batch;
    int status;

    assert_works(loader);
    assert_int_equal(df_loader_start(loader, epoch, first_batch), 0);
    while ((status = df_loader_next(loader, &batch)) == 1) {
        const struct df_packed_image *images = df_packed_images((uint8_t *)batch.packed);
        for (int64_t i = 0; i < batch.count; i++) {
            const int64_t sample = batch.samples[i];
            const uint8_t *pixels = batch.pixels + 3 * i * PIXELS, *masks = batch.labels + i * PIXELS;
            if (batch.packed) {
                const struct df_packed_image *mask =
                    &df_packed_masks(&options->layout, (uint8_t *)batch.packed)[i];
                assert_true(images[i].width == WIDTH && images[i].height == HEIGHT);
                assert_true(mask->width == WIDTH && mask->height == HEIGHT);
                pixels = batch.packed + images[i].offset;
                masks = batch.packed + mask->offset;
            }
            memcpy(seen->pixels[sample], pixels, 3 * PIXELS);
            memcpy(seen->labels[sample], masks, PIXELS);
        }
    }
    assert_int_equal(status, 0);
    df_loader_close(loader);
}

static void *take_block(void *context, size_t bytes)
{
    return malloc(bytes);
}

static void give_block(void *context, void *block)
{
    free(block);
}

static void the_same_for_any_threads_batches_and_order(void **state)
{
    static struct seen first[2], again;
    struct df_dataset *dataset = open_samples();

    for (int i = 0; i <= DF_AUGMENT_STRONG + 2; i++) {
        const bool keeps_ratio = i > DF_AUGMENT_STRONG; /* of none and flip */
        const enum df_augmentation kind = (enum df_augmentation)(keeps_ratio ? i - DF_AUGMENT_STRONG - 1 : i);
        struct df_loader_options options = options_of(kind, 1, 2);
        options.augment.keeps_ratio = keeps_ratio;
        for (int epoch = 0; epoch < 2; epoch++)
            see(dataset, &options, epoch, 0, &first[epoch]);
        if (kind >= DF_AUGMENT_STANDARD)
            assert_memory_not_equal(first[0].labels, first[1].labels, sizeof first[0].labels);
        for (int workers = 1; workers <= 4 && df_augment_changes(&options.augment); workers++) {
            options = options_of(kind, workers, workers + 1);
            options.augment.keeps_ratio = keeps_ratio;
            options.shuffle = workers % 2 == 0;
            if (workers >= 3) {
                options.memory = (struct df_block_memory){take_block, give_block, NULL};
                assert_int_equal(df_packed_layout_init(&options.layout, workers + 1, HEIGHT, WIDTH), 0);
            }
            for (int epoch = 1; epoch >= 0; epoch--) {
                see(dataset, &options, epoch, 0, &again);
                assert_memory_equal(&again, &first[epoch], sizeof again);
            }
        }
    }
    df_dataset_free(dataset);
}

static void a_resumed_epoch_shows_the_rest(void **state)
{
    static struct seen whole, rest;
    struct df_dataset *dataset = open_samples();
    struct df_loader_options options = options_of(DF_AUGMENT_STRONG, 2, 3);
    int64_t order[IMAGES];

    see(dataset, &options, 4, 0, &whole);
    see(dataset, &options, 4, 1, &rest);
    assert_int_equal(df_sample_order(order, IMAGES, &(struct df_shuffle){.on = true, .seed = 5}, 4), 0);
    for (int i = 3; i < IMAGES; i++) {
        assert_memory_equal(rest.pixels[order[i]], whole.pixels[order[i]], 3 * PIXELS);
        assert_memory_equal(rest.labels[order[i]], whole.labels[order[i]], PIXELS);
    }
    df_dataset_free(dataset);
}

/* Each epoch has the view of one of the first. */
static void views_come_in_turn(void **state)
{
    static struct seen first[3], again;
    struct df_dataset *dataset = open_samples();
    struct df_loader_options options = options_of(DF_AUGMENT_STANDARD, 2, 3);

    for (int epoch = 0; epoch < 3; epoch++)
        see(dataset, &options, epoch, 0, &first[epoch]);
    options.augment.views = 3;
    for (int epoch = 0; epoch < 8; epoch++) {
        see(dataset, &options, epoch, 0, &again);
        assert_memory_equal(&again, &first[epoch % 3], sizeof again);
    }
    df_dataset_free(dataset);
}

static void shown_as_handed_out(void **state)
{
    static struct seen seen;
    struct df_dataset *dataset = open_samples();
    const struct df_loader_options options = options_of(DF_AUGMENT_STRONG, 2, 3);
    struct df_image image, mask;

    see(dataset, &options, 3, 0, &seen);
    for (int i = 0; i < IMAGES; i++) {
        assert_works(df_loader_sample(dataset, &options, 3, i, &image, &mask) == 0);
        assert_memory_equal(image.pixels, seen.pixels[i], 3 * PIXELS);
        assert_memory_equal(mask.pixels, seen.labels[i], PIXELS);
        df_image_free(&image);
        df_image_free(&mask);
    }
    scratch_write_text("set/images/train/02.png", "broken");
    assert_int_equal(df_loader_sample(dataset, &options, 3, 2, &image, &mask), -1);
    assert_error_has("02.png");
    df_dataset_free(dataset);
}

/* Labels are those of one or two samples, or 255 beside the images; pixels and labels go together. */
static void cutmix_is_of_two_samples(void **state)
{
    static struct seen seen;
    struct df_dataset *dataset = open_samples();
    const struct df_loader_options options = options_of(DF_AUGMENT_STRONG, 2, 3);
    int mixed = 0, padded = 0;

    for (int epoch = 0; epoch < 20; epoch++) {
        see(dataset, &options, epoch, 0, &seen);
        for (int sample = 0; sample < IMAGES; sample++) {
            bool has[256] = {false};
            int others = 0;
            for (int k = 0; k < PIXELS; k++) {
                const uint8_t *pixel = &seen.pixels[sample][3 * k];
                const uint8_t value = seen.labels[sample][k];
                has[value] = true;
                assert_true(value < IMAGES || value == DF_IGNORE_LABEL);
                if (value == DF_IGNORE_LABEL)
                    assert_true(pixel[0] == 124 && pixel[1] == 116 && pixel[2] == 104);
                else
                    assert_true(pixel[0] == pixel[1] && pixel[1] == pixel[2]); /* a shade */
            }
            for (int value = 0; value < IMAGES; value++)
                others += has[value] && value != sample;
            assert_true(others <= 1);
            mixed += others;
            padded += has[DF_IGNORE_LABEL];
        }
    }
    assert_in_range(mixed, 20 * IMAGES / 4, 20 * IMAGES / 2);
    assert_in_range(padded, 20 * IMAGES / 3, 20 * IMAGES * 3 / 4);
    df_dataset_free(dataset);
}

static void the_file_of_the_other_sample_is_named(void **state)
{
    struct df_dataset *dataset = open_samples();
    struct df_loader_options options = options_of(DF_AUGMENT_STRONG, 2, 1);
    struct df_loader *loader;
    struct df_batch batch;
    int failed = 0;

    scratch_write_text("set/images/train/06.png", "broken");
    options.shuffle = false;
    loader = df_loader_open(dataset, &options);
    assert_works(loader);
    for (int epoch = 0; epoch < 10; epoch++) {
        assert_int_equal(df_loader_start(loader, epoch, 0), 0);
        for (int i = 0; i < IMAGES - 1; i++) {
            if (df_loader_next(loader, &batch) == 1)
                continue;
            assert_error_has("06.png");
            failed++;
        }
    }
    assert_in_range(failed, 1, 20);
    df_loader_close(loader);
    df_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_are_mmsegmentations),
        cmocka_unit_test(colours_of_a_part_alone),
        cmocka_unit_test(tiles_are_mmsegmentations),
        cmocka_unit_test(texts),
        cmocka_unit_test(the_same_for_any_threads_batches_and_order),
        cmocka_unit_test(a_resumed_epoch_shows_the_rest),
        cmocka_unit_test(views_come_in_turn),
        cmocka_unit_test(shown_as_handed_out),
        cmocka_unit_test(cutmix_is_of_two_samples),
        cmocka_unit_test(the_file_of_the_other_sample_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_remove);
}

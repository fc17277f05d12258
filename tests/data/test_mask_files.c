/* Masks of every kind of PNG: numbers that stay as they are, and colours. */
#include "data/scratch_images.h"
#include "dinoft/dataset.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

#include <spng.h>

#define WIDTH  3
#define HEIGHT 2
#define PIXELS (WIDTH * HEIGHT)

/* A PNG with these bytes of pixels (16-bit ones in the machine's order); plte may be NULL. */
static const char *write_png(const char *name, int color_type, int depth, const void *pixels, size_t bytes,
                             struct spng_plte *plte, struct spng_trns *trns)
{
    spng_ctx *png = spng_ctx_new(SPNG_CTX_ENCODER);
    struct spng_ihdr header = {
        .width = WIDTH, .height = HEIGHT, .color_type = (uint8_t)color_type, .bit_depth = (uint8_t)depth};
    size_t size;
    int code;

    assert_non_null(png);
    spng_set_option(png, SPNG_ENCODE_TO_BUFFER, 1);
    assert_int_equal(spng_set_ihdr(png, &header), 0);
    if (plte)
        assert_int_equal(spng_set_plte(png, plte), 0);
    if (trns)
        assert_int_equal(spng_set_trns(png, trns), 0);
    assert_int_equal(spng_encode_image(png, pixels, bytes, SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE), 0);
    void *file = spng_get_png_buffer(png, &size, &code);
    assert_non_null(file);
    const char *path = scratch_write(name, file, size);
    free(file);
    spng_ctx_free(png);
    return path;
}

static struct df_dataset *try_open(const char *root, const struct df_dataset_options *more)
{
    struct df_dataset_options options = *more;

    options.kind = DF_DATASET_FOLDER;
    options.root = scratch_path(root);
    options.split = DF_SPLIT_TRAIN;
    options.advice = " (what helps)";
    options.color_advice = " (what colours need)";
    return df_dataset_open(&options);
}

/* The set's first mask has these labels. */
static void assert_labels(const char *root, const struct df_dataset_options *options,
                          const uint8_t expected[PIXELS])
{
    struct df_dataset *set = try_open(root, options);
    struct df_label_counts counts;
    struct df_image mask;
    int64_t pixels = 0;

    assert_works(set);
    assert_works(df_dataset_read(set, 0, NULL, &mask) == 0);
    assert_int_equal(mask.channels, 1);
    assert_memory_equal(mask.pixels, expected, PIXELS);
    df_label_census_read(set->census, &counts);
    for (int label = 0; label < DF_LABEL_VALUES; label++)
        pixels += counts.pixels[label];
    assert_int_equal(pixels, PIXELS);
    assert_true(counts.pixels[expected[0]] > 0);
    df_image_free(&mask);
    df_dataset_free(set);
}

static void assert_unreadable(const char *root, const struct df_dataset_options *options, const char *words)
{
    struct df_dataset *set = try_open(root, options);
    struct df_image mask;

    assert_works(set);
    assert_int_equal(df_dataset_read(set, 0, NULL, &mask), -1);
    assert_null(mask.pixels);
    assert_error_has("a.png");
    assert_error_has(words);
    df_dataset_free(set);
}

static const char *const mask_name = "d/masks/train/a.png";

static int make_image(void **state)
{
    scratch_image("d/images/train/a.png", WIDTH, HEIGHT, 9);
    return 0;
}

static const struct df_dataset_options three = {.n_classes = 3};

static void numbers_of_16_bits(void **state)
{
    static const uint16_t small[PIXELS] = {0, 1, 2, 255, 1, 1}, large[PIXELS] = {0, 1000, 65535, 7, 0, 0};
    static const uint16_t beyond[PIXELS] = {0, 1, 2, 2, 300, 1};
    struct df_image mask;

    write_png(mask_name, SPNG_COLOR_TYPE_GRAYSCALE, 16, small, sizeof small, NULL, NULL);
    assert_labels("d", &three, (const uint8_t[]){0, 1, 2, 255, 1, 1});
    const char *path = write_png(mask_name, SPNG_COLOR_TYPE_GRAYSCALE, 16, large, sizeof large, NULL, NULL);
    assert_int_equal(df_mask_read(path, &mask), 0);
    assert_int_equal(mask.channels, 2);
    assert_memory_equal(mask.pixels, large, sizeof large);
    df_image_free(&mask);
    assert_labels("d", &(struct df_dataset_options){.mask_values = "65535,0,1000", .ignore_value = "7"},
                  (const uint8_t[]){1, 2, 0, 255, 1, 1});
    assert_unreadable("d", &(struct df_dataset_options){.mask_values = "65535,0,1000"},
                      "label 7 at column 0, row 1 is none of the mask values 65535,0,1000, nor 255 for");
    assert_unreadable("d", &(struct df_dataset_options){.mask_values = "0,7,65535", .ignore_value = "none"},
                      "label 1000 at column 1, row 0 is none of the mask values 0,7,65535, nor none for");
    write_png(mask_name, SPNG_COLOR_TYPE_GRAYSCALE, 16, beyond, sizeof beyond, NULL, NULL);
    assert_unreadable("d", &three, "label 300 at column 1, row 1; the largest allowed is 2, or 255 for");
}

/* Alpha is opaque. */
static void equal_channels_are_numbers(void **state)
{
    static const uint8_t values[PIXELS] = {0, 1, 2, 255, 2, 2};
    static const int types[] = {SPNG_COLOR_TYPE_TRUECOLOR, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA,
                                SPNG_COLOR_TYPE_GRAYSCALE_ALPHA};
    static const size_t channels[] = {3, 4, 2};

    for (size_t t = 0; t < 3; t++) {
        uint8_t bytes[4 * PIXELS];
        uint16_t words[4 * PIXELS];
        for (size_t i = 0; i < channels[t] * PIXELS; i++) {
            const bool alpha = channels[t] != 3 && i % channels[t] == channels[t] - 1;
            bytes[i] = alpha ? 255 : values[i / channels[t]];
            words[i] = alpha ? 65535 : values[i / channels[t]];
        }
        write_png(mask_name, types[t], 8, bytes, channels[t] * PIXELS, NULL, NULL);
        assert_labels("d", &three, values);
        write_png(mask_name, types[t], 16, words, 2 * channels[t] * PIXELS, NULL, NULL);
        assert_labels("d", &three, values);
    }
}

static void transparent_masks_are_refused(void **state)
{
    uint8_t pixels[4 * PIXELS];

    memset(pixels, 255, sizeof pixels);
    pixels[4 * 4 + 3] = 254;
    write_png(mask_name, SPNG_COLOR_TYPE_TRUECOLOR_ALPHA, 8, pixels, sizeof pixels, NULL, NULL);
    assert_unreadable("d", &three, "transparent at column 1, row 1");
    assert_unreadable("d", &(struct df_dataset_options){.palette = "voc"}, "transparent at column 1, row 1");
}

/* Black, white and one of VOC's colours, in this order. */
static const uint8_t colors[PIXELS][3] = {{0, 0, 0},   {224, 224, 192}, {128, 0, 0},
                                          {128, 0, 0}, {0, 64, 128},    {0, 0, 0}};

static void colors_are_classes(void **state)
{
    const struct df_dataset_options voc = {.palette = "voc"};
    const uint8_t expected[PIXELS] = {0, 255, 1, 1, 20, 0};
    struct df_dataset *set;

    write_png(mask_name, SPNG_COLOR_TYPE_TRUECOLOR, 8, colors, sizeof colors, NULL, NULL);
    assert_labels("d", &voc, expected);
    set = try_open("d", &voc);
    assert_works(set);
    assert_int_equal(set->n_classes, 21);
    assert_string_equal(set->class_names[20], "tvmonitor");
    assert_int_equal(set->class_colors[1][0], 128);
    assert_true(strncmp(set->mask_values, "#000000,#800000,", 16) == 0);
    assert_string_equal(set->ignored_values, "#e0e0c0");
    /* What a checkpoint records says the same. */
    assert_labels(
        "d",
        &(struct df_dataset_options){.mask_values = set->mask_values, .ignore_value = set->ignored_values},
        expected);
    df_dataset_free(set);
    assert_unreadable("d", &three,
                      "has colours, not numbers of classes: #000000, #e0e0c0, #800000, #004080 (what colours "
                      "need)");
    assert_null(try_open("d", &(struct df_dataset_options){.palette = "voc", .n_classes = 20}));
    assert_error_has("the colours of voc are 21, for 20 classes");
}

#define RUNS  40
#define WHOLE (RUNS * (RUNS + 1) / 2)

/* Pixels of one colour are found together; the next differ in one channel, or in all. */
static void colors_in_runs(void **state)
{
    static const uint8_t of_voc[5][3] = {
        {0, 0, 0}, {128, 0, 0}, {128, 128, 0}, {128, 128, 128}, {224, 224, 192}};
    static const uint8_t labels[5] = {0, 1, 3, 7, 255};
    static uint8_t expected[WHOLE];
    struct df_image picture, mask;
    int64_t at = 0;

    scratch_image("long/images/train/a.png", WHOLE, 1, 9);
    scratch_image("long/masks/train/a.png", WHOLE, 1, 9);
    assert_works(df_image_alloc(&picture, WHOLE, 1, 3) == 0);
    for (int run = 1; run <= RUNS; run++) {
        for (int i = 0; i < run; i++, at++) {
            memcpy(picture.pixels + 3 * at, of_voc[run % 5], 3);
            expected[at] = labels[run % 5];
        }
    }
    assert_works(df_png_write_rgb(scratch_path("long/masks/train/a.png"), &picture) == 0);
    df_image_free(&picture);
    struct df_dataset *set = try_open("long", &(struct df_dataset_options){.palette = "voc"});
    struct df_label_counts counts;
    assert_works(set);
    assert_works(df_dataset_read(set, 0, NULL, &mask) == 0);
    assert_memory_equal(mask.pixels, expected, WHOLE);
    df_label_census_read(set->census, &counts);
    assert_int_equal(counts.pixels[7], 3 + 8 + 13 + 18 + 23 + 28 + 33 + 38);
    df_image_free(&mask);
    df_dataset_free(set);
}

/* Where masks are colours, a palette's numbers are not looked at. */
static void palettes_and_grey_are_colors_too(void **state)
{
    static const uint8_t indices[PIXELS] = {2, 0, 1, 1, 1, 2};
    const struct df_dataset_options voc = {.palette = "voc"};
    struct spng_plte plte = {.n_entries = 3};
    struct spng_trns trns = {.n_type3_entries = 1, .type3_alpha = {0}};
    const uint8_t bits[HEIGHT] = {0x00, 0x00};
    const uint8_t white[HEIGHT] = {0x00, 0x20};

    plte.entries[0] = (struct spng_plte_entry){224, 224, 192, 255};
    plte.entries[1] = (struct spng_plte_entry){128, 0, 0, 255};
    write_png(mask_name, SPNG_COLOR_TYPE_INDEXED, 8, indices, sizeof indices, &plte, NULL);
    assert_labels("d", &voc, (const uint8_t[]){0, 255, 1, 1, 1, 0});
    assert_labels("d", &three, indices);
    write_png(mask_name, SPNG_COLOR_TYPE_INDEXED, 8, indices, sizeof indices, &plte, &trns);
    assert_unreadable("d", &voc, "transparent at column 1, row 0");
    assert_labels("d", &three, indices);
    write_png(mask_name, SPNG_COLOR_TYPE_GRAYSCALE, 1, bits, sizeof bits, NULL, NULL);
    assert_labels("d", &voc, (const uint8_t[]){0, 0, 0, 0, 0, 0});
    write_png(mask_name, SPNG_COLOR_TYPE_GRAYSCALE, 1, white, sizeof white, NULL, NULL);
    assert_unreadable(
        "d", &voc,
        "the colour #ffffff at column 2, row 1 is none of the palette's; the nearest is #e0e0c0 of "
        "\"ignore\", 76 away");
    assert_labels("d", &three, (const uint8_t[]){0, 0, 0, 0, 0, 1});
}

static void other_colors_are_named(void **state)
{
    uint8_t pixels[PIXELS][3] = {{0, 0, 0}, {128, 3, 4}};

    write_png(mask_name, SPNG_COLOR_TYPE_TRUECOLOR, 8, pixels, sizeof pixels, NULL, NULL);
    assert_unreadable(
        "d", &(struct df_dataset_options){.palette = "voc"},
        "#800304 at column 1, row 0 is none of the palette's; the nearest is #800000 of aeroplane, 5 "
        "away");
}

static void colors_of_16_bits_are_refused(void **state)
{
    uint16_t words[3 * PIXELS] = {0, 0, 1};

    write_png(mask_name, SPNG_COLOR_TYPE_TRUECOLOR, 16, words, sizeof words, NULL, NULL);
    assert_unreadable("d", &three, "16 bits differ");
    assert_unreadable("d", &(struct df_dataset_options){.palette = "voc"}, "16 bits");
}

static void cityscapes_ids(void **state)
{
    static const uint8_t ids[PIXELS] = {7, 33, 0, 11, 26, 29};
    struct df_dataset *set;

    write_png(mask_name, SPNG_COLOR_TYPE_GRAYSCALE, 8, ids, sizeof ids, NULL, NULL);
    assert_labels("d", &(struct df_dataset_options){.mask_values = "cityscapes"},
                  (const uint8_t[]){0, 18, 255, 2, 13, 255});
    set = try_open("d", &(struct df_dataset_options){.mask_values = "cityscapes"});
    assert_works(set);
    assert_int_equal(set->n_classes, 19);
    assert_string_equal(set->class_names[18], "bicycle");
    assert_int_equal(set->class_colors[18][0], 119);
    assert_string_equal(set->mask_values, "7,8,11,12,13,17,19..28,31,32,33");
    df_dataset_free(set);
    set = try_open("d", &(struct df_dataset_options){.class_names = "cityscapes"});
    assert_works(set);
    assert_int_equal(set->n_classes, 19);
    assert_null(set->mask_values);
    df_dataset_free(set);
}

static void marked_values(void **state)
{
    static const uint16_t words[PIXELS] = {1, 40000, 2, 1, 1, 1};
    static bool seen[DF_MASK_VALUE_MOST + 1];
    int count = 0;

    write_png(mask_name, SPNG_COLOR_TYPE_GRAYSCALE, 16, words, sizeof words, NULL, NULL);
    struct df_dataset *set = try_open("d", &three);
    assert_works(set);
    assert_int_equal(df_dataset_mark_values(set, 0, seen), 0);
    for (int value = 0; value <= DF_MASK_VALUE_MOST; value++)
        count += seen[value];
    assert_int_equal(count, 3);
    assert_true(seen[1] && seen[2] && seen[40000]);
    df_dataset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_16_bits),
        cmocka_unit_test(equal_channels_are_numbers),
        cmocka_unit_test(transparent_masks_are_refused),
        cmocka_unit_test(colors_are_classes),
        cmocka_unit_test(colors_in_runs),
        cmocka_unit_test(palettes_and_grey_are_colors_too),
        cmocka_unit_test(other_colors_are_named),
        cmocka_unit_test(colors_of_16_bits_are_refused),
        cmocka_unit_test(cityscapes_ids),
        cmocka_unit_test(marked_values),
    };
    return cmocka_run_group_tests(tests, make_image, scratch_remove);
}

/* TIFFs that are written in parts, and what they keep of the image that they are of. */
#include "dinoft/image.h"
#include "dinoft/tiff_write.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH  600
#define HEIGHT 300
#define SIDE   512

static const char *fixture(const char *name)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/image_formats/%s", DINOFT_FIXTURES, name);
    return path;
}

/* Puts blocks of a band whose value at each pixel is known, with others between its values. */
static void put_blocks(struct df_tiff_writer *writer, int band, int bytes, int step, unsigned factor)
{
    uint8_t *block = calloc((size_t)SIDE * SIDE, (size_t)(bytes * step));

    assert_non_null(block);
    for (int64_t x = 0; x < WIDTH; x += SIDE) {
        const struct df_image_part part = {x, 0, WIDTH - x < SIDE ? WIDTH - x : SIDE, HEIGHT};
        for (int64_t i = 0; i < part.width * part.height; i++) {
            const uint16_t value = (uint16_t)((x + i % part.width + 3 * (i / part.width)) * factor);
            if (bytes == 1)
                block[i * step] = (uint8_t)value;
            else
                memcpy(block + 2 * i * step, &value, sizeof value);
        }
        assert_works(df_tiff_writer_put(writer, &part, band, block, step) == 0);
    }
    free(block);
}

static void masks(void **state)
{
    uint8_t palette[256][3];
    struct df_image mask, colors;

    for (int i = 0; i < 256; i++)
        memcpy(palette[i], ((uint8_t[]){(uint8_t)i, (uint8_t)(255 - i), (uint8_t)(i * 7)}), 3);
    const struct df_tiff_kind kind = {
        .width = WIDTH, .height = HEIGHT, .bands = 1, .bits = 8, .palette = palette, .none = 255};
    const char *path = scratch_path("mask.tif");
    struct df_tiff_writer *writer = df_tiff_writer_open(path, &kind);
    assert_works(writer != NULL);
    put_blocks(writer, 0, 1, 1, 1);
    assert_works(df_tiff_writer_commit(writer) == 0);
    assert_works(df_mask_read(path, &mask) == 0);
    assert_works(df_mask_read_colors(path, &colors) == 0);
    assert_true(mask.channels == 2 && mask.width == WIDTH && mask.height == HEIGHT);
    for (int64_t i = 0; i < WIDTH * HEIGHT; i++) {
        const int index = ((const uint16_t *)(void *)mask.pixels)[i];
        assert_int_equal(index, (i % WIDTH + 3 * (i / WIDTH)) % 256);
        assert_memory_equal(colors.pixels + 3 * i, palette[index], 3);
    }
    df_image_free(&mask);
    df_image_free(&colors);
}

static void values_of_16_bits(void **state)
{
    const struct df_tiff_kind kind = {.width = WIDTH, .height = HEIGHT, .bands = 1, .bits = 16, .none = -1};
    const char *path = scratch_path("deep.tif");
    struct df_tiff_writer *writer = df_tiff_writer_open(path, &kind);
    struct df_image mask;

    assert_works(writer != NULL);
    put_blocks(writer, 0, 2, 3, 40);
    assert_works(df_tiff_writer_commit(writer) == 0);
    assert_works(df_mask_read(path, &mask) == 0);
    assert_int_equal(mask.channels, 2);
    for (int64_t i = 0; i < WIDTH * HEIGHT; i++)
        assert_int_equal(((const uint16_t *)(void *)mask.pixels)[i], (i % WIDTH + 3 * (i / WIDTH)) * 40);
    df_image_free(&mask);
}

static void bands(void **state)
{
    static char first[] = "a < b & \"c\"", second[] = "road", third[] = "sky";
    char *const names[] = {first, second, third};
    const struct df_tiff_kind kind = {
        .width = WIDTH, .height = HEIGHT, .bands = 3, .bits = 16, .band_names = names, .none = -1};
    const char *path = scratch_path("bands.tif");
    struct df_tiff_writer *writer = df_tiff_writer_open(path, &kind);
    struct df_image_reading reading;
    struct df_image image;

    assert_works(writer != NULL);
    for (int i = 2; i >= 0; i--)
        put_blocks(writer, i, 2, 1, 10 + 10 * (unsigned)i);
    assert_works(df_tiff_writer_commit(writer) == 0);
    for (int i = 0; i < 3; i++) {
        const char numbers[3][2] = {"1", "2", "3"};
        assert_works(df_image_reading_parse("0,51000", numbers[i], &reading) == 0);
        assert_works(df_image_read(path, &reading, &image) == 0);
        for (int64_t at = 0; at < WIDTH * HEIGHT; at++) {
            const double value = (double)((at % WIDTH + 3 * (at / WIDTH)) * (10 + 10 * i));
            assert_int_equal(image.pixels[3 * at], (int)(value / 200.0 + 0.5));
        }
        df_image_free(&image);
    }
    size_t size;
    char *bytes = (char *)read_whole(path, &size);
    bytes[size - 1] = '\0';
    bool found = false;
    for (size_t i = 0; i + 20 < size && !found; i++)
        found = strncmp(bytes + i, "a &lt; b &amp; \"c\"</Item>", 24) == 0;
    assert_true(found);
    free(bytes);
}

/* The type, number of values and bytes of a tag of a classic little-endian TIFF; false: it has none. */
struct entry {
    unsigned type, count;
    const unsigned char *values;
};

static unsigned number_at(const unsigned char *bytes, int count)
{
    unsigned value = 0;
    while (count-- > 0)
        value = value << 8 | bytes[count];
    return value;
}

static bool find_entry(const unsigned char *file, unsigned tag, struct entry *entry)
{
    static const unsigned sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8};
    const unsigned char *directory = file + number_at(file + 4, 4);
    const unsigned count = number_at(directory, 2);

    for (unsigned i = 0; i < count; i++) {
        const unsigned char *at = directory + 2 + 12 * i;
        if (number_at(at, 2) != tag)
            continue;
        *entry = (struct entry){number_at(at + 2, 2), number_at(at + 4, 4), at + 8};
        if (sizes[entry->type] * entry->count > 4)
            entry->values = file + number_at(at + 8, 4);
        return true;
    }
    return false;
}

static void check_tags(const char *name, int expected)
{
    static const unsigned tags[] = {33550, 33922, 34264, 34735, 34736, 34737};
    static const unsigned sizes[] = {8, 8, 8, 2, 8, 1};
    struct df_geo_tags *geo = df_geo_tags_read(fixture(name));
    const struct df_tiff_kind kind = {
        .width = 37, .height = 24, .bands = 1, .bits = 8, .geo = geo, .none = -1};
    const uint8_t values[37 * 24] = {1};
    struct entry before, after;
    size_t size;
    int found = 0;

    assert_works(geo != NULL);
    struct df_tiff_writer *writer = df_tiff_writer_open(scratch_path("geo.tif"), &kind);
    df_geo_tags_free(geo);
    assert_works(writer != NULL);
    assert_works(df_tiff_writer_put(writer, &(struct df_image_part){0, 0, 37, 24}, 0, values, 1) == 0);
    assert_works(df_tiff_writer_commit(writer) == 0);
    unsigned char *image = read_whole(fixture(name), &size),
                  *mask = read_whole(scratch_path("geo.tif"), &size);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        const bool is_there = find_entry(image, tags[i], &before);
        assert_int_equal(find_entry(mask, tags[i], &after), is_there);
        if (!is_there)
            continue;
        assert_int_equal(after.type, before.type);
        assert_int_equal(after.count, before.count);
        assert_memory_equal(after.values, before.values, before.count * sizes[i]);
        found++;
    }
    assert_int_equal(found, expected);
    assert_false(find_entry(mask, 42113, &after)); /* the image has one, which is no value of the mask */
    free(image);
    free(mask);
}

static void keep_their_place_on_earth(void **state)
{
    check_tags("geo.tif", 5);
    check_tags("geo_rotated.tif", 4);
    assert_null(df_geo_tags_read(fixture("lossy.webp")));
    assert_error_has("lossy.webp");
}

static void large_ones_are_big(void **state)
{
    const struct df_tiff_kind kind = {.width = 30000, .height = 30000, .bands = 3, .bits = 16, .none = -1};
    const char *path = scratch_path("big.tif");
    struct df_tiff_writer *writer = df_tiff_writer_open(path, &kind);
    size_t size;

    assert_works(writer != NULL);
    assert_works(df_tiff_writer_commit(writer) == 0);
    unsigned char *bytes = read_whole(path, &size);
    assert_memory_equal(bytes, "II+", 4);
    free(bytes);
}

static void appear_whole_or_not_at_all(void **state)
{
    const struct df_tiff_kind kind = {.width = 10, .height = 10, .bands = 1, .bits = 8, .none = -1};
    const int before = scratch_count();
    struct df_tiff_writer *writer = df_tiff_writer_open(scratch_path("left.tif"), &kind);

    assert_works(writer != NULL);
    df_tiff_writer_abort(writer);
    assert_int_equal(scratch_count(), before);
    assert_null(df_tiff_writer_open(scratch_folder(), &kind));
    assert_error_has(scratch_folder());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks),
        cmocka_unit_test(values_of_16_bits),
        cmocka_unit_test(bands),
        cmocka_unit_test(keep_their_place_on_earth),
        cmocka_unit_test(large_ones_are_big),
        cmocka_unit_test(appear_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

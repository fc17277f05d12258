/* Shapes are drawn pixel for pixel as pycocotools, labelme (Pillow) and OpenCV draw them:
 * tests/fixtures/shapes has what they drew (make.py). test_shapes FILE [4] compares with another such file;
 * 4: one of --large. */
#include "src/data/shapes/rle.h"
#include "src/data/shapes/shape.h"

#include "support/cmocka_all.h"
#include "support/errors.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS_MAX 256
#define LABEL       7

struct reader {
    const unsigned char *bytes;
    size_t size, at;
    size_t run_bytes; /* of one run's length */
};

static uint32_t take(struct reader *reader, size_t bytes)
{
    uint32_t value = 0;

    assert_true(reader->size - reader->at >= bytes);
    for (size_t i = 0; i < bytes; i++)
        value |= (uint32_t)reader->bytes[reader->at++] << 8 * i;
    return value;
}

static float take_float(struct reader *reader)
{
    const uint32_t bits = take(reader, 4);
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static void take_mask(struct reader *reader, uint8_t *mask, size_t pixels)
{
    const uint32_t n_runs = take(reader, 2);
    size_t at = 0;

    for (uint32_t i = 0; i < n_runs; i++) {
        const uint32_t run = take(reader, reader->run_bytes);
        assert_true(pixels - at >= run);
        memset(mask + at, i % 2 == 1 ? LABEL : 1, run);
        at += run;
    }
    assert_true(at == pixels);
}

static void print(const char *what, const uint8_t *mask, int64_t width, int64_t height)
{
    print_message("%s\n", what);
    for (int64_t y = 0; y < height && y < 60; y++) {
        for (int64_t x = 0; x < width && x < 150; x++)
            print_message("%c", mask[y * width + x] == LABEL ? '#' : '.');
        print_message("\n");
    }
}

/* False where the masks differ. */
static bool compare_next(struct reader *reader)
{
    struct df_shape shape = {.kind = (enum df_shape_kind)take(reader, 1), .label = LABEL};
    const int64_t width = take(reader, 2), height = take(reader, 2);
    const size_t pixels = (size_t)(width * height);
    uint8_t *drawn = malloc(pixels), *expected = malloc(pixels);
    double numbers[NUMBERS_MAX];
    struct df_canvas canvas;

    shape.n_numbers = take(reader, 2);
    assert_true(shape.n_numbers <= NUMBERS_MAX);
    for (size_t i = 0; i < shape.n_numbers; i++)
        numbers[i] = take_float(reader);
    take_mask(reader, expected, pixels);
    memset(drawn, 1, pixels);
    assert_works(df_canvas_init(&canvas, width, height, drawn) == 0);
    assert_works(df_shape_draw(&canvas, &shape, numbers, NULL) == 0);
    df_canvas_free(&canvas);
    const bool equal = memcmp(drawn, expected, pixels) == 0;
    if (!equal && getenv("SHOW_SHAPES")) {
        print_message("kind %d, %zu numbers:", shape.kind, shape.n_numbers);
        for (size_t i = 0; i < shape.n_numbers; i++)
            print_message(" %.9g", numbers[i]);
        print("\nexpected", expected, width, height);
        print("drawn", drawn, width, height);
    }
    free(drawn);
    free(expected);
    return equal;
}

static int64_t compare_file(const char *path, size_t run_bytes, int64_t *count)
{
    size_t size;
    unsigned char *bytes = read_whole(path, &size);
    struct reader reader = {bytes, size, 0, run_bytes};
    int64_t differ = 0;

    assert_non_null(bytes);
    for (*count = 0; reader.at < size; ++*count)
        differ += !compare_next(&reader);
    free(bytes);
    return differ;
}

static void assert_same(const char *name)
{
    char path[512];
    int64_t count;

    snprintf(path, sizeof path, "%s/shapes/%s.bin", DINOFT_FIXTURES, name);
    assert_int_equal(compare_file(path, 2, &count), 0);
    assert_true(count >= 300);
}

static void as_pycocotools(void **state)
{
    assert_same("coco");
}

static void as_labelme(void **state)
{
    assert_same("labelme");
}

static void as_opencv(void **state)
{
    assert_same("opencv");
}

static void runs_go_down_the_columns(void **state)
{
    static const uint32_t runs[] = {2, 3, 1, 6};
    static const uint8_t expected[] = {0,     LABEL, LABEL, LABEL, 0,     LABEL,
                                       LABEL, LABEL, LABEL, 0,     LABEL, LABEL};
    uint8_t labels[12] = {0};
    struct df_canvas canvas;

    assert_true(df_rle_covers(runs, 4, 12));
    assert_false(df_rle_covers(runs, 3, 12));
    assert_works(df_canvas_init(&canvas, 4, 3, labels) == 0);
    df_rle_draw_columns(&canvas, runs, 4, LABEL);
    assert_memory_equal(labels, expected, sizeof labels);
    df_canvas_free(&canvas);
}

static void runs_go_along_the_rows_of_a_box(void **state)
{
    static const uint32_t runs[] = {1, 3, 2};
    static const uint8_t expected[] = {0, 0, 0, 0, 0, 0, LABEL, LABEL, 0, LABEL, 0, 0};
    const int64_t box[4] = {1, 1, 3, 2};
    uint8_t labels[12] = {0};
    struct df_canvas canvas;

    assert_works(df_canvas_init(&canvas, 4, 3, labels) == 0);
    df_rle_draw_rows(&canvas, box, runs, 3, LABEL);
    assert_memory_equal(labels, expected, sizeof labels);
    df_canvas_free(&canvas);
}

static void compressed_runs(void **state)
{
    /* pycocotools.mask.encode() of a mask whose runs are these. */
    static const uint32_t expected[] = {5, 4, 7, 40000, 3, 1, 100000};
    uint32_t runs[64];

    assert_int_equal(df_rle_read("547lQW1LQnhNmdQ3", runs), 7);
    assert_memory_equal(runs, expected, sizeof expected);
    assert_int_equal(df_rle_read("", runs), 0);
    assert_int_equal(df_rle_read("5P", runs), -1);
    assert_error_has("compressed runs");
    assert_int_equal(df_rle_read("5\x80", runs), -1);
    assert_error_has("0x80");
    assert_int_equal(df_rle_read("O", runs), -1);
    assert_error_has("-1 pixels");
    assert_int_equal(df_rle_read("oooooooo0", runs), -1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_pycocotools),
        cmocka_unit_test(as_labelme),
        cmocka_unit_test(as_opencv),
        cmocka_unit_test(runs_go_down_the_columns),
        cmocka_unit_test(runs_go_along_the_rows_of_a_box),
        cmocka_unit_test(compressed_runs),
    };
    int64_t count;

    if (argc == 1)
        return cmocka_run_group_tests(tests, NULL, NULL);
    const int64_t differ = compare_file(argv[1], argc > 2 ? 4 : 2, &count);
    printf("%lld of %lld shapes differ\n", (long long)differ, (long long)count);
    return differ == 0 ? 0 : 1;
}

/* What is expected of resize_batch is what the loader makes of the same images, bit for bit. */
#include "support/cmocka_all.h"

#include "src/backend/cases/build.h"

#include "dinoft/error.h"
#include "dinoft/image.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT, HEIGHT, WIDTH };        /* sizes */
enum { BLOCK, TABLE, IMAGE, LABELS }; /* tensors */

static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};

/* Entry i of the table: an image, or a mask. */
static struct df_image packed_image(const struct df_case *c, int64_t i, int channels)
{
    struct df_packed_image entry;

    memcpy(&entry, c->tensors[TABLE].bytes + (size_t)i * sizeof entry, sizeof entry);
    return (struct df_image){.width = entry.width,
                             .height = entry.height,
                             .channels = channels,
                             .pixels = c->tensors[BLOCK].bytes + entry.offset};
}

static void check_image(const struct df_case *c, int64_t number, uint8_t *resized)
{
    const int64_t plane = c->n[HEIGHT] * c->n[WIDTH];
    const struct df_image image = packed_image(c, number, 3);
    const struct df_image mask = packed_image(c, c->n[COUNT] + number, 1);

    assert_int_equal(df_resize_linear(&image, resized, c->n[WIDTH], c->n[HEIGHT]), 0);
    for (int64_t i = 0; i < 3 * plane; i++) {
        const int64_t k = i / plane, pixel = i % plane;
        const float value = ((float)resized[3 * pixel + k] / 255.0f - mean[k]) / deviation[k];
        assert_true(c->tensors[IMAGE].expected[number * 3 * plane + i] == (double)value);
    }
    df_resize_nearest(&mask, resized, c->n[WIDTH], c->n[HEIGHT]);
    for (int64_t i = 0; i < plane; i++)
        assert_true(c->tensors[LABELS].expected[number * plane + i] == (double)resized[i]);
}

static void plain_loops_are_the_loaders(void **state)
{
    const struct df_case_set *set = &df_cases_resize_batch;

    (void)state;
    for (int i = 0; i < set->n_odd; i++) {
        struct df_case c;
        if (df_case_open(&c, set, set->odd[i], DF_F32, 1) != 0 || df_case_expect(&c) != 0)
            fail_msg("%s", df_error_text());
        uint8_t *resized = malloc((size_t)(3 * c.n[HEIGHT] * c.n[WIDTH]));
        assert_non_null(resized);
        for (int64_t k = 0; k < c.n[COUNT]; k++)
            check_image(&c, k, resized);
        free(resized);
        df_case_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain_loops_are_the_loaders)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

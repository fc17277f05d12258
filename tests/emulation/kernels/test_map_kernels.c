/* Maps resized by nearest neighbour, with their gradient. */
#include "device_arrays.h"

#include "backend/reference.h"
#include "kernels/kernels.h"
#include "support/cmocka_all.h"

struct map_case {
    int64_t batch, h, w, height, width, channels;
};

static const struct map_case maps[] = {
    {1, 1, 1, 1, 1, 1},    {2, 3, 4, 6, 8, 3},     {1, 5, 3, 17, 11, 17},
    {2, 7, 9, 3, 4, 3},                                                  /* some pixels have no reader */
    {1, 3, 65, 3, 65, 1},  {3, 2, 5, 5, 2, 2},     {1, 2, 3, 4, 6, 300}, /* more channels than lanes */
    {1, 1, 1, 17, 19, 1},  {2, 4, 5, 8, 10, 64},   {1, 3, 5, 7, 9, 8},
    {1, 1, 2, 1, 82, 1}, /* in float32, 41 * (2 / 82) falls short of 1 */
    {1, 2, 40, 5, 77, 12}, {1, 1, 300, 1, 599, 4}, {1, 35, 2, 140, 3, 4},
};

static void check_map(struct map_case c)
{
    const int64_t small = c.batch * c.h * c.w * c.channels;
    const int64_t large = c.batch * c.height * c.width * c.channels;
    const float *x = host_normals(small, DF_F32, 0.0, 1.0, 4), *dy = host_normals(large, DF_F32, 0.0, 1.0, 5);
    const float *before = host_normals(large, DF_F32, 0.0, 1.0, 6);
    const float *in = put_values(x, small, DF_F32), *gradient = put_values(dy, large, DF_F32);
    double *want = host_zeros(large), *want_sum = host_doubles(before, large), *want_dx = host_zeros(small);
    float *y = device_room((size_t)large * sizeof(float)), *sum = put_values(before, large, DF_F32);
    float *dx = device_room((size_t)small * sizeof(float));

    ref_nearest_add(host_doubles(x, small), c.batch, c.h, c.w, want, c.height, c.width, c.channels);
    ref_nearest_add(host_doubles(x, small), c.batch, c.h, c.w, want_sum, c.height, c.width, c.channels);
    for (int64_t i = 0; i < large; i++) {
        const int64_t column = i / c.channels % c.width, row = i / c.channels / c.width % c.height;
        const int64_t b = i / c.channels / c.width / c.height;
        const int64_t from_row = (int64_t)((float)row * ((float)c.h / (float)c.height));
        const int64_t from_column = (int64_t)((float)column * ((float)c.w / (float)c.width));
        want_dx[((b * c.h + (from_row < c.h ? from_row : c.h - 1)) * c.w +
                 (from_column < c.w ? from_column : c.w - 1)) *
                    c.channels +
                i % c.channels] += (double)dy[i];
    }
    assert_ran(
        df_launch_nearest_forward(NULL, in, c.batch, c.h, c.w, y, c.height, c.width, c.channels, false));
    assert_values("nearest", get_values(y, large, DF_F32), want, large, DF_F32, 0.0);
    assert_ran(
        df_launch_nearest_forward(NULL, in, c.batch, c.h, c.w, sum, c.height, c.width, c.channels, true));
    assert_values("nearest added", get_values(sum, large, DF_F32), want_sum, large, DF_F32, 1e-7);
    assert_ran(
        df_launch_nearest_backward(NULL, gradient, c.batch, c.height, c.width, dx, c.h, c.w, c.channels));
    assert_values("nearest gradient", get_values(dx, small, DF_F32), want_dx, small, DF_F32, 2e-6);
    release_arrays();
}

static void nearest_matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        check_map(maps[i]);
    assert_ran(df_launch_nearest_forward(NULL, NULL, 0, 1, 1, NULL, 2, 2, 4, false));
    assert_ran(df_launch_nearest_backward(NULL, NULL, 0, 2, 2, NULL, 1, 1, 4));
}

/* Every pair of lengths up to 40, one channel: each reader is found, and by one pixel only. */
static void every_reader_is_found(void **state)
{
    (void)state;
    for (int64_t from = 1; from <= 40; from += 3)
        for (int64_t to = 1; to <= 40; to++)
            check_map((struct map_case){1, 1, from, 1, to, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_matches),
        cmocka_unit_test(every_reader_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

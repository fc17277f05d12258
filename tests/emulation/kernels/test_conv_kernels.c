/* Convolutions against plain loops: kernels of 1 to 3, channels that are whole vectors and not, both widths
 * of tiles with and without a remainder, enough pixels for partial sums. */
#include "device_arrays.h"

#include "kernels/kernels.h"
#include "support/cmocka_all.h"

static int64_t out_height(struct df_conv_shape s)
{
    return s.height - s.kernel + 1;
}

static int64_t out_width(struct df_conv_shape s)
{
    return s.width - s.kernel + 1;
}

/* Calls visit for every product of an input, a weight and an output, with their places. */
static void each_product(struct df_conv_shape s, void (*visit)(void *, int64_t x, int64_t weight, int64_t y),
                         void *to)
{
    const int64_t k = s.kernel, height = out_height(s), width = out_width(s);
    for (int64_t y = 0; y < s.batch * height * width * s.out; y++) {
        const int64_t o = y % s.out, col = y / s.out % width, row = y / s.out / width % height;
        const int64_t image = y / (s.out * width * height);
        for (int64_t w = 0; w < s.in * k * k; w++) {
            const int64_t line = image * s.height + row + w / k % k;
            visit(to, (line * s.width + col + w % k) * s.in + w / (k * k), o * s.in * k * k + w, y);
        }
    }
}

struct problem {
    const float *x, *weight, *dy;
    double *y, *dx, *dweight;
};

static void add_products(void *to, int64_t x, int64_t weight, int64_t y)
{
    struct problem *p = to;
    p->y[y] += (double)p->x[x] * p->weight[weight];
    p->dx[x] += (double)p->dy[y] * p->weight[weight];
    p->dweight[weight] += (double)p->dy[y] * p->x[x];
}

static void check(struct df_conv_shape s)
{
    const int64_t n_x = s.batch * s.height * s.width * s.in, pixels = s.batch * out_height(s) * out_width(s);
    const int64_t n_y = pixels * s.out, n_weight = s.out * s.in * s.kernel * s.kernel;
    const float *bias = host_normals(s.out, DF_F32, 0.0, 1.0, 4);
    struct problem p = {.x = host_normals(n_x, DF_F32, 0.0, 1.0, 1),
                        .weight = host_normals(n_weight, DF_F32, 0.0, 0.25, 2),
                        .dy = host_normals(n_y, DF_F32, 0.0, 0.25, 3),
                        .y = host_zeros(n_y),
                        .dx = host_zeros(n_x),
                        .dweight = host_zeros(n_weight)};
    const float *x = put_values(p.x, n_x, DF_F32), *weight = put_values(p.weight, n_weight, DF_F32);
    const float *dy = put_values(p.dy, n_y, DF_F32);
    float *y = device_room((size_t)n_y * sizeof(float)), *dx = device_room((size_t)n_x * sizeof(float));
    float *dweight = device_room((size_t)n_weight * sizeof(float));
    void *scratch = device_room(df_launch_conv_backward_weight_scratch(s));

    each_product(s, add_products, &p);
    assert_ran(df_launch_conv_forward(NULL, s, x, weight, NULL, y));
    assert_values("convolution", get_values(y, n_y, DF_F32), p.y, n_y, DF_F32, 2e-5);
    for (int64_t i = 0; i < n_y; i++)
        p.y[i] += (double)bias[i % s.out];
    assert_ran(df_launch_conv_forward(NULL, s, x, weight, put_values(bias, s.out, DF_F32), y));
    assert_values("convolution with bias", get_values(y, n_y, DF_F32), p.y, n_y, DF_F32, 2e-5);
    assert_ran(df_launch_conv_backward_data(NULL, s, dy, weight, dx));
    assert_values("gradient of the map", get_values(dx, n_x, DF_F32), p.dx, n_x, DF_F32, 2e-5);
    assert_ran(df_launch_conv_backward_weight(NULL, s, x, dy, dweight, scratch));
    assert_values("gradient of the weights", get_values(dweight, n_weight, DF_F32), p.dweight, n_weight,
                  DF_F32, 2e-5);
    release_arrays();
}

static void shapes_match(void **state)
{
    static const struct df_conv_shape shapes[] = {
        {1, 1, 1, 1, 1, 1},    {1, 3, 3, 1, 1, 3},     {2, 5, 7, 3, 4, 3},   {2, 4, 3, 5, 7, 1},
        {1, 9, 6, 33, 21, 3},  {2, 7, 8, 64, 32, 3},   {1, 6, 5, 36, 70, 2}, {2, 13, 11, 20, 65, 1},
        {1, 24, 23, 8, 12, 3}, {3, 16, 15, 130, 5, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(shapes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

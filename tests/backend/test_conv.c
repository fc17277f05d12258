/* Convolutions and their gradients against plain loops and against finite differences. */
#include "dinoft/backend.h"

#include "arrays.h"
#include "precisions.h"

static const struct df_conv_shape shapes[] = {
    {1, 1, 1, 1, 1, 1},   {1, 3, 3, 1, 1, 3},   {2, 5, 7, 3, 4, 3},     {2, 4, 3, 5, 7, 1},
    {1, 9, 6, 33, 21, 3}, {3, 8, 8, 64, 32, 3}, {2, 11, 10, 48, 21, 1}, {1, 6, 5, 17, 20, 2},
};

#define N_SHAPES (sizeof shapes / sizeof *shapes)

/* A shape with everything that its passes read. */
struct problem {
    struct df_conv_shape shape;
    int64_t height, width; /* of the output */
    int64_t x_count, y_count, weight_count;
    float *x, *dy, *weight, *bias;
};

static struct problem make_problem(struct df_conv_shape s)
{
    struct problem p = {.shape = s, .height = s.height - s.kernel + 1, .width = s.width - s.kernel + 1};

    p.x_count = s.batch * s.height * s.width * s.in;
    p.y_count = s.batch * p.height * p.width * s.out;
    p.weight_count = s.out * s.in * s.kernel * s.kernel;
    p.x = random_array(p.x_count, 1);
    p.dy = random_array(p.y_count, 2);
    p.weight = random_array(p.weight_count, 3);
    p.bias = random_array(s.out, 4);
    return p;
}

static void free_problem(struct problem *p)
{
    free(p->x);
    free(p->dy);
    free(p->weight);
    free(p->bias);
}

/* The three passes between arrays of the host. */
static void run_forward(struct df_backend *backend, const struct problem *p, const float *x,
                        const float *weight, const float *bias, float *y)
{
    float *on_x = put_floats(backend, x, p->x_count),
          *on_weight = put_floats(backend, weight, p->weight_count);
    float *on_bias = put_floats(backend, bias, p->shape.out), *on_y = put_floats(backend, y, p->y_count);

    assert_int_equal(backend->ops->conv_forward(backend, p->shape, on_x, on_weight, on_bias, on_y), 0);
    get_floats(backend, y, on_y, p->y_count);
    backend->ops->free(backend, on_x);
    backend->ops->free(backend, on_weight);
    backend->ops->free(backend, on_bias);
}

static void run_backward_data(struct df_backend *backend, const struct problem *p, float *dx)
{
    float *dy = put_floats(backend, p->dy, p->y_count), *on_dx = put_floats(backend, dx, p->x_count);
    float *weight = put_floats(backend, p->weight, p->weight_count);

    assert_int_equal(backend->ops->conv_backward_data(backend, p->shape, dy, weight, on_dx), 0);
    get_floats(backend, dx, on_dx, p->x_count);
    backend->ops->free(backend, dy);
    backend->ops->free(backend, weight);
}

static void run_backward_weight(struct df_backend *backend, const struct problem *p, float *dweight)
{
    float *x = put_floats(backend, p->x, p->x_count), *dy = put_floats(backend, p->dy, p->y_count);
    float *on_dweight = put_floats(backend, dweight, p->weight_count);

    assert_int_equal(backend->ops->conv_backward_weight(backend, p->shape, x, dy, on_dweight), 0);
    get_floats(backend, dweight, on_dweight, p->weight_count);
    backend->ops->free(backend, x);
    backend->ops->free(backend, dy);
}

/* Calls visit with the place of every product of an input, a weight and an output. */
static void each_product(const struct problem *p, double *sums,
                         void (*visit)(const struct problem *, double *, int64_t x, int64_t weight,
                                       int64_t y))
{
    const struct df_conv_shape s = p->shape;
    const int64_t k = s.kernel;

    for (int64_t y = 0; y < p->y_count; y++) {
        const int64_t o = y % s.out, col = y / s.out % p->width, row = y / s.out / p->width % p->height;
        const int64_t image = y / (s.out * p->width * p->height);
        for (int64_t w = 0; w < s.in * k * k; w++) {
            const int64_t i = w / (k * k), ky = w / k % k, kx = w % k;
            const int64_t x = ((image * s.height + row + ky) * s.width + col + kx) * s.in + i;
            visit(p, sums, x, o * s.in * k * k + w, y);
        }
    }
}

static void add_forward(const struct problem *p, double *sums, int64_t x, int64_t weight, int64_t y)
{
    sums[y] += (double)p->x[x] * p->weight[weight];
}

static void add_backward_data(const struct problem *p, double *sums, int64_t x, int64_t weight, int64_t y)
{
    sums[x] += (double)p->dy[y] * p->weight[weight];
}

static void add_backward_weight(const struct problem *p, double *sums, int64_t x, int64_t weight, int64_t y)
{
    sums[weight] += (double)p->dy[y] * p->x[x];
}

static void assert_sums(const float *actual, const double *sums, int64_t count, int64_t terms)
{
    for (int64_t i = 0; i < count; i++)
        assert_close(actual[i], sums[i], sum_tolerance(DF_F32, terms, sums[i]));
}

static void test_forward(void **state)
{
    struct df_backend *backend = *state;

    for (size_t i = 0; i < 2 * N_SHAPES; i++) {
        struct problem p = make_problem(shapes[i / 2]);
        const float *bias = i % 2 ? p.bias : NULL;
        float *y = nan_array(p.y_count);
        double *sums = calloc((size_t)p.y_count, sizeof *sums);

        assert_non_null(sums);
        for (int64_t j = 0; bias && j < p.y_count; j++)
            sums[j] = bias[j % p.shape.out];
        each_product(&p, sums, add_forward);
        run_forward(backend, &p, p.x, p.weight, bias, y);
        assert_sums(y, sums, p.y_count, p.weight_count / p.shape.out);
        free(y);
        free(sums);
        free_problem(&p);
    }
}

static void test_backward_data(void **state)
{
    struct df_backend *backend = *state;

    for (size_t i = 0; i < N_SHAPES; i++) {
        struct problem p = make_problem(shapes[i]);
        float *dx = nan_array(p.x_count);
        double *sums = calloc((size_t)p.x_count, sizeof *sums);

        assert_non_null(sums);
        each_product(&p, sums, add_backward_data);
        run_backward_data(backend, &p, dx);
        assert_sums(dx, sums, p.x_count, p.weight_count / p.shape.in);
        free(dx);
        free(sums);
        free_problem(&p);
    }
}

static void test_backward_weight(void **state)
{
    struct df_backend *backend = *state;

    for (size_t i = 0; i < N_SHAPES; i++) {
        struct problem p = make_problem(shapes[i]);
        float *dweight = nan_array(p.weight_count);
        double *sums = calloc((size_t)p.weight_count, sizeof *sums);

        assert_non_null(sums);
        each_product(&p, sums, add_backward_weight);
        run_backward_weight(backend, &p, dweight);
        assert_sums(dweight, sums, p.weight_count, p.y_count / p.shape.out);
        free(dweight);
        free(sums);
        free_problem(&p);
    }
}

/* sum(y * dy) with x and weight moved by step along the given directions. */
static double loss(struct df_backend *backend, const struct problem *p, const float *dx, const float *dweight,
                   float step)
{
    float *x = copy_array(p->x, p->x_count), *weight = copy_array(p->weight, p->weight_count);
    float *y = nan_array(p->y_count);
    double sum = 0.0;

    for (int64_t i = 0; i < p->x_count; i++)
        x[i] += step * (dx ? dx[i] : 0.0f);
    for (int64_t i = 0; i < p->weight_count; i++)
        weight[i] += step * (dweight ? dweight[i] : 0.0f);
    run_forward(backend, p, x, weight, NULL, y);
    for (int64_t i = 0; i < p->y_count; i++)
        sum += (double)y[i] * p->dy[i];
    free(x);
    free(weight);
    free(y);
    return sum;
}

static double inner_product(const float *a, const float *b, int64_t count)
{
    double sum = 0.0;

    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* The loss is linear in x and in the weights, so that a large step is exact but for rounding. */
static void test_finite_differences(void **state)
{
    struct df_backend *backend = *state;
    struct problem p = make_problem((struct df_conv_shape){2, 9, 8, 19, 13, 3});
    float *dx = nan_array(p.x_count), *dweight = nan_array(p.weight_count);
    float *x_way = random_array(p.x_count, 5), *weight_way = random_array(p.weight_count, 6);

    run_backward_data(backend, &p, dx);
    run_backward_weight(backend, &p, dweight);
    double along_x = loss(backend, &p, x_way, NULL, 0.5f) - loss(backend, &p, x_way, NULL, -0.5f);
    double along_weight =
        loss(backend, &p, NULL, weight_way, 0.5f) - loss(backend, &p, NULL, weight_way, -0.5f);
    assert_close(inner_product(dx, x_way, p.x_count), along_x, 1e-3);
    assert_close(inner_product(dweight, weight_way, p.weight_count), along_weight, 1e-3);
    free(dx);
    free(dweight);
    free(x_way);
    free(weight_way);
    free_problem(&p);
}

static void test_same_bits_twice(void **state)
{
    struct df_backend *backend = *state;
    struct problem p = make_problem((struct df_conv_shape){2, 20, 20, 64, 32, 3});
    float *y[2], *dx[2], *dweight[2];

    for (int i = 0; i < 2; i++) {
        y[i] = nan_array(p.y_count);
        dx[i] = nan_array(p.x_count);
        dweight[i] = nan_array(p.weight_count);
        run_forward(backend, &p, p.x, p.weight, NULL, y[i]);
        run_backward_data(backend, &p, dx[i]);
        run_backward_weight(backend, &p, dweight[i]);
    }
    assert_same_bits(y[0], y[1], p.y_count);
    assert_same_bits(dx[0], dx[1], p.x_count);
    assert_same_bits(dweight[0], dweight[1], p.weight_count);
    for (int i = 0; i < 2; i++) {
        free(y[i]);
        free(dx[i]);
        free(dweight[i]);
    }
    free_problem(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_backward_data),
        cmocka_unit_test(test_backward_weight),
        cmocka_unit_test(test_same_bits_twice),
        cmocka_unit_test(test_finite_differences),
    };
    return run_in_both_precisions(tests); /* maps are float32 in both */
}

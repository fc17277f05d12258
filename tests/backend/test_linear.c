/* Packed linear layers against a plain loop. */
#include "dinoft/backend.h"

#include "arrays.h"

struct layer {
    int64_t out, in;
    float *weight, *bias;
    struct df_linear *linear;
};

static struct layer make_layer(struct df_backend *backend, int64_t out, int64_t in, int64_t max_rows,
                               bool bias)
{
    struct layer layer = {
        .out = out,
        .in = in,
        .weight = random_array(out * in, (uint64_t)max_rows + bias),
        .bias = bias ? random_array(out, 2) : NULL,
    };
    layer.linear = backend->ops->linear_create(backend, layer.weight, layer.bias, out, in, max_rows, true);
    assert_non_null(layer.linear);
    return layer;
}

static void free_layer(struct df_backend *backend, struct layer *layer)
{
    backend->ops->linear_free(backend, layer->linear);
    free(layer->weight);
    free(layer->bias);
}

static double expected_forward(const struct layer *layer, const float *x, int64_t o)
{
    double sum = layer->bias ? layer->bias[o] : 0.0;

    for (int64_t i = 0; i < layer->in; i++)
        sum += (double)x[i] * layer->weight[o * layer->in + i];
    return sum;
}

static double expected_backward(const struct layer *layer, const float *dy, int64_t i)
{
    double sum = 0.0;

    for (int64_t o = 0; o < layer->out; o++)
        sum += (double)dy[o] * layer->weight[o * layer->in + i];
    return sum;
}

/* Runs one direction on `rows` rows whose ends are `gap` elements from the next row's start, and checks the
 * result and that the gaps stay as they were. */
static void check(struct df_backend *backend, const struct layer *layer, int64_t rows, int64_t gap,
                  bool backward, bool accumulate)
{
    const int64_t from = backward ? layer->out : layer->in, to = backward ? layer->in : layer->out;
    const int64_t from_ld = from + gap, to_ld = to + 2 * gap;
    float *x = random_array(rows * from_ld, 3);
    float *y = accumulate ? random_array(rows * to_ld, 4) : nan_array(rows * to_ld);
    float *before = copy_array(y, rows * to_ld);
    struct df_matrix source = {x, DF_F32, rows, from, from_ld}, result = {y, DF_F32, rows, to, to_ld};
    int status = backward ? backend->ops->linear_backward(backend, layer->linear, source, result, accumulate)
                          : backend->ops->linear_forward(backend, layer->linear, source, result, accumulate);

    assert_int_equal(status, 0);
    for (int64_t r = 0; r < rows; r++) {
        const float *row = x + r * from_ld;
        for (int64_t c = 0; c < to; c++) {
            double expected = backward ? expected_backward(layer, row, c) : expected_forward(layer, row, c);
            expected += accumulate ? before[r * to_ld + c] : 0.0;
            assert_close(y[r * to_ld + c], expected, 1e-6 * (double)from + 1e-6);
        }
        assert_same_bits(y + r * to_ld + to, before + r * to_ld + to, to_ld - to);
    }
    free(x);
    free(y);
    free(before);
}

static void test_shapes(void **state)
{
    static const int64_t shapes[][2] = {{3, 5}, {53, 37}, {192, 64}, {64, 192}, {100, 384}, {384, 588}};
    static const int64_t rows[] = {70, 1, 2, 17, 64};
    struct df_backend *backend = *state;

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct layer layer = make_layer(backend, shapes[s][0], shapes[s][1], 70, s % 2 == 0);
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            for (int flags = 0; flags < 8; flags++)
                check(backend, &layer, rows[r], flags & 1 ? 3 : 0, flags & 2, flags & 4);
        }
        free_layer(backend, &layer);
    }
}

/* Layers of one shape share primitives, but not weights, bias or row limit. */
static void test_shared_primitives(void **state)
{
    struct df_backend *backend = *state;
    struct layer a = make_layer(backend, 48, 33, 20, true);
    struct layer b = make_layer(backend, 48, 33, 20, false);
    struct layer c = make_layer(backend, 48, 33, 2000, true);

    check(backend, &a, 20, 0, false, false);
    check(backend, &b, 20, 0, false, false);
    check(backend, &c, 20, 0, false, false);
    check(backend, &c, 1999, 0, true, true);
    check(backend, &a, 5, 1, true, true);
    free_layer(backend, &a);
    free_layer(backend, &b);
    free_layer(backend, &c);
}

/* More shapes than the cache of primitives holds. */
static void test_many_row_counts(void **state)
{
    struct df_backend *backend = *state;
    struct layer layer = make_layer(backend, 6, 4, 400, true);

    for (int64_t rows = 1; rows <= 300; rows++)
        check(backend, &layer, rows, 0, false, false);
    for (int64_t rows = 1; rows <= 300; rows += 50)
        check(backend, &layer, rows, 0, false, true);
    free_layer(backend, &layer);
}

static void test_weights_are_copied(void **state)
{
    struct df_backend *backend = *state;
    struct layer layer = make_layer(backend, 9, 8, 4, true);
    float *weight = copy_array(layer.weight, 72), *bias = copy_array(layer.bias, 9);

    memset(layer.weight, 0, 72 * sizeof(float));
    memset(layer.bias, 0, 9 * sizeof(float));
    struct layer copy = {9, 8, weight, bias, layer.linear};
    check(backend, &copy, 4, 0, false, false);
    check(backend, &copy, 4, 0, true, false);
    free(weight);
    free(bias);
    free_layer(backend, &layer);
}

static void test_no_rows(void **state)
{
    struct df_backend *backend = *state;
    struct layer layer = make_layer(backend, 9, 8, 4, true);

    check(backend, &layer, 0, 0, false, false);
    free_layer(backend, &layer);
}

static void test_same_bits_twice(void **state)
{
    const int64_t rows = 613, in = 384, out = 1152;
    struct df_backend *backend = *state;
    struct layer layer = make_layer(backend, out, in, rows, true);
    float *x = random_array(rows * in, 5), *y = nan_array(rows * out), *z = nan_array(rows * out);
    struct df_matrix source = {x, DF_F32, rows, in, in};

    for (int i = 0; i < 2; i++) {
        struct df_matrix result = {i ? z : y, DF_F32, rows, out, out};
        assert_int_equal(backend->ops->linear_forward(backend, layer.linear, source, result, false), 0);
    }
    assert_same_bits(y, z, rows * out);
    free(x);
    free(y);
    free(z);
    free_layer(backend, &layer);
}

static int open_backend(void **state)
{
    *state = df_backend_open("cpu", "fp32", 2);
    return *state ? 0 : -1;
}

static int close_backend(void **state)
{
    df_backend_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),          cmocka_unit_test(test_shared_primitives),
        cmocka_unit_test(test_many_row_counts), cmocka_unit_test(test_weights_are_copied),
        cmocka_unit_test(test_no_rows),         cmocka_unit_test(test_same_bits_twice),
    };
    return cmocka_run_group_tests(tests, open_backend, close_backend);
}

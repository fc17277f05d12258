/* Packed linear layers against a plain loop. */
#include "dinoft/backend.h"

#include "arrays.h"
#include "precisions.h"

struct layer {
    int64_t out, in;
    float *weight, *bias; /* the weight as the backend's type holds it */
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
    round_to(backend->compute, layer.weight, out * in);
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

/* The bias may have been rounded to the result's type before it was added. */
static double bias_tolerance(const struct layer *layer, enum df_dtype target, bool backward, int64_t o)
{
    return target == DF_BF16 && layer->bias && !backward ? fabs(layer->bias[o]) / 256.0 : 0.0;
}

/* What is special about a call. */
struct call {
    bool backward, accumulate;
    bool wide_source, wide_result; /* float32, whatever the backend's type is */
    int64_t gap;                   /* elements between the end of a row and the start of the next */
    bool apart;                    /* forward: what is added does not lie in the result's place */
};

/* Runs one direction on `rows` rows, and checks the result and that the gaps stay as they were. */
static void check(struct df_backend *backend, const struct layer *layer, int64_t rows, struct call call)
{
    const enum df_dtype source_type = call.wide_source ? DF_F32 : backend->compute;
    const enum df_dtype target = call.wide_result ? DF_F32 : backend->compute;
    const int64_t from = call.backward ? layer->out : layer->in, to = call.backward ? layer->in : layer->out;
    const int64_t from_ld = from + call.gap, to_ld = to + 2 * call.gap;
    float *x = random_values(source_type, rows * from_ld, 3);
    const bool apart = call.apart && call.accumulate && !call.backward;
    float *added = random_values(target, rows * to_ld, 4);
    float *before =
        call.accumulate && !apart ? random_values(target, rows * to_ld, 4) : nan_array(rows * to_ld);
    const size_t x_bytes = (size_t)(rows * from_ld) * df_dtype_size(source_type);
    const size_t y_bytes = (size_t)(rows * to_ld) * df_dtype_size(target);
    void *x_data = to_type(source_type, x, rows * from_ld), *y_data = to_type(target, before, rows * to_ld);
    struct df_matrix source = {put(backend, x_data, x_bytes), source_type, rows, from, from_ld};
    struct df_matrix result = {put(backend, y_data, y_bytes), target, rows, to, to_ld};
    void *added_data = to_type(target, added, rows * to_ld);
    void *elsewhere = put(backend, added_data, y_bytes);
    const void *residual = !call.accumulate ? NULL : apart ? elsewhere : result.data;
    int status = call.backward
                     ? backend->ops->linear_backward(backend, layer->linear, source, result, call.accumulate)
                     : backend->ops->linear_forward(backend, layer->linear, source, result, residual);

    assert_int_equal(status, 0);
    get(backend, x_data, source.data, x_bytes);
    get(backend, y_data, result.data, y_bytes);
    get(backend, added_data, elsewhere, y_bytes);
    round_to(backend->compute, x, rows * from_ld); /* as the backend multiplies it */
    float *y = from_type(target, y_data, rows * to_ld);
    for (int64_t r = 0; r < rows; r++) {
        const float *row = x + r * from_ld;
        for (int64_t c = 0; c < to; c++) {
            double expected =
                call.backward ? expected_backward(layer, row, c) : expected_forward(layer, row, c);
            expected += call.accumulate ? added[r * to_ld + c] : 0.0;
            assert_close(y[r * to_ld + c], expected,
                         sum_tolerance(target, from, expected) +
                             bias_tolerance(layer, target, call.backward, c));
        }
        assert_same_bits(y + r * to_ld + to, before + r * to_ld + to, to_ld - to);
    }
    free(x);
    free(x_data);
    free(y);
    free(y_data);
    free(before);
    free(added);
    free(added_data);
}

static void test_shapes(void **state)
{
    static const int64_t shapes[][2] = {{3, 5}, {53, 37}, {192, 64}, {64, 192}, {100, 384}, {384, 588}};
    static const int64_t rows[] = {70, 1, 2, 17, 64};
    struct df_backend *backend = *state;

    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct layer layer = make_layer(backend, shapes[s][0], shapes[s][1], 70, s % 2 == 0);
        for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
            /* the two bits that ask for float32 change nothing where everything is */
            for (int flags = 0; flags < 64; flags++) {
                if (backend->compute != DF_F32 || !(flags & 12))
                    check(backend, &layer, rows[r],
                          (struct call){flags & 1, flags & 2, flags & 4, flags & 8, flags & 16 ? 3 : 0,
                                        flags & 32});
            }
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

    check(backend, &a, 20, (struct call){0});
    check(backend, &b, 20, (struct call){0});
    check(backend, &c, 20, (struct call){0});
    check(backend, &c, 1999, (struct call){.backward = true, .accumulate = true});
    check(backend, &a, 5, (struct call){.backward = true, .accumulate = true, .gap = 1});
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
        check(backend, &layer, rows, (struct call){0});
    for (int64_t rows = 1; rows <= 300; rows += 50)
        check(backend, &layer, rows, (struct call){.accumulate = true});
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
    check(backend, &copy, 4, (struct call){0});
    check(backend, &copy, 4, (struct call){.backward = true});
    free(weight);
    free(bias);
    free_layer(backend, &layer);
}

static void test_no_rows(void **state)
{
    struct df_backend *backend = *state;
    struct layer layer = make_layer(backend, 9, 8, 4, true);

    check(backend, &layer, 0, (struct call){0});
    free_layer(backend, &layer);
}

static void test_same_bits_twice(void **state)
{
    const int64_t rows = 613, in = 384, out = 1152;
    struct df_backend *backend = *state;
    struct layer layer = make_layer(backend, out, in, rows, true);
    float *x = random_values(backend->compute, rows * in, 5);
    float *y = nan_array(rows * out), *z = nan_array(rows * out);
    void *x_act = to_type(backend->compute, x, rows * in);
    const size_t x_bytes = (size_t)(rows * in) * df_dtype_size(backend->compute);
    struct df_matrix source = {put(backend, x_act, x_bytes), backend->compute, rows, in, in};

    for (int i = 0; i < 2; i++) {
        float *to = i ? z : y;
        struct df_matrix result = {put_floats(backend, to, rows * out), DF_F32, rows, out, out};
        assert_int_equal(backend->ops->linear_forward(backend, layer.linear, source, result, NULL), 0);
        get_floats(backend, to, result.data, rows * out);
    }
    backend->ops->free(backend, source.data);
    assert_same_bits(y, z, rows * out);
    free(x);
    free(y);
    free(z);
    free(x_act);
    free_layer(backend, &layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),          cmocka_unit_test(test_shared_primitives),
        cmocka_unit_test(test_many_row_counts), cmocka_unit_test(test_weights_are_copied),
        cmocka_unit_test(test_no_rows),         cmocka_unit_test(test_same_bits_twice),
    };
    return run_in_both_precisions(tests);
}

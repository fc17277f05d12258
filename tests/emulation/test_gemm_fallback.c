/* Products that cuBLASLt does not take as they are: what it is given instead, and that the result is the same
 * but for its rounding. */
#include "emulation_control.h"

#include "support/cmocka_all.h"

#include "dinoft/backend.h"
#include "dinoft/error.h"
#include "dinoft/rng.h"

#include <math.h>
#include <stdlib.h>

#define ROWS 37
#define OUT  40

/* y = x W^T with a bias, added to what is there or to another residual, or dx = dy W. */
struct product {
    int in; /* 588: as a patch embedding's, no multiple of 8 */
    enum df_precision precision;
    enum df_dtype out_type;
    bool bias, residual, in_place, backward;
};

static const struct product products[] = {
    {588, DF_PRECISION_BF16, DF_F32, true, false, false, false},
    {588, DF_PRECISION_BF16, DF_BF16, true, true, false, false},
    {588, DF_PRECISION_BF16, DF_F32, true, true, true, false},
    {588, DF_PRECISION_BF16, DF_BF16, false, true, true, true},
    {64, DF_PRECISION_BF16, DF_BF16, true, true, true, false},
    {64, DF_PRECISION_BF16, DF_BF16, false, false, false, true},
    {75, DF_PRECISION_FP32, DF_F32, true, true, false, false},
    {75, DF_PRECISION_FP32, DF_F32, false, true, true, true},
};

static float *random_floats(size_t count, uint64_t seed)
{
    float *values = malloc(count * sizeof *values);
    struct df_rng rng;

    assert_non_null(values);
    df_rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)df_rng_normal(&rng);
    return values;
}

/* Device memory with the values in the type. */
static void *put(struct df_backend *backend, const float *values, size_t count, enum df_dtype type)
{
    float *wide = backend->ops->alloc(backend, count * sizeof *wide);
    void *to = backend->ops->alloc(backend, count * sizeof *wide);

    assert_true(wide && to);
    assert_int_equal(backend->ops->upload(backend, wide, values, count * sizeof *values), 0);
    assert_int_equal(backend->ops->convert(backend, wide, DF_F32, to, type, (int64_t)count), 0);
    backend->ops->free(backend, wide);
    return to;
}

static float *get(struct df_backend *backend, void *from, size_t count, enum df_dtype type)
{
    float *wide = backend->ops->alloc(backend, count * sizeof *wide),
          *values = malloc(count * sizeof *values);

    assert_true(wide && values);
    assert_int_equal(backend->ops->convert(backend, from, type, wide, DF_F32, (int64_t)count), 0);
    assert_int_equal(backend->ops->download(backend, values, wide, count * sizeof *values), 0);
    backend->ops->free(backend, wide);
    backend->ops->free(backend, from);
    return values;
}

/* The result [ROWS, columns], which the caller frees; *taken: how many products cuBLASLt took. */
static float *multiply(const struct product *p, unsigned refusals, int *taken)
{
    struct df_backend *backend = df_backend_open(DF_DEVICE_CUDA, p->precision, 1);
    const int64_t in = p->in, from_cols = p->backward ? OUT : in, to_cols = p->backward ? in : OUT;
    float *weight = random_floats((size_t)(OUT * in), 1), *bias = random_floats(OUT, 2);
    float *x = random_floats((size_t)(ROWS * from_cols), 3),
          *old = random_floats((size_t)(ROWS * to_cols), 4);

    assert_non_null(backend);
    df_emulation_set_refusals(refusals);
    struct df_linear *linear =
        backend->ops->linear_create(backend, weight, p->bias ? bias : NULL, OUT, in, ROWS, p->backward);
    assert_non_null(linear);
    void *on_x = put(backend, x, (size_t)(ROWS * from_cols), backend->compute);
    void *on_old = put(backend, old, (size_t)(ROWS * to_cols), p->out_type);
    void *on_y = put(backend, old, (size_t)(ROWS * to_cols), p->out_type);
    const struct df_matrix from = {on_x, backend->compute, ROWS, from_cols, from_cols};
    const struct df_matrix to = {on_y, p->out_type, ROWS, to_cols, to_cols};
    const int before = df_emulation_products();
    for (int i = 0; i < (p->in_place ? 1 : 2); i++) /* again with the plan that is there */
        assert_int_equal(p->backward ? backend->ops->linear_backward(backend, linear, from, to, p->in_place)
                                     : backend->ops->linear_forward(backend, linear, from, to,
                                                                    !p->residual  ? NULL
                                                                    : p->in_place ? on_y
                                                                                  : on_old),
                         0);
    *taken = (df_emulation_products() - before) / (p->in_place ? 1 : 2);
    float *result = get(backend, on_y, (size_t)(ROWS * to_cols), p->out_type);
    backend->ops->free(backend, on_x);
    backend->ops->free(backend, on_old);
    backend->ops->linear_free(backend, linear);
    df_backend_close(backend);
    df_emulation_set_refusals(0);
    free(weight);
    free(bias);
    free(x);
    free(old);
    return result;
}

static void results_are_the_same(void **state)
{
    static const unsigned refusals[] = {
        DF_REFUSE_UNALIGNED,
        DF_REFUSE_EPILOGUE,
        DF_REFUSE_NARROW,
        DF_REFUSE_ALL,
        DF_REFUSE_UNALIGNED | DF_REFUSE_EPILOGUE | DF_REFUSE_NARROW,
    };

    (void)state;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        const struct product *p = &products[i];
        const size_t count = (size_t)ROWS * (size_t)(p->backward ? p->in : OUT);
        int taken;
        float *want = multiply(p, 0, &taken);
        assert_int_equal(taken, 1);
        for (size_t k = 0; k < 2 * sizeof refusals / sizeof *refusals; k++) {
            const unsigned refused = refusals[k / 2] | (k % 2 ? (unsigned)DF_REFUSE_LATE : 0u);
            float *result = multiply(p, refused, &taken);
            assert_int_equal(taken, refused & DF_REFUSE_ALL ? 0 : 1);
            for (size_t j = 0; j < count; j++) {
                const float tolerance = p->out_type == DF_BF16 ? fabsf(want[j]) / 128 + 1e-3f : 1e-4f;
                if (!(fabsf(result[j] - want[j]) <= tolerance))
                    fail_msg("product %zu, refusals %u: %zu is %g, not %g", i, refused, j, result[j],
                             want[j]);
            }
            free(result);
        }
        free(want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

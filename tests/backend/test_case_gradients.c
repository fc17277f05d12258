/* The plain loops of backward passes against finite differences of those of the forward passes. */
#include "support/cmocka_all.h"

#include "dinoft/error.h"
#include "dinoft/operation_case.h"

#include <math.h>

#define STEP      0x1p-8f
#define TOLERANCE 2e-3
#define ELEMENTS  12 /* of a tensor that are moved */

/* What the objective gains a unit when element k of the tensor is moved. */
static double slope(const struct df_case *c, int tensor, int64_t k)
{
    float *value = &c->tensors[tensor].values[k];
    const float before = *value;

    *value = before + STEP;
    const double up = c->set->objective(c), high = (double)*value;
    *value = before - STEP;
    const double down = c->set->objective(c), low = (double)*value;
    *value = before;
    return (up - down) / (high - low);
}

/* What differences are measured by: a gradient may be small in all its elements. */
static double size_of(const struct df_case_tensor *output)
{
    double largest = 0.0;

    for (int64_t k = 0; k < output->count; k++) {
        const double before = output->role == DF_CASE_IN_OUT ? (double)output->values[k] : 0.0;
        largest = fmax(largest, fabs(output->expected[k] - before));
    }
    return fmin(1.0, largest);
}

static void check_gradient(const struct df_case *c, struct df_case_gradient gradient)
{
    const struct df_case_tensor *output = &c->tensors[gradient.output];
    const int64_t count = output->count, step = count / ELEMENTS + 1;
    const double size = size_of(output);

    for (int64_t k = 0; k < count; k += step) {
        if (isnan(output->expected[k])) /* not asked for */
            continue;
        const double before = output->role == DF_CASE_IN_OUT ? (double)output->values[k] : 0.0;
        const double expected = slope(c, gradient.input, k), got = output->expected[k] - before;
        if (!(fabs(got - expected) <= TOLERANCE * fmax(size, fabs(expected))))
            fail_msg("%s, sizes %lld %lld %lld …, tensor %d, element %lld: %g, but the difference is %g",
                     c->set->operation, (long long)c->n[0], (long long)c->n[1], (long long)c->n[2],
                     gradient.input, (long long)k, got, expected);
    }
}

static void gradients_are_derivatives(void **state)
{
    int checked = 0;

    (void)state;
    for (int s = 0; s < df_n_case_sets; s++) {
        const struct df_case_set *set = df_case_sets[s];
        assert_true((set->objective != NULL) == (set->n_gradients > 0));
        for (int i = 0; set->objective && i < set->n_odd; i++) {
            struct df_case c;
            if (df_case_open(&c, set, set->odd[i], DF_F32, 1) != 0 || df_case_expect(&c) != 0)
                fail_msg("%s", df_error_text());
            for (int g = 0; g < set->n_gradients; g++) {
                /* What works in place has no such tensor, and the same result. */
                if (set->gradients[g].output < c.n_tensors) {
                    check_gradient(&c, set->gradients[g]);
                    checked++;
                }
            }
            df_case_close(&c);
        }
    }
    assert_true(checked > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_are_derivatives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What frozen layers keep from call to call: copies of their weights, and primitives of many shapes. The
 * sizes are those of src/backend/cases/linear.c: out, in, rows and the usual number of them. */
#include "precisions.h"

#include "src/backend/cases/build.h"

#include <string.h>

static void check(struct df_backend *backend, const struct df_case_set *set,
                  const int64_t sizes[DF_CASE_SIZES], bool forget)
{
    struct df_case c;
    struct df_case_run run;
    struct df_case_error error;

    assert_int_equal(df_case_open(&c, set, sizes, backend->compute, 1), 0);
    assert_int_equal(df_case_expect(&c), 0);
    assert_int_equal(df_case_run_open(&run, &c, backend), 0);
    if (forget) {
        memset(c.linear_weight, 0, (size_t)(c.linear_out * c.linear_in) * sizeof *c.linear_weight);
        memset(c.linear_bias, 0, (size_t)c.linear_out * sizeof *c.linear_bias);
    }
    assert_int_equal(df_case_call(&c, &run), 0);
    assert_int_equal(df_case_compare(&c, &run, &error), 0);
    assert_true(error.agrees);
    df_case_run_close(&run);
    df_case_close(&c);
}

static void weights_are_copied(void **state)
{
    static const int64_t sizes[DF_CASE_SIZES] = {9, 8, 4, 4};

    check(*state, &df_cases_linear_forward, sizes, true);
    check(*state, &df_cases_linear_backward, sizes, true);
}

/* More shapes than the cache of primitives holds, and some of them again. */
static void many_row_counts_are_served(void **state)
{
    for (int64_t rows = 1; rows <= 300; rows++)
        check(*state, &df_cases_linear_forward, (const int64_t[DF_CASE_SIZES]){6, 4, rows, 400}, false);
    for (int64_t rows = 1; rows <= 300; rows += 50)
        check(*state, &df_cases_linear_forward, (const int64_t[DF_CASE_SIZES]){6, 4, rows, 400}, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_copied),
        cmocka_unit_test(many_row_counts_are_served),
    };
    return run_in_both_precisions(tests);
}

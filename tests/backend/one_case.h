/* One case of an operation, for tests that run it at sizes or with values of their own. */
#ifndef TESTS_ONE_CASE_H
#define TESTS_ONE_CASE_H

#include "dinoft/error.h"
#include "dinoft/operation_case.h"

#include "support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

/* To be closed with df_case_close. */
static inline struct df_case test_case(const char *operation, const int64_t sizes[DF_CASE_SIZES],
                                       enum df_dtype act)
{
    struct df_case c = {0};

    for (int i = 0; i < df_n_case_sets && !c.set; i++) {
        if (strcmp(df_case_sets[i]->operation, operation) == 0 &&
            df_case_open(&c, df_case_sets[i], sizes, act, 7) != 0)
            fail_msg("%s", df_error_text());
    }
    assert_non_null(c.set);
    return c;
}

/* To be closed with df_case_run_close. */
static inline struct df_case_run test_run_case(const struct df_case *c, struct df_backend *backend)
{
    struct df_case_run run;

    if (df_case_run_open(&run, c, backend) != 0 || df_case_call(c, &run) != 0)
        fail_msg("%s", df_error_text());
    return run;
}

/* The tensor's floats; the caller frees. */
static inline float *test_tensor(const struct df_case *c, const struct df_case_run *run, int number)
{
    const struct df_case_tensor *tensor = &c->tensors[number];
    const enum df_dtype type = df_case_type(tensor, run->backend);
    const size_t count = (size_t)tensor->count, bytes = count * df_dtype_size(type);
    float *values = malloc(count * sizeof *values);
    void *raw = malloc(bytes);

    assert_true(values && raw);
    assert_int_equal(run->backend->ops->download(run->backend, raw, run->memory[number], bytes), 0);
    df_convert_to_f32(values, raw, type, count);
    free(raw);
    return values;
}

/* Closes both. */
static inline void test_agrees_with_loops(struct df_case *c, struct df_case_run *run)
{
    struct df_case_error error;

    if (df_case_expect(c) != 0 || df_case_compare(c, run, &error) != 0)
        fail_msg("%s", df_error_text());
    if (!error.agrees)
        fail_msg("%s in %s, sizes %lld %lld %lld %lld %lld …: tensor %d is off by %g, which may be %g",
                 c->set->operation, df_dtype_name(c->act), (long long)c->n[0], (long long)c->n[1],
                 (long long)c->n[2], (long long)c->n[3], (long long)c->n[4], error.tensor, error.error,
                 error.tolerance);
    df_case_run_close(run);
    df_case_close(c);
}

#endif

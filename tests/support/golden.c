#include "support/errors.h"
#include "support/golden.h"

#include "dinoft/program.h"
#include "dinoft/weight_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *fixture_path(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4], *prefix = df_program_prefix();
    assert_works(prefix);
    snprintf(path, sizeof paths[0], "%s/tests/fixtures/%s", prefix, name);
    free(prefix);
    return path;
}

struct df_state *fixture_read(const char *name)
{
    struct df_state *state = df_weight_file_read(fixture_path(name), NULL);
    assert_works(state);
    return state;
}

const struct df_tensor *golden_tensor(const struct df_state *state, const char *name)
{
    const struct df_entry *entry = df_state_find(state, name);
    if (!entry)
        fail_msg("the fixture has no %s", name);
    return &entry->tensor;
}

const float *golden_floats(const struct df_state *state, const char *name)
{
    const struct df_tensor *tensor = golden_tensor(state, name);
    assert_int_equal(tensor->dtype, DF_F32);
    assert_int_equal((uintptr_t)tensor->data % sizeof(float), 0);
    return tensor->data;
}

double relative_error(const float *a, const float *b, size_t count)
{
    double largest = 0.0, error = 0.0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= error) && !isnan(error)) /* a NaN must not pass, and stays */
            error = difference;
        if (fabs((double)b[i]) > largest)
            largest = fabs((double)b[i]);
    }
    return largest > 0.0 ? error / largest : error;
}

double cosine_similarity(const float *a, const float *b, size_t count)
{
    double product = 0.0, first = 0.0, second = 0.0;
    for (size_t i = 0; i < count; i++) {
        product += (double)a[i] * (double)b[i];
        first += (double)a[i] * (double)a[i];
        second += (double)b[i] * (double)b[i];
    }
    return product / sqrt(first * second);
}

void assert_close(const char *what, const float *a, const float *b, size_t count, double tolerance)
{
    double error = relative_error(a, b, count);
    if (!(error <= tolerance))
        fail_msg("%s: relative error %.3g, allowed %.3g", what, error, tolerance);
}

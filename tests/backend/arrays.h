/* Arrays for the tests of matrix products, convolution and attention. */
#ifndef TESTS_BACKEND_ARRAYS_H
#define TESTS_BACKEND_ARRAYS_H

#include "dinoft/rng.h"

#include "support/cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Uniform in [-1, 1); the caller frees. */
static inline float *random_array(int64_t count, uint64_t seed)
{
    float *array = malloc((size_t)count * sizeof *array);
    struct df_rng rng;

    assert_non_null(array);
    df_rng_seed(&rng, seed, 0);
    for (int64_t i = 0; i < count; i++)
        array[i] = (float)df_rng_uniform(&rng, -1.0, 1.0);
    return array;
}

/* What an operation must overwrite without reading. */
static inline float *nan_array(int64_t count)
{
    float *array = malloc((size_t)count * sizeof *array);

    assert_non_null(array);
    for (int64_t i = 0; i < count; i++)
        array[i] = NAN;
    return array;
}

static inline float *copy_array(const float *source, int64_t count)
{
    float *array = malloc((size_t)count * sizeof *array);

    assert_non_null(array);
    memcpy(array, source, (size_t)count * sizeof *array);
    return array;
}

#define assert_close(actual, expected, tolerance)                                                            \
    do {                                                                                                     \
        double close_actual = (actual), close_expected = (expected), close_tolerance = (tolerance);          \
        if (!(fabs(close_actual - close_expected) <= close_tolerance))                                       \
            fail_msg("%.9g where %.9g +- %.2g was expected", close_actual, close_expected, close_tolerance); \
    } while (0)

#define assert_same_bits(a, b, count) assert_memory_equal(a, b, (size_t)(count) * sizeof(float))

#endif

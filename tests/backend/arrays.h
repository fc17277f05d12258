/* Arrays for the tests of matrix products, convolution and attention. */
#ifndef TESTS_BACKEND_ARRAYS_H
#define TESTS_BACKEND_ARRAYS_H

#include "dinoft/backend.h"
#include "dinoft/dtype.h"
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

/* Each value as `type` (float32 or bfloat16) holds it. */
static inline void round_to(enum df_dtype type, float *values, int64_t count)
{
    for (int64_t i = 0; type == DF_BF16 && i < count; i++)
        values[i] = df_bf16_to_f32(df_f32_to_bf16(values[i]));
}

/* Random numbers that `type` holds exactly. */
static inline float *random_values(enum df_dtype type, int64_t count, uint64_t seed)
{
    float *array = random_array(count, seed);

    round_to(type, array, count);
    return array;
}

/* values as an array of `type`, and back; the caller frees. */
static inline void *to_type(enum df_dtype type, const float *values, int64_t count)
{
    void *array = malloc((size_t)count * df_dtype_size(type) + 1);

    assert_non_null(array);
    assert_int_equal(df_convert_from_f32(array, type, values, (size_t)count), 0);
    return array;
}

static inline float *from_type(enum df_dtype type, const void *values, int64_t count)
{
    float *array = malloc((size_t)count * sizeof *array + 1);

    assert_non_null(array);
    df_convert_to_f32(array, values, type, (size_t)count);
    return array;
}

/* A copy in the device's memory, and the way back, which frees that: operations work on nothing else. */
static inline void *put(struct df_backend *backend, const void *host, size_t bytes)
{
    void *memory = backend->ops->alloc(backend, bytes);

    assert_non_null(memory);
    assert_int_equal(backend->ops->upload(backend, memory, host, bytes), 0);
    return memory;
}

static inline void get(struct df_backend *backend, void *host, void *memory, size_t bytes)
{
    assert_int_equal(backend->ops->download(backend, host, memory, bytes), 0);
    backend->ops->free(backend, memory);
}

/* The same for float32; NULL is put as NULL. */
static inline float *put_floats(struct df_backend *backend, const float *values, int64_t count)
{
    return values ? put(backend, values, (size_t)count * sizeof *values) : NULL;
}

static inline void get_floats(struct df_backend *backend, float *values, float *memory, int64_t count)
{
    get(backend, values, memory, (size_t)count * sizeof *values);
}

/* How far a float32 sum of `terms` products of numbers below 1 may be from the exact one, and a value of
 * `type` that it was rounded to. */
static inline double sum_tolerance(enum df_dtype type, int64_t terms, double expected)
{
    const double rounding = type == DF_BF16 ? 1.0 / 256.0 : 0.0; /* half a unit is at most 2^-8 of a value */

    return 1e-6 * (double)terms + 1e-6 + rounding * fabs(expected);
}

#define assert_close(actual, expected, tolerance)                                                            \
    do {                                                                                                     \
        double close_actual = (actual), close_expected = (expected), close_tolerance = (tolerance);          \
        if (!(fabs(close_actual - close_expected) <= close_tolerance))                                       \
            fail_msg("%.9g where %.9g +- %.2g was expected", close_actual, close_expected, close_tolerance); \
    } while (0)

#define assert_same_bits(a, b, count) assert_memory_equal(a, b, (size_t)(count) * sizeof(float))

#endif

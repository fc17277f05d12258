#include "selftest_case.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/rng.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void selftest_shape(struct selftest_case *test, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(test->shape, sizeof test->shape, format, arguments);
    va_end(arguments);
}

static void *room(struct selftest_case *test, int64_t count, size_t size)
{
    void *memory = calloc((size_t)count + 1, size);
    if (!memory)
        test->failed = df_error_memory("a tensor of the selftest", (unsigned long long)count * size);
    return memory;
}

static void fill(struct selftest_case *test, float *values, int64_t count, bool act, double mean,
                 double deviation)
{
    uint64_t at = df_rng_below(test->rng, SELFTEST_NORMALS);

    for (int64_t i = 0; values && i < count; i++) {
        const float value = (float)(mean + deviation * test->normals[at]);
        values[i] = act && test->device_type == DF_BF16 ? df_bf16_to_f32(df_f32_to_bf16(value)) : value;
        at = at + 1 < SELFTEST_NORMALS ? at + 1 : 0;
    }
}

static int add_tensor(struct selftest_case *test, enum selftest_role role, enum df_dtype type, bool act,
                      int64_t count)
{
    const int number = test->n_tensors++;
    struct selftest_tensor *tensor = &test->tensors[number];

    *tensor = (struct selftest_tensor){.role = role, .type = type, .act = act, .count = count};
    if (type == DF_U8)
        tensor->bytes = room(test, count, 1);
    else
        tensor->values = room(test, count, sizeof *tensor->values);
    return number;
}

int selftest_input(struct selftest_case *test, bool act, int64_t count, double mean, double deviation)
{
    const int number = add_tensor(test, ROLE_IN, DF_F32, act, count);
    fill(test, test->tensors[number].values, count, act, mean, deviation);
    return number;
}

int selftest_in_out(struct selftest_case *test, bool act, int64_t count, double mean, double deviation)
{
    const int number = add_tensor(test, ROLE_IN_OUT, DF_F32, act, count);
    fill(test, test->tensors[number].values, count, act, mean, deviation);
    return number;
}

int selftest_output(struct selftest_case *test, bool act, int64_t count)
{
    return add_tensor(test, ROLE_OUT, DF_F32, act, count);
}

int selftest_bytes(struct selftest_case *test, int64_t count, int bound, bool ignored)
{
    const int number = add_tensor(test, ROLE_IN, DF_U8, false, count);
    uint8_t *bytes = test->tensors[number].bytes;

    for (int64_t i = 0; bytes && i < count; i++)
        bytes[i] =
            ignored && i % 16 == 7 ? DF_IGNORE_LABEL : (uint8_t)df_rng_below(test->rng, (uint64_t)bound);
    return number;
}

int selftest_output_bytes(struct selftest_case *test, int64_t count)
{
    return add_tensor(test, ROLE_OUT, DF_U8, false, count);
}

void selftest_linear(struct selftest_case *test, int64_t out, int64_t in, int64_t rows)
{
    test->linear_out = out;
    test->linear_in = in;
    test->linear_rows = rows;
    test->linear_weight = room(test, out * in, sizeof *test->linear_weight);
    test->linear_bias = room(test, out, sizeof *test->linear_bias);
    fill(test, test->linear_weight, out * in, true, 0.0, 1.0 / sqrt((double)in));
    fill(test, test->linear_bias, out, true, 0.0, 0.1);
}

void selftest_free(struct selftest_case *test)
{
    for (int i = 0; i < test->n_tensors; i++) {
        free(test->tensors[i].values);
        free(test->tensors[i].bytes);
    }
    free(test->linear_weight);
    free(test->linear_bias);
}

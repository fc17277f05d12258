/* Building cases. */
#include "build.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/rng.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Values repeat after so many: a prime, so that no two rows of a tensor are equal. */
#define PERIOD 65521

static void *host_buffer(struct df_case *c, int64_t count, size_t size)
{
    void *memory = calloc((size_t)count + 1, size);
    if (!memory)
        c->failed = df_error_memory("a tensor of a case", (unsigned long long)count * size);
    return memory;
}

/* Each array of a case has a stream of its own. */
static void fill(struct df_case *c, uint64_t stream, float *values, int64_t count, enum df_dtype type,
                 double mean, double deviation)
{
    struct df_rng rng;

    df_rng_seed(&rng, c->seed, stream);
    for (int64_t i = 0; values && i < count && i < PERIOD; i++) {
        const float value = (float)(mean + deviation * df_rng_normal(&rng));
        values[i] = type == DF_BF16 ? df_bf16_to_f32(df_f32_to_bf16(value)) : value;
    }
    for (int64_t i = PERIOD; values && i < count; i++)
        values[i] = values[i - PERIOD];
}

static struct df_case_tensor *add(struct df_case *c, enum df_case_role role, enum df_dtype type,
                                  int64_t count, double tolerance)
{
    assert(c->n_tensors < DF_CASE_TENSORS);
    struct df_case_tensor *tensor = &c->tensors[c->n_tensors++];

    *tensor = (struct df_case_tensor){.role = role, .type = type, .count = count, .tolerance = tolerance};
    if (type == DF_U8 || type == DF_I64)
        tensor->bytes = host_buffer(c, count, df_dtype_size(type));
    else
        tensor->values = host_buffer(c, count, sizeof *tensor->values);
    return tensor;
}

void df_case_in_out(struct df_case *c, enum df_dtype type, int64_t count, double mean, double deviation,
                    double tolerance)
{
    const struct df_case_tensor *tensor = add(c, DF_CASE_IN_OUT, type, count, tolerance);
    fill(c, (uint64_t)c->n_tensors, tensor->values, count, type, mean, deviation);
}

void df_case_in(struct df_case *c, enum df_dtype type, int64_t count, double mean, double deviation)
{
    df_case_in_out(c, type, count, mean, deviation, 0.0);
    c->tensors[c->n_tensors - 1].role = DF_CASE_IN;
}

void df_case_out(struct df_case *c, enum df_dtype type, int64_t count, double tolerance)
{
    add(c, DF_CASE_OUT, type, count, tolerance);
}

void df_case_in_bytes(struct df_case *c, int64_t count, int bound, bool ignored)
{
    uint8_t *bytes = add(c, DF_CASE_IN, DF_U8, count, 0.0)->bytes;
    struct df_rng rng;

    df_rng_seed(&rng, c->seed, (uint64_t)c->n_tensors);
    for (int64_t i = 0; bytes && i < count; i++)
        bytes[i] = ignored && i % 16 == 7    ? DF_IGNORE_LABEL
                   : !ignored && i >= PERIOD ? bytes[i - PERIOD]
                                             : (uint8_t)df_rng_below(&rng, (uint64_t)bound);
}

void df_case_on_host(struct df_case *c)
{
    c->tensors[c->n_tensors - 1].on_host = true;
}

void df_case_product(struct df_case *c, enum df_dtype type, int64_t rows, int64_t cols, int64_t ld,
                     bool accumulate, double tolerance)
{
    df_case_in_out(c, type, rows * ld, accumulate ? 0.0 : NAN, 1.0, tolerance);
    float *values = c->tensors[c->n_tensors - 1].values;
    for (int64_t i = 0; values && i < rows * ld; i++)
        values[i] = i % ld < cols ? values[i] : NAN;
}

void df_case_linear(struct df_case *c, enum df_dtype type, int64_t out, int64_t in, int64_t usual_rows)
{
    c->linear_out = out;
    c->linear_in = in;
    c->linear_rows = usual_rows;
    c->linear_weight = host_buffer(c, out * in, sizeof *c->linear_weight);
    fill(c, DF_CASE_TENSORS + 1, c->linear_weight, out * in, type, 0.0, 1.0 / sqrt((double)in));
}

void df_case_bias(struct df_case *c, enum df_dtype type)
{
    c->linear_bias = host_buffer(c, c->linear_out, sizeof *c->linear_bias);
    fill(c, DF_CASE_TENSORS + 2, c->linear_bias, c->linear_out, type, 0.0, 0.1);
}

int df_case_open(struct df_case *c, const struct df_case_set *set, const int64_t sizes[DF_CASE_SIZES],
                 enum df_dtype act, uint64_t seed)
{
    *c = (struct df_case){.set = set, .act = act, .seed = seed};
    memcpy(c->n, sizes, sizeof c->n);
    set->build(c);
    return c->failed;
}

void df_case_close(struct df_case *c)
{
    for (int i = 0; i < c->n_tensors; i++) {
        free(c->tensors[i].values);
        free(c->tensors[i].bytes);
        free(c->tensors[i].expected);
    }
    free(c->linear_weight);
    free(c->linear_bias);
}

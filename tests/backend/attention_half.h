/* A problem for attention in bfloat16: the same numbers rounded, on the device and off it. */
#ifndef TESTS_ATTENTION_HALF_H
#define TESTS_ATTENTION_HALF_H

#include "attention_problem.h"

#include "dinoft/dtype.h"

/* Relative to the length of the whole tensor: P, dS and the results are rounded to eight bits. */
#define TOLERANCE 4e-3

struct half {
    uint16_t *qkv, *dout, *out, *dqkv;
};

/* Rounds the problem's inputs, in float and as bf16. */
static inline uint16_t *rounded(float *values, int64_t count)
{
    uint16_t *bits = malloc((size_t)count * sizeof *bits);
    assert_non_null(bits);
    assert_int_equal(df_convert_from_f32(bits, DF_BF16, values, (size_t)count), 0);
    df_convert_to_f32(values, bits, DF_BF16, (size_t)count);
    return bits;
}

static inline struct half make_half(struct problem *p)
{
    struct half half = {.qkv = rounded(p->qkv, 3 * p->out_count), .dout = rounded(p->dout, p->out_count)};
    half.out = malloc((size_t)p->out_count * sizeof *half.out);
    half.dqkv = malloc((size_t)p->out_count * 3 * sizeof *half.dqkv);
    assert_true(half.out && half.dqkv);
    memset(half.out, 0xff, (size_t)p->out_count * sizeof *half.out); /* NaN */
    memset(half.dqkv, 0xff, (size_t)p->out_count * 3 * sizeof *half.dqkv);
    return half;
}

static inline void free_half(struct half *half)
{
    free(half->qkv);
    free(half->dout);
    free(half->out);
    free(half->dqkv);
}

/* Without an lse where the problem has none. */
static inline void run_forward(struct df_backend *backend, struct problem *p, struct half *half)
{
    const size_t out_bytes = (size_t)p->out_count * sizeof *half->out;
    void *qkv = put(backend, half->qkv, 3 * out_bytes), *out = put(backend, half->out, out_bytes);
    float *lse = put_floats(backend, p->lse, p->lse_count);

    assert_int_equal(backend->ops->attention_forward(backend, p->shape, qkv, out, lse), 0);
    get(backend, half->out, out, out_bytes);
    if (lse)
        get_floats(backend, p->lse, lse, p->lse_count);
    backend->ops->free(backend, qkv);
}

/* Distance of a bf16 array from doubles, relative to their length. */
static inline void check_array(const char *what, const uint16_t *bits, const double *expected, int64_t count)
{
    double distance = 0.0, length = 0.0;
    for (int64_t i = 0; i < count; i++) {
        const double difference = (double)df_bf16_to_f32(bits[i]) - expected[i];
        distance += difference * difference;
        length += expected[i] * expected[i];
    }
    if (!(sqrt(distance) <= TOLERANCE * sqrt(length) + 1e-6))
        fail_msg("%s: distance %.3g of length %.3g", what, sqrt(distance), sqrt(length));
}

#endif

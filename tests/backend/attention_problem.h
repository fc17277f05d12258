/* A problem for attention and what plain loops in double precision make of it. */
#ifndef TESTS_ATTENTION_PROBLEM_H
#define TESTS_ATTENTION_PROBLEM_H

#include "dinoft/backend.h"

#include "arrays.h"

/* qkv [B, N, 3, heads, head_size] and the rest, with what the backend and the plain loops make of them. */
struct problem {
    struct df_attention_shape shape;
    int64_t dim, out_count, lse_count;
    float *qkv, *dout;
    float *out, *lse, *dqkv;
};

static inline struct problem make_problem(int64_t batch, int64_t tokens, int64_t heads, int64_t head_size)
{
    struct problem p = {.shape = {batch, tokens, heads, head_size}, .dim = heads * head_size};

    p.out_count = batch * tokens * p.dim;
    p.lse_count = batch * heads * tokens;
    p.qkv = random_array(3 * p.out_count, 1);
    p.dout = random_array(p.out_count, 2);
    p.out = nan_array(p.out_count);
    p.lse = nan_array(p.lse_count);
    p.dqkv = nan_array(3 * p.out_count);
    return p;
}

static inline void free_problem(struct problem *p)
{
    free(p->qkv);
    free(p->dout);
    free(p->out);
    free(p->lse);
    free(p->dqkv);
}

/* Where row `token` of q (part 0), k (1) or v (2) of a head starts. */
static inline int64_t place(const struct problem *p, int64_t image, int64_t token, int part, int64_t head)
{
    return ((image * p->shape.tokens + token) * 3 + part) * p->dim + head * p->shape.head_size;
}

static inline double dot(const float *a, const float *b, int64_t count)
{
    double sum = 0.0;

    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * b[i];
    return sum;
}

/* probabilities [N] of one query; returns the log of the sum of exponentials. */
static inline double softmax_row(const struct problem *p, int64_t image, int64_t head, int64_t query,
                                 double *probabilities)
{
    const int64_t n = p->shape.tokens, size = p->shape.head_size;
    const double scale = 1.0 / sqrt((double)size);
    double largest = -INFINITY, sum = 0.0;

    for (int64_t j = 0; j < n; j++) {
        probabilities[j] =
            scale * dot(p->qkv + place(p, image, query, 0, head), p->qkv + place(p, image, j, 1, head), size);
        largest = fmax(largest, probabilities[j]);
    }
    for (int64_t j = 0; j < n; j++)
        sum += exp(probabilities[j] - largest);
    for (int64_t j = 0; j < n; j++)
        probabilities[j] = exp(probabilities[j] - largest) / sum;
    return largest + log(sum);
}

/* Adds what one query gives to out and dqkv (same layouts as the float arrays). */
static inline void reference_query(const struct problem *p, int64_t image, int64_t head, int64_t query,
                                   const double *probabilities, double *out, double *dqkv)
{
    const int64_t n = p->shape.tokens, size = p->shape.head_size;
    const double scale = 1.0 / sqrt((double)size);
    const int64_t row = (image * n + query) * p->dim + head * size, q = place(p, image, query, 0, head);
    double delta = 0.0;

    for (int64_t j = 0; j < n; j++)
        delta += probabilities[j] * dot(p->dout + row, p->qkv + place(p, image, j, 2, head), size);
    for (int64_t j = 0; j < n; j++) {
        const int64_t k = place(p, image, j, 1, head), v = place(p, image, j, 2, head);
        const double ds = scale * probabilities[j] * (dot(p->dout + row, p->qkv + v, size) - delta);
        for (int64_t c = 0; c < size; c++) {
            out[row + c] += probabilities[j] * p->qkv[v + c];
            dqkv[q + c] += ds * p->qkv[k + c];
            dqkv[k + c] += ds * p->qkv[q + c];
            dqkv[v + c] += probabilities[j] * p->dout[row + c];
        }
    }
}

#endif

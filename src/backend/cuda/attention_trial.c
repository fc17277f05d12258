/* Which of cuDNN's plans are right, and which algorithm is the fastest. */
#include "attention_plan.h"

#include "autotune_cache.h"
#include "numeric_check.h"

/* How far results may lie from our kernel's (numeric_check.h). Both round the softmax's weights, the results
 * and, backwards, the gradient of the scores to eight bits. */
#define OUT_TOLERANCE      (1.0f / 64.0f)
#define LSE_TOLERANCE      1e-3f
#define GRADIENT_TOLERANCE (1.0f / 32.0f)

/* A call: our kernel writes its results to the caller's arrays, plans to two others. */
struct trial {
    struct df_backend *backend;
    const struct df_attention_choices *choices;
    struct df_attention_arrays own, first, second;
    int count, algorithms[DF_ATTENTION_ALGORITHMS]; /* that are timed */
};

static bool is_gradient(const struct df_attention_choices *choices)
{
    return choices->problem.pass == DF_ATTENTION_BACKWARD;
}

static size_t out_count(const struct df_attention_choices *choices)
{
    const struct df_attention_shape *shape = &choices->problem.shape;

    return (size_t)(shape->batch * shape->tokens * shape->heads * shape->head_size);
}

static size_t lse_count(const struct df_attention_choices *choices)
{
    const struct df_attention_shape *shape = &choices->problem.shape;

    return choices->problem.pass == DF_ATTENTION_TRAINING
               ? (size_t)(shape->batch * shape->heads * shape->tokens)
               : 0;
}

/* Results in one buffer: out, then lse; or dqkv. */
static size_t lse_offset(const struct df_attention_choices *choices)
{
    return df_cuda_aligned((is_gradient(choices) ? 3 : 1) * out_count(choices) * sizeof(uint16_t));
}

static size_t result_bytes(const struct df_attention_choices *choices)
{
    return df_cuda_aligned(lse_offset(choices) + lse_count(choices) * sizeof(float));
}

/* The arrays of a call, with its results in `buffer`. */
static struct df_attention_arrays with_results(const struct df_attention_choices *choices,
                                               const struct df_attention_arrays *arrays, char *buffer)
{
    struct df_attention_arrays moved = *arrays;

    if (is_gradient(choices)) {
        moved.dqkv = buffer;
    } else {
        moved.out = buffer;
        moved.lse = lse_count(choices) ? (float *)(void *)(buffer + lse_offset(choices)) : NULL;
    }
    return moved;
}

struct tolerances {
    float out, lse, gradient;
};

static bool are_close(const struct trial *trial, const struct df_attention_arrays *a,
                      const struct df_attention_arrays *b, struct tolerances tolerances)
{
    const struct df_attention_choices *choices = trial->choices;
    const struct df_attention_shape *shape = &choices->problem.shape;
    const size_t count = out_count(choices);
    const struct df_interleaved parts = {3, (size_t)(shape->heads * shape->head_size)};

    if (is_gradient(choices))
        return df_cuda_is_close(trial->backend, DF_BF16, a->dqkv, b->dqkv, 3 * count, parts,
                                tolerances.gradient);
    return df_cuda_is_close(trial->backend, DF_BF16, a->out, b->out, count, DF_ONE_KIND, tolerances.out) &&
           df_cuda_is_close(trial->backend, DF_F32, a->lse, b->lse, lse_count(choices), DF_ONE_KIND,
                            tolerances.lse);
}

/* What a plan does not write is NaN. */
static bool run_anew(const struct trial *trial, int algorithm, const struct df_attention_arrays *arrays)
{
    void *results = is_gradient(trial->choices) ? arrays->dqkv : arrays->out;

    return cudaMemsetAsync(results, 0xff, result_bytes(trial->choices),
                           df_cuda_context(trial->backend)->stream) == cudaSuccess &&
           df_attention_run(trial->backend, trial->choices, algorithm, arrays);
}

/* Whether a plan's results are our kernel's, and the same when it runs again: its engine's notes do not
 * guarantee it. */
static bool is_right(const struct trial *trial, int algorithm)
{
    static const struct tolerances rounding = {OUT_TOLERANCE, LSE_TOLERANCE, GRADIENT_TOLERANCE},
                                   none = {0.0f, 0.0f, 0.0f};

    return trial->choices->plans[algorithm - 1].descriptor && run_anew(trial, algorithm, &trial->first) &&
           run_anew(trial, algorithm, &trial->second) &&
           are_close(trial, &trial->own, &trial->first, rounding) &&
           are_close(trial, &trial->first, &trial->second, none);
}

static bool run_timed(void *user, int number)
{
    const struct trial *trial = user;

    return df_attention_run(trial->backend, trial->choices, trial->algorithms[number], &trial->first);
}

static int find_fastest(struct trial *trial, bool one)
{
    if (!df_attention_run(trial->backend, trial->choices, DF_ATTENTION_OWN, &trial->own))
        return -1;
    trial->algorithms[trial->count++] = DF_ATTENTION_OWN;
    for (int i = 1; i < DF_ATTENTION_ALGORITHMS; i++) {
        if (is_right(trial, i))
            trial->algorithms[trial->count++] = i;
    }
    if (trial->count == 1)
        return -1;
    if (one)
        return trial->algorithms[1];
    const int fastest = df_autotune_fastest(df_cuda_context(trial->backend), trial->count, run_timed, trial);
    return fastest >= 0 ? trial->algorithms[fastest] : -1;
}

int df_attention_try(struct df_backend *backend, const struct df_attention_choices *choices,
                     const struct df_attention_arrays *arrays, bool one)
{
    const size_t bytes = result_bytes(choices);
    char *buffer = NULL;
    int fastest = -1;

    if (cudaMalloc((void **)&buffer, 2 * bytes) == cudaSuccess) {
        struct trial trial = {.backend = backend,
                              .choices = choices,
                              .own = *arrays,
                              .first = with_results(choices, arrays, buffer),
                              .second = with_results(choices, arrays, buffer + bytes)};
        fastest = find_fastest(&trial, one);
    }
    df_cuda_release(buffer);
    (void)cudaGetLastError();
    return fastest;
}

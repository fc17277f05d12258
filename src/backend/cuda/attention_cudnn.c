#include "attention_cudnn.h"

#include "attention_graph.h"
#include "autotune_cache.h"
#include "numeric_check.h"

#include "kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

#define PLANS_MAX 64

/* How far results may lie from our kernel's (numeric_check.h). Both round the softmax's weights and the
 * result to eight bits. */
#define OUT_TOLERANCE (1.0f / 64.0f)
#define LSE_TOLERANCE 1e-3f

/* The key of the autotune cache. */
struct key {
    int64_t batch, tokens, heads, head_size, with_lse;
};

#define KEY_LENGTH (sizeof(struct key) / sizeof(int64_t))

/* The algorithms: our own kernel, or cuDNN's engine algorithm - 1. */
#define OWN 0

struct plan {
    struct key key;
    int algorithm;
    struct df_attention_graph graph;
};

struct df_attention_plans {
    bool usable; /* whether cuDNN is used at all */
    struct df_autotune_cache cache;
    int n_plans;
    struct plan plans[PLANS_MAX];
};

struct call {
    struct df_backend *backend;
    struct df_attention_shape shape;
    const void *qkv;
    void *out;
    float *lse;
};

void df_attention_cudnn_close(struct df_cuda_context *context)
{
    struct df_attention_plans *plans = context->attentions;

    if (!plans)
        return;
    while (plans->n_plans > 0)
        df_attention_graph_close(&plans->plans[--plans->n_plans].graph, context);
    df_autotune_close(&plans->cache);
    free(plans);
    context->attentions = NULL;
}

/* NVIDIA's own frontend for graphs refuses attention in bfloat16 with these, because of bugs. */
static bool is_faulty(size_t version)
{
    return version == 91000 || version == 91001;
}

/* NULL where only our own kernels can be used. */
static struct df_attention_plans *open_plans(struct df_cuda_context *context)
{
    if (!context->attentions) {
        struct df_attention_plans *plans = calloc(1, sizeof *plans);
        if (!plans)
            return NULL;
        context->attentions = plans;
        plans->usable = df_autotune_is_possible() && df_cuda_have_cudnn(context) &&
                        !is_faulty(context->cudnn.cudnnGetVersion());
        if (plans->usable)
            df_autotune_open(&plans->cache, context, "cudnn-attention", context->cudnn.cudnnGetVersion(),
                             KEY_LENGTH, 1 + DF_ATTENTION_ENGINES_MAX);
    }
    return context->attentions->usable ? context->attentions : NULL;
}

static size_t out_count(const struct call *call)
{
    return (size_t)(call->shape.batch * call->shape.tokens * call->shape.heads * call->shape.head_size);
}

static size_t lse_count(const struct call *call)
{
    return call->lse ? (size_t)(call->shape.batch * call->shape.heads * call->shape.tokens) : 0;
}

/* The results in one buffer: out, then lse. */
static size_t out_bytes(const struct call *call)
{
    return df_cuda_aligned(out_count(call) * sizeof(uint16_t));
}

static size_t result_bytes(const struct call *call)
{
    return out_bytes(call) + lse_count(call) * sizeof(float);
}

static bool run(const struct call *call, struct plan *plan, int algorithm)
{
    struct df_cuda_context *context = df_cuda_context(call->backend);

    if (algorithm == OWN)
        return df_launch_attention_forward(context->stream, call->shape, DF_BF16, call->qkv, call->out,
                                           call->lse) == cudaSuccess;
    void *workspace = df_cuda_scratch(call->backend, plan->graph.engines[algorithm - 1].workspace + 1);
    return workspace && df_attention_graph_run(&plan->graph, context, algorithm - 1, call->shape, call->qkv,
                                               call->out, call->lse, workspace) == 0;
}

/* The same call with its results in `buffer`. */
static struct call trial_call(const struct call *call, void *buffer)
{
    struct call trial = *call;

    trial.out = buffer;
    trial.lse = call->lse ? (float *)(void *)((char *)buffer + out_bytes(call)) : NULL;
    return trial;
}

/* What an engine does not write is NaN. */
static bool try_engine(const struct call *trial, struct plan *plan, int engine)
{
    return cudaMemsetAsync(trial->out, 0xff, result_bytes(trial), df_cuda_context(trial->backend)->stream) ==
               cudaSuccess &&
           run(trial, plan, 1 + engine);
}

static bool results_are_close(const struct call *a, const struct call *b, float out_tolerance,
                              float lse_tolerance)
{
    return df_cuda_is_close(a->backend, DF_BF16, a->out, b->out, out_count(a), out_tolerance) &&
           df_cuda_is_close(a->backend, DF_F32, a->lse, b->lse, lse_count(a), lse_tolerance);
}

/* Whether an engine's results are those that our kernel left in the call's arrays, and the same when it runs
 * again: its behaviour notes do not guarantee it. Both trials' results are written. */
static bool engine_is_correct(const struct call *call, const struct call trials[2], struct plan *plan,
                              int engine)
{
    return df_attention_graph_prepare(&plan->graph, df_cuda_context(call->backend), engine) == 0 &&
           try_engine(&trials[0], plan, engine) && try_engine(&trials[1], plan, engine) &&
           results_are_close(call, &trials[0], OUT_TOLERANCE, LSE_TOLERANCE) &&
           results_are_close(&trials[0], &trials[1], 0.0f, 0.0f);
}

struct candidates {
    const struct call *call;
    struct plan *plan;
    int count, algorithms[1 + DF_ATTENTION_ENGINES_MAX];
};

static bool run_candidate(void *user, int candidate)
{
    const struct candidates *candidates = user;

    return run(candidates->call, candidates->plan, candidates->algorithms[candidate]);
}

/* `known` is the cached algorithm, -1 if there is none. */
static void choose_algorithm(struct df_attention_plans *plans, struct plan *plan, const struct call *call,
                             const struct call trials[2], int known)
{
    struct candidates candidates = {&trials[0], plan, 1, {OWN}};

    if (!run(call, plan, OWN))
        return;
    for (int engine = 0; engine < plan->graph.n_engines; engine++) {
        if ((known < 0 || known == 1 + engine) && engine_is_correct(call, trials, plan, engine))
            candidates.algorithms[candidates.count++] = 1 + engine;
    }
    if (candidates.count == 1)
        return;
    const int fastest = known < 0 ? df_autotune_fastest(df_cuda_context(call->backend), candidates.count,
                                                        run_candidate, &candidates)
                                  : 1;
    if (fastest < 0)
        return;
    plan->algorithm = candidates.algorithms[fastest];
    if (known < 0)
        (void)df_autotune_store(&plans->cache, (const int64_t *)&plan->key, plan->algorithm);
}

/* The results are compared in a temporary buffer. Without memory for it our own kernel is used. */
static void make_plan(struct df_attention_plans *plans, struct plan *plan, const struct call *call)
{
    struct df_cuda_context *context = df_cuda_context(call->backend);
    const size_t half = df_cuda_aligned(result_bytes(call));
    char *buffer = NULL;
    int known;

    if (df_autotune_find(&plans->cache, (const int64_t *)&plan->key, &known) != 0 || known == OWN)
        return;
    if (df_attention_graph_open(&plan->graph, context, call->shape, call->lse) == 0 &&
        cudaMalloc((void **)&buffer, 2 * half) == cudaSuccess) {
        const struct call trials[2] = {trial_call(call, buffer), trial_call(call, buffer + half)};
        choose_algorithm(plans, plan, call, trials, known);
    }
    df_cuda_release(buffer);
    if (plan->algorithm == OWN)
        df_attention_graph_close(&plan->graph, context);
    (void)cudaGetLastError();
}

static struct plan *find_plan(struct df_attention_plans *plans, const struct key *key)
{
    for (int i = 0; plans && i < plans->n_plans; i++) {
        if (memcmp(&plans->plans[i].key, key, sizeof *key) == 0)
            return &plans->plans[i];
    }
    return NULL;
}

bool df_attention_cudnn_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                void *out, float *lse)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    const struct call call = {backend, shape, qkv, out, lse};
    const struct key key = {shape.batch, shape.tokens, shape.heads, shape.head_size, lse != NULL};
    struct plan *plan = find_plan(context->attentions, &key);

    if (!plan) {
        struct df_attention_plans *plans = context->capturing ? NULL : open_plans(context);
        /* Plans stay for as long as graphs may hold their kernels; more shapes than that are left to ours. */
        if (!plans || plans->n_plans == PLANS_MAX)
            return false;
        plan = &plans->plans[plans->n_plans++];
        *plan = (struct plan){.key = key, .algorithm = OWN};
        make_plan(plans, plan, &call);
    }
    if (plan->algorithm == OWN)
        return false;
    if (run(&call, plan, plan->algorithm))
        return true;
    plan->algorithm = OWN;
    (void)cudaGetLastError();
    return false;
}

#include "attention_cudnn.h"

#include "agreement.h"
#include "attention_graph.h"
#include "choices.h"

#include "kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

#define PLANS_MOST 64

/* How far results may lie from our kernel's (agreement.h). Both round the softmax's weights and the result to
 * eight bits. */
#define OUT_TOLERANCE (1.0f / 64.0f)
#define LSE_TOLERANCE 1e-3f

/* What a shape is told apart by in the file. */
struct key {
    int64_t batch, tokens, heads, head_size, with_lse;
};

#define KEY_NUMBERS (sizeof(struct key) / sizeof(int64_t))

/* The way that is our own kernel; another `way` is cuDNN's engine way - 1. */
#define OWN 0

struct plan {
    struct key key;
    int way;
    struct df_attention_graph graph;
};

struct df_attention_plans {
    bool usable; /* whether cuDNN is asked at all */
    struct df_choices choices;
    int n_plans;
    struct plan plans[PLANS_MOST];
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
    df_choices_close(&plans->choices);
    free(plans);
    context->attentions = NULL;
}

/* NVIDIA's own frontend for graphs refuses attention in bfloat16 with these, because of bugs. */
static bool is_faulty(size_t version)
{
    return version == 91000 || version == 91001;
}

/* NULL where nothing but our own kernels comes into question. */
static struct df_attention_plans *open_plans(struct df_cuda_context *context)
{
    if (!context->attentions) {
        struct df_attention_plans *plans = calloc(1, sizeof *plans);
        if (!plans)
            return NULL;
        context->attentions = plans;
        plans->usable = df_choices_possible() && df_cuda_have_cudnn(context) &&
                        !is_faulty(context->cudnn.cudnnGetVersion());
        if (plans->usable)
            df_choices_open(&plans->choices, context, "cudnn-attention", context->cudnn.cudnnGetVersion(),
                            KEY_NUMBERS, 1 + DF_ATTENTION_ENGINES_MOST);
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

/* The results in one piece of memory: out, then lse. */
static size_t out_bytes(const struct call *call)
{
    return df_cuda_aligned(out_count(call) * sizeof(uint16_t));
}

static size_t result_bytes(const struct call *call)
{
    return out_bytes(call) + lse_count(call) * sizeof(float);
}

static bool run(const struct call *call, struct plan *plan, int way)
{
    struct df_cuda_context *context = df_cuda_context(call->backend);

    if (way == OWN)
        return df_launch_attention_forward(context->stream, call->shape, DF_BF16, call->qkv, call->out,
                                           call->lse) == cudaSuccess;
    void *workspace = df_cuda_scratch(call->backend, plan->graph.engines[way - 1].workspace + 1);
    return workspace && df_attention_graph_run(&plan->graph, context, way - 1, call->shape, call->qkv,
                                               call->out, call->lse, workspace) == 0;
}

/* The same call with results in memory of its own. */
static struct call trial_call(const struct call *call, void *room)
{
    struct call trial = *call;

    trial.out = room;
    trial.lse = call->lse ? (float *)(void *)((char *)room + out_bytes(call)) : NULL;
    return trial;
}

/* What an engine does not write is NaN. */
static bool try_engine(const struct call *trial, struct plan *plan, int engine)
{
    return cudaMemsetAsync(trial->out, 0xff, result_bytes(trial), df_cuda_context(trial->backend)->stream) ==
               cudaSuccess &&
           run(trial, plan, 1 + engine);
}

static bool results_agree(const struct call *a, const struct call *b, float out_tolerance,
                          float lse_tolerance)
{
    return df_cuda_arrays_agree(a->backend, DF_BF16, a->out, b->out, out_count(a), out_tolerance) &&
           df_cuda_arrays_agree(a->backend, DF_F32, a->lse, b->lse, lse_count(a), lse_tolerance);
}

/* Whether an engine's results are those that our kernel left in the call's arrays, and the same when it runs
 * again: its notes do not say so for certain. Both trials' results are written. */
static bool engine_agrees(const struct call *call, const struct call trials[2], struct plan *plan, int engine)
{
    return df_attention_graph_prepare(&plan->graph, df_cuda_context(call->backend), engine) == 0 &&
           try_engine(&trials[0], plan, engine) && try_engine(&trials[1], plan, engine) &&
           results_agree(call, &trials[0], OUT_TOLERANCE, LSE_TOLERANCE) &&
           results_agree(&trials[0], &trials[1], 0.0f, 0.0f);
}

struct race {
    const struct call *call;
    struct plan *plan;
    int n_ways, ways[1 + DF_ATTENTION_ENGINES_MOST];
};

static bool run_way(void *user, int way)
{
    const struct race *race = user;

    return run(race->call, race->plan, race->ways[way]);
}

/* `known` is the way that the file names, -1 if it names none. */
static void choose(struct df_attention_plans *plans, struct plan *plan, const struct call *call,
                   const struct call trials[2], int known)
{
    struct race race = {&trials[0], plan, 1, {OWN}};

    if (!run(call, plan, OWN))
        return;
    for (int engine = 0; engine < plan->graph.n_engines; engine++) {
        if ((known < 0 || known == 1 + engine) && engine_agrees(call, trials, plan, engine))
            race.ways[race.n_ways++] = 1 + engine;
    }
    if (race.n_ways == 1)
        return;
    const int fastest =
        known < 0 ? df_choices_fastest(df_cuda_context(call->backend), race.n_ways, run_way, &race) : 1;
    if (fastest < 0)
        return;
    plan->way = race.ways[fastest];
    if (known < 0)
        (void)df_choices_keep(&plans->choices, (const int64_t *)&plan->key, plan->way);
}

/* The results that are compared lie in memory that is given back. Without it our own kernel is used. */
static void make_plan(struct df_attention_plans *plans, struct plan *plan, const struct call *call)
{
    struct df_cuda_context *context = df_cuda_context(call->backend);
    const size_t half = df_cuda_aligned(result_bytes(call));
    char *room = NULL;
    int known;

    if (df_choices_find(&plans->choices, (const int64_t *)&plan->key, &known) != 0 || known == OWN)
        return;
    if (df_attention_graph_open(&plan->graph, context, call->shape, call->lse) == 0 &&
        cudaMalloc((void **)&room, 2 * half) == cudaSuccess) {
        const struct call trials[2] = {trial_call(call, room), trial_call(call, room + half)};
        choose(plans, plan, call, trials, known);
    }
    df_cuda_give_back(room);
    if (plan->way == OWN)
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
        if (!plans || plans->n_plans == PLANS_MOST)
            return false;
        plan = &plans->plans[plans->n_plans++];
        *plan = (struct plan){.key = key, .way = OWN};
        make_plan(plans, plan, &call);
    }
    if (plan->way == OWN)
        return false;
    if (run(&call, plan, plan->way))
        return true;
    plan->way = OWN;
    (void)cudaGetLastError();
    return false;
}

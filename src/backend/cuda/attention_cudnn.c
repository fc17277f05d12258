#include "attention_cudnn.h"

#include "attention_graph.h"
#include "autotune_cache.h"
#include "cudnn_plan.h"
#include "numeric_check.h"
#include "plan_job.h"
#include "plan_store.h"

#include "kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

#define PLANS_MAX 64 /* that are made in a process; they stay for as long as graphs may hold their kernels   \
                      */

/* No plan may want more, nor more than this part of the device's memory. */
#define WORKSPACE_MAX_BYTES ((size_t)1 << 30)
#define WORKSPACE_PART      16

/* How far results may lie from our kernel's (numeric_check.h). Both round the softmax's weights, the gradient
 * of the scores and the results to eight bits. */
#define TOLERANCE     (1.0f / 64.0f)
#define LSE_TOLERANCE 1e-3f

/* The key of the autotune cache. */
struct key {
    int64_t batch, tokens, heads, head_size, pass;
};

#define KEY_LENGTH (sizeof(struct key) / sizeof(int64_t))

/* The algorithms: our own kernel, or the plan of candidate algorithm - 1. */
#define OWN 0

struct plan {
    struct key key;
    struct df_attention_problem problem;
    int64_t evaluation; /* what `work` belongs to */
    double work;
    bool begun, chosen;
    int known;               /* the cached algorithm; -1: there is none */
    struct df_plan_job *job; /* NULL: none is under way */
    struct df_cudnn_plan made[DF_ATTENTION_CANDIDATES];
    int algorithm;
    struct plan *next;
};

struct df_attention_plans {
    bool usable; /* whether cuDNN is used at all */
    struct df_autotune_cache cache;
    int made; /* for so many shapes */
    struct plan *first;
};

struct call {
    struct df_backend *backend;
    struct df_attention_arrays arrays;
};

static void drop_plans(struct plan *plan, const struct df_cudnn *cudnn, int but)
{
    for (int i = 0; i < DF_ATTENTION_CANDIDATES; i++) {
        if (i != but)
            df_cudnn_plan_close(&plan->made[i], cudnn);
    }
}

static void free_texts(struct df_cudnn_text *texts)
{
    for (int i = 0; i < DF_ATTENTION_CANDIDATES; i++)
        free(texts[i].bytes);
}

static void close_plan(struct plan *plan, const struct df_cudnn *cudnn)
{
    struct df_cudnn_text texts[DF_ATTENTION_CANDIDATES];

    if (plan->job) {
        df_plan_job_wait(plan->job, texts);
        free_texts(texts);
    }
    drop_plans(plan, cudnn, -1);
    free(plan);
}

void df_attention_cudnn_close(struct df_cuda_context *context)
{
    struct df_attention_plans *plans = context->attentions;

    if (!plans)
        return;
    while (plans->first) {
        struct plan *plan = plans->first;
        plans->first = plan->next;
        close_plan(plan, &context->cudnn);
    }
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
    char folder[DF_AUTOTUNE_FOLDER_MAX];

    if (!context->attentions) {
        struct df_attention_plans *plans = calloc(1, sizeof *plans);
        if (!plans)
            return NULL;
        context->attentions = plans;
        plans->usable = df_autotune_folder(folder) && df_cuda_have_cudnn(context) &&
                        !is_faulty(context->cudnn.cudnnGetVersion());
        if (plans->usable)
            df_autotune_open(&plans->cache, context, "cudnn-attention", context->cudnn.cudnnGetVersion(),
                             KEY_LENGTH, 1 + DF_ATTENTION_CANDIDATES);
    }
    return context->attentions->usable ? context->attentions : NULL;
}

/* --- results --- */

static size_t out_count(const struct plan *plan)
{
    const struct df_attention_shape *shape = &plan->problem.shape;

    return (size_t)(shape->batch * shape->tokens * shape->heads * shape->head_size);
}

static size_t lse_count(const struct plan *plan)
{
    const struct df_attention_shape *shape = &plan->problem.shape;

    return plan->problem.pass == DF_ATTENTION_TRAINING ? (size_t)(shape->batch * shape->heads * shape->tokens)
                                                       : 0;
}

static bool is_gradient(const struct plan *plan)
{
    return plan->problem.pass == DF_ATTENTION_BACKWARD;
}

/* Its results in one buffer: out, then lse; or dqkv. */
static size_t first_bytes(const struct plan *plan)
{
    return df_cuda_aligned((is_gradient(plan) ? 3 : 1) * out_count(plan) * sizeof(uint16_t));
}

static size_t result_bytes(const struct plan *plan)
{
    return first_bytes(plan) + lse_count(plan) * sizeof(float);
}

/* The same call with its results in `buffer`. */
static struct call trial_call(const struct call *call, const struct plan *plan, void *buffer)
{
    struct call trial = *call;

    if (is_gradient(plan)) {
        trial.arrays.dqkv = buffer;
    } else {
        trial.arrays.out = buffer;
        trial.arrays.lse = lse_count(plan) ? (float *)(void *)((char *)buffer + first_bytes(plan)) : NULL;
    }
    return trial;
}

static bool results_are_close(const struct plan *plan, const struct call *a, const struct call *b,
                              float tolerance, float lse_tolerance)
{
    const struct df_attention_shape *shape = &plan->problem.shape;
    const size_t dim = (size_t)(shape->heads * shape->head_size);

    if (is_gradient(plan))
        return df_cuda_is_close(a->backend, DF_BF16, a->arrays.dqkv, b->arrays.dqkv, 3 * out_count(plan),
                                (struct df_interleaved){3, dim}, tolerance);
    return df_cuda_is_close(a->backend, DF_BF16, a->arrays.out, b->arrays.out, out_count(plan),
                            (struct df_interleaved){1, dim}, tolerance) &&
           df_cuda_is_close(a->backend, DF_F32, a->arrays.lse, b->arrays.lse, lse_count(plan),
                            (struct df_interleaved){1, 1}, lse_tolerance);
}

/* --- runs --- */

static bool run_own(const struct call *call, const struct plan *plan)
{
    const struct df_attention_arrays *arrays = &call->arrays;
    const struct df_attention_shape shape = plan->problem.shape;
    cudaStream_t stream = df_cuda_context(call->backend)->stream;

    if (!is_gradient(plan))
        return df_launch_attention_forward(stream, shape, DF_BF16, arrays->qkv, arrays->out, arrays->lse) ==
               cudaSuccess;
    void *scratch = df_cuda_scratch(call->backend, df_launch_attention_backward_scratch(shape, DF_BF16));
    return scratch &&
           df_launch_attention_backward(stream, shape, DF_BF16, arrays->qkv, arrays->out, arrays->lse,
                                        arrays->dout, arrays->dqkv, true, scratch) == cudaSuccess;
}

static size_t scratch_bytes(const struct plan *plan, int candidate)
{
    return df_attention_extra_bytes(&plan->problem, candidate) + plan->made[candidate].workspace + 1;
}

static bool run(const struct call *call, const struct plan *plan, int algorithm)
{
    struct df_cuda_context *context = df_cuda_context(call->backend);
    const int candidate = algorithm - 1;
    struct df_attention_binding binding;

    if (algorithm == OWN)
        return run_own(call, plan);
    char *scratch = df_cuda_scratch(call->backend, scratch_bytes(plan, candidate));
    if (!scratch)
        return false;
    df_attention_bind(&binding, &plan->problem, candidate, &call->arrays, scratch);
    return df_cudnn_plan_run(&plan->made[candidate], &context->cudnn, context->dnn, binding.count,
                             binding.names, binding.pointers,
                             scratch + df_attention_extra_bytes(&plan->problem, candidate)) == 0;
}

/* --- the choice --- */

/* What a plan does not write is NaN. */
static bool try_plan(const struct call *trial, const struct plan *plan, int candidate)
{
    void *results = is_gradient(plan) ? trial->arrays.dqkv : trial->arrays.out;

    return cudaMemsetAsync(results, 0xff, result_bytes(plan), df_cuda_context(trial->backend)->stream) ==
               cudaSuccess &&
           run(trial, plan, 1 + candidate);
}

/* Whether a plan's results are those that our kernel left in the call's arrays, and the same when it runs
 * again: its engine's notes do not guarantee it. Both trials' results are written. */
static bool plan_is_correct(const struct call *call, const struct call trials[2], const struct plan *plan,
                            int candidate)
{
    return plan->made[candidate].descriptor && try_plan(&trials[0], plan, candidate) &&
           try_plan(&trials[1], plan, candidate) &&
           results_are_close(plan, call, &trials[0], TOLERANCE, LSE_TOLERANCE) &&
           results_are_close(plan, &trials[0], &trials[1], 0.0f, 0.0f);
}

struct contest {
    const struct call *call;
    const struct plan *plan;
    int count, algorithms[1 + DF_ATTENTION_CANDIDATES];
};

static bool run_contestant(void *user, int contestant)
{
    const struct contest *contest = user;

    return run(contest->call, contest->plan, contest->algorithms[contestant]);
}

/* The algorithm; -1 where nothing could be found out. */
static int find_best(const struct call *call, const struct call trials[2], const struct plan *plan)
{
    struct contest contest = {&trials[0], plan, 1, {OWN}};

    if (!run(call, plan, OWN))
        return -1;
    for (int i = 0; i < DF_ATTENTION_CANDIDATES; i++) {
        if (plan_is_correct(call, trials, plan, i))
            contest.algorithms[contest.count++] = 1 + i;
    }
    if (contest.count == 1)
        return -1;
    if (plan->known >= 0)
        return contest.algorithms[1];
    const int fastest =
        df_autotune_fastest(df_cuda_context(call->backend), contest.count, run_contestant, &contest);
    return fastest >= 0 ? contest.algorithms[fastest] : -1;
}

/* Compares and times, with results in a temporary buffer. Without memory for it our own kernel is used. */
static int try_plans(const struct call *call, const struct plan *plan)
{
    const size_t half = df_cuda_aligned(result_bytes(plan));
    char *buffer = NULL;
    int best = -1;

    if (cudaMalloc((void **)&buffer, 2 * half) == cudaSuccess) {
        const struct call trials[2] = {trial_call(call, plan, buffer), trial_call(call, plan, buffer + half)};
        best = find_best(call, trials, plan);
    }
    df_cuda_release(buffer);
    (void)cudaGetLastError();
    return best;
}

static bool fits(const struct plan *plan, int candidate)
{
    const size_t bytes = scratch_bytes(plan, candidate);
    size_t available, total;

    return cudaMemGetInfo(&available, &total) == cudaSuccess && bytes <= WORKSPACE_MAX_BYTES &&
           bytes <= total / WORKSPACE_PART;
}

static bool read_plan(struct df_cuda_context *context, struct plan *plan, int candidate,
                      const struct df_cudnn_text *text)
{
    struct df_cudnn_plan *made = &plan->made[candidate];

    if (!text->bytes || df_cudnn_plan_read(made, &context->cudnn, context->dnn, text) != 0)
        return false;
    if (!fits(plan, candidate))
        df_cudnn_plan_close(made, &context->cudnn);
    return true;
}

static bool read_known_plan(struct df_cuda_context *context, struct plan *plan)
{
    const int candidate = plan->known - 1;
    struct df_cudnn_text text;
    const bool read = df_plan_store_read(context, &plan->problem, candidate, &text) &&
                      read_plan(context, plan, candidate, &text);

    free(text.bytes);
    return read;
}

/* Has the plans made that the choice needs. */
static void begin(struct df_cuda_context *context, struct plan *plan)
{
    struct df_attention_plans *plans = context->attentions;

    plan->begun = true;
    if (plans->made == PLANS_MAX ||
        df_autotune_find(&plans->cache, (const int64_t *)&plan->key, &plan->known) != 0 ||
        plan->known == OWN) {
        plan->chosen = true;
        return;
    }
    plans->made++;
    if (plan->known < 0 || !read_known_plan(context, plan))
        plan->job = df_plan_job_start(&context->cudnn, &plan->problem, plan->known - 1);
}

static void keep(struct df_cuda_context *context, struct plan *plan, const struct df_cudnn_text *texts)
{
    const int candidate = plan->algorithm - 1;

    if (plan->known < 0)
        (void)df_autotune_store(&context->attentions->cache, (const int64_t *)&plan->key, plan->algorithm);
    if (candidate >= 0 && texts[candidate].bytes)
        df_plan_store_write(context, &plan->problem, candidate, &texts[candidate]);
}

static void choose(const struct call *call, struct plan *plan)
{
    struct df_cuda_context *context = df_cuda_context(call->backend);
    struct df_cudnn_text texts[DF_ATTENTION_CANDIDATES] = {{NULL, 0}};
    size_t scratch = context->scratch.bytes;

    if (plan->job)
        df_plan_job_wait(plan->job, texts);
    plan->job = NULL;
    for (int i = 0; i < DF_ATTENTION_CANDIDATES; i++)
        (void)read_plan(context, plan, i, &texts[i]);
    const int best = try_plans(call, plan);
    if (best >= 0) {
        plan->algorithm = best;
        keep(context, plan, texts);
    }
    if (plan->algorithm != OWN && scratch_bytes(plan, plan->algorithm - 1) > scratch)
        scratch = scratch_bytes(plan, plan->algorithm - 1);
    df_cuda_scratch_shrink(call->backend, scratch);
    drop_plans(plan, &context->cudnn, plan->algorithm - 1);
    free_texts(texts);
    plan->chosen = true;
}

/* --- when it is chosen --- */

/* The plan of this problem, one that is not begun if it is new. NULL where there can be none. */
static struct plan *find_plan(struct df_cuda_context *context, struct df_attention_shape shape,
                              enum df_attention_pass pass)
{
    const struct key key = {shape.batch, shape.tokens, shape.heads, shape.head_size, pass};
    struct df_attention_plans *plans = context->capturing ? context->attentions : open_plans(context);
    struct plan *plan = plans ? plans->first : NULL;

    while (plan && memcmp(&plan->key, &key, sizeof key) != 0)
        plan = plan->next;
    if (plan || !plans || context->capturing)
        return plan;
    plan = calloc(1, sizeof *plan);
    if (!plan)
        return NULL;
    plan->key = key;
    plan->problem =
        (struct df_attention_problem){shape, pass, context->capability, context->cudnn.cudnnGetVersion()};
    plan->algorithm = OWN;
    plan->next = plans->first;
    plans->first = plan;
    return plan;
}

/* Whether the calls of this shape have been so many, in this evaluation, that its choice is due with this
 * one. Begins to make its plans in time. */
static bool is_due(const struct df_backend *backend, struct df_cuda_context *context, struct plan *plan)
{
    const struct df_attention_shape *shape = &plan->problem.shape;
    const double tokens = (double)shape->tokens;

    if (!backend->transient || plan->problem.pass != DF_ATTENTION_INFERENCE)
        return true;
    if (plan->evaluation != backend->evaluations)
        plan->work = 0.0;
    plan->evaluation = backend->evaluations;
    if (plan->work >= context->attention_patience)
        return true;
    plan->work += 4.0 * (double)(shape->batch * shape->heads * shape->head_size) * tokens * tokens;
    if (plan->work >= context->attention_patience / 2 && !plan->begun)
        begin(context, plan);
    return false;
}

static bool attend(struct df_backend *backend, struct df_attention_shape shape, enum df_attention_pass pass,
                   const struct df_attention_arrays *arrays)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    const struct call call = {backend, *arrays};
    struct plan *plan = find_plan(context, shape, pass);

    if (!plan || (context->capturing && !plan->chosen) || !is_due(backend, context, plan))
        return false;
    if (!plan->begun)
        begin(context, plan);
    if (!plan->chosen)
        choose(&call, plan);
    if (plan->algorithm == OWN)
        return false;
    if (run(&call, plan, plan->algorithm)) {
        snprintf(backend->algorithm, sizeof backend->algorithm, "cuDNN engine %d", plan->algorithm);
        return true;
    }
    plan->algorithm = OWN;
    (void)cudaGetLastError();
    return false;
}

/* A gradient will follow: its plans are made meanwhile. */
static void begin_gradient(struct df_cuda_context *context, struct df_attention_shape shape)
{
    struct plan *plan = context->capturing ? NULL : find_plan(context, shape, DF_ATTENTION_BACKWARD);

    if (plan && !plan->begun)
        begin(context, plan);
}

bool df_attention_cudnn_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                void *out, float *lse)
{
    const struct df_attention_arrays arrays = {.qkv = qkv, .out = out, .lse = lse};

    if (lse)
        begin_gradient(df_cuda_context(backend), shape);
    return attend(backend, shape, lse ? DF_ATTENTION_TRAINING : DF_ATTENTION_INFERENCE, &arrays);
}

bool df_attention_cudnn_backward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                 const void *out, const float *lse, const void *dout, void *dqkv)
{
    const struct df_attention_arrays arrays = {
        .qkv = qkv,
        .out = (void *)(uintptr_t)out, /* which it reads */
        .lse = (float *)(uintptr_t)lse,
        .dout = dout,
        .dqkv = dqkv,
    };

    return attend(backend, shape, DF_ATTENTION_BACKWARD, &arrays);
}

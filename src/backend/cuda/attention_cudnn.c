#include "attention_cudnn.h"

#include "attention_plan.h"
#include "autotune_cache.h"
#include "plan_job.h"
#include "plan_store.h"

#include <stdlib.h>
#include <string.h>

/* For so many shapes plans are made in a process: they stay, as captured graphs may hold their kernels. */
#define SHAPES_MAX 64

/* The key of the autotune cache. */
struct key {
    int64_t batch, tokens, heads, head_size, pass;
};

#define KEY_LENGTH (sizeof(struct key) / sizeof(int64_t))

struct plan {
    struct key key;
    int64_t evaluation; /* what `work` belongs to */
    double work;        /* floating-point operations */
    bool begun, chosen;
    int known;               /* the cached algorithm; -1: there is none */
    struct df_plan_job *job; /* NULL: none is under way */
    struct df_attention_choices choices;
    int algorithm;
    struct plan *next;
};

struct df_attention_plans {
    bool usable; /* whether cuDNN is used at all */
    struct df_autotune_cache cache;
    int shapes; /* with plans */
    struct plan *first;
};

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
    df_attention_plans_drop(&plan->choices, cudnn, DF_ATTENTION_OWN);
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
                             KEY_LENGTH, DF_ATTENTION_ALGORITHMS);
    }
    return context->attentions->usable ? context->attentions : NULL;
}

/* The plan of this problem; one that is not begun if it is new. NULL where there can be none. */
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
    plan->choices.problem =
        (struct df_attention_problem){shape, pass, context->capability, context->cudnn.cudnnGetVersion()};
    plan->algorithm = DF_ATTENTION_OWN;
    plan->next = plans->first;
    plans->first = plan;
    return plan;
}

/* --- the choice --- */

static bool read_known_plan(struct df_cuda_context *context, struct plan *plan)
{
    const int candidate = plan->known - 1;
    struct df_cudnn_text text;
    const bool read = df_plan_store_read(context, &plan->choices.problem, candidate, &text) &&
                      df_attention_plan_read(&plan->choices, context, candidate, &text);

    free(text.bytes);
    return read;
}

/* Has those plans made that the choice needs. */
static void begin(struct df_cuda_context *context, struct plan *plan)
{
    struct df_attention_plans *plans = context->attentions;

    plan->begun = true;
    if (plans->shapes == SHAPES_MAX ||
        df_autotune_find(&plans->cache, (const int64_t *)&plan->key, &plan->known) != 0 ||
        plan->known == DF_ATTENTION_OWN) {
        plan->chosen = true;
        return;
    }
    plans->shapes++;
    if (plan->known < 0 || !read_known_plan(context, plan))
        plan->job =
            df_plan_job_start(context, &plan->choices.problem, plan->known < 0 ? -1 : plan->known - 1);
}

/* texts: of the plans that were made now */
static void keep(struct df_cuda_context *context, const struct plan *plan, const struct df_cudnn_text *texts)
{
    const int candidate = plan->algorithm - 1;

    if (plan->known < 0)
        (void)df_autotune_store(&context->attentions->cache, (const int64_t *)&plan->key, plan->algorithm);
    if (plan->algorithm != DF_ATTENTION_OWN && texts[candidate].bytes)
        df_plan_store_write(context, &plan->choices.problem, candidate, &texts[candidate]);
}

/* Of what is tried none may have to be grown again while a step is captured. */
static void give_scratch_back(struct df_backend *backend, const struct plan *plan, size_t before)
{
    const size_t needed =
        plan->algorithm == DF_ATTENTION_OWN ? 0 : df_attention_plan_scratch(&plan->choices, plan->algorithm);

    df_cuda_scratch_shrink(backend, needed > before ? needed : before);
}

static void choose(struct df_backend *backend, struct plan *plan, const struct df_attention_arrays *arrays)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    struct df_cudnn_text texts[DF_ATTENTION_CANDIDATES] = {{NULL, 0}};
    const size_t scratch = context->scratch.bytes;

    if (plan->job)
        df_plan_job_wait(plan->job, texts);
    plan->job = NULL;
    for (int i = 0; i < DF_ATTENTION_CANDIDATES; i++)
        (void)df_attention_plan_read(&plan->choices, context, i, &texts[i]);
    const int best = df_attention_try(backend, &plan->choices, arrays, plan->known >= 0);
    if (best >= 0) {
        plan->algorithm = best;
        keep(context, plan, texts);
    }
    give_scratch_back(backend, plan, scratch);
    df_attention_plans_drop(&plan->choices, &context->cudnn, plan->algorithm);
    free_texts(texts);
    plan->chosen = true;
}

/* --- when it is due --- */

/* Whether the calls of this shape have been so many, in this evaluation, that its choice is due with this
 * one. Begins to have its plans made in time. */
static bool is_due(const struct df_backend *backend, struct df_cuda_context *context, struct plan *plan)
{
    const struct key *key = &plan->key;
    const double tokens = (double)key->tokens;

    if (!backend->transient || key->pass != DF_ATTENTION_INFERENCE)
        return true;
    if (plan->evaluation != backend->evaluations)
        plan->work = 0.0;
    plan->evaluation = backend->evaluations;
    if (plan->work >= context->attention_patience)
        return true;
    plan->work += 4.0 * (double)(key->batch * key->heads * key->head_size) * tokens * tokens;
    if (plan->work >= context->attention_patience / 2 && !plan->begun)
        begin(context, plan);
    return false;
}

static bool attend(struct df_backend *backend, struct df_attention_shape shape, enum df_attention_pass pass,
                   const struct df_attention_arrays *arrays)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    struct plan *plan = find_plan(context, shape, pass);

    if (!plan || (context->capturing && !plan->chosen) || !is_due(backend, context, plan))
        return false;
    if (!plan->begun)
        begin(context, plan);
    if (!plan->chosen)
        choose(backend, plan, arrays);
    if (plan->algorithm == DF_ATTENTION_OWN)
        return false;
    if (df_attention_run(backend, &plan->choices, plan->algorithm, arrays)) {
        snprintf(backend->algorithm, sizeof backend->algorithm, "cuDNN engine %d", plan->algorithm);
        return true;
    }
    plan->algorithm = DF_ATTENTION_OWN;
    (void)cudaGetLastError();
    return false;
}

/* The plans of a call that will follow are made meanwhile. */
static void begin_early(struct df_cuda_context *context, struct df_attention_shape shape,
                        enum df_attention_pass pass)
{
    struct plan *plan = context->capturing ? NULL : find_plan(context, shape, pass);

    if (plan && !plan->begun)
        begin(context, plan);
}

void df_attention_cudnn_expect(struct df_backend *backend, struct df_attention_shape shape, bool training)
{
    struct df_cuda_context *context = df_cuda_context(backend);

    begin_early(context, shape, training ? DF_ATTENTION_TRAINING : DF_ATTENTION_INFERENCE);
    if (training)
        begin_early(context, shape, DF_ATTENTION_BACKWARD);
}

bool df_attention_cudnn_forward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                void *out, float *lse)
{
    const struct df_attention_arrays arrays = {.qkv = qkv, .out = out, .lse = lse};

    if (lse)
        begin_early(df_cuda_context(backend), shape, DF_ATTENTION_BACKWARD);
    return attend(backend, shape, lse ? DF_ATTENTION_TRAINING : DF_ATTENTION_INFERENCE, &arrays);
}

bool df_attention_cudnn_backward(struct df_backend *backend, struct df_attention_shape shape, const void *qkv,
                                 const void *out, const float *lse, const void *dout, void *dqkv)
{
    const struct df_attention_arrays arrays = {
        .qkv = qkv,
        .out = (void *)(uintptr_t)out, /* which are read alone */
        .lse = (float *)(uintptr_t)lse,
        .dout = dout,
        .dqkv = dqkv,
    };

    return attend(backend, shape, DF_ATTENTION_BACKWARD, &arrays);
}

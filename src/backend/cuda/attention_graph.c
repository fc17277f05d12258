#include "attention_graph.h"

#include "cuda_context.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* The tensors' names. */
enum tensor {
    NONE,
    Q,
    K_T, /* transposed: [head_size, N] */
    V,
    OUT,
    SCALE,
    LSE,
    PRODUCTS,
    SCORES,
    LARGEST,
    DIFFERENCES,
    POWERS,
    SUMS,
    LOGARITHMS,
    WEIGHTS,
    /* of the gradient alone */
    K,
    V_T,
    DOUT,
    ONE,
    DOUT_OUT,
    DELTA_SUMS,
    DELTA,
    WEIGHTS_T,
    DWEIGHTS,
    CENTERED,
    WEIGHTED,
    DSCORES,
    DSCORES_T,
    DQ_SUMS,
    DQ,
    DK,
    DV,
};

struct layouts {
    struct df_tensor_layout part, part_t, out, square, square_t, row, number, sums;
};

static struct layouts layouts_of(struct df_attention_shape shape)
{
    const int64_t b = shape.batch, n = shape.tokens, h = shape.heads, size = shape.head_size, dim = h * size;

    return (struct layouts){
        .part = {{b, h, n, size}, {3 * n * dim, size, 3 * dim, 1}},
        .part_t = {{b, h, size, n}, {3 * n * dim, size, 1, 3 * dim}},
        .out = {{b, h, n, size}, {n * dim, size, dim, 1}},
        .square = {{b, h, n, n}, {h * n * n, n * n, n, 1}},
        .square_t = {{b, h, n, n}, {h * n * n, n * n, 1, n}},
        .row = {{b, h, n, 1}, {h * n, n, 1, 1}},
        .number = {{1, 1, 1, 1}, {1, 1, 1, 1}},
        .sums = {{b, h, n, size}, {h * n * size, n * size, size, 1}},
    };
}

struct tensor_row {
    enum tensor name;
    struct df_tensor_layout layout;
    cudnnDataType_t type;
    enum df_tensor_storage storage;
};

static int add_tensors(struct df_cudnn_graph *graph, const struct tensor_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        DF_TRY(df_cudnn_graph_tensor(graph, rows[i].name, rows[i].type, rows[i].layout, rows[i].storage));
    return 0;
}

#define BF16 CUDNN_DATA_BFLOAT16
#define F32  CUDNN_DATA_FLOAT

/* --- forwards --- */

static int describe_forward(struct df_cudnn_graph *graph, struct df_attention_shape shape, bool with_lse)
{
    const struct layouts l = layouts_of(shape);
    const struct tensor_row rows[] = {
        {Q, l.part, BF16, DF_STORED},
        {K_T, l.part_t, BF16, DF_STORED},
        {V, l.part, BF16, DF_STORED},
        {OUT, l.out, BF16, DF_STORED},
        {SCALE, l.number, F32, DF_BY_VALUE},
        {LSE, l.row, F32, with_lse ? DF_STORED : DF_VIRTUAL},
        {WEIGHTS, l.square, BF16, DF_VIRTUAL}, /* as v, which it multiplies */
        {PRODUCTS, l.square, F32, DF_VIRTUAL},
        {SCORES, l.square, F32, DF_VIRTUAL},
        {DIFFERENCES, l.square, F32, DF_VIRTUAL},
        {POWERS, l.square, F32, DF_VIRTUAL},
        {LARGEST, l.row, F32, DF_VIRTUAL},
        {SUMS, l.row, F32, DF_VIRTUAL},
        {LOGARITHMS, l.row, F32, DF_VIRTUAL},
    };

    DF_TRY(add_tensors(graph, rows, sizeof rows / sizeof *rows));
    DF_TRY(df_cudnn_graph_matmul(graph, Q, K_T, PRODUCTS));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_MUL, PRODUCTS, SCALE, SCORES));
    DF_TRY(df_cudnn_graph_reduce(graph, CUDNN_REDUCE_TENSOR_MAX, SCORES, LARGEST));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_SUB, SCORES, LARGEST, DIFFERENCES));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_EXP, DIFFERENCES, NONE, POWERS));
    DF_TRY(df_cudnn_graph_reduce(graph, CUDNN_REDUCE_TENSOR_ADD, POWERS, SUMS));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_LOG, SUMS, NONE, LOGARITHMS));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_ADD, LARGEST, LOGARITHMS, LSE));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_DIV, POWERS, SUMS, WEIGHTS));
    DF_TRY(df_cudnn_graph_matmul(graph, WEIGHTS, V, OUT));
    return df_cudnn_graph_finish(graph);
}

/* --- backwards --- */

/* weights, delta and dv */
static int add_weights(struct df_cudnn_graph *graph)
{
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_MUL, DOUT, OUT, DOUT_OUT));
    DF_TRY(df_cudnn_graph_reduce(graph, CUDNN_REDUCE_TENSOR_ADD, DOUT_OUT, DELTA_SUMS));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_MUL, DELTA_SUMS, ONE, DELTA));
    DF_TRY(df_cudnn_graph_matmul(graph, Q, K_T, PRODUCTS));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_MUL, PRODUCTS, SCALE, SCORES));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_SUB, SCORES, LSE, DIFFERENCES));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_EXP, DIFFERENCES, NONE, WEIGHTS));
    DF_TRY(df_cudnn_graph_reshape(graph, WEIGHTS, WEIGHTS_T));
    return df_cudnn_graph_matmul(graph, WEIGHTS_T, DOUT, DV);
}

/* dscores, dk and dq */
static int add_dscores(struct df_cudnn_graph *graph, bool ordered)
{
    DF_TRY(df_cudnn_graph_matmul(graph, DOUT, V_T, DWEIGHTS));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_SUB, DWEIGHTS, DELTA, CENTERED));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_MUL, CENTERED, WEIGHTS, WEIGHTED));
    DF_TRY(df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_MUL, WEIGHTED, SCALE, DSCORES));
    DF_TRY(df_cudnn_graph_reshape(graph, DSCORES, DSCORES_T));
    DF_TRY(df_cudnn_graph_matmul(graph, DSCORES_T, Q, DK));
    DF_TRY(df_cudnn_graph_reshape(graph, K_T, K));
    DF_TRY(df_cudnn_graph_matmul(graph, DSCORES, K, ordered ? DQ_SUMS : DQ));
    return ordered ? df_cudnn_graph_pointwise(graph, CUDNN_POINTWISE_IDENTITY, DQ_SUMS, NONE, DQ) : 0;
}

static int describe_backward(struct df_cudnn_graph *graph, struct df_attention_shape shape, bool ordered)
{
    const struct layouts l = layouts_of(shape);
    const struct tensor_row rows[] = {
        {Q, l.part, BF16, DF_STORED},
        {K_T, l.part_t, BF16, DF_STORED},
        {K, l.part, BF16, DF_VIRTUAL},
        {V_T, l.part_t, BF16, DF_STORED},
        {OUT, l.out, BF16, DF_STORED},
        {DOUT, l.out, BF16, DF_STORED},
        {LSE, l.row, F32, DF_STORED},
        {SCALE, l.number, F32, DF_BY_VALUE},
        {ONE, l.number, F32, DF_BY_VALUE},
        {DOUT_OUT, l.out, F32, DF_VIRTUAL},
        {DELTA_SUMS, l.row, F32, DF_VIRTUAL},
        {DELTA, l.row, F32, DF_STORED},
        {PRODUCTS, l.square, F32, DF_VIRTUAL},
        {SCORES, l.square, F32, DF_VIRTUAL},
        {DIFFERENCES, l.square, F32, DF_VIRTUAL},
        {WEIGHTS, l.square, F32, DF_VIRTUAL},
        {WEIGHTS_T, l.square_t, BF16, DF_VIRTUAL},
        {DWEIGHTS, l.square, F32, DF_VIRTUAL},
        {CENTERED, l.square, F32, DF_VIRTUAL},
        {WEIGHTED, l.square, F32, DF_VIRTUAL},
        {DSCORES, l.square, F32, DF_VIRTUAL},
        {DSCORES_T, l.square_t, BF16, DF_VIRTUAL},
        {DQ, l.part, BF16, DF_STORED},
        {DK, l.part, BF16, DF_STORED},
        {DV, l.part, BF16, DF_STORED},
        {DQ_SUMS, l.sums, F32, DF_STORED},
    };

    DF_TRY(add_tensors(graph, rows, sizeof rows / sizeof *rows - (ordered ? 0 : 1)));
    DF_TRY(add_weights(graph));
    DF_TRY(add_dscores(graph, ordered));
    return df_cudnn_graph_finish(graph);
}

/* --- candidates --- */

/* cuDNN's numbers of its settings; headers of 9.0 have not got them all. */
enum knob { STAGES = 14, KERNEL = 24, CLUSTER_M = 27, STREAM_K = 38, TILE_M = 40, TILE_N = 41 };

#define KNOBS 6

/* Gradients that repeat their bits without that dscores are stored, as NVIDIA's frontend sets them. */
struct engine {
    int least, most;      /* capabilities */
    size_t since, before; /* versions */
    int64_t number;
    int n_knobs;
    struct df_cudnn_knob knobs[KNOBS];
};

#define SINCE_KNOBS_CHANGED 92300
#define ALWAYS              ((size_t)-1)

static const struct engine engines[] = {
    {90,
     99,
     92500,
     ALWAYS,
     6,
     6,
     {{TILE_M, 2}, {TILE_N, 1}, {KERNEL, 2}, {STREAM_K, 0}, {CLUSTER_M, 0}, {STAGES, 4}}},
    {100, 103, 91800, SINCE_KNOBS_CHANGED, 5, 2, {{KERNEL, 31}, {STAGES, 2}}},
    {100,
     103,
     SINCE_KNOBS_CHANGED,
     ALWAYS,
     5,
     6,
     {{TILE_M, 3}, {TILE_N, 2}, {KERNEL, 2}, {STREAM_K, 0}, {CLUSTER_M, 0}, {STAGES, 2}}},
};

/* NULL where there is none. */
static const struct engine *engine_by_hand(int capability, size_t version)
{
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        const struct engine *engine = &engines[i];
        if (capability >= engine->least && capability <= engine->most && version >= engine->since &&
            version < engine->before)
            return engine;
    }
    return NULL;
}

/* On Hopper the engine that is set by hand adds up dq in float32 of its own. */
static bool is_ordered(const struct df_attention_problem *problem, int candidate)
{
    return problem->pass == DF_ATTENTION_BACKWARD && candidate == DF_ATTENTION_BY_HAND &&
           problem->capability / 10 == 9;
}

static int describe(struct df_cudnn_graph *graph, const struct df_attention_problem *problem, bool ordered)
{
    if (problem->pass == DF_ATTENTION_BACKWARD)
        return describe_backward(graph, problem->shape, ordered);
    return describe_forward(graph, problem->shape, problem->pass == DF_ATTENTION_TRAINING);
}

/* Blackwell's engines for stored dscores are not all known to repeat their bits, whatever they note. */
static bool can_be_listed(const struct df_attention_problem *problem)
{
    return problem->pass != DF_ATTENTION_BACKWARD || problem->capability / 10 != 10;
}

static void make_listed(struct df_cudnn_graph *graph, const struct df_attention_problem *problem,
                        int candidate, struct df_cudnn_text *texts)
{
    df_cudnn_config configs[DF_ATTENTION_LISTED];

    if (candidate == DF_ATTENTION_BY_HAND || !can_be_listed(problem) || describe(graph, problem, false) != 0)
        return;
    const int count = df_cudnn_graph_list(graph, configs, DF_ATTENTION_LISTED);
    for (int i = 0; i < count; i++) {
        if (candidate < 0 || candidate == i)
            (void)df_cudnn_graph_plan(graph, configs[i], &texts[i]);
    }
}

static int set_by_hand(struct df_cudnn_graph *graph, const struct df_attention_problem *problem,
                       df_cudnn_config *config)
{
    const struct engine *engine =
        problem->pass == DF_ATTENTION_BACKWARD ? engine_by_hand(problem->capability, problem->version) : NULL;

    if (!engine)
        return df_error_set("cuDNN has no engine that is set by hand for this device");
    DF_TRY(describe(graph, problem, is_ordered(problem, DF_ATTENTION_BY_HAND)));
    return df_cudnn_graph_engine(graph, engine->number, engine->knobs, engine->n_knobs, config);
}

static void make_by_hand(struct df_cudnn_graph *graph, const struct df_attention_problem *problem,
                         int candidate, struct df_cudnn_text *texts)
{
    df_cudnn_config config;

    if ((candidate < 0 || candidate == DF_ATTENTION_BY_HAND) && set_by_hand(graph, problem, &config) == 0)
        (void)df_cudnn_graph_plan(graph, config, &texts[DF_ATTENTION_BY_HAND]);
}

uint64_t df_attention_digest(const struct df_attention_problem *problem, int candidate)
{
    struct df_cudnn_graph graph;
    df_cudnn_config none;

    df_cudnn_graph_open(&graph, NULL, NULL);
    if (candidate == DF_ATTENTION_BY_HAND)
        (void)set_by_hand(&graph, problem, &none);
    else
        (void)describe(&graph, problem, false);
    return df_digest_value(&graph.digest);
}

void df_attention_make_plans(const struct df_cudnn *cudnn, cudnnHandle_t handle,
                             const struct df_attention_problem *problem, int candidate,
                             struct df_cudnn_text *texts)
{
    struct df_cudnn_graph graph;

    memset(texts, 0, DF_ATTENTION_CANDIDATES * sizeof *texts);
    df_cudnn_graph_open(&graph, cudnn, handle);
    make_listed(&graph, problem, candidate, texts);
    df_cudnn_graph_close(&graph);
    df_cudnn_graph_open(&graph, cudnn, handle);
    make_by_hand(&graph, problem, candidate, texts);
    df_cudnn_graph_close(&graph);
}

/* --- runs --- */

static size_t row_bytes(struct df_attention_shape shape)
{
    return df_cuda_aligned((size_t)(shape.batch * shape.heads * shape.tokens) * sizeof(float));
}

size_t df_attention_extra_bytes(const struct df_attention_problem *problem, int candidate)
{
    const size_t rows = row_bytes(problem->shape);

    if (problem->pass != DF_ATTENTION_BACKWARD)
        return 0;
    return rows + (is_ordered(problem, candidate) ? rows * (size_t)problem->shape.head_size : 0);
}

static void bind(struct df_attention_binding *binding, enum tensor name, void *pointer)
{
    assert(binding->count < DF_ATTENTION_NAMES_MAX);
    binding->names[binding->count] = name;
    binding->pointers[binding->count++] = pointer;
}

/* cuDNN knows no pointers to what it only reads. */
static char *writable(const void *pointer)
{
    return (char *)(uintptr_t)pointer;
}

static void bind_gradient(struct df_attention_binding *binding, const struct df_attention_problem *problem,
                          int candidate, const struct df_attention_arrays *arrays, char *extra)
{
    const size_t part = (size_t)(problem->shape.heads * problem->shape.head_size) * sizeof(uint16_t);
    char *const dq = arrays->dqkv;

    bind(binding, DOUT, writable(arrays->dout));
    bind(binding, ONE, &binding->one);
    bind(binding, DQ, dq);
    bind(binding, DK, dq + part);
    bind(binding, DV, dq + 2 * part);
    bind(binding, DELTA, extra);
    if (is_ordered(problem, candidate))
        bind(binding, DQ_SUMS, extra + row_bytes(problem->shape));
}

void df_attention_bind(struct df_attention_binding *binding, const struct df_attention_problem *problem,
                       int candidate, const struct df_attention_arrays *arrays, void *extra)
{
    const bool backward = problem->pass == DF_ATTENTION_BACKWARD;
    const size_t part = (size_t)(problem->shape.heads * problem->shape.head_size) * sizeof(uint16_t);
    char *const q = writable(arrays->qkv);

    binding->count = 0;
    binding->scale = 1.0f / sqrtf((float)problem->shape.head_size);
    binding->one = 1.0f;
    bind(binding, Q, q);
    bind(binding, K_T, q + part);
    bind(binding, backward ? V_T : V, q + 2 * part);
    bind(binding, OUT, arrays->out);
    bind(binding, SCALE, &binding->scale);
    if (problem->pass != DF_ATTENTION_INFERENCE)
        bind(binding, LSE, arrays->lse);
    if (backward)
        bind_gradient(binding, problem, candidate, arrays, extra);
}

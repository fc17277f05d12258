#include "lora.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct df_lora_place df_lora_place(enum df_lora_target target, const struct df_vit_config *config)
{
    const int64_t dim = config->dim, hidden = config->ffn_hidden;
    const struct df_lora_place places[DF_LORA_TARGETS] = {
        [DF_LORA_Q] = {DF_LORA_IN_QKV, 0, dim, dim},
        [DF_LORA_V] = {DF_LORA_IN_QKV, 2 * dim, dim, dim},
        [DF_LORA_K] = {DF_LORA_IN_QKV, dim, dim, dim},
        [DF_LORA_PROJ] = {DF_LORA_IN_PROJ, 0, dim, dim},
        [DF_LORA_UP] = {DF_LORA_IN_UP, 0, hidden, dim},
        [DF_LORA_UP2] = {DF_LORA_IN_UP, hidden, hidden, dim},
        [DF_LORA_DOWN] = {DF_LORA_IN_DOWN, 0, dim, hidden},
    };

    return places[target];
}

const char *df_lora_key(char key[DF_LORA_KEY_MAX], char which, int64_t block, enum df_lora_target target,
                        enum df_ffn ffn)
{
    if (target == DF_LORA_Q || target == DF_LORA_V)
        snprintf(key, DF_LORA_KEY_MAX, "w_%c_%03lld", which, (long long)(2 * block + (target == DF_LORA_V)));
    else
        snprintf(key, DF_LORA_KEY_MAX, "lora_%c_%03lld_%s", which, (long long)block,
                 df_lora_target_name(target, ffn));
    return key;
}

/* --- parameters --- */

struct addition {
    struct df_lora *lora;
    struct df_parameters *parameters;
    const struct df_lora_parts *parts;
    bool merged;
};

/* Of a target that is adapted, or whose tensors stand in its place. */
static int add_tensor(const struct addition *addition, char which, int64_t block, enum df_lora_target target)
{
    struct df_lora *lora = addition->lora;
    const struct df_lora_parts *parts = addition->parts;
    const struct df_lora_place place = df_lora_place(target, &lora->config);
    const bool is_a = which == 'a';
    const bool trained =
        !addition->merged && !parts->left_out[block] && (df_lora_targets(parts) & DF_LORA_BIT(target));
    const int64_t shape[2] = {is_a ? lora->rank : place.out, is_a ? place.in : lora->rank};
    const enum df_parameter_kind kind = !trained ? DF_PARAMETER_FIXED_LORA
                                        : is_a   ? DF_PARAMETER_LORA_A
                                                 : DF_PARAMETER_LORA_B;
    char name[DF_LORA_KEY_MAX];

    if (trained)
        (is_a ? lora->blocks[block].a : lora->blocks[block].b)[target] = addition->parameters->count;
    return df_parameters_add(addition->parameters, df_lora_key(name, which, block, target, lora->config.ffn),
                             kind, is_a ? DF_INIT_FAN_IN : DF_INIT_ZERO, shape[1], 2, shape);
}

static bool is_stored(const struct df_lora_parts *parts, int64_t block, enum df_lora_target target)
{
    const unsigned bit = DF_LORA_BIT(target), targets = df_lora_targets(parts);

    if (bit & DF_LORA_Q_AND_V)
        return targets & DF_LORA_Q_AND_V;
    return (targets & bit) && !parts->left_out[block];
}

static int make_blocks(struct df_lora *lora, const struct df_lora_parts *parts)
{
    const int64_t depth = lora->config.depth;

    lora->blocks = malloc((size_t)depth * sizeof *lora->blocks);
    if (!lora->blocks)
        return df_error_memory("LoRA's blocks", (size_t)depth * sizeof *lora->blocks);
    for (int64_t i = 0; i < depth; i++)
        for (int target = 0; target < DF_LORA_TARGETS; target++)
            lora->blocks[i].a[target] = lora->blocks[i].b[target] = -1;
    while (lora->first_block < depth && parts->left_out[lora->first_block])
        lora->first_block++;
    return 0;
}

int df_lora_add_parameters(struct df_lora *lora, struct df_parameters *parameters,
                           const struct df_vit_config *config, int64_t rank,
                           const struct df_lora_parts *parts, bool merged)
{
    const struct addition addition = {lora, parameters, parts, merged};

    *lora = (struct df_lora){.rank = rank, .config = *config, .parameters = parameters};
    DF_TRY(make_blocks(lora, parts));
    for (int which = 0; which < 2; which++)
        for (int64_t block = 0; block < config->depth; block++)
            for (int target = 0; target < DF_LORA_TARGETS; target++)
                if (is_stored(parts, block, (enum df_lora_target)target))
                    DF_TRY(add_tensor(&addition, "ab"[which], block, (enum df_lora_target)target));
    return 0;
}

void df_lora_free(struct df_lora *lora)
{
    free(lora->blocks);
    lora->blocks = NULL;
}

/* --- passes --- */

bool df_lora_adapts(const struct df_lora *lora, int64_t block, enum df_lora_target target)
{
    return lora->blocks[block].a[target] >= 0;
}

/* The layer's targets that are trained. Returns how many. */
static int find_targets(const struct df_lora *lora, int64_t block, enum df_lora_layer layer,
                        enum df_lora_target targets[DF_LORA_TARGETS])
{
    int count = 0;

    for (int i = 0; i < DF_LORA_TARGETS; i++) {
        const enum df_lora_target target = (enum df_lora_target)i;
        if (df_lora_adapts(lora, block, target) && df_lora_place(target, &lora->config).layer == layer)
            targets[count++] = target;
    }
    return count;
}

int64_t df_lora_columns(const struct df_lora *lora, int64_t block, enum df_lora_layer layer)
{
    enum df_lora_target targets[DF_LORA_TARGETS];

    return lora->rank * find_targets(lora, block, layer, targets);
}

int64_t df_lora_most_columns(const struct df_lora *lora)
{
    int64_t most = 0;

    for (int64_t block = 0; block < lora->config.depth; block++)
        for (int layer = 0; layer < DF_LORA_LAYERS; layer++)
            most = df_max_i64(most, df_lora_columns(lora, block, (enum df_lora_layer)layer));
    return most;
}

/* A layer's targets and their tensors as matrices, from the values or from the gradients. */
struct layer_tensors {
    int count;
    enum df_lora_target targets[DF_LORA_TARGETS];
    struct df_matrix a;                  /* [columns, in]: neighbours in memory */
    struct df_matrix b[DF_LORA_TARGETS]; /* [out, rank] */
};

static struct layer_tensors layer_tensors(const struct df_lora_use *use, bool gradients)
{
    const struct df_lora *lora = use->lora;
    const struct df_lora_block *block = &lora->blocks[use->block];
    const struct df_parameter *items = lora->parameters->items;
    struct layer_tensors tensors;

    tensors.count = find_targets(lora, use->block, use->layer, tensors.targets);
    for (int i = 0; i < tensors.count; i++) {
        const struct df_parameter *a = &items[block->a[tensors.targets[i]]],
                                  *b = &items[block->b[tensors.targets[i]]];
        if (i == 0)
            tensors.a = (struct df_matrix){gradients ? a->gradient : a->value, DF_F32,
                                           tensors.count * lora->rank, a->shape[1], a->shape[1]};
        tensors.b[i] = (struct df_matrix){gradients ? b->gradient : b->value, DF_F32, b->shape[0], lora->rank,
                                          lora->rank};
    }
    return tensors;
}

static struct df_matrix columns(struct df_matrix matrix, int64_t first, int64_t count)
{
    matrix.data = (char *)matrix.data + (size_t)first * df_dtype_size(matrix.type);
    matrix.cols = count;
    return matrix;
}

/* The part of y, or of its gradient, that is the i-th target's. */
static struct df_matrix target_columns(const struct df_lora_use *use, const struct layer_tensors *tensors,
                                       int i, struct df_matrix y)
{
    const struct df_lora_place place = df_lora_place(tensors->targets[i], &use->lora->config);
    return columns(y, place.first_row, place.out);
}

/* A x, or its gradient, of all targets of a layer. */
static struct df_matrix down_matrix(const struct df_lora_use *use, const struct layer_tensors *tensors,
                                    float *values, int64_t rows)
{
    const int64_t width = tensors->count * use->lora->rank;
    return (struct df_matrix){values, DF_F32, rows, width, width};
}

/* Each row of the matrix times its number, to `to`, which may be the matrix. */
static int scale_rows(struct df_backend *backend, struct df_matrix matrix, const float *scales, float *to)
{
    return backend->ops->scale_channels(backend, matrix.data, scales, matrix.rows, matrix.cols, 1, to);
}

/* B of the i-th target as y meets it. */
static int effective_b(const struct df_lora_use *use, struct df_backend *backend,
                       const struct layer_tensors *weights, int i, struct df_matrix *b)
{
    *b = weights->b[i];
    if (!use->row_scale)
        return 0;
    assert(weights->count == 1);
    b->data = use->scaled_b;
    return scale_rows(backend, weights->b[i], use->row_scale, use->scaled_b);
}

int df_lora_down(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x)
{
    const struct layer_tensors weights = layer_tensors(use, false);

    return backend->ops->matmul(backend, x, false, weights.a, true,
                                down_matrix(use, &weights, use->down, x.rows), false);
}

int df_lora_forward(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x,
                    struct df_matrix y)
{
    const struct layer_tensors weights = layer_tensors(use, false);
    const struct df_matrix down = down_matrix(use, &weights, use->down, x.rows);
    const int64_t rank = use->lora->rank;

    if (weights.count == 0)
        return 0;
    DF_TRY(df_lora_down(use, backend, x));
    for (int i = 0; i < weights.count; i++) {
        struct df_matrix b;
        DF_TRY(effective_b(use, backend, &weights, i, &b));
        DF_TRY(backend->ops->matmul(backend, columns(down, i * rank, rank), false, b, true,
                                    target_columns(use, &weights, i, y), true));
    }
    return 0;
}

static int gradient_of_b(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix dy,
                         struct df_matrix down, struct df_matrix gradient)
{
    DF_TRY(backend->ops->matmul(backend, dy, true, down, false, gradient, false));
    if (!use->row_scale)
        return 0;
    return scale_rows(backend, gradient, use->row_scale, gradient.data);
}

int df_lora_gradients(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x,
                      struct df_matrix dy, float *ddown)
{
    const struct layer_tensors weights = layer_tensors(use, false), gradients = layer_tensors(use, true);
    const struct df_matrix down = down_matrix(use, &weights, use->down, x.rows);
    const struct df_matrix ddowns = down_matrix(use, &weights, ddown, x.rows);
    const int64_t rank = use->lora->rank;

    if (weights.count == 0)
        return 0;
    for (int i = 0; i < weights.count; i++) {
        const struct df_matrix dout = target_columns(use, &weights, i, dy);
        struct df_matrix b;
        DF_TRY(effective_b(use, backend, &weights, i, &b));
        DF_TRY(gradient_of_b(use, backend, dout, columns(down, i * rank, rank), gradients.b[i]));
        DF_TRY(backend->ops->matmul(backend, dout, false, b, false, columns(ddowns, i * rank, rank), false));
    }
    return backend->ops->matmul(backend, ddowns, true, x, false, gradients.a, false);
}

int df_lora_input_gradient(const struct df_lora_use *use, struct df_backend *backend, float *ddown,
                           struct df_matrix dx, bool accumulate)
{
    const struct layer_tensors weights = layer_tensors(use, false);

    if (weights.count == 0)
        return 0;
    return backend->ops->matmul(backend, down_matrix(use, &weights, ddown, dx.rows), false, weights.a, false,
                                dx, accumulate);
}

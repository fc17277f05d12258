#include "lora.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

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
    if ((target == DF_LORA_Q || target == DF_LORA_V) && which != 'm')
        snprintf(key, DF_LORA_KEY_MAX, "w_%c_%03lld", which, (long long)(2 * block + (target == DF_LORA_V)));
    else
        snprintf(key, DF_LORA_KEY_MAX, "lora_%c_%03lld_%s", which, (long long)block,
                 df_lora_target_name(target, ffn));
    return key;
}

/* --- parameters --- */

#define KINDS "abm" /* in keys; the last is DoRA's alone */

struct addition {
    struct df_lora *lora;
    struct df_parameters *parameters;
    const struct df_lora_parts *parts;
    bool merged;
};

static bool is_adapted(const struct df_lora_parts *parts, int64_t block, enum df_lora_target target)
{
    return !parts->left_out[block] && (df_lora_targets(parts) & DF_LORA_BIT(target));
}

/* Of a target that is adapted, or whose tensors stand in its place. which: of KINDS. */
static int add_tensor(const struct addition *addition, int which, int64_t block, enum df_lora_target target)
{
    struct df_lora *lora = addition->lora;
    struct df_lora_block *indices = &lora->blocks[block];
    const struct df_lora_place place = df_lora_place(target, &lora->config);
    const bool trained = !addition->merged && is_adapted(addition->parts, block, target);
    const struct {
        int *index;
        enum df_parameter_kind kind;
        enum df_init init;
        int ndim;
        int64_t shape[2];
    } tensors[] = {
        {indices->a, DF_PARAMETER_LORA_A, DF_INIT_FAN_IN, 2, {lora->rank, place.in}},
        {indices->b, DF_PARAMETER_LORA_B, DF_INIT_ZERO, 2, {place.out, lora->rank}},
        {indices->m, DF_PARAMETER_LORA_M, DF_INIT_ZERO, 1, {place.out, 1}},
    };
    const int64_t *shape = tensors[which].shape;
    char name[DF_LORA_KEY_MAX];

    if (trained)
        tensors[which].index[target] = addition->parameters->count;
    return df_parameters_add(addition->parameters,
                             df_lora_key(name, KINDS[which], block, target, lora->config.ffn),
                             trained ? tensors[which].kind : DF_PARAMETER_FIXED_LORA, tensors[which].init,
                             shape[1], tensors[which].ndim, shape);
}

static bool is_stored(const struct df_lora_parts *parts, char which, int64_t block,
                      enum df_lora_target target)
{
    if ((DF_LORA_BIT(target) & DF_LORA_Q_AND_V) && which != 'm')
        return df_lora_targets(parts) & DF_LORA_Q_AND_V;
    return is_adapted(parts, block, target);
}

static int make_blocks(struct df_lora *lora, const struct df_lora_parts *parts)
{
    const int64_t depth = lora->config.depth;

    lora->blocks = malloc((size_t)depth * sizeof *lora->blocks);
    if (!lora->blocks)
        return df_error_memory("LoRA's blocks", (size_t)depth * sizeof *lora->blocks);
    for (int64_t i = 0; i < depth; i++)
        for (int target = 0; target < DF_LORA_TARGETS; target++)
            lora->blocks[i].a[target] = lora->blocks[i].b[target] = lora->blocks[i].m[target] = -1;
    while (lora->first_block < depth && parts->left_out[lora->first_block])
        lora->first_block++;
    return 0;
}

int df_lora_add_parameters(struct df_lora *lora, struct df_parameters *parameters,
                           const struct df_vit_config *config, int64_t rank,
                           const struct df_lora_parts *parts, bool merged)
{
    const struct addition addition = {lora, parameters, parts, merged};

    *lora = (struct df_lora){.rank = rank, .dora = parts->dora, .config = *config, .parameters = parameters};
    DF_TRY(make_blocks(lora, parts));
    for (int which = 0; which < (parts->dora ? 3 : 2); which++)
        for (int64_t block = 0; block < config->depth; block++)
            for (int target = 0; target < DF_LORA_TARGETS; target++)
                if (is_stored(parts, KINDS[which], block, (enum df_lora_target)target))
                    DF_TRY(add_tensor(&addition, which, block, (enum df_lora_target)target));
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

struct df_lora_tensors df_lora_tensors(const struct df_lora_use *use, bool gradients)
{
    const struct df_lora *lora = use->lora;
    const struct df_lora_block *block = &lora->blocks[use->block];
    const struct df_parameter *items = lora->parameters->items;
    struct df_lora_tensors tensors;

    tensors.count = find_targets(lora, use->block, use->layer, tensors.targets);
    for (int i = 0; i < tensors.count; i++) {
        const struct df_parameter *a = &items[block->a[tensors.targets[i]]],
                                  *b = &items[block->b[tensors.targets[i]]];
        if (i == 0)
            tensors.a = (struct df_matrix){gradients ? a->gradient : a->value, DF_F32,
                                           tensors.count * lora->rank, a->shape[1], a->shape[1]};
        tensors.b[i] = (struct df_matrix){gradients ? b->gradient : b->value, DF_F32, b->shape[0], lora->rank,
                                          lora->rank};
        tensors.m[i] = NULL;
        if (lora->dora) {
            const struct df_parameter *m = &items[block->m[tensors.targets[i]]];
            tensors.m[i] = gradients ? m->gradient : m->value;
        }
    }
    return tensors;
}

struct df_matrix df_lora_columns_of(struct df_matrix matrix, int64_t first, int64_t count)
{
    matrix.data = (char *)matrix.data + (size_t)first * df_dtype_size(matrix.type);
    matrix.cols = count;
    return matrix;
}

/* The part of y, or of its gradient, that is the i-th target's. */
static struct df_matrix target_columns(const struct df_lora_use *use, const struct df_lora_tensors *tensors,
                                       int i, struct df_matrix y)
{
    const struct df_lora_place place = df_lora_place(tensors->targets[i], &use->lora->config);
    return df_lora_columns_of(y, place.first_row, place.out);
}

/* A x, or its gradient, of all targets of a layer. */
static struct df_matrix down_matrix(const struct df_lora_use *use, const struct df_lora_tensors *tensors,
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

/* Those of the i-th target's rows. */
static const float *row_scale(const struct df_lora_use *use, const struct df_lora_tensors *tensors, int i)
{
    return use->row_scale + df_lora_place(tensors->targets[i], &use->lora->config).first_row;
}

/* B of the i-th target as y meets it. */
static int effective_b(const struct df_lora_use *use, struct df_backend *backend,
                       const struct df_lora_tensors *weights, int i, struct df_matrix *b)
{
    *b = weights->b[i];
    if (!use->row_scale)
        return 0;
    b->data = use->scaled_b;
    return scale_rows(backend, weights->b[i], row_scale(use, weights, i), use->scaled_b);
}

int df_lora_down(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x)
{
    const struct df_lora_tensors weights = df_lora_tensors(use, false);

    return backend->ops->matmul(backend, x, false, weights.a, true,
                                down_matrix(use, &weights, use->down, x.rows), false);
}

int df_lora_up(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix y)
{
    const struct df_lora_tensors weights = df_lora_tensors(use, false);
    const struct df_matrix down = down_matrix(use, &weights, use->down, y.rows);
    const int64_t rank = use->lora->rank;

    for (int i = 0; i < weights.count; i++) {
        struct df_matrix b;
        DF_TRY(effective_b(use, backend, &weights, i, &b));
        DF_TRY(backend->ops->matmul(backend, df_lora_columns_of(down, i * rank, rank), false, b, true,
                                    target_columns(use, &weights, i, y), true));
    }
    return 0;
}

int df_lora_forward(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x,
                    struct df_matrix y)
{
    if (df_lora_columns(use->lora, use->block, use->layer) == 0)
        return 0;
    DF_TRY(df_lora_down(use, backend, x));
    return df_lora_up(use, backend, y);
}

int df_lora_gradients(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x,
                      struct df_matrix dy, float *ddown)
{
    const struct df_lora_tensors weights = df_lora_tensors(use, false),
                                 gradients = df_lora_tensors(use, true);
    const struct df_matrix down = down_matrix(use, &weights, use->down, x.rows);
    const struct df_matrix ddowns = down_matrix(use, &weights, ddown, x.rows);
    const int64_t rank = use->lora->rank;

    if (weights.count == 0)
        return 0;
    for (int i = 0; i < weights.count; i++) {
        const struct df_matrix dout = target_columns(use, &weights, i, dy);
        struct df_matrix b;
        DF_TRY(effective_b(use, backend, &weights, i, &b));
        DF_TRY(backend->ops->matmul(backend, dout, true, df_lora_columns_of(down, i * rank, rank), false,
                                    gradients.b[i], false));
        if (use->row_scale)
            DF_TRY(scale_rows(backend, gradients.b[i], row_scale(use, &weights, i), gradients.b[i].data));
        DF_TRY(backend->ops->matmul(backend, dout, false, b, false,
                                    df_lora_columns_of(ddowns, i * rank, rank), false));
    }
    return backend->ops->matmul(backend, ddowns, true, x, false, gradients.a, false);
}

int df_lora_input_gradient(const struct df_lora_use *use, struct df_backend *backend, float *ddown,
                           struct df_matrix dx, bool accumulate)
{
    const struct df_lora_tensors weights = df_lora_tensors(use, false);

    if (weights.count == 0)
        return 0;
    return backend->ops->matmul(backend, down_matrix(use, &weights, ddown, dx.rows), false, weights.a, false,
                                dx, accumulate);
}

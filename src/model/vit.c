/* Creation and memory plan of the backbone; the passes are in vit_forward.c and vit_backward.c. */
#include "vit_internal.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>

static int check_options(const struct df_vit_config *config, const struct df_vit_options *options)
{
    DF_TRY(df_vit_check_size(config, options->height, options->width));
    if (options->n_features < 1 || options->n_features > DF_VIT_MAX_FEATURES ||
        options->n_features > config->depth)
        return df_error_set(
            "%d intermediate layers asked for, the backbone has %lld blocks (at most %d can be had)",
            options->n_features, (long long)config->depth, DF_VIT_MAX_FEATURES);
    return 0;
}

/* Where the backward pass ends. */
static void find_first_lora(struct df_vit *vit)
{
    const struct df_lora *lora = vit->options.lora;
    int layer = 0;

    vit->first_kept = lora->first_block;
    while (df_lora_columns(lora, vit->first_kept, (enum df_lora_layer)layer) == 0)
        layer++;
    vit->first_layer = (enum df_lora_layer)layer;
}

struct df_vit *df_vit_create(struct df_backend *backend, const struct df_state *weights,
                             const struct df_vit_config *config, const struct df_vit_options *options)
{
    if (check_options(config, options) != 0)
        return NULL;
    struct df_vit *vit = calloc(1, sizeof *vit);
    if (!vit) {
        df_error_memory("the backbone", sizeof *vit);
        return NULL;
    }
    vit->backend = backend;
    vit->config = *config;
    vit->options = *options;
    vit->prefix = 1 + config->registers;
    df_vit_set_grid(vit, options->height, options->width);
    vit->keep = options->training && options->lora;
    for (int i = 0; i < options->n_features; i++)
        vit->features[i].block = df_layers_block(options->layers, config->depth, options->n_features, i);
    if (vit->keep)
        find_first_lora(vit);
    vit->rescale = options->training && config->family == DF_DINOV3 && options->rope_rescale > 1.0;
    vit->blocks = calloc((size_t)config->depth, sizeof *vit->blocks);
    vit->activations = calloc((size_t)config->depth, sizeof *vit->activations);
    if (!vit->blocks || !vit->activations) {
        df_error_memory("the backbone's blocks",
                        (unsigned long long)config->depth * (sizeof *vit->blocks + sizeof *vit->activations));
        goto fail;
    }
    if (weights && options->training && /* which takes as long as the weights */
        backend->ops->expect_attention(backend, vit_attention_shape(vit, options->max_batch), vit->keep) != 0)
        goto fail;
    if (weights && df_vit_load_weights(vit, weights) != 0) {
        df_error_context("%s", options->path ? options->path : "the backbone");
        goto fail;
    }
    return vit;
fail:
    df_vit_free(vit);
    return NULL;
}

void df_vit_free(struct df_vit *vit)
{
    if (!vit)
        return;
    df_vit_free_weights(vit);
    free(vit->activations);
    free(vit);
}

float *df_vit_feature(const struct df_vit *vit, int i)
{
    assert(i >= 0 && i < vit->options.n_features);
    return vit->features[i].patches;
}

float *df_vit_class_token(const struct df_vit *vit)
{
    assert(vit->options.class_tokens);
    return vit->class_tokens;
}

/* With `recompute` the blocks share them: the first one's serve all, so each layer has the most. */
static int64_t down_columns(const struct df_vit *vit, int64_t i, enum df_lora_layer layer)
{
    const struct df_lora *lora = vit->options.lora;
    int64_t most = df_lora_columns(lora, i, layer);

    for (int64_t k = i; vit->options.recompute && k < vit->config.depth; k++)
        most = df_max_i64(most, df_lora_columns(lora, k, layer));
    return most;
}

/* What the backward pass through block i needs beside the block's input; with `recompute` through all. */
static void plan_inner_activations(struct df_vit *vit, struct df_arena *arena, int64_t i)
{
    struct vit_block_activations *block = &vit->activations[i];
    const enum df_dtype act = vit->backend->compute;
    int64_t rows = vit->options.max_batch * vit->tokens, dim = vit->config.dim;

    block->x_mid = df_arena_take(arena, "block middle", rows * dim, DF_F32);
    block->mean1 = df_arena_take(arena, "LayerNorm statistics", 4 * rows, DF_F32);
    block->rstd1 = block->mean1 ? block->mean1 + rows : NULL;
    block->mean2 = block->mean1 ? block->mean1 + 2 * rows : NULL;
    block->rstd2 = block->mean1 ? block->mean1 + 3 * rows : NULL;
    block->qkv = df_arena_take(arena, "q k v", rows * 3 * dim, act);
    block->attention = df_arena_take(arena, "attention output", rows * dim, act);
    block->lse = df_arena_take(arena, "attention log-sum-exp", rows * vit->config.heads, DF_F32);
    block->ffn = df_arena_take(arena, "FFN pre-activation", rows * vit_ffn_width(vit), act);
    for (int layer = 0; layer < DF_LORA_LAYERS; layer++) {
        const int64_t columns = down_columns(vit, i, (enum df_lora_layer)layer);
        block->lora_down[layer] =
            columns > 0 ? df_arena_take(arena, "LoRA down projection", rows * columns, DF_F32) : NULL;
    }
}

/* What block i leaves for the backward pass. */
static void plan_kept_block(struct df_vit *vit, struct df_arena *arena, int64_t i)
{
    struct vit_block_activations *block = &vit->activations[i];

    if (i == vit->first_kept || !vit->options.recompute)
        plan_inner_activations(vit, arena, i);
    else
        *block = vit->activations[vit->first_kept];
    block->x_in =
        df_arena_take(arena, "block input", vit->options.max_batch * vit->tokens * vit->config.dim, DF_F32);
}

/* One set for all blocks: nothing is kept. */
static void plan_shared_block(struct df_vit *vit, struct df_arena *arena, struct vit_block_activations *block)
{
    const enum df_dtype act = vit->backend->compute;
    int64_t rows = vit->options.max_batch * vit->tokens, dim = vit->config.dim;

    block->x_in = df_arena_take(arena, "residual stream", rows * dim, DF_F32);
    block->x_mid = block->x_in;
    size_t mark = df_arena_mark(arena);
    block->qkv = df_arena_take(arena, "q k v", rows * 3 * dim, act);
    block->attention = df_arena_take(arena, "attention output", rows * dim, act);
    size_t end = arena->used;
    df_arena_return(arena, mark);
    block->ffn = df_arena_take(arena, "FFN pre-activation", rows * vit_ffn_width(vit), act);
    arena->used = end > arena->used ? end : arena->used;
}

/* A block that keeps nothing works in another one's memory, on a residual stream that it changes in place. */
static void share_block(struct vit_block_activations *block, const struct vit_block_activations *other)
{
    *block = *other;
    block->x_mid = block->x_in;
}

/* Of all blocks, one behind the other: they are made together. */
static void plan_rescaled_rope(struct df_vit *vit, struct df_arena *arena)
{
    const int64_t depth = vit->config.depth, table = vit->patches * vit->config.head_size;
    float *tables = df_arena_take(arena, "rescaled RoPE tables", depth * 2 * table, DF_F32);

    for (int64_t i = 0; tables && i < depth; i++) {
        vit->activations[i].rope_sin = tables + 2 * i * table;
        vit->activations[i].rope_cos = tables + (2 * i + 1) * table;
    }
}

static void plan_features(struct df_vit *vit, struct df_arena *arena)
{
    int64_t rows = vit->options.max_batch * vit->patches;
    for (int i = 0; i < vit->options.n_features; i++) {
        struct vit_feature *feature = &vit->features[i];
        feature->patches = df_arena_take(arena, "normalised patch tokens", rows * vit->config.dim, DF_F32);
        feature->mean = feature->rstd = NULL;
        if (vit->keep) {
            feature->mean = df_arena_take(arena, "final norm statistics", 2 * rows, DF_F32);
            feature->rstd = feature->mean ? feature->mean + rows : NULL;
        }
    }
    if (vit->options.class_tokens)
        vit->class_tokens =
            df_arena_take(arena, "class tokens", vit->options.max_batch * vit->config.dim, DF_F32);
}

/* Whether a layer with LoRA has a layer scale in its weights. */
static bool scales_lora(const struct df_vit *vit)
{
    for (int64_t i = vit->first_kept; i < vit->config.depth; i++) {
        if (vit_has_lora(vit, i, DF_LORA_IN_PROJ) || vit_has_lora(vit, i, DF_LORA_IN_DOWN))
            return true;
    }
    return false;
}

/* Buffers of one phase at a time: embedding, a block's forward pass, a block's backward pass. */
static void plan_scratch(struct df_vit *vit, struct df_arena *arena)
{
    const enum df_dtype act = vit->backend->compute;
    int64_t batch = vit->options.max_batch, dim = vit->config.dim, patch = vit->config.patch;
    int64_t rows = batch * vit->tokens;
    size_t mark = df_arena_mark(arena), end;

    vit->scratch.patches =
        df_arena_take(arena, "gathered patches", batch * vit->patches * 3 * patch * patch, act);
    vit->scratch.patch_tokens = df_arena_take(arena, "patch tokens", batch * vit->patches * dim, DF_F32);
    end = arena->used;
    df_arena_return(arena, mark);

    vit->scratch.normed = df_arena_take(arena, "LayerNorm output", rows * dim, act);
    if (vit->keep && vit->options.lora->dora)
        vit_dora_plan(vit, arena);
    else if (scales_lora(vit))
        vit->scratch.lora_b = df_arena_take(arena, "LoRA's B, scaled", dim * vit->options.lora->rank, DF_F32);
    size_t shared = df_arena_mark(arena);
    vit->scratch.ffn_hidden = df_arena_take(arena, "FFN activation", rows * vit->config.ffn_hidden, act);
    end = arena->used > end ? arena->used : end;
    if (vit->keep) {
        df_arena_return(arena, shared);
        vit->scratch.dx = df_arena_take(arena, "residual gradient", rows * dim, DF_F32);
        vit->scratch.dnormed = df_arena_take(arena, "LayerNorm output gradient", rows * dim, act);
        vit->scratch.lora_ddown = df_arena_take(arena, "LoRA down gradient",
                                                rows * df_lora_most_columns(vit->options.lora), DF_F32);
        size_t block = df_arena_mark(arena);
        vit->scratch.dhidden =
            df_arena_take(arena, "FFN activation gradient", rows * vit->config.ffn_hidden, act);
        vit->scratch.dffn = vit->scratch.dhidden;
        if (vit->config.ffn == DF_FFN_SWIGLU)
            vit->scratch.dffn =
                df_arena_take(arena, "FFN pre-activation gradient", rows * vit_ffn_width(vit), act);
        end = arena->used > end ? arena->used : end;
        df_arena_return(arena, block);
        vit->scratch.dattention = df_arena_take(arena, "attention gradient", rows * dim, act);
        vit->scratch.dqkv = df_arena_take(arena, "q k v gradient", rows * 3 * dim, act);
        end = arena->used > end ? arena->used : end;
    }
    arena->used = end;
}

void df_vit_plan(struct df_vit *vit, struct df_arena *arena)
{
    int64_t depth = vit->config.depth, rows = vit->options.max_batch * vit->tokens;

    if (!vit->keep)
        plan_shared_block(vit, arena, &vit->activations[0]);
    for (int64_t i = vit->first_kept; vit->keep && i < depth; i++)
        plan_kept_block(vit, arena, i);
    for (int64_t i = vit->keep ? 0 : 1; i < (vit->keep ? vit->first_kept : depth); i++)
        share_block(&vit->activations[i], &vit->activations[vit->keep ? vit->first_kept : 0]);
    if (vit->rescale)
        plan_rescaled_rope(vit, arena);
    vit->x_out = vit->keep ? df_arena_take(arena, "backbone output", rows * vit->config.dim, DF_F32)
                           : vit->activations[0].x_in;
    plan_features(vit, arena);
    plan_scratch(vit, arena);
}

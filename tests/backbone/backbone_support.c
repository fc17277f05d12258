#include "backbone/backbone_support.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct df_vit_config small_dinov2 = {DF_DINOV2,      .dim = 64,         .depth = 2,
                                           .heads = 1,     .head_size = 64,   .patch = 14,
                                           .registers = 4, .ffn = DF_FFN_MLP, .ffn_hidden = 256,
                                           .pos_grid = 3,  .qkv_bias = true,  .layernorm_eps = 1e-6f};
const struct df_vit_config small_giant = {DF_DINOV2,      .dim = 128,           .depth = 2,
                                          .heads = 2,     .head_size = 64,      .patch = 14,
                                          .registers = 0, .ffn = DF_FFN_SWIGLU, .ffn_hidden = 88,
                                          .pos_grid = 2,  .qkv_bias = true,     .layernorm_eps = 1e-6f};
const struct df_vit_config small_dinov3 = {DF_DINOV3,
                                           .dim = 64,
                                           .depth = 2,
                                           .heads = 1,
                                           .head_size = 64,
                                           .patch = 16,
                                           .registers = 4,
                                           .ffn = DF_FFN_MLP,
                                           .ffn_hidden = 256,
                                           .qkv_bias = true,
                                           .layernorm_eps = 1e-5f};
const struct df_vit_config small_dinov3_plus = {
    DF_DINOV3,        .dim = 64,        .depth = 2,           .heads = 1,
    .head_size = 64,  .patch = 16,      .registers = 4,       .ffn = DF_FFN_SWIGLU,
    .ffn_hidden = 48, .qkv_bias = true, .has_cls_norm = true, .layernorm_eps = 1e-5f};
const struct df_vit_config small_dinov3_7b = {DF_DINOV3,
                                              .dim = 128,
                                              .depth = 2,
                                              .heads = 1,
                                              .head_size = 128,
                                              .patch = 16,
                                              .registers = 4,
                                              .ffn = DF_FFN_SWIGLU,
                                              .ffn_hidden = 64,
                                              .qkv_bias = false,
                                              .layernorm_eps = 1e-5f};

static void add(struct df_state *state, const char *name, int ndim, const int64_t *shape)
{
    size_t count = 1;
    for (int i = 0; i < ndim; i++)
        count *= (size_t)shape[i];
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(state->count + 1) + (float)(i % 1024) / 1024.0f;
    assert_non_null(df_state_adopt(state, name, DF_F32, ndim, shape, values));
}

static void add_vector(struct df_state *state, const char *name, int64_t size)
{
    add(state, name, 1, &size);
}

static void add_pair(struct df_state *state, const char *module, int64_t rows, int64_t columns, bool bias)
{
    char name[96];
    int64_t shape[] = {rows, columns};
    snprintf(name, sizeof name, "%s.weight", module);
    add(state, name, columns ? 2 : 1, shape);
    snprintf(name, sizeof name, "%s.bias", module);
    if (bias)
        add(state, name, 1, shape);
}

static const char *in_block(int64_t block, const char *name)
{
    static char full[64];
    snprintf(full, sizeof full, "blocks.%d.%s", (int)block, name);
    return full;
}

static void add_ffn(struct df_state *state, int64_t block, const struct df_vit_config *c)
{
    bool dinov2 = c->family == DF_DINOV2;
    if (c->ffn == DF_FFN_MLP) {
        add_pair(state, in_block(block, "mlp.fc1"), c->ffn_hidden, c->dim, true);
        add_pair(state, in_block(block, "mlp.fc2"), c->dim, c->ffn_hidden, true);
        return;
    }
    if (dinov2)
        add_pair(state, in_block(block, "mlp.w12"), 2 * c->ffn_hidden, c->dim, true);
    else {
        add_pair(state, in_block(block, "mlp.w1"), c->ffn_hidden, c->dim, true);
        add_pair(state, in_block(block, "mlp.w2"), c->ffn_hidden, c->dim, true);
    }
    add_pair(state, in_block(block, "mlp.w3"), c->dim, c->ffn_hidden, true);
}

static void add_block(struct df_state *state, int64_t block, const struct df_vit_config *c)
{
    add_pair(state, in_block(block, "norm1"), c->dim, 0, true);
    add_pair(state, in_block(block, "attn.qkv"), 3 * c->dim, c->dim, c->qkv_bias);
    if (c->family == DF_DINOV3 && c->qkv_bias) {
        add_vector(state, in_block(block, "attn.qkv.bias_mask"), 3 * c->dim);
        float *mask = state->entries[state->count - 1].owned;
        for (int64_t i = 0; i < 3 * c->dim; i++)
            mask[i] = i / c->dim == 1 ? 0.0f : 1.0f;
    }
    add_pair(state, in_block(block, "attn.proj"), c->dim, c->dim, true);
    add_vector(state, in_block(block, "ls1.gamma"), c->dim);
    add_pair(state, in_block(block, "norm2"), c->dim, 0, true);
    add_ffn(state, block, c);
    add_vector(state, in_block(block, "ls2.gamma"), c->dim);
}

struct df_state *make_backbone(const struct df_vit_config *c)
{
    struct df_state *state = df_state_new();
    const int64_t token[] = {1, 1, c->dim}, mask[] = {1, c->dim}, registers[] = {1, c->registers, c->dim};
    const int64_t position[] = {1, 1 + c->pos_grid * c->pos_grid, c->dim},
                  patch[] = {c->dim, 3, c->patch, c->patch};
    bool dinov2 = c->family == DF_DINOV2;

    add(state, "cls_token", 3, token);
    add(state, "mask_token", 2, mask);
    if (dinov2)
        add(state, "pos_embed", 3, position);
    if (c->registers)
        add(state, dinov2 ? "register_tokens" : "storage_tokens", 3, registers);
    if (!dinov2) {
        add_vector(state, "rope_embed.periods", c->head_size / 4);
        df_rope_default_periods(c->head_size, state->entries[state->count - 1].owned);
    }
    add(state, "patch_embed.proj.weight", 4, patch);
    add_vector(state, "patch_embed.proj.bias", c->dim);
    for (int64_t block = 0; block < c->depth; block++)
        add_block(state, block, c);
    add_pair(state, "norm", c->dim, 0, true);
    if (c->has_cls_norm)
        add_pair(state, "cls_norm", c->dim, 0, true);
    return state;
}

static void copy_entry(struct df_state *state, const char *name, const struct df_tensor *tensor)
{
    assert_non_null(df_state_copy(state, name, tensor->dtype, tensor->ndim, tensor->shape, tensor->data));
}

struct df_state *with_prefix(const struct df_state *state, const char *prefix)
{
    struct df_state *copy = df_state_new();
    char name[256];
    for (size_t i = 0; i < state->count; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, state->entries[i].name);
        copy_entry(copy, name, &state->entries[i].tensor);
    }
    return copy;
}

struct df_state *without(const struct df_state *state, const char *name)
{
    struct df_state *copy = df_state_new();
    for (size_t i = 0; i < state->count; i++) {
        if (strcmp(state->entries[i].name, name) != 0)
            copy_entry(copy, state->entries[i].name, &state->entries[i].tensor);
    }
    return copy;
}

struct df_state *with_shape(const struct df_state *state, const char *name, enum df_dtype dtype, int ndim,
                            const int64_t *shape)
{
    struct df_state *copy = without(state, name);
    size_t count = 1;
    for (int i = 0; i < ndim; i++)
        count *= (size_t)shape[i];
    assert_non_null(df_state_adopt(copy, name, dtype, ndim, shape, calloc(count + 1, df_dtype_size(dtype))));
    return copy;
}

void assert_same_config(const struct df_vit_config *a, const struct df_vit_config *b)
{
    assert_int_equal(a->family, b->family);
    assert_int_equal(a->dim, b->dim);
    assert_int_equal(a->depth, b->depth);
    assert_int_equal(a->heads, b->heads);
    assert_int_equal(a->head_size, b->head_size);
    assert_int_equal(a->patch, b->patch);
    assert_int_equal(a->registers, b->registers);
    assert_int_equal(a->ffn, b->ffn);
    assert_int_equal(a->ffn_hidden, b->ffn_hidden);
    assert_int_equal(a->pos_grid, b->pos_grid);
    assert_int_equal(a->qkv_bias, b->qkv_bias);
    assert_int_equal(a->has_cls_norm, b->has_cls_norm);
    assert_memory_equal(&a->layernorm_eps, &b->layernorm_eps, sizeof a->layernorm_eps);
}

void assert_same_tensor(const struct df_entry *a, const struct df_entry *b)
{
    char x[DF_SHAPE_TEXT_MAX], y[DF_SHAPE_TEXT_MAX];
    if (!a || !b)
        fail_msg("%s is missing", a ? a->name : b ? b->name : "a tensor");
    assert_string_equal(df_shape_text(a->tensor.shape, a->tensor.ndim, x),
                        df_shape_text(b->tensor.shape, b->tensor.ndim, y));
    assert_int_equal(a->tensor.dtype, b->tensor.dtype);
    if (memcmp(a->tensor.data, b->tensor.data, a->tensor.count * df_dtype_size(a->tensor.dtype)) != 0)
        fail_msg("%s differs", a->name);
}

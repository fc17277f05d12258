#include "dinoft/vit_config.h"

#include "names.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_POS_GRID 1024

#define ANY (-1) /* a dimension that is not known beforehand */

/* "[1, 4, D]": like df_shape_text, but a dimension of ANY reads as a letter. */
static const char *expected_text(const int64_t *shape, int ndim, char *buffer)
{
    size_t used = 0;

    for (int i = 0; i < ndim; i++) {
        used += (size_t)snprintf(buffer + used, DF_SHAPE_TEXT_MAX - used, "%s", i ? ", " : "[");
        if (shape[i] == ANY)
            used += (size_t)snprintf(buffer + used, DF_SHAPE_TEXT_MAX - used, "N");
        else
            used += (size_t)snprintf(buffer + used, DF_SHAPE_TEXT_MAX - used, "%" PRId64, shape[i]);
    }
    snprintf(buffer + used, DF_SHAPE_TEXT_MAX - used, "]");
    return buffer;
}

/* Finds a tensor and checks that it has floating-point elements and the shape, in which each ANY is filled
 * in. */
static int expect(const struct df_state *state, const char *name, int ndim, int64_t *shape)
{
    char found[DF_SHAPE_TEXT_MAX], expected[DF_SHAPE_TEXT_MAX];
    const struct df_entry *entry = df_state_find(state, name);

    if (!entry || entry->text)
        return df_error_set("%s is missing", name);
    const struct df_tensor *tensor = &entry->tensor;
    bool fits = tensor->ndim == ndim;
    for (int i = 0; fits && i < ndim; i++)
        fits = shape[i] == ANY ? tensor->shape[i] > 0 : tensor->shape[i] == shape[i];
    if (!fits)
        return df_error_set("%s is %s, expected %s", name, df_shape_text(tensor->shape, tensor->ndim, found),
                            expected_text(shape, ndim, expected));
    if (!df_dtype_is_float(tensor->dtype))
        return df_error_set("%s has elements of type %s, expected a floating-point type", name,
                            df_dtype_name(tensor->dtype));
    memcpy(shape, tensor->shape, (size_t)ndim * sizeof shape[0]);
    return 0;
}

static int expect_vector(const struct df_state *state, const char *name, int64_t size)
{
    return expect(state, name, 1, &size);
}

static int expect_vector_in_block(const struct df_state *state, int64_t block, const char *name, int64_t size)
{
    char full[DF_OFFICIAL_NAME_MAX];
    snprintf(full, sizeof full, "blocks.%" PRId64 ".%s", block, name);
    return expect_vector(state, full, size);
}

static bool has(const struct df_state *state, const char *name)
{
    return df_state_find(state, name) != NULL;
}

static int read_embedding(const struct df_state *state, struct df_vit_config *config)
{
    int64_t token[] = {1, 1, ANY};
    DF_TRY(expect(state, "cls_token", 3, token));
    if (token[2] > DF_VIT_MAX_DIM)
        return df_error_set("cls_token has %" PRId64 " channels, at most %d are supported", token[2],
                            DF_VIT_MAX_DIM);
    config->dim = token[2];

    int64_t patch[] = {config->dim, 3, ANY, ANY};
    DF_TRY(expect(state, "patch_embed.proj.weight", 4, patch));
    if (patch[2] != patch[3] || patch[2] > DF_VIT_MAX_PATCH)
        return df_error_set("patch_embed.proj.weight has patches of %" PRId64 " x %" PRId64
                            ", expected squares of at most %d",
                            patch[2], patch[3], DF_VIT_MAX_PATCH);
    config->patch = patch[2];
    return expect_vector(state, "patch_embed.proj.bias", config->dim);
}

static int read_registers(const struct df_state *state, struct df_vit_config *config)
{
    const char *name = config->family == DF_DINOV2 ? "register_tokens" : "storage_tokens";
    int64_t shape[] = {1, ANY, config->dim};

    const struct df_entry *entry = df_state_find(state, name);

    config->registers = 0;
    /* transformers writes an empty tensor for a DINOv3 without them. */
    if (!entry || (entry->tensor.ndim == 3 && entry->tensor.shape[1] == 0))
        return 0;
    DF_TRY(expect(state, name, 3, shape));
    if (shape[1] > DF_VIT_MAX_REGISTERS)
        return df_error_set("%s has %" PRId64 " tokens, at most %d are supported", name, shape[1],
                            DF_VIT_MAX_REGISTERS);
    config->registers = shape[1];
    return 0;
}

static int read_position(const struct df_state *state, struct df_vit_config *config)
{
    int64_t shape[] = {1, ANY, config->dim};

    config->pos_grid = 0;
    config->head_size = 64;
    if (config->family == DF_DINOV2) {
        DF_TRY(expect(state, "pos_embed", 3, shape));
        int64_t patches = shape[1] - 1;
        config->pos_grid = (int64_t)lround(sqrt((double)patches));
        if (config->pos_grid < 1 || config->pos_grid > MAX_POS_GRID ||
            config->pos_grid * config->pos_grid != patches)
            return df_error_set("pos_embed has %" PRId64 " positions, expected one and a square", shape[1]);
    } else if (has(state, "rope_embed.periods")) {
        int64_t periods = ANY;
        DF_TRY(expect(state, "rope_embed.periods", 1, &periods));
        if (periods != 16 && periods != 32)
            return df_error_set(
                "rope_embed.periods is [%" PRId64 "], expected [16] or [32] (heads of 64 or 128)", periods);
        config->head_size = 4 * periods;
    } else if (config->dim ==
               DF_DIM_OF_7B) { /* the 7B model from Hugging Face, which does not store the periods */
        config->head_size = 128;
    }
    if (config->dim % config->head_size)
        return df_error_set("the width %" PRId64 " is not a multiple of the head size %" PRId64, config->dim,
                            config->head_size);
    config->heads = config->dim / config->head_size;
    return 0;
}

/* TIPS's middle size has heads of 72 channels, which its shapes do not say: heads of 64 would fit them. */
static int check_heads(const struct df_vit_config *config)
{
    if (!df_vit_is_tips(config) || config->dim != DF_DIM_OF_SO400M)
        return 0;
    return df_error_set(
        "a TIPSv2 SO400m (one register, %d channels) has heads of 72 channels; dinoft computes "
        "heads of 64 and 128, and so TIPSv2's sizes B, L and g",
        DF_DIM_OF_SO400M);
}

/* The kind and width of the FFN, as block 0 has it. */
static int read_ffn(const struct df_state *state, struct df_vit_config *config)
{
    int64_t shape[] = {ANY, config->dim};
    bool fused = has(state, "blocks.0.mlp.w12.weight");

    config->ffn = fused || has(state, "blocks.0.mlp.w1.weight") ? DF_FFN_SWIGLU : DF_FFN_MLP;
    const char *name = fused                          ? "blocks.0.mlp.w12.weight"
                       : config->ffn == DF_FFN_SWIGLU ? "blocks.0.mlp.w1.weight"
                                                      : "blocks.0.mlp.fc1.weight";
    DF_TRY(expect(state, name, 2, shape));
    if (shape[0] > DF_VIT_MAX_HIDDEN)
        return df_error_set("%s has %" PRId64 " rows, at most %d are supported", name, shape[0],
                            DF_VIT_MAX_HIDDEN);
    if (fused && shape[0] % 2)
        return df_error_set("%s has %" PRId64 " rows, expected two equal halves", name, shape[0]);
    config->ffn_hidden = fused ? shape[0] / 2 : shape[0];
    return 0;
}

struct linear {
    const char *name;
    int64_t outputs, inputs;
    bool bias;
};

static int check_linear(const struct df_state *state, int64_t block, const struct linear *linear)
{
    char name[DF_OFFICIAL_NAME_MAX];
    int64_t shape[] = {linear->outputs, linear->inputs};

    snprintf(name, sizeof name, "blocks.%" PRId64 ".%s.weight", block, linear->name);
    DF_TRY(expect(state, name, 2, shape));
    snprintf(name, sizeof name, "blocks.%" PRId64 ".%s.bias", block, linear->name);
    if (!linear->bias)
        return has(state, name) ? df_error_set("%s is there, but block 0 has none", name) : 0;
    return expect_vector(state, name, linear->outputs);
}

static int check_ffn(const struct df_state *state, int64_t block, const struct df_vit_config *config)
{
    const int64_t dim = config->dim, hidden = config->ffn_hidden;
    const struct linear mlp[] = {{"mlp.fc1", hidden, dim, true}, {"mlp.fc2", dim, hidden, true}};
    const struct linear fused[] = {{"mlp.w12", 2 * hidden, dim, true}, {"mlp.w3", dim, hidden, true}};
    const struct linear apart[] = {
        {"mlp.w1", hidden, dim, true}, {"mlp.w2", hidden, dim, true}, {"mlp.w3", dim, hidden, true}};
    bool is_fused = has(state, "blocks.0.mlp.w12.weight");
    const struct linear *layers = config->ffn == DF_FFN_MLP ? mlp : is_fused ? fused : apart;
    int count = layers == apart ? 3 : 2;

    for (int i = 0; i < count; i++)
        DF_TRY(check_linear(state, block, &layers[i]));
    return 0;
}

static int check_block(const struct df_state *state, int64_t block, const struct df_vit_config *config)
{
    static const char *const vectors[] = {"norm1.weight", "norm1.bias", "norm2.weight",
                                          "norm2.bias",   "ls1.gamma",  "ls2.gamma"};
    const int64_t dim = config->dim;
    const struct linear qkv = {"attn.qkv", 3 * dim, dim, config->qkv_bias};
    const struct linear proj = {"attn.proj", dim, dim, true};
    char mask[DF_OFFICIAL_NAME_MAX];

    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        DF_TRY(expect_vector_in_block(state, block, vectors[i], dim));
    DF_TRY(check_linear(state, block, &qkv));
    DF_TRY(check_linear(state, block, &proj));
    snprintf(mask, sizeof mask, "blocks.%" PRId64 ".attn.qkv.bias_mask", block);
    if (has(state, mask))
        DF_TRY(expect_vector(state, mask, 3 * dim));
    return check_ffn(state, block, config);
}

static int64_t count_blocks(const struct df_state *state)
{
    int64_t depth = 0;

    for (size_t i = 0; i < state->count; i++) {
        const char *rest = state->entries[i].name;
        if (!df_text_starts_with(rest, "blocks."))
            continue;
        rest += strlen("blocks.");
        int block = df_block_number(&rest);
        if (block >= depth)
            depth = block + 1;
    }
    return depth ? depth : 1; /* without blocks, say that block 0 misses its tensors */
}

/* A file that lost its pos_embed must not pass for a DINOv3, so that needs a sign of its own. */
static int read_family(const struct df_state *state, struct df_vit_config *config)
{
    if (has(state, "pos_embed"))
        config->family = DF_DINOV2;
    else if (has(state, "register_tokens"))
        return df_error_set("pos_embed is missing");
    else if (has(state, "storage_tokens") || has(state, "rope_embed.periods"))
        config->family = DF_DINOV3;
    else
        return df_error_set(
            "pos_embed (DINOv2) and storage_tokens, rope_embed.periods (DINOv3) are all missing");
    config->layernorm_eps = config->family == DF_DINOV2 ? 1e-6f : 1e-5f;
    return 0;
}

int df_vit_config_read(const struct df_state *state, struct df_vit_config *config)
{
    memset(config, 0, sizeof *config);
    DF_TRY(read_family(state, config));
    config->depth = count_blocks(state);
    config->qkv_bias = has(state, "blocks.0.attn.qkv.bias");
    config->has_cls_norm = config->family == DF_DINOV3 && has(state, "cls_norm.weight");
    DF_TRY(read_embedding(state, config));
    DF_TRY(read_registers(state, config));
    DF_TRY(check_heads(config));
    DF_TRY(read_position(state, config));
    DF_TRY(read_ffn(state, config));
    for (int64_t block = 0; block < config->depth; block++)
        DF_TRY(check_block(state, block, config));
    if (config->has_cls_norm) {
        DF_TRY(expect_vector(state, "cls_norm.weight", config->dim));
        DF_TRY(expect_vector(state, "cls_norm.bias", config->dim));
    }
    DF_TRY(expect_vector(state, "norm.weight", config->dim));
    return expect_vector(state, "norm.bias", config->dim);
}

/* From an official state dict to packed layers on the device. */
#include "vit_internal.h"

#include "dinoft/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 96

static float *host_block_tensor(const struct df_state *weights, int64_t block, const char *what)
{
    char name[NAME_MAX_LENGTH];
    snprintf(name, sizeof name, "blocks.%lld.%s", (long long)block, what);
    return vit_host_tensor(weights, name);
}

static bool has_block_tensor(const struct df_state *weights, int64_t block, const char *what)
{
    char name[NAME_MAX_LENGTH];
    snprintf(name, sizeof name, "blocks.%lld.%s", (long long)block, what);
    return df_state_find(weights, name) != NULL;
}

/* Takes over host values (NULL: a failed read) and moves them to the device. */
static float *device_tensor(struct df_vit *vit, float *values, int64_t count)
{
    float *vector = values ? vit_device_vector(vit, values, count) : NULL;
    free(values);
    return vector;
}

static int load_norm(struct df_vit *vit, const struct df_state *weights, const char *prefix,
                     struct vit_norm *norm)
{
    char name[NAME_MAX_LENGTH];
    snprintf(name, sizeof name, "%s.weight", prefix);
    norm->gamma = device_tensor(vit, vit_host_tensor(weights, name), vit->config.dim);
    if (!norm->gamma)
        return -1;
    snprintf(name, sizeof name, "%s.bias", prefix);
    norm->beta = device_tensor(vit, vit_host_tensor(weights, name), vit->config.dim);
    return norm->beta ? 0 : -1;
}

/* Multiplies row i of weight [out, in] and bias [out] by scale[i]: layer scale becomes part of the layer. */
static void fold_scale(float *weight, float *bias, const float *scale, int64_t out, int64_t in)
{
    for (int64_t i = 0; i < out; i++) {
        for (int64_t j = 0; j < in; j++)
            weight[i * in + j] *= scale[i];
        bias[i] *= scale[i];
    }
}

static struct df_linear *pack(struct df_vit *vit, const float *weight, const float *bias, int64_t out,
                              int64_t in, bool backward)
{
    return vit->backend->ops->linear_create(vit->backend, weight, bias, out, in,
                                            vit->options.max_batch * vit->tokens, backward);
}

/* A layer of a block. What is folded into weight and bias first: LoRA that is not trained, and the layer
 * scale `scale` [out] (NULL: none). */
static struct df_linear *pack_layer(struct df_vit *vit, int64_t block, enum df_lora_layer layer,
                                    float *weight, float *bias, const float *scale, int64_t out, int64_t in)
{
    const float *packed_bias = bias;

    if (vit->options.fold && df_lora_fold(vit->options.fold, &vit->config, block, layer, weight) != 0)
        return NULL;
    if (vit_has_dora(vit, block, layer)) {
        if (vit_dora_load(vit, block, layer, weight, bias, scale, out, in) != 0)
            return NULL;
        packed_bias = NULL;
    }
    if (scale) {
        fold_scale(weight, bias, scale, out, in);
        if (vit_has_lora(vit, block, layer) &&
            !(vit->blocks[block].row_scales[layer] = vit_device_vector(vit, scale, out)))
            return NULL;
    }
    return pack(vit, weight, packed_bias, out, in, vit_goes_below(vit, block, layer));
}

/* A layer of a block, with the layer scale of that name (NULL: none). */
static struct df_linear *load_linear(struct df_vit *vit, const struct df_state *weights, int64_t block,
                                     const char *name, enum df_lora_layer layer, const char *scale_name,
                                     int64_t out, int64_t in)
{
    char what[NAME_MAX_LENGTH / 2];
    struct df_linear *linear = NULL;
    float *bias = NULL, *scale = NULL;

    snprintf(what, sizeof what, "%s.weight", name);
    float *weight = host_block_tensor(weights, block, what);
    if (!weight)
        goto done;
    snprintf(what, sizeof what, "%s.bias", name);
    if (!(bias = host_block_tensor(weights, block, what)))
        goto done;
    if (scale_name && !(scale = host_block_tensor(weights, block, scale_name)))
        goto done;
    linear = pack_layer(vit, block, layer, weight, bias, scale, out, in);
done:
    free(weight);
    free(bias);
    free(scale);
    return linear;
}

/* DINOv3 masks the k third of the bias: its effective value is bias * mask. What is masked is NaN in some
 * official files, so only what is left must be finite. */
static float *load_qkv_bias(const struct df_state *weights, int64_t block, int64_t count)
{
    char name[NAME_MAX_LENGTH];
    float *mask = NULL;

    snprintf(name, sizeof name, "blocks.%lld.attn.qkv.bias", (long long)block);
    float *bias = vit_raw_tensor(weights, name);
    if (bias && has_block_tensor(weights, block, "attn.qkv.bias_mask")) {
        mask = host_block_tensor(weights, block, "attn.qkv.bias_mask");
        for (int64_t i = 0; mask && i < count; i++)
            bias[i] = mask[i] != 0.0f ? bias[i] * mask[i] : 0.0f;
        if (!mask)
            goto fail;
    }
    if (bias && df_check_weights(name, bias, (size_t)count) != 0)
        goto fail;
    free(mask);
    return bias;
fail:
    free(bias);
    free(mask);
    return NULL;
}

static struct df_linear *load_qkv(struct df_vit *vit, const struct df_state *weights, int64_t block)
{
    int64_t dim = vit->config.dim;
    struct df_linear *linear = NULL;
    float *bias = NULL;
    float *weight = host_block_tensor(weights, block, "attn.qkv.weight");

    if (!weight)
        goto done;
    if (vit->config.qkv_bias) {
        bias = load_qkv_bias(weights, block, 3 * dim);
        if (!bias)
            goto done;
    }
    linear = pack_layer(vit, block, DF_LORA_IN_QKV, weight, bias, NULL, 3 * dim, dim);
done:
    free(weight);
    free(bias);
    return linear;
}

/* SwiGLU with separate w1 and w2 (DINOv3) becomes DINOv2's fused layer: w1 over w2. */
static struct df_linear *load_separate_swiglu(struct df_vit *vit, const struct df_state *weights,
                                              int64_t block)
{
    int64_t dim = vit->config.dim, hidden = vit->config.ffn_hidden;
    struct df_linear *linear = NULL;
    float *weight = malloc((size_t)(2 * hidden * dim) * sizeof *weight);
    float *bias = malloc((size_t)(2 * hidden) * sizeof *bias);
    static const char *const names[2][2] = {{"mlp.w1.weight", "mlp.w1.bias"},
                                            {"mlp.w2.weight", "mlp.w2.bias"}};

    if (!weight || !bias) {
        df_error_memory("a SwiGLU layer", (unsigned long long)(2 * hidden * dim) * sizeof *weight);
        goto done;
    }
    for (int i = 0; i < 2; i++) {
        float *part = host_block_tensor(weights, block, names[i][0]);
        float *part_bias = part ? host_block_tensor(weights, block, names[i][1]) : NULL;
        if (part && part_bias) {
            memcpy(weight + i * hidden * dim, part, (size_t)(hidden * dim) * sizeof *part);
            memcpy(bias + i * hidden, part_bias, (size_t)hidden * sizeof *part_bias);
        }
        bool failed = !part || !part_bias;
        free(part);
        free(part_bias);
        if (failed)
            goto done;
    }
    linear = pack_layer(vit, block, DF_LORA_IN_UP, weight, bias, NULL, 2 * hidden, dim);
done:
    free(weight);
    free(bias);
    return linear;
}

static int load_ffn(struct df_vit *vit, const struct df_state *weights, int64_t i)
{
    struct vit_block *block = &vit->blocks[i];
    int64_t dim = vit->config.dim, hidden = vit->config.ffn_hidden;

    if (vit->config.ffn == DF_FFN_MLP) {
        block->ffn_up = load_linear(vit, weights, i, "mlp.fc1", DF_LORA_IN_UP, NULL, hidden, dim);
        block->ffn_down =
            block->ffn_up ? load_linear(vit, weights, i, "mlp.fc2", DF_LORA_IN_DOWN, "ls2.gamma", dim, hidden)
                          : NULL;
    } else {
        block->ffn_up = has_block_tensor(weights, i, "mlp.w12.weight")
                            ? load_linear(vit, weights, i, "mlp.w12", DF_LORA_IN_UP, NULL, 2 * hidden, dim)
                            : load_separate_swiglu(vit, weights, i);
        block->ffn_down =
            block->ffn_up ? load_linear(vit, weights, i, "mlp.w3", DF_LORA_IN_DOWN, "ls2.gamma", dim, hidden)
                          : NULL;
    }
    return block->ffn_down ? 0 : -1;
}

static int load_block(struct df_vit *vit, const struct df_state *weights, int64_t i)
{
    char name[NAME_MAX_LENGTH];
    struct vit_block *block = &vit->blocks[i];
    int64_t dim = vit->config.dim;

    snprintf(name, sizeof name, "blocks.%lld.norm1", (long long)i);
    DF_TRY(load_norm(vit, weights, name, &block->norm1));
    snprintf(name, sizeof name, "blocks.%lld.norm2", (long long)i);
    DF_TRY(load_norm(vit, weights, name, &block->norm2));
    if (!(block->qkv = load_qkv(vit, weights, i)))
        return -1;
    if (!(block->proj = load_linear(vit, weights, i, "attn.proj", DF_LORA_IN_PROJ, "ls1.gamma", dim, dim)))
        return -1;
    return load_ffn(vit, weights, i);
}

static int load_patch_embed(struct df_vit *vit, const struct df_state *weights)
{
    int64_t patch = vit->config.patch;
    float *weight = vit_host_tensor(weights, "patch_embed.proj.weight");
    float *bias = weight ? vit_host_tensor(weights, "patch_embed.proj.bias") : NULL;

    if (weight && bias)
        vit->patch_embed =
            vit->backend->ops->linear_create(vit->backend, weight, bias, vit->config.dim, 3 * patch * patch,
                                             vit->options.max_batch * vit->patches, false);
    free(weight);
    free(bias);
    return vit->patch_embed ? 0 : -1;
}

/* Class and register tokens. The class token's position is part of it; registers have none. */
static int load_tokens(struct df_vit *vit, const struct df_state *weights)
{
    const int64_t dim = vit->config.dim;
    const bool v2 = vit->config.family == DF_DINOV2;
    float *prefix = malloc((size_t)(vit->prefix * dim) * sizeof *prefix);
    float *class_token = NULL, *registers = NULL;
    int status = -1;

    if (!prefix) {
        df_error_memory("the tokens", (unsigned long long)(vit->prefix * dim) * sizeof *prefix);
        goto done;
    }
    if (!(class_token = vit_host_tensor(weights, "cls_token")))
        goto done;
    memcpy(prefix, class_token, (size_t)dim * sizeof *prefix);
    if (vit->config.registers > 0) {
        if (!(registers = vit_host_tensor(weights, v2 ? "register_tokens" : "storage_tokens")))
            goto done;
        memcpy(prefix + dim, registers, (size_t)(vit->config.registers * dim) * sizeof *prefix);
    }
    for (int64_t d = 0; v2 && d < dim; d++)
        prefix[d] += vit->position_host[d];
    vit->prefix_tokens = vit_device_vector(vit, prefix, vit->prefix * dim);
    status = vit->prefix_tokens ? 0 : -1;
done:
    free(prefix);
    free(class_token);
    free(registers);
    return status;
}

int df_vit_load_weights(struct df_vit *vit, const struct df_state *weights)
{
    vit->max_vectors = (int)((6 + DF_LORA_LAYERS) * vit->config.depth + 9);
    vit->vectors = calloc((size_t)vit->max_vectors, sizeof *vit->vectors);
    if (!vit->vectors)
        return df_error_memory("the backbone's vectors", (size_t)vit->max_vectors * sizeof *vit->vectors);

    if (vit_has_dropout(vit)) {
        const float none[sizeof *vit->dropout_draw / sizeof(float)] = {0};
        vit->dropout_draw = (void *)vit_device_vector(vit, none, sizeof none / sizeof *none);
        if (!vit->dropout_draw)
            return -1;
    }
    DF_TRY(load_patch_embed(vit, weights));
    DF_TRY(df_vit_load_positions(vit, weights));
    DF_TRY(load_tokens(vit, weights));
    for (int64_t i = 0; i < vit->config.depth; i++)
        DF_TRY(load_block(vit, weights, i));
    DF_TRY(load_norm(vit, weights, "norm", &vit->norm));
    if (vit->config.has_cls_norm)
        return load_norm(vit, weights, "cls_norm", &vit->cls_norm);
    vit->cls_norm = vit->norm;
    return 0;
}

struct layer_shape {
    int64_t out, in, rows; /* as linear_create is given them */
    bool bias;
    int64_t forward, backward; /* how many pack it for each direction */
};

static int add_layer_bytes(const struct df_vit *vit, const struct layer_shape *layer,
                           struct df_vit_weight_bytes *bytes)
{
    struct df_backend *backend = vit->backend;
    size_t one;

    DF_TRY(backend->ops->linear_bytes(backend, layer->out, layer->in, layer->rows, false, &one));
    one += layer->bias ? (size_t)layer->out * sizeof(float) : 0;
    bytes->forward += (size_t)layer->forward * one;
    if (layer->backward == 0)
        return 0;
    DF_TRY(backend->ops->linear_bytes(backend, layer->out, layer->in, layer->rows, true, &one));
    bytes->backward += (size_t)layer->backward * one;
    return 0;
}

/* Layer scales that LoRA needs, norms, class token and registers, position embedding or RoPE tables with
 * their periods and factors. */
static size_t vector_bytes(const struct df_vit *vit)
{
    const int64_t norms = 2 * (2 * vit->config.depth + 1 + vit->config.has_cls_norm);
    int64_t count = (norms + vit->prefix) * vit->config.dim;

    for (int64_t i = 0; i < vit->config.depth; i++)
        count +=
            vit->config.dim * (vit_has_lora(vit, i, DF_LORA_IN_PROJ) + vit_has_lora(vit, i, DF_LORA_IN_DOWN));
    if (vit->config.family == DF_DINOV2)
        count += vit->patches * vit->config.dim;
    else
        count += 2 * vit->patches * vit->config.head_size + vit->config.head_size / 4 + 1 + vit->config.depth;
    return (size_t)count * sizeof(float) + (vit_has_dropout(vit) ? sizeof *vit->dropout_draw : 0) +
           vit_dora_bytes(vit);
}

/* Blocks that pack a layer for the backward pass. */
static int64_t packed_backward(const struct df_vit *vit, enum df_lora_layer layer)
{
    int64_t count = 0;

    for (int64_t i = 0; i < vit->config.depth; i++)
        count += vit_goes_below(vit, i, layer);
    return count;
}

int df_vit_weight_bytes(const struct df_vit *vit, struct df_vit_weight_bytes *bytes)
{
    const int64_t dim = vit->config.dim, depth = vit->config.depth;
    const int64_t batch = vit->options.max_batch, rows = batch * vit->tokens;
    const int64_t pixels = 3 * vit->config.patch * vit->config.patch;
    const struct layer_shape layers[] = {
        {dim, pixels, batch * vit->patches, true, 1, 0},
        {3 * dim, dim, rows, vit->config.qkv_bias, depth, packed_backward(vit, DF_LORA_IN_QKV)},
        {dim, dim, rows, true, depth, packed_backward(vit, DF_LORA_IN_PROJ)},
        {vit_ffn_width(vit), dim, rows, true, depth, packed_backward(vit, DF_LORA_IN_UP)},
        {dim, vit->config.ffn_hidden, rows, true, depth, packed_backward(vit, DF_LORA_IN_DOWN)},
    };

    *bytes = (struct df_vit_weight_bytes){.forward = vector_bytes(vit)};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++)
        DF_TRY(add_layer_bytes(vit, &layers[i], bytes));
    return 0;
}

static void free_linear(struct df_vit *vit, struct df_linear *linear)
{
    if (linear)
        vit->backend->ops->linear_free(vit->backend, linear);
}

void df_vit_free_weights(struct df_vit *vit)
{
    free_linear(vit, vit->patch_embed);
    for (int64_t i = 0; vit->blocks && i < vit->config.depth; i++) {
        free_linear(vit, vit->blocks[i].qkv);
        free_linear(vit, vit->blocks[i].proj);
        free_linear(vit, vit->blocks[i].ffn_up);
        free_linear(vit, vit->blocks[i].ffn_down);
    }
    for (int i = 0; i < vit->n_vectors; i++)
        vit->backend->ops->free(vit->backend, vit->vectors[i]);
    free(vit->vectors);
    free(vit->blocks);
    df_vit_free_positions(vit);
}

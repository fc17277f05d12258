/* A backbone of random weights, for measurements that need dimensions only. */
#include "dinoft/backbone_file.h"

#include "dinov3_buffers.h"

#include "dinoft/error.h"
#include "dinoft/rng.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Appends a float32 tensor of normal numbers around `mean`. */
static int add(struct df_state *state, uint64_t seed, const char *name, int ndim, const int64_t *shape,
               double mean, double deviation)
{
    struct df_rng rng;
    size_t count = 1;
    for (int i = 0; i < ndim; i++)
        count *= (size_t)shape[i];
    float *values = malloc(count * sizeof *values);
    if (!values)
        return df_error_memory(name, count * sizeof *values);
    df_rng_seed(&rng, seed, df_hash_text(name));
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(mean + deviation * df_rng_normal(&rng));
    return df_state_adopt(state, name, DF_F32, ndim, shape, values) ? 0 : -1;
}

static int add_block_tensor(struct df_state *state, uint64_t seed, int64_t block, const char *what,
                            int64_t rows, int64_t columns, double mean, double deviation)
{
    char name[96];
    snprintf(name, sizeof name, "blocks.%" PRId64 ".%s", block, what);
    return add(state, seed, name, columns ? 2 : 1, (int64_t[]){rows, columns}, mean, deviation);
}

static int add_linear(struct df_state *state, uint64_t seed, int64_t block, const char *layer, int64_t out,
                      int64_t in, bool bias)
{
    char what[64];
    snprintf(what, sizeof what, "%s.weight", layer);
    DF_TRY(add_block_tensor(state, seed, block, what, out, in, 0.0, 0.02));
    if (!bias)
        return 0;
    snprintf(what, sizeof what, "%s.bias", layer);
    return add_block_tensor(state, seed, block, what, out, 0, 0.0, 0.02);
}

static int add_block(struct df_state *state, uint64_t seed, int64_t block, const struct df_vit_config *config)
{
    static const char *const scales[] = {"norm1.weight", "norm2.weight", "ls1.gamma", "ls2.gamma"};
    const int64_t dim = config->dim, hidden = config->ffn_hidden;

    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
        DF_TRY(add_block_tensor(state, seed, block, scales[i], dim, 0, 1.0, 0.02));
    DF_TRY(add_block_tensor(state, seed, block, "norm1.bias", dim, 0, 0.0, 0.02));
    DF_TRY(add_block_tensor(state, seed, block, "norm2.bias", dim, 0, 0.0, 0.02));
    DF_TRY(add_linear(state, seed, block, "attn.qkv", 3 * dim, dim, config->qkv_bias));
    DF_TRY(add_linear(state, seed, block, "attn.proj", dim, dim, true));
    if (config->ffn == DF_FFN_MLP) {
        DF_TRY(add_linear(state, seed, block, "mlp.fc1", hidden, dim, true));
        return add_linear(state, seed, block, "mlp.fc2", dim, hidden, true);
    }
    DF_TRY(add_linear(state, seed, block, "mlp.w12", 2 * hidden, dim, true));
    return add_linear(state, seed, block, "mlp.w3", dim, hidden, true);
}

static int add_all(struct df_state *state, uint64_t seed, const struct df_vit_config *config)
{
    const int64_t dim = config->dim, patch = config->patch;
    const bool v2 = config->family == DF_DINOV2;

    DF_TRY(add(state, seed, "cls_token", 3, (int64_t[]){1, 1, dim}, 0.0, 0.02));
    if (v2)
        DF_TRY(add(state, seed, "pos_embed", 3, (int64_t[]){1, 1 + config->pos_grid * config->pos_grid, dim},
                   0.0, 0.02));
    if (config->registers)
        DF_TRY(add(state, seed, v2 ? "register_tokens" : "storage_tokens", 3,
                   (int64_t[]){1, config->registers, dim}, 0.0, 0.02));
    DF_TRY(add(state, seed, "patch_embed.proj.weight", 4, (int64_t[]){dim, 3, patch, patch}, 0.0, 0.02));
    DF_TRY(add(state, seed, "patch_embed.proj.bias", 1, &dim, 0.0, 0.02));
    for (int64_t block = 0; block < config->depth; block++)
        DF_TRY(add_block(state, seed, block, config));
    DF_TRY(add(state, seed, "norm.weight", 1, &dim, 1.0, 0.02));
    return add(state, seed, "norm.bias", 1, &dim, 0.0, 0.02);
}

struct df_state *df_backbone_random(const struct df_vit_config *config, uint64_t seed)
{
    struct df_state *state = df_state_new();
    if (state && add_all(state, seed, config) == 0 && dinov3_add_buffers(state, config) == 0)
        return state;
    df_state_free(state);
    return NULL;
}

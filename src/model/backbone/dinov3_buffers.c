/* The buffers that official DINOv3 files carry and Hugging Face's leave out: what the model code computes
 * from its configuration. A strict load_state_dict() wants them. */
#include "dinov3_buffers.h"

#include "names.h"
#include "qkv.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PERIODS     "rope_embed.periods"
#define PERIODS_MAX 32

/* Relative: float16 keeps eleven bits, bfloat16 files have float32 buffers. */
#define PERIODS_TOLERANCE 1e-3

void df_rope_default_periods(int64_t head_size, float *periods)
{
    for (int64_t k = 0; k < head_size / 4; k++)
        periods[k] = powf(DF_ROPE_THETA, (float)(2 * k) / (float)(head_size / 2));
}

static int add_periods(struct df_state *state, const struct df_vit_config *config)
{
    float periods[PERIODS_MAX];
    const int64_t count = config->head_size / 4;

    if (df_state_find(state, PERIODS))
        return 0;
    df_rope_default_periods(config->head_size, periods);
    return df_state_copy(state, PERIODS, DF_F32, 1, &count, periods) ? 0 : -1;
}

/* 1 for q and v, 0 for k. A file whose k has a bias was trained without a mask. */
static int add_mask(struct df_state *state, int64_t block, int64_t dim)
{
    char bias_name[DF_OFFICIAL_NAME_MAX], mask_name[DF_OFFICIAL_NAME_MAX];
    const int64_t count = 3 * dim;
    struct df_tensor k;

    snprintf(bias_name, sizeof bias_name, "blocks.%" PRId64 ".attn.qkv.bias", block);
    snprintf(mask_name, sizeof mask_name, "blocks.%" PRId64 ".attn.qkv.bias_mask", block);
    if (df_state_find(state, mask_name))
        return 0;
    DF_TRY(df_qkv_third(df_state_find(state, bias_name), DF_QKV_K, &k));
    if (!df_tensor_is_zero(&k))
        return 0;
    float *mask = malloc((size_t)count * sizeof *mask);
    if (!mask)
        return df_error_memory(mask_name, (unsigned long long)count * sizeof *mask);
    for (int64_t i = 0; i < count; i++)
        mask[i] = i / dim == DF_QKV_K ? 0.0f : 1.0f;
    return df_state_adopt(state, mask_name, DF_F32, 1, &count, mask) ? 0 : -1;
}

int dinov3_add_buffers(struct df_state *state, const struct df_vit_config *config)
{
    if (config->family != DF_DINOV3)
        return 0;
    DF_TRY(add_periods(state, config));
    for (int64_t block = 0; config->qkv_bias && block < config->depth; block++)
        DF_TRY(add_mask(state, block, config->dim));
    return 0;
}

int dinov3_check_periods(const struct df_state *state, const struct df_vit_config *config)
{
    float stored[PERIODS_MAX], usual[PERIODS_MAX];
    const struct df_entry *entry = df_state_find(state, PERIODS);

    df_convert_to_f32(stored, entry->tensor.data, entry->tensor.dtype, entry->tensor.count);
    df_rope_default_periods(config->head_size, usual);
    for (size_t i = 0; i < entry->tensor.count; i++) {
        if (!(fabs((double)stored[i] - (double)usual[i]) <= PERIODS_TOLERANCE * (double)usual[i]))
            return df_error_set(
                "%s[%zu] is %g: Hugging Face's model computes %g, and has no place for others", PERIODS, i,
                (double)stored[i], (double)usual[i]);
    }
    return 0;
}

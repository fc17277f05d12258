/* A backbone under the names of Hugging Face's model files. */
#include "dinoft/backbone_file.h"

#include "dinov3_buffers.h"
#include "names.h"
#include "qkv.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum df_scheme scheme_of(const struct df_vit_config *config)
{
    if (config->family == DF_DINOV2)
        return DF_SCHEME_HF_DINOV2;
    return config->ffn == DF_FFN_SWIGLU ? DF_SCHEME_HF_DINOV3_GATED : DF_SCHEME_HF_DINOV3;
}

/* transformers computes the periods from its configuration, has masked k biases by leaving them out, and has
 * no place for a norm that is not used. */
static bool is_dropped(const char *name)
{
    return strcmp(name, "rope_embed.periods") == 0 || df_text_ends_with(name, ".attn.qkv.bias_mask") ||
           df_text_starts_with(name, "local_cls_norm.");
}

/* DINOv3ViT has a k bias only where it is configured: a masked one, or one of zeros, is left out. */
static bool has_no_k_bias(const struct df_state *official, const struct df_entry *whole,
                          const struct df_tensor *k)
{
    char mask[DF_OFFICIAL_NAME_MAX];
    snprintf(mask, sizeof mask, "%s_mask", whole->name);
    return df_state_find(official, mask) || df_tensor_is_zero(k);
}

static int add_thirds(struct df_state *result, const struct df_state *official, const struct df_entry *whole,
                      enum df_scheme scheme)
{
    char name[2 * DF_OFFICIAL_NAME_MAX];
    struct df_tensor third;

    for (int part = 0; part < DF_QKV_PARTS; part++) {
        DF_TRY(df_qkv_third(whole, part, &third));
        if (part == DF_QKV_K && scheme != DF_SCHEME_HF_DINOV2 && df_text_ends_with(whole->name, ".bias") &&
            has_no_k_bias(official, whole, &third))
            continue;
        if (!df_name_to_huggingface(whole->name, part, scheme, name))
            return df_error_set("Hugging Face has no name for a part of %s", whole->name);
        if (!df_state_borrow(result, name, third.dtype, third.ndim, third.shape, third.data))
            return -1;
    }
    return 0;
}

static int add_whole(struct df_state *result, const struct df_entry *entry, enum df_scheme scheme)
{
    const struct df_tensor *tensor = &entry->tensor;
    char name[2 * DF_OFFICIAL_NAME_MAX];
    int64_t mask_shape[] = {1, 1, tensor->shape[1]};
    bool is_mask =
        scheme != DF_SCHEME_HF_DINOV2 && strcmp(entry->name, "mask_token") == 0 && tensor->ndim == 2;

    if (!df_name_to_huggingface(entry->name, -1, scheme, name))
        return df_error_set("Hugging Face's %s has no tensor for %s",
                            scheme == DF_SCHEME_HF_DINOV2 ? "Dinov2Model" : "DINOv3ViTModel", entry->name);
    return df_state_borrow(result, name, tensor->dtype, is_mask ? 3 : tensor->ndim,
                           is_mask ? mask_shape : tensor->shape, tensor->data)
               ? 0
               : -1;
}

/* What a file of Hugging Face's DINOv3ViT leaves to its configuration must be what a reader takes for
 * granted. */
static int check_expressible(const struct df_state *official, const struct df_vit_config *config)
{
    if (config->family != DF_DINOV3)
        return 0;
    if (config->registers == 0 && !df_state_find(official, "storage_tokens"))
        return df_error_set("Hugging Face's DINOv3ViT has storage tokens, this model has none");
    if (config->head_size != 64 && config->dim != DF_DIM_OF_7B)
        return df_error_set(
            "Hugging Face's DINOv3ViT has heads of %d only where it is %d channels wide, this model has "
            "%lld",
            (int)config->head_size, DF_DIM_OF_7B, (long long)config->dim);
    return dinov3_check_periods(official, config);
}

struct df_state *df_backbone_to_huggingface(const struct df_state *official,
                                            const struct df_vit_config *config)
{
    enum df_scheme scheme = scheme_of(config);
    struct df_state *result = check_expressible(official, config) == 0 ? df_state_new() : NULL;

    for (size_t i = 0; result && i < official->count; i++) {
        const struct df_entry *entry = &official->entries[i];
        if (entry->text || is_dropped(entry->name))
            continue;
        bool is_qkv = strstr(entry->name, ".attn.qkv.") != NULL;
        int status = is_qkv ? add_thirds(result, official, entry, scheme) : add_whole(result, entry, scheme);
        if (status != 0) {
            df_state_free(result);
            return NULL;
        }
    }
    return result;
}

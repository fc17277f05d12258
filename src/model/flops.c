#include "dinoft/flops.h"

#include "segmenter_internal.h"
#include "vit_internal.h"

/* Products of one block's linear layers, forward; the backward pass through all of them costs the same. */
static double linear_flops(const struct df_vit *vit)
{
    const struct df_vit_config *config = &vit->config;
    const double parts = config->ffn == DF_FFN_SWIGLU ? 3.0 : 2.0;
    return 2.0 * (double)vit->tokens * (double)config->dim *
           (4.0 * (double)config->dim + parts * (double)config->ffn_hidden);
}

/* One product of N x N scores with a head's tokens, over all heads. */
static double score_product(const struct df_vit *vit)
{
    return 2.0 * (double)vit->tokens * (double)vit->tokens * (double)vit->config.dim;
}

static double lora_flops(const struct df_vit *vit, int64_t rank)
{
    return 8.0 * (double)vit->tokens * (double)vit->config.dim * (double)rank;
}

static double backbone_forward(const struct df_vit *vit, int64_t rank)
{
    const double patch = 3.0 * (double)vit->config.patch * (double)vit->config.patch;
    const double block = linear_flops(vit) + 2.0 * score_product(vit) + lora_flops(vit, rank);
    return 2.0 * (double)vit->patches * patch * (double)vit->config.dim + (double)vit->config.depth * block;
}

/* Scores again, and the gradients of q, k, v and of the probabilities: five products. LoRA's own gradients
 * are twice its forward pass. The first block needs neither dk nor the gradient of its input. */
static double backbone_backward(const struct df_vit *vit, int64_t rank)
{
    const double block = linear_flops(vit) + 5.0 * score_product(vit) + 2.0 * lora_flops(vit, rank);
    const double spared = score_product(vit) + (double)vit->tokens * (double)vit->config.dim *
                                                   (6.0 * (double)vit->config.dim + 4.0 * (double)rank);
    return (double)vit->config.depth * block - spared;
}

double df_segmenter_flops(const struct df_segmenter *segmenter, bool training)
{
    const struct df_decoder *decoder = segmenter->decoder;
    const int64_t rank = training ? segmenter->options.rank : 0; /* in evaluation it is folded */
    double total = segmenter->vit ? backbone_forward(segmenter->vit, rank) : 0.0;

    if (decoder)
        total += decoder->ops->flops(decoder);
    if (!training)
        return total;
    total += decoder->ops->backward_flops(decoder, rank > 0);
    return rank > 0 ? total + backbone_backward(segmenter->vit, rank) : total;
}

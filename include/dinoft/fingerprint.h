/* A few numbers of a backbone, by which it is known again.
 *
 * Kept are some elements of some tensors under their official names, so that container and naming do not
 * matter. An element fits that differs by at most 1 % of the largest one kept of its tensor, which is never
 * more than 1 % of the tensor's own largest. Of a real ViT-S/14, a float16 copy differs by 0.05 % at most and
 * a bfloat16 copy by 0.35 %, in any naming; a change of each weight by some 1e-4, as the shortest fine-tuning
 * makes it, is noticed (compared with the whole tensor's largest element it would be not).
 *
 * The tensors: the patch embedding; of the first, the middle and the last block attn.qkv.weight (where merged
 * LoRA shows), attn.proj.weight, the FFN's second matrix and norm2.weight; the final norm. Left out is what
 * not every file holds unchanged: the class token and the position table (timm adds the one's position to it,
 * exporters split or resize the other), the bias of qkv (k's is masked, or not there), the FFN's first matrix
 * (SwiGLU's halves are one tensor or two), buffers, and tensors that are not used.
 *
 * Element k of a tensor of n is the one at floor(n * frac((k + 1) * 2654435769 / 2^32)): spread over rows and
 * columns. Some hundred elements are read, however large the model is. */
#ifndef DINOFT_FINGERPRINT_H
#define DINOFT_FINGERPRINT_H

#include "dinoft/vit_config.h"

#define DF_FINGERPRINT_TENSORS 16
#define DF_FINGERPRINT_VALUES  8
#define DF_FINGERPRINT_NAME    64

struct df_fingerprint {
    int count; /* tensors; 0: nothing is known */
    struct {
        char name[DF_FINGERPRINT_NAME];
        int count; /* elements, from the first on */
        double values[DF_FINGERPRINT_VALUES];
    } tensors[DF_FINGERPRINT_TENSORS];
};

/* Of a backbone under official names (df_backbone_read). Values are rounded to six digits. -1 with the error
 * naming the tensor when one of them is not finite. */
int df_fingerprint_take(const struct df_state *backbone, const struct df_vit_config *config,
                        struct df_fingerprint *fingerprint);

#define DF_FINGERPRINT_DIFFERENCE 192

/* Whether it is that backbone. If not, `difference` says in words what is other. */
bool df_fingerprint_fits(const struct df_fingerprint *fingerprint, const struct df_state *backbone,
                         char difference[DF_FINGERPRINT_DIFFERENCE]);

#endif

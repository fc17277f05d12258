/* LoRA on the q and v thirds of every block's qkv: qkv[:, :D] += B_q (A_q x), qkv[:, 2D:] += B_v (A_v x).
 *
 * Parameters: w_a_III [r, D] and w_b_III [D, r], III = 2 * block for q, 2 * block + 1 for v. */
#ifndef DINOFT_LORA_H
#define DINOFT_LORA_H

#include "parameters.h"

#define DF_MAX_RANK 1024 /* no more makes sense beside widths of a few thousand channels */

struct df_lora {
    int64_t rank, dim, depth;
    const struct df_parameters *parameters;
    int first; /* index of its first parameter there */
};

/* Appends the parameters in the checkpoint's order: every w_a, then every w_b. kind: trained or merged. */
int df_lora_add_parameters(struct df_lora *lora, struct df_parameters *parameters,
                           enum df_parameter_kind kind, int64_t depth, int64_t dim, int64_t rank);

/* The rank and the number of adapted blocks of a checkpoint; rank 0 when it has no LoRA. -1 with the error
 * set when its keys or shapes contradict each other. */
int df_lora_read_shape(const struct df_state *checkpoint, int64_t *rank, int64_t *depth, int64_t *dim);

/* Adds block's low-rank products to qkv [rows, 3D]. x act [rows, D] is the layer's input; down float32
 * [rows, 2 * rank] receives A x of q and v, which the backward pass reads. */
int df_lora_forward(const struct df_lora *lora, struct df_backend *backend, int64_t block, struct df_matrix x,
                    struct df_matrix qkv, float *down);

/* Writes the gradients of block's four tensors from dqkv [rows, 3D]; adds the part of the input's gradient to
 * dx [rows, D] unless dx.data is NULL. ddown float32 [rows, 2 * rank] is scratch. */
int df_lora_backward(const struct df_lora *lora, struct df_backend *backend, int64_t block,
                     struct df_matrix x, const float *down, struct df_matrix dqkv, struct df_matrix dx,
                     float *ddown);

/* A digest of a checkpoint's LoRA, whatever type its numbers have. Its shapes were checked by
 * df_lora_read_shape. -1 with the error set. */
int df_lora_digest(const struct df_state *checkpoint, int64_t depth, uint64_t *value);

/* Adds block's products to a host copy of the qkv weight [3D, D], for evaluation and for merged LoRA. The
 * checkpoint's shapes were checked by df_lora_read_shape; one without LoRA adds nothing. */
int df_lora_fold(const struct df_state *checkpoint, int64_t dim, int64_t block, float *qkv_weight);

#endif

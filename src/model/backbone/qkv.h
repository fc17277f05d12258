/* Attention projections: q, k and v apart in Hugging Face's files, one tensor of three thirds in the official
 * ones. */
#ifndef BACKBONE_QKV_H
#define BACKBONE_QKV_H

#include "names.h"

#include "dinoft/state.h"

/* Appends the joined tensor. parts[i] is NULL where a file leaves one out: zeros then (DINOv3's k has no
 * bias). */
int df_qkv_join(struct df_state *state, const char *name, const struct df_entry *const parts[DF_QKV_PARTS]);

/* Third number `part` as a tensor of its own that refers to the bytes of the whole. -1 with the error set if
 * the first dimension is no multiple of three. */
int df_qkv_third(const struct df_entry *whole, int part, struct df_tensor *third);

/* Whether all elements are zero: a bias that is none. */
bool df_tensor_is_zero(const struct df_tensor *tensor);

#endif

/* Buffers of DINOv3 that not every file carries. Private to src/model/backbone. */
#ifndef DINOFT_DINOV3_BUFFERS_H
#define DINOFT_DINOV3_BUFFERS_H

#include "dinoft/vit_config.h"

#define DF_ROPE_THETA 100.0f /* the base of the periods where a file stores none */

/* Appends rope_embed.periods and blocks.N.attn.qkv.bias_mask where a DINOv3 state (checked, official names)
 * lacks them. -1 when out of memory. */
int dinov3_add_buffers(struct df_state *state, const struct df_vit_config *config);

/* -1 with the error set when the stored periods are not those that the formula gives. */
int dinov3_check_periods(const struct df_state *state, const struct df_vit_config *config);

#endif

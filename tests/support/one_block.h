/* The smallest backbone: a DINOv2 of one block, for tests of what lies around a model. */
#ifndef TESTS_ONE_BLOCK_H
#define TESTS_ONE_BLOCK_H

#include "dinoft/vit_config.h"

static const struct df_vit_config test_one_block = {.family = DF_DINOV2,
                                                    .dim = 64,
                                                    .depth = 1,
                                                    .heads = 1,
                                                    .head_size = 64,
                                                    .patch = 14,
                                                    .ffn = DF_FFN_MLP,
                                                    .ffn_hidden = 128,
                                                    .pos_grid = 4,
                                                    .qkv_bias = true,
                                                    .layernorm_eps = 1e-6f};

#endif

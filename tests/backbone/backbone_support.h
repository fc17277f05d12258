/* Small backbones made in memory for the tests. */
#ifndef TESTS_BACKBONE_SUPPORT_H
#define TESTS_BACKBONE_SUPPORT_H

#include "support/cmocka_all.h"

#include "dinoft/backbone_file.h"

/* A configuration of each kind, as a file of it would give; 2 blocks, width 64 or 128. */
extern const struct df_vit_config small_dinov2, small_giant, small_dinov3, small_dinov3_plus, small_dinov3_7b;

/* The official tensors for a configuration, every element of them different from its neighbours. */
struct df_state *make_backbone(const struct df_vit_config *config);

/* A copy with `prefix` in front of every name. */
struct df_state *with_prefix(const struct df_state *state, const char *prefix);

/* A copy without the entry called name; or with it replaced by zeros of another shape and type. */
struct df_state *without(const struct df_state *state, const char *name);
struct df_state *with_shape(const struct df_state *state, const char *name, enum df_dtype dtype, int ndim,
                            const int64_t *shape);

void assert_same_config(const struct df_vit_config *a, const struct df_vit_config *b);

/* Same type, shape and bytes. */
void assert_same_tensor(const struct df_entry *a, const struct df_entry *b);

#endif

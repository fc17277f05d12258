/* Which linear layers of which blocks have LoRA, and how that is written. */
#ifndef DINOFT_LORA_PARTS_H
#define DINOFT_LORA_PARTS_H

#include "dinoft/vit_config.h"

/* In the order of their tensors in memory: those that read the same input are neighbours. */
enum df_lora_target {
    DF_LORA_Q,
    DF_LORA_V,
    DF_LORA_K,
    DF_LORA_PROJ,
    DF_LORA_UP,  /* fc1; SwiGLU: w1 */
    DF_LORA_UP2, /* SwiGLU: w2 */
    DF_LORA_DOWN /* fc2; SwiGLU: w3 */
};
#define DF_LORA_TARGETS 7

#define DF_LORA_BIT(target) (1u << (target))
/* The reference project's. */
#define DF_LORA_Q_AND_V (DF_LORA_BIT(DF_LORA_Q) | DF_LORA_BIT(DF_LORA_V))

struct df_lora_parts {
    unsigned targets;                /* bits of df_lora_target; 0: q and v */
    bool dora;                       /* DoRA: magnitudes of the rows are trained too */
    bool left_out[DF_VIT_MAX_DEPTH]; /* the blocks that have none */
};

static inline unsigned df_lora_targets(const struct df_lora_parts *parts)
{
    return parts->targets ? parts->targets : DF_LORA_Q_AND_V;
}

/* "q", "fc1" or "w1", …; NULL: such a backbone has no such layer. */
const char *df_lora_target_name(enum df_lora_target target, enum df_ffn ffn);

#define DF_LORA_TARGETS_TEXT 32
/* "q,k,v", in the order in which layers follow one another. Returns the buffer. */
const char *df_lora_targets_text(unsigned targets, enum df_ffn ffn, char text[DF_LORA_TARGETS_TEXT]);
/* Reads that; any order will do. -1 with the error set. */
int df_lora_targets_read(const char *text, enum df_ffn ffn, unsigned *targets);

#define DF_LORA_BLOCKS_TEXT 5120
/* "all", or the numbers of those of `depth` blocks that have LoRA: "8,9,10,11". Returns the buffer. */
const char *df_lora_blocks_text(const struct df_lora_parts *parts, int64_t depth,
                                char text[DF_LORA_BLOCKS_TEXT]);
/* Reads that, or "last:4", into parts->left_out. -1 with the error set. */
int df_lora_blocks_read(const char *text, int64_t depth, struct df_lora_parts *parts);

/* "rank 3", " with DoRA", " of q,k,v" and " in blocks 2,3" where that is other than q and v, and all. Returns
 * the buffer.
 */
#define DF_LORA_TEXT (DF_LORA_BLOCKS_TEXT + DF_LORA_TARGETS_TEXT + 64)
const char *df_lora_text(int64_t rank, const struct df_lora_parts *parts, enum df_ffn ffn, int64_t depth,
                         char text[DF_LORA_TEXT]);

#endif

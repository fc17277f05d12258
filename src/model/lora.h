/* LoRA on linear layers of the backbone's blocks: y += B (A x), which has no bias.
 *
 * B holds LoRA's scale, as checkpoints do: the scale says how fast B changes (optimizer.c), and nothing else.
 *
 * With DoRA the weight is m (W + B A) / |W + B A| instead, where |.| is the length of each row (of an
 * output's weights) and m, a number for each, is trained. The length counts as a constant in the backward
 * pass. m begins as W's lengths.
 *
 * Parameters of block I: for q w_a_III [r, in] and w_b_III [out, r] with III = 2 I, for v the same with III =
 * 2 I + 1, for all others lora_a_III_NAME and lora_b_III_NAME with III = I. Where q or v is adapted in one
 * block there are tensors of both in every block, as the reference project reads them: those that are not
 * trained stay as they are drawn, with B = 0. DoRA's lora_m_III_NAME [out], III = I, is of q and v too, and
 * of what is trained alone. */
#ifndef DINOFT_LORA_H
#define DINOFT_LORA_H

#include "parameters.h"

#include "dinoft/lora_parts.h"

#define DF_MAX_RANK 1024 /* no more makes sense beside widths of a few thousand channels */

/* Layers as the backbone packs them, in the order of the forward pass. */
enum df_lora_layer { DF_LORA_IN_QKV, DF_LORA_IN_PROJ, DF_LORA_IN_UP, DF_LORA_IN_DOWN };
#define DF_LORA_LAYERS 4

/* A target's place in its layer's weight, and its own weight's shape. */
struct df_lora_place {
    enum df_lora_layer layer;
    int64_t first_row, out, in;
};
struct df_lora_place df_lora_place(enum df_lora_target target, const struct df_vit_config *config);

#define DF_LORA_KEY_MAX 32
/* which: 'a', 'b' or 'm'. Returns the buffer. */
const char *df_lora_key(char key[DF_LORA_KEY_MAX], char which, int64_t block, enum df_lora_target target,
                        enum df_ffn ffn);

/* Indices in parameters->items; -1: not trained. */
struct df_lora_block {
    int a[DF_LORA_TARGETS], b[DF_LORA_TARGETS];
    int m[DF_LORA_TARGETS]; /* of DoRA */
};

struct df_lora {
    int64_t rank;
    bool dora;
    struct df_vit_config config;
    const struct df_parameters *parameters;
    struct df_lora_block *blocks; /* [depth]; owned */
    int64_t first_block;          /* the first that has some */
};

/* Appends the parameters: every A, then every B, then every m, which is 0 until df_vit_start_magnitudes().
 * merged: none of them is trained. -1 with the error set. */
int df_lora_add_parameters(struct df_lora *lora, struct df_parameters *parameters,
                           const struct df_vit_config *config, int64_t rank,
                           const struct df_lora_parts *parts, bool merged);
void df_lora_free(struct df_lora *lora);

/* Whether the target is trained in the block. */
bool df_lora_adapts(const struct df_lora *lora, int64_t block, enum df_lora_target target);
/* Columns of A x for the layer of the block: the rank times its adapted targets. 0: it has no LoRA. */
int64_t df_lora_columns(const struct df_lora *lora, int64_t block, enum df_lora_layer layer);
/* The most of all layers and blocks. */
int64_t df_lora_most_columns(const struct df_lora *lora);

/* A layer with LoRA at work. */
struct df_lora_use {
    const struct df_lora *lora;
    int64_t block;
    enum df_lora_layer layer;
    const float *row_scale; /* device [out]: y += row_scale * (B A x), for a layer scale that the frozen
                               weight has in it, and DoRA's factors; NULL: none */
    float *scaled_b;        /* [out, rank]: scratch of a layer with row_scale, for each target in turn */
    float *down;            /* [rows, columns]: A x, which the backward pass reads */
};

/* A layer's targets and their tensors as matrices, from the values or from the gradients. */
struct df_lora_tensors {
    int count;
    enum df_lora_target targets[DF_LORA_TARGETS];
    struct df_matrix a;                  /* [columns, in]: neighbours in memory */
    struct df_matrix b[DF_LORA_TARGETS]; /* [out, rank] */
    float *m[DF_LORA_TARGETS];           /* [out]; NULL without DoRA */
};
struct df_lora_tensors df_lora_tensors(const struct df_lora_use *use, bool gradients);

/* Columns of a matrix, as a matrix. */
struct df_matrix df_lora_columns_of(struct df_matrix matrix, int64_t first, int64_t count);

/* Adds the low-rank products to y [rows, out of the layer]. x act [rows, in] is the layer's input. */
int df_lora_forward(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x,
                    struct df_matrix y);

/* Of that A x alone, where the forward pass's is lost, and the rest, where it is there. */
int df_lora_down(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x);
int df_lora_up(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix y);

/* Writes the gradients of the layer's tensors from dy [rows, out of the layer], and that of A x to ddown
 * float32 [rows, columns]. */
int df_lora_gradients(const struct df_lora_use *use, struct df_backend *backend, struct df_matrix x,
                      struct df_matrix dy, float *ddown);

/* LoRA's part of the input's gradient, to dx [rows, in] or, with `accumulate`, added to it. */
int df_lora_input_gradient(const struct df_lora_use *use, struct df_backend *backend, float *ddown,
                           struct df_matrix dx, bool accumulate);

/* --- lora_file.c: LoRA in a checkpoint --- */

struct df_checkpoint;

/* Fills in rank, depth and lora of a checkpoint whose state, dim and record are there. -1 with the error set
 * when its keys, its shapes or its record contradict each other. */
int df_lora_find(struct df_checkpoint *checkpoint);

/* -1 with the error set for tensors that do not fit a backbone of as many channels and at least as many
 * blocks. */
int df_lora_check(const struct df_checkpoint *checkpoint, const struct df_vit_config *config);

/* Adds block's products to a host copy of a layer's weight [out, in], and gives its rows DoRA's lengths, for
 * evaluation and for merged LoRA.
 * The checkpoint was checked; where it has none nothing is added. */
int df_lora_fold(const struct df_state *checkpoint, const struct df_vit_config *config, int64_t block,
                 enum df_lora_layer layer, float *weight);

#endif

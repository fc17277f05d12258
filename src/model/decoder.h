/* Decoders: from the backbone's normalised patch tokens to logits on a coarse grid.
 *
 * To add one: write src/model/decoder_NAME.c with a struct df_decoder_ops, and list it in
 * src/model/decoder.c. Its tensors' names are what checkpoints are recognised by. */
#ifndef DINOFT_DECODER_H
#define DINOFT_DECODER_H

#include "parameters.h"

#include "dinoft/decoder_kind.h"

struct df_decoder_shape {
    int64_t dim, classes;
    int64_t grid_h, grid_w; /* patches */
    int64_t patch;          /* pixels of a patch's side, for error texts */
    int64_t max_batch;
    bool training;
    struct df_head head; /* what is free in it */
};

struct df_decoder;

struct df_decoder_ops {
    struct df_decoder_kind kind;
    /* A tensor [classes, …] that only this decoder's checkpoints have, and one [out, width, …], where width
     * is that of `inputs` of the backbone's maps. */
    const char *classes, *input; /* with a norm: NAME.classifier.weight, beside NAME.norm.weight */
    int inputs;

    size_t size; /* of its own struct, which begins with a struct df_decoder */

    /* Appends its parameters to a decoder whose grid is set. -1 with the error set. */
    int (*open)(struct df_decoder *decoder);
    void (*close)(
        struct df_decoder *decoder); /* releases what it holds, also of one half open; NULL: nothing */
    /* Another grid of patches from now on; plan has to be called again. -1 with the error set when it is too
     * small. */
    int (*set_grid)(struct df_decoder *decoder, int64_t grid_h, int64_t grid_w);
    void (*plan)(struct df_decoder *decoder, struct df_arena *arena);
    /* Draws what is random in the next training pass, of so many images; NULL: nothing is. */
    int (*draw)(struct df_decoder *decoder, int64_t batch, struct df_rng *rng);
    /* features[i] [batch * P, dim], the last block's at the end, -> decoder->logits. `training` makes
     * BatchNorm use and update batch statistics. */
    int (*forward)(struct df_decoder *decoder, float *const features[], int64_t batch, bool training);
    /* Parameter gradients from decoder->dlogits, which may be overwritten; dfeatures[i] [batch * P, dim] is
     * written where it is not NULL. */
    int (*backward)(struct df_decoder *decoder, float *const features[], int64_t batch,
                    float *const dfeatures[]);
};

/* What all decoders begin with. */
struct df_decoder {
    const struct df_decoder_ops *ops;
    struct df_backend *backend;
    struct df_decoder_shape shape;
    struct df_parameters *parameters;
    int first; /* index of its first parameter there */
    int64_t logits_h, logits_w;
    float *logits, *dlogits; /* [max_batch, logits_h, logits_w, classes]; dlogits NULL when not training */
};

/* The decoder of that name, NULL with the error set, naming those that exist. */
const struct df_decoder_ops *df_decoder_named(const char *name);

/* A decoder, which appends its parameters. NULL with the error set when the grid is too small. */
struct df_decoder *df_decoder_create(const struct df_decoder_ops *ops, struct df_backend *backend,
                                     const struct df_decoder_shape *shape, struct df_parameters *parameters);
void df_decoder_free(struct df_decoder *decoder);

/* The decoder that a checkpoint's tensors belong to, with its number of classes, the width it expects and its
 * norm. NULL with the error set. */
const struct df_decoder_ops *df_decoder_of_checkpoint(const struct df_state *checkpoint, int64_t *classes,
                                                      int64_t *dim, enum df_head_norm *norm);

/* --- decoder_parts.c: for the decoders' own files --- */

/* Appends the parameters of a convolution: PREFIX.weight, and with `bias` PREFIX.bias. -1 with the error set.
 */
int df_decoder_add_conv(struct df_decoder *decoder, const char *prefix, int64_t out, int64_t in,
                        int64_t kernel, bool bias);
/* set_grid of a decoder whose logits are on the grid of patches. */
int df_decoder_keep_grid(struct df_decoder *decoder, int64_t grid_h, int64_t grid_w);
/* A part of plan. */
void df_decoder_plan_logits(struct df_decoder *decoder, struct df_arena *arena);

/* Defined in the decoders' own files. */
extern const struct df_decoder_ops df_decoder_linear, df_decoder_multi, df_decoder_mlp, df_decoder_fpn;

#endif

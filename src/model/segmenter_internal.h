/* The model's inside, shared by the files segmenter*.c. */
#ifndef DINOFT_SEGMENTER_INTERNAL_H
#define DINOFT_SEGMENTER_INTERNAL_H

#include "decoder.h"
#include "vit.h"

#include "dinoft/segmenter.h"

/* Training steps that devices record: an epoch has full batches and perhaps one that is smaller. */
#define DF_RECORDED_STEPS 2

struct df_recorded_step {
    int64_t count; /* images; 0: none yet */
    struct df_recording *recording;
};

struct df_segmenter {
    struct df_backend *backend;
    struct df_segmenter_options options;
    struct df_vit_config config; /* the backbone's */
    struct df_parameters parameters;
    struct df_lora lora;
    struct df_vit *vit;         /* NULL where features are given */
    struct df_decoder *decoder; /* NULL: the model finds features alone */
    int n_features;             /* that the decoder reads, or that are asked for */
    struct df_arena arena;
    size_t parameter_bytes;          /* of the arena, at its beginning */
    uint8_t *pixels;                 /* device [max_batch, H, W, 3]; NULL where features are given */
    float *image;                    /* device [max_batch, 3, H, W]; likewise */
    uint8_t *incoming;               /* device: the block of a packed batch; NULL without */
    const uint8_t *sent;             /* what was sent there last, and is not received yet */
    struct df_packed_layout packing; /* of the block */
    uint8_t *labels;                 /* device [max_batch, H, W]; NULL without a decoder, as what follows */
    uint8_t *prediction;             /* device [max_batch, H, W] */
    float *loss_scratch;             /* device [2 * logits] */
    int64_t *pairs;                  /* device [C + 1, C] */
    struct df_loss_sum *loss;        /* device: of the last training step */
    float *logit_sums;               /* device [C] */
    struct df_recorded_step recorded[DF_RECORDED_STEPS];
    float *features[DF_VIT_MAX_FEATURES];  /* device [max_batch * P, dim] */
    float *dfeatures[DF_VIT_MAX_FEATURES]; /* their gradients; NULL: not wanted */
    uint8_t *resized; /* device: prediction and labels of one image at a size of its own; only ever grows */
    size_t resized_bytes;
    int64_t steps; /* optimiser steps done */
};

#endif

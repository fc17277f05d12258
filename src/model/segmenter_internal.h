/* The model's inside, shared by the files segmenter*.c. */
#ifndef DINOFT_SEGMENTER_INTERNAL_H
#define DINOFT_SEGMENTER_INTERNAL_H

#include "decoder.h"
#include "optimizer.h"
#include "vit.h"

#include "dinoft/segmenter.h"

/* Training steps that devices capture: an epoch has full batches and perhaps one that is smaller. */
#define DF_CAPTURED_STEPS 2

struct df_captured_step {
    int64_t count; /* images; 0: none yet */
    struct df_graph *graph;
};

/* Device memory of training's loss, which depends on what that is. */
struct df_loss_buffers {
    float *scratch;             /* [2 * logits] */
    float *class_weights;       /* [C]; NULL: it is cross-entropy, */
    uint8_t *hard_labels;       /* [max_batch, H, W]: of the pixels that OHEM chooses; NULL: of all */
    float *region, *more;       /* [2, C], [1]; NULL where there is no such part */
    float *slopes, *gradient;   /* [max_batch, H, W], [logits]; NULL likewise */
    struct df_loss_terms terms; /* else */
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
    size_t parameter_bytes;               /* of the arena, at its beginning */
    uint8_t *pixels;                      /* device [max_batch, H, W, 3]; NULL where features are given */
    float *image;                         /* device [max_batch, 3, H, W]; likewise */
    uint8_t *incoming;                    /* device: the block of a packed batch; NULL without */
    const uint8_t *sent;                  /* what was sent there last, and is not received yet */
    struct df_packed_layout packing;      /* of the block */
    float *features[DF_VIT_MAX_FEATURES]; /* device [max_batch * P, dim] */
    bool features_loaded;                 /* so that the backbone has nothing to do */

    /* From here on of the decoder: NULL without one. */
    uint8_t *labels;                       /* device [max_batch, H, W] */
    uint8_t *prediction;                   /* device [max_batch, H, W] */
    uint8_t *sigmoid_prediction;           /* device [H, W], of one image */
    struct df_loss_buffers loss;           /* of training */
    float *logit_sums;                     /* device [C] */
    float *dfeatures[DF_VIT_MAX_FEATURES]; /* their gradients; NULL: not wanted */
    struct df_captured_step captured[DF_CAPTURED_STEPS];
    char *resized; /* device: confidences, predictions and labels of one image; only grows */
    size_t resized_bytes;
    uint64_t seed;                 /* of what is drawn in training passes */
    struct df_rng draws;           /* those of the decoder, from a step's first part on */
    struct df_optimizer optimizer; /* of a model that is trained */
    int64_t images;                /* of the step that is under way, in the parts that were begun */
};

/* Pixels, logits and features (of one block) of so many images. */
static inline int64_t segmenter_pixels(const struct df_segmenter *segmenter, int64_t images)
{
    return images * segmenter->options.height * segmenter->options.width;
}

static inline int64_t segmenter_logit_count(const struct df_segmenter *segmenter, int64_t images)
{
    const struct df_decoder *decoder = segmenter->decoder;
    return images * decoder->logits_h * decoder->logits_w * decoder->shape.classes;
}

static inline int64_t segmenter_feature_count(const struct df_segmenter *segmenter, int64_t images)
{
    const struct df_segmenter_options *options = &segmenter->options;
    const struct df_vit_config *config = &segmenter->config;
    return images * (options->height / config->patch) * (options->width / config->patch) * config->dim;
}

/* segmenter_plan.c: one of the arena's two passes, over all that the model needs at its size. */
void segmenter_take_memory(struct df_segmenter *segmenter);
/* The layout of packed batches at the model's size. -1 with the error set. */
int segmenter_lay_out_block(struct df_segmenter *segmenter);

/* segmenter_parts.c: the model, its memory counted but not taken; without a backbone no weights are packed.
 * NULL with the error set. */
struct df_segmenter *segmenter_make(struct df_backend *backend, const struct df_state *backbone,
                                    const struct df_vit_config *config,
                                    const struct df_segmenter_options *options,
                                    const struct df_state *checkpoint);
/* Steps that were captured. */
void segmenter_drop_graphs(struct df_segmenter *segmenter);

/* segmenter_forward.c: the host's part of a training pass over so many images (rng NULL: with the RoPE
 * factors of the last one), then the device's part of any. */
int segmenter_begin_pass(struct df_segmenter *segmenter, int64_t count, struct df_rng *rng);
int segmenter_run(struct df_segmenter *segmenter, int64_t count, bool training);
/* Whether those of the last pass, of so many images, are finite numbers. */
int segmenter_logits_are_finite(struct df_segmenter *segmenter, int64_t count, bool *finite);

/* segmenter_loss.c: its memory, in one of the arena's two passes, what stays from step to step and what does
 * not, and what is uploaded there. */
void segmenter_plan_class_weights(struct df_segmenter *segmenter);
void segmenter_plan_loss(struct df_segmenter *segmenter);
int segmenter_start_loss(struct df_segmenter *segmenter);
/* The loss of the batch's first images at the images' size; what is to be found out is for the caller to
 * say. */
struct df_upsample_loss segmenter_describe_loss(const struct df_segmenter *segmenter, int64_t count);
/* Of that, training's loss and its gradient. */
int segmenter_find_gradient(struct df_segmenter *segmenter, struct df_upsample_loss *work);

#endif

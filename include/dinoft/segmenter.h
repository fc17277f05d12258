/* The whole model: backbone, LoRA, decoder, loss, optimiser, over one planned block of device memory; or a
 * backbone alone, for its features. */
#ifndef DINOFT_SEGMENTER_H
#define DINOFT_SEGMENTER_H

#include "dinoft/arena.h"
#include "dinoft/comparison.h"
#include "dinoft/decoder_kind.h"
#include "dinoft/lora_parts.h"
#include "dinoft/optimizer.h"
#include "dinoft/packed_batch.h"
#include "dinoft/rng.h"
#include "dinoft/training_loss.h"
#include "dinoft/vit_config.h"

/* Parts of a model that come from a checkpoint, or do not. */
enum df_model_part { DF_PART_LORA = 1, DF_PART_DECODER = 2 };

struct df_segmenter_options {
    const char *decoder; /* its name, see dinoft/decoder_kind.h; NULL: none. Then the model has features and
                            no logits, is not trained, and takes neither labels nor packed batches */
    int64_t classes;     /* of the decoder */
    struct df_head head; /* what is free in it; without a decoder only the blocks that features are of */
    int n_features;      /* without a decoder: of how many blocks, at least 1 */
    bool class_tokens;   /* the last block's class token is wanted too */
    int64_t rank;        /* LoRA's; 0: none. Without a decoder a checkpoint's is folded whatever this is */
    struct df_lora_parts lora; /* where it is */
    double lora_dropout;       /* training: the probability that an element of what LoRA's A reads is 0 */
    bool merged;        /* training: the checkpoint's LoRA is folded into the weights as in an evaluation. It
                           is not trained, and is saved as it came */
    unsigned new_parts; /* bits of df_model_part: drawn from the seed although there is a checkpoint */
    int64_t max_batch, height, width;
    bool training;    /* false: LoRA is folded into the weights, nothing is kept for gradients */
    bool recompute;   /* training of LoRA takes less memory and more time: of every block but the last
                         only the input is kept, and the rest computed again */
    bool keeps_ratio; /* training: there is memory for single images of other sizes, the shorter side as long
                         as the smaller of height and width, the longer at most DF_IMAGE_MAX_RATIO times */
    bool accumulates; /* training: a step may have several parts, whose gradients are added */
    struct df_optimizer_options optimizer; /* training */
    struct df_loss_options loss;           /* training's; others' is plain */
    bool features_given; /* df_segmenter_load_features() uploads what a backbone without LoRA would compute,
                            or one with LoRA merged: the model has none, and no memory for one */
    bool packed;         /* batches may also be packed, see df_segmenter_send(), for a device that resizes */
    double rope_rescale; /* DINOv3, training: coordinates times a factor drawn from [1 / F, F]; 1: none */
    const char *backbone_path, *checkpoint_path; /* for error texts; NULL: "the backbone", "the checkpoint" */
    float mean[3], std[3];                       /* of the pixels, in [0, 1]; 0 and 1: only divided by 255 */
};

/* Whether LoRA is trained where the decoder is. */
static inline bool df_trains_lora(const struct df_segmenter_options *options)
{
    return options->rank > 0 && !options->merged;
}

struct df_segmenter;

/* backbone: official names (NULL where features are given). checkpoint: LoRA and decoder tensors to start
 * from, whose shapes must be the options', but for new parts (of a model without a decoder: LoRA tensors to
 * fold, the others are ignored); NULL: a new model, drawn from seed. All of these are only read during the
 * call, but for the options' texts and the backend, which have to outlive the model. NULL with the error set,
 * which begins with the checkpoint's path, or "the checkpoint", where that is at fault. */
struct df_segmenter *df_segmenter_create(struct df_backend *backend, const struct df_state *backbone,
                                         const struct df_vit_config *config,
                                         const struct df_segmenter_options *options,
                                         const struct df_state *checkpoint, uint64_t seed);
void df_segmenter_free(struct df_segmenter *segmenter);

/* What a model takes of its device's memory: one block for parameters and activations, and its frozen
 * weights. */
struct df_memory_plan {
    size_t peak;                                    /* bytes of the block */
    struct df_arena_item items[DF_ARENA_MAX_ITEMS]; /* what they are for; items may share them */
    int n_items;
    size_t forward_weights;     /* bytes of the weights, packed for the forward pass */
    size_t backward_weights;    /* and in addition for the backward pass; 0 where there is none */
    int64_t trained_parameters; /* elements, not tensors */
};

/* Counts what df_segmenter_create would take, and takes none of it. -1 with the error set. */
int df_segmenter_plan(struct df_backend *backend, const struct df_vit_config *config,
                      const struct df_segmenter_options *options, struct df_memory_plan *plan);

/* What the model was made with; max_batch, height and width are those of now. */
const struct df_segmenter_options *df_segmenter_made_with(const struct df_segmenter *segmenter);
struct df_backend *df_segmenter_backend(const struct df_segmenter *segmenter);
/* Pixels of a patch's side: images' sizes are multiples of it. */
int64_t df_segmenter_patch(const struct df_segmenter *segmenter);
const struct df_vit_config *df_segmenter_backbone(const struct df_segmenter *segmenter);
/* How packed batches are laid out for it, the model's; NULL where it takes none. Another size of images
 * changes it. */
const struct df_packed_layout *df_segmenter_packing(const struct df_segmenter *segmenter);
/* Parameters that are trained: elements, not tensors. */
int64_t df_segmenter_trained_parameters(const struct df_segmenter *segmenter);
/* Bytes of the block that holds parameters and activations. */
size_t df_segmenter_planned_bytes(const struct df_segmenter *segmenter);
/* -1 with the error set, which names a parameter, for values that loading would refuse: a checkpoint of them
 * could not be read again. */
int df_segmenter_check_parameters(const struct df_segmenter *segmenter);

/* Another image size from now on, in multiples of the patch. Weights and parameters stay; what was loaded and
 * computed is lost. -1 with the error set (the decoder cannot take the grid, no memory); then the model can
 * only be freed. A model that is trained has the memory for it if it keeps the ratio and one image is the
 * largest batch. */
int df_segmenter_set_size(struct df_segmenter *segmenter, int64_t height, int64_t width);
/* The same for another largest batch. */
int df_segmenter_set_batch(struct df_segmenter *segmenter, int64_t max_batch, int64_t height, int64_t width);

/* Here and below an int is 0, or -1 with the error set; count is 1 to max_batch, H and W are the images'
 * height and width, P their patches, and i an image of the batch, from 0 on. */

/* Uploads a batch to the device: pixels uint8 [count, H, W, 3], which are normalised there, and labels uint8
 * [count, H, W] or NULL (host). Both have been read on return. */
int df_segmenter_load_pixels(struct df_segmenter *segmenter, int64_t count, const uint8_t *pixels,
                             const uint8_t *labels);
/* Begins to upload a packed batch (host, of the device's host_alloc, laid out as df_segmenter_packing says)
 * to the device, beside whatever is under way there; it is the batch that the model works on once it is
 * received. The host's memory stays as it is until then. */
int df_segmenter_send(struct df_segmenter *segmenter, int64_t count, const uint8_t *packed);
/* Makes the model's images and labels of a packed batch on the device. packed: what was sent last. */
int df_segmenter_receive(struct df_segmenter *segmenter, int64_t count, const uint8_t *packed);

/* For a model whose features are given, or whose backbone is not trained: those of image i of the batch, host
 * float32 [n_features, P, dim], the network's last block's at the end; and the batch's labels, host uint8
 * [count, H, W] (NULL: none). They count until pixels are loaded. */
int df_segmenter_load_features(struct df_segmenter *segmenter, int64_t i, const void *features);
int df_segmenter_load_labels(struct df_segmenter *segmenter, int64_t count, const uint8_t *labels);

/* Bytes of one of an image's features, [P, dim]. */
size_t df_segmenter_feature_bytes(const struct df_segmenter *segmenter);

/* Features and logits of the batch on the device. `training`: batch statistics in BatchNorm, RoPE rescaling
 * drawn from rng, which is not read otherwise. Without `training` logits that are not finite numbers are an
 * error: what is predicted from them looks like a result and is none. */
int df_segmenter_forward(struct df_segmenter *segmenter, int64_t count, bool training, struct df_rng *rng);

/* The backbone's features of image i of the batch, to the host: float32 [P, dim], the normalised patch tokens
 * of one of the n_features blocks, of which 0 is the first and n_features - 1 the network's last; and
 * float32 [dim], the last block's normalised class token. They need not be finite. */
int df_segmenter_download_features(const struct df_segmenter *segmenter, int64_t i, int block,
                                   void *features);
int df_segmenter_download_class_token(const struct df_segmenter *segmenter, int64_t i, float *token);

/* After forward: the sum of -log softmax (with `gradient` of training's loss) over the pixels whose label is
 * not 255 to *loss_sum, how many these are to *loss_count (host; both may be NULL), the gradient of their
 * mean if `gradient`, and the prediction, for df_segmenter_download_prediction, if `prediction`. */
int df_segmenter_loss(struct df_segmenter *segmenter, int64_t count, bool gradient, bool prediction,
                      double *loss_sum, int64_t *loss_count);

/* The logits of one image as the decoder makes them, coarser than the image: device [h, w, classes]. */
struct df_logits {
    const float *values;
    int64_t h, w;
};

/* Those of image i of the batch, after df_segmenter_forward and until the next. */
struct df_logits df_segmenter_logits(const struct df_segmenter *segmenter, int64_t i);

/* Gradients of all that is trained, after forward in training and loss with its gradient. */
int df_segmenter_backward(struct df_segmenter *segmenter, int64_t count);

/* A training step has one or more parts, each of which is a batch that was loaded, and then an update. A part
 * is forward in training, loss and backward; rng is read for the first. */
int df_segmenter_train_part(struct df_segmenter *segmenter, int64_t count, struct df_rng *rng);

/* AdamW with PyTorch's defaults, but for the learning rate and the options, on the gradients of the step's
 * parts. Where these are not all finite, the parameters and moments stay as they were before it. */
int df_segmenter_update(struct df_segmenter *segmenter, double lr);

struct df_step_result {
    double loss;          /* the mean over `counted` pixels of all parts, NaN if there are none */
    int64_t counted;      /* pixels whose label is not 255; 0 where the classes of all weigh 0 */
    double gradient_norm; /* before it was clipped */
};

/* Of the first step that was not asked for. It waits for that one alone: a caller that has begun the next
 * keeps the device busy. At most two may be waiting. */
int df_segmenter_step_result(struct df_segmenter *segmenter, struct df_step_result *result);

/* A step of one part, and its result. */
int df_segmenter_train_step(struct df_segmenter *segmenter, int64_t count, double lr, struct df_rng *rng,
                            struct df_step_result *result);

/* The first tensor, in the order of computation, that is not finite after the last step that was begun, whose
 * last part has `count` images: "the parameter NAME", as that step found it, "the logits", "the gradient of
 * NAME"; "" where all are. */
#define DF_NOT_FINITE_TEXT 96
int df_segmenter_find_not_finite(struct df_segmenter *segmenter, int64_t count,
                                 char found[DF_NOT_FINITE_TEXT]);

/* Whether the model is that of the moving average, to be evaluated and saved; without one nothing changes.
 * Trained is the other. */
int df_segmenter_use_average(struct df_segmenter *segmenter, bool averaged);

/* All that training changes, to a state and back from it, between two steps whose results were asked for:
 * what a checkpoint has, under the same names, AdamW's moments and, where the model is that of the moving
 * average, the values behind it. steps: done by then. A restored model goes on to the same bits; it is that
 * of the values. */
int df_segmenter_store(const struct df_segmenter *segmenter, struct df_state *state);
int df_segmenter_restore(struct df_segmenter *segmenter, const struct df_state *state, int64_t steps);

/* Values (host float32) of a decoder's parameter, which has to be there, by the name that checkpoints have
 * for it. */
int df_segmenter_set_parameter(struct df_segmenter *segmenter, const char *name, const float *values);

/* Predicted classes of the batch at the images' size, to the host uint8 [count, H, W]. */
int df_segmenter_download_prediction(struct df_segmenter *segmenter, int64_t count, uint8_t *prediction);

/* Prediction of image i of the batch at the images' size, compared with the labels that were uploaded with
 * it. */
int df_segmenter_predict(struct df_segmenter *segmenter, int64_t i, const struct df_wanted *wanted);
/* These labels, to the host uint8 [H, W]. */
int df_segmenter_download_labels(struct df_segmenter *segmenter, int64_t i, uint8_t *labels);

/* The same on logits resized to another size, against a mask of that size (host; NULL: there is none, and
 * no comparison). */
int df_segmenter_predict_at(struct df_segmenter *segmenter, int64_t i, int64_t height, int64_t width,
                            const uint8_t *labels, const struct df_wanted *wanted);

/* Logits of image i at the images' size, to the host float32 [C, H, W]. */
int df_segmenter_download_logits(struct df_segmenter *segmenter, int64_t i, float *logits);

#endif

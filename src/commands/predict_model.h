/* A checkpoint's model over images of any size, as eval runs it for the same flags. */
#ifndef DINOFT_PREDICT_MODEL_H
#define DINOFT_PREDICT_MODEL_H

#include "decode_ahead.h"
#include "predict_result.h"

#include "dinoft/inference.h"

struct predict_model {
    struct df_setup *setup;
    struct df_inference_options how;
    struct df_segmenter *segmenter;
    struct df_inference *inference; /* NULL: images, resized, go through the model in batches */
    int64_t most;                   /* images in a batch */
    uint8_t *batch;                 /* [most, H, W, 3], where there is no inference */
};

/* images: how many there will be, INT64_MAX where nobody knows. -1 with the error set; close it in either
 * case. */
int predict_model_open(struct predict_model *model, struct df_setup *setup, const struct df_config *config,
                       int64_t images);
void predict_model_close(struct predict_model *model);

/* How images are to be decoded for it. */
struct decode_options predict_model_decoding(const struct predict_model *model,
                                             const struct df_config *config, unsigned needs);

/* Whether an image has so many more pixels than the model sees of it that details are lost. */
bool predict_model_shrinks_much(const struct predict_model *model, int64_t height, int64_t width);
/* The flags that would help with it, in words. */
void predict_model_advise(const struct predict_model *model, int64_t height, int64_t width, char *text,
                          size_t size);

/* Predicts images, of which predicted[i] has the size and gets classes and what `needs` says of
 * probabilities and logits. count: 1 to most. -1 with the error set: the model is of no use then. */
int predict_model_run(struct predict_model *model, const struct decoded *images,
                      struct predicted *const *predicted, int64_t count, unsigned needs);

#endif

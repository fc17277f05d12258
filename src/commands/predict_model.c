#include "predict_model.h"

#include "measuring.h"

#include "dinoft/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEW 64 /* images, for which a device does not try which algorithm is the fastest */

static int choose_how(struct predict_model *model, const struct df_config *config)
{
    struct df_inference_options *how = &model->how;

    *how = (struct df_inference_options){
        .keep_ratio = config->resize == DF_RESIZE_SHORT,
        .height = model->setup->model.height,
        .width = model->setup->model.width,
        .n_scales = 1,
        .scales = {1.0},
        .mirror = config->tta,
    };
    if (config->tta) {
        how->n_scales = config->n_scales;
        memcpy(how->scales, config->scale_list, sizeof how->scales);
    }
    return measuring_window(config, model->setup->vit.patch, &how->crop, &how->stride);
}

int predict_model_open(struct predict_model *model, struct df_setup *setup, const struct df_config *config,
                       int64_t images)
{
    *model = (struct predict_model){.setup = setup};
    DF_TRY(choose_how(model, config));
    const bool plain = df_inference_is_plain(&model->how);
    const int64_t together = plain ? df_min_i64(config->batch_size, images) : config->batch_size;
    setup->backend->transient = !plain || images < FEW;
    model->most = plain ? together : 1;
    model->segmenter = df_setup_segmenter(setup, DF_MODEL_EVALUATES, setup->checkpoint->classes,
                                          plain || model->how.crop > 0 ? together : 1, 0);
    if (!model->segmenter)
        return -1;
    if (!plain) {
        model->inference = df_inference_open(model->segmenter, &model->how);
        return model->inference ? 0 : -1;
    }
    const size_t bytes = (size_t)(model->most * model->how.height * model->how.width * 3);
    model->batch = malloc(bytes);
    return model->batch ? 0 : df_error_memory("a batch of images", bytes);
}

void predict_model_close(struct predict_model *model)
{
    df_inference_close(model->inference);
    df_segmenter_free(model->segmenter);
    free(model->batch);
}

struct decode_options predict_model_decoding(const struct predict_model *model,
                                             const struct df_config *config, unsigned needs)
{
    const bool resizes = model->inference == NULL;

    return (struct decode_options){.reading = &config->reading,
                                   .height = resizes ? model->how.height : 0,
                                   .width = resizes ? model->how.width : 0,
                                   .only_resized = resizes && !(needs & PREDICT_NEEDS_IMAGE)};
}

/* A side of four times as many pixels is twice as long. */
bool predict_model_shrinks_much(const struct predict_model *model, int64_t height, int64_t width)
{
    const struct df_image image = {.height = height, .width = width};
    int64_t seen_height = model->how.height, seen_width = model->how.width;

    if (model->how.crop > 0)
        return false;
    if (model->inference)
        df_inference_size(model->inference, &image, &seen_height, &seen_width);
    return height * width > 4 * seen_height * seen_width;
}

void predict_model_advise(const struct predict_model *model, int64_t height, int64_t width, char *text,
                          size_t size)
{
    const int64_t patch = model->setup->vit.patch, window = df_min_i64(model->how.height, model->how.width);
    const int64_t side = df_min_i64(4 * window, df_min_i64(height, width) / patch * patch);

    snprintf(text, size,
             "--slide %" PRId64 " %" PRId64 " --resize short --img_dim %" PRId64 " %" PRId64
             " has the model see it in windows",
             window, window * 2 / 3, side, side);
}

static int take_results(struct predict_model *model, int64_t i, struct predicted *predicted, unsigned needs)
{
    const int64_t height = predicted->height, width = predicted->width;
    const struct df_segmenter_options *made = df_segmenter_made_with(model->segmenter);

    if (needs & (PREDICT_NEEDS_CONFIDENCE | PREDICT_NEEDS_PROBABILITIES)) {
        if (model->inference)
            DF_TRY(df_inference_probabilities(model->inference, &predicted->probabilities));
        else
            DF_TRY(df_probabilities_of_logits(model->segmenter, i, height, width, &predicted->probabilities));
    }
    if (!(needs & PREDICT_NEEDS_LOGITS))
        return 0;
    const size_t bytes = (size_t)(made->classes * made->height * made->width) * sizeof(float);
    predicted->logits_height = made->height;
    predicted->logits_width = made->width;
    predicted->logits = malloc(bytes);
    if (!predicted->logits)
        return df_error_memory("the logits", bytes);
    return df_segmenter_download_logits(model->segmenter, i, predicted->logits);
}

static int run_batch(struct predict_model *model, const struct decoded *images, int64_t count)
{
    const size_t bytes = (size_t)(model->how.height * model->how.width * 3);

    for (int64_t i = 0; i < count; i++)
        memcpy(model->batch + (size_t)i * bytes, images[i].resized, bytes);
    DF_TRY(df_segmenter_load_pixels(model->segmenter, count, model->batch, NULL));
    return df_segmenter_forward(model->segmenter, count, false, NULL);
}

int predict_model_run(struct predict_model *model, const struct decoded *images,
                      struct predicted *const *predicted, int64_t count, unsigned needs)
{
    if (!model->inference)
        DF_TRY(run_batch(model, images, count));
    for (int64_t i = 0; i < count; i++) {
        struct predicted *result = predicted[i];
        DF_TRY(df_image_alloc(&result->classes, result->width, result->height, 1));
        const struct df_wanted wanted = {.classes = result->classes.pixels};
        if (model->inference)
            DF_TRY(df_inference_predict(model->inference, &images[i].image, result->height, result->width,
                                        NULL, &wanted));
        else
            DF_TRY(
                df_segmenter_predict_at(model->segmenter, i, result->height, result->width, NULL, &wanted));
        DF_TRY(take_results(model, i, result, needs));
    }
    return 0;
}

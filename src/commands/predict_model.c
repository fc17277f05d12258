#include "predict_model.h"

#include "measuring.h"

#include "dinoft/log.h"
#include "dinoft/size.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_PIXELS ((int64_t)1 << 22) /* of an image that is done as a whole where it need not be */
#define FEW          64 /* images, for which a device does not try which algorithm is the fastest */

int predict_model_open(struct predict_model *model, struct df_setup *setup, const struct df_config *config,
                       int64_t images)
{
    *model = (struct predict_model){.setup = setup};
    DF_TRY(measuring_views(config, setup, &model->how));
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
    const bool in_blocks = model->how.own_size && model->how.crop > 0;

    return (struct decode_options){.reading = &config->reading,
                                   .height = resizes ? model->how.height : 0,
                                   .width = resizes ? model->how.width : 0,
                                   .only_resized = resizes && !(needs & PREDICT_NEEDS_IMAGE),
                                   .most_pixels = in_blocks ? WHOLE_PIXELS : DF_IMAGE_MAX_PIXELS};
}

/* --slide, or the model's size. */
static int64_t window_of(const struct df_inference_options *how)
{
    return how->crop > 0 ? how->crop : df_min_i64(how->height, how->width);
}

int predict_model_check_blocks(const struct predict_model *model, int64_t height, int64_t width)
{
    const struct df_inference_options *how = &model->how;

    if (how->n_scales != 1 || how->scales[0] != 1.0)
        return df_error_set("an image of %" PRId64 " x %" PRId64 " pixels can only be seen at its own size: "
                            "--tta takes --scales 1 for it",
                            width, height);
    if (!df_block_inference_fits(model->segmenter, height, width, window_of(how)))
        return df_error_set("an image of %" PRId64 " x %" PRId64
                            " pixels is narrower than a window of %" PRId64
                            " pixels: --slide takes smaller ones",
                            width, height, window_of(how));
    return 0;
}

int predict_model_run_blocks(struct predict_model *model, const char *path,
                             const struct df_pixel_source *source, unsigned needs, df_block_taker *take,
                             void *context)
{
    const struct df_inference_options *how = &model->how;
    const int64_t crop = window_of(how);
    const struct df_block_options options = {.crop = crop,
                                             .stride = how->crop > 0 ? how->stride : crop * 2 / 3,
                                             .mirror = how->mirror,
                                             .side = PREDICT_BLOCK,
                                             .confidence = (needs & PREDICT_NEEDS_CONFIDENCE) != 0,
                                             .probabilities = (needs & PREDICT_NEEDS_PROBABILITIES) != 0};

    df_log("%s: %" PRId64 " x %" PRId64 " pixels, in blocks: a window of %" PRId64
           " pixels slides over them, %" PRId64 " apart%s",
           path, source->width, source->height, options.crop, options.stride,
           how->own_size ? "" : "; the image is too large to be resized (--resize)");
    const int status = df_block_inference(model->segmenter, &options, source, take, context);
    if (!model->inference)
        DF_TRY(df_segmenter_set_size(model->segmenter, how->height, how->width));
    return status;
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

    if (needs & PREDICT_NEEDS_PROBABILITIES) {
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

static int predict_image(struct predict_model *model, const struct df_image *image, int64_t i,
                         struct predicted *predicted, unsigned needs)
{
    const int64_t height = predicted->height, width = predicted->width;
    const size_t bytes = (size_t)(height * width) * sizeof *predicted->chosen;

    DF_TRY(df_image_alloc(&predicted->classes, width, height, 1));
    if (needs & PREDICT_NEEDS_CONFIDENCE && !(predicted->chosen = malloc(bytes)))
        return df_error_memory("an image's confidence", bytes);
    const struct df_wanted wanted = {.classes = predicted->classes.pixels, .confidence = predicted->chosen};
    if (model->inference)
        DF_TRY(df_inference_predict(model->inference, image, height, width, NULL, &wanted));
    else
        DF_TRY(df_segmenter_predict_at(model->segmenter, i, height, width, NULL, &wanted));
    return take_results(model, i, predicted, needs);
}

int predict_model_run(struct predict_model *model, const struct decoded *images,
                      struct predicted *const *predicted, int64_t count, unsigned needs)
{
    if (!model->inference)
        DF_TRY(run_batch(model, images, count));
    for (int64_t i = 0; i < count; i++)
        DF_TRY(predict_image(model, &images[i].image, i, predicted[i], needs));
    return 0;
}

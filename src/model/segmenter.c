#include "segmenter_internal.h"

#include "batch_hint.h"

#include "dinoft/error.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT_DECAY 0.01
#define BETA1        0.9
#define BETA2        0.999
#define ADAM_EPS     1e-8

static int64_t pixels(const struct df_segmenter *segmenter, int64_t images)
{
    return images * segmenter->options.height * segmenter->options.width;
}

static int64_t logit_count(const struct df_segmenter *segmenter, int64_t images)
{
    const struct df_decoder *decoder = segmenter->decoder;
    return images * decoder->logits_h * decoder->logits_w * decoder->shape.classes;
}

static int64_t feature_count(const struct df_segmenter *segmenter, int64_t images)
{
    const struct df_segmenter_options *options = &segmenter->options;
    const struct df_vit_config *config = &segmenter->config;
    return images * (options->height / config->patch) * (options->width / config->patch) * config->dim;
}

size_t df_segmenter_feature_bytes(const struct df_segmenter *segmenter)
{
    return (size_t)feature_count(segmenter, 1) * sizeof(float);
}

/* One buffer for each map that the decoder reads, or for its gradient. */
static void plan_features(struct df_segmenter *segmenter, float *features[], const char *name)
{
    for (int i = 0; i < segmenter->n_features; i++)
        features[i] = df_arena_take(&segmenter->arena, name,
                                    feature_count(segmenter, segmenter->options.max_batch), DF_F32);
}

static void plan_backbone(struct df_segmenter *segmenter)
{
    struct df_arena *arena = &segmenter->arena;
    int64_t all = pixels(segmenter, segmenter->options.max_batch);

    segmenter->pixels = df_arena_take(arena, "pixels", 3 * all, DF_U8);
    segmenter->image = df_arena_take(arena, "normalised image", 3 * all, DF_F32);
    if (segmenter->options.packed)
        segmenter->incoming =
            df_arena_take(arena, "images as they were decoded", (int64_t)segmenter->packing.bytes, DF_U8);
    df_vit_plan(segmenter->vit, arena);
    for (int i = 0; i < segmenter->n_features; i++)
        segmenter->features[i] = df_vit_feature(segmenter->vit, i);
}

/* What is trained, and what logits are compared with and become. */
static void plan_results(struct df_segmenter *segmenter)
{
    struct df_arena *arena = &segmenter->arena;
    const struct df_segmenter_options *options = &segmenter->options;
    int64_t all = pixels(segmenter, options->max_batch);

    df_parameters_plan(&segmenter->parameters, arena, options->training);
    segmenter->parameter_bytes = df_arena_mark(arena);
    segmenter->labels = df_arena_take(arena, "labels", all, DF_U8);
    segmenter->prediction = df_arena_take(arena, "prediction", all, DF_U8);
    segmenter->pairs =
        df_arena_take(arena, "label pairs", (int64_t)df_pair_table_count(options->classes), DF_I64);
    segmenter->loss = df_arena_take(arena, "loss", (int64_t)sizeof *segmenter->loss, DF_U8);
    segmenter->logit_sums = df_arena_take(arena, "sums of logits", options->classes, DF_F32);
}

static void plan_decoder(struct df_segmenter *segmenter)
{
    struct df_arena *arena = &segmenter->arena;
    const struct df_segmenter_options *options = &segmenter->options;

    segmenter->decoder->ops->plan(segmenter->decoder, arena);
    if (!options->training)
        return;
    segmenter->loss_scratch = df_arena_take(arena, "loss partial gradients",
                                            2 * logit_count(segmenter, options->max_batch), DF_F32);
    if (options->rank > 0)
        plan_features(segmenter, segmenter->dfeatures, "patch token gradient");
}

static void plan(struct df_segmenter *segmenter)
{
    if (segmenter->decoder)
        plan_results(segmenter);
    if (segmenter->options.features_given)
        plan_features(segmenter, segmenter->features, "patch tokens");
    else
        plan_backbone(segmenter);
    if (segmenter->decoder)
        plan_decoder(segmenter);
}

static int create_vit(struct df_segmenter *segmenter, const struct df_state *backbone,
                      const struct df_vit_config *config, const struct df_state *checkpoint)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_vit_options vit = {
        .max_batch = options->max_batch,
        .height = options->height,
        .width = options->width,
        .n_features = segmenter->n_features,
        .class_tokens = options->class_tokens,
        .lora = options->rank > 0 && options->training ? &segmenter->lora : NULL,
        .fold = options->training ? NULL : checkpoint,
        .training = options->training,
        .recompute = options->recompute,
        .rope_rescale = options->rope_rescale,
    };
    if (options->rank > 0)
        DF_TRY(df_lora_add_parameters(&segmenter->lora, &segmenter->parameters, config->depth, config->dim,
                                      options->rank));
    vit.path = options->backbone_path;
    segmenter->vit = df_vit_create(segmenter->backend, backbone, config, &vit);
    return segmenter->vit ? 0 : -1;
}

static int create_decoder(struct df_segmenter *segmenter, const struct df_vit_config *config,
                          const struct df_decoder_ops *ops)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_decoder_shape shape = {
        .dim = config->dim,
        .classes = options->classes,
        .grid_h = options->height / config->patch,
        .grid_w = options->width / config->patch,
        .patch = config->patch,
        .max_batch = options->max_batch,
        .training = options->training,
    };
    segmenter->decoder = ops->create(segmenter->backend, &shape, &segmenter->parameters);
    return segmenter->decoder ? 0 : -1;
}

static int start_parameters(struct df_segmenter *segmenter, const struct df_state *checkpoint, uint64_t seed)
{
    if (!checkpoint)
        return df_parameters_init(&segmenter->parameters, segmenter->backend, seed);
    if (df_parameters_load(&segmenter->parameters, segmenter->backend, checkpoint) == 0)
        return 0;
    return df_error_context("%s", segmenter->options.checkpoint_path ? segmenter->options.checkpoint_path
                                                                     : "the checkpoint");
}

static int lay_out_block(struct df_segmenter *segmenter)
{
    const struct df_segmenter_options *options = &segmenter->options;

    assert(segmenter->backend->resizes);
    return df_packed_layout_init(&segmenter->packing, options->max_batch, options->height, options->width);
}

/* The model, its memory counted but not taken. Without a backbone no weights are packed. */
static struct df_segmenter *create_counted(struct df_backend *backend, const struct df_state *backbone,
                                           const struct df_vit_config *config,
                                           const struct df_segmenter_options *options,
                                           const struct df_state *checkpoint)
{
    const struct df_decoder_ops *ops = options->decoder ? df_decoder_named(options->decoder) : NULL;
    if (options->decoder && !ops)
        return NULL;
    struct df_segmenter *segmenter = calloc(1, sizeof *segmenter);
    if (!segmenter) {
        df_error_memory("a model", sizeof *segmenter);
        return NULL;
    }
    segmenter->backend = backend;
    segmenter->options = *options;
    segmenter->config = *config;
    segmenter->n_features = ops ? ops->kind.n_features : options->n_features;
    df_arena_init(&segmenter->arena, backend);

    assert(!options->features_given || (ops && options->rank == 0 && !options->packed));
    assert(ops || (options->rank == 0 && !options->training && !options->packed));
    if ((options->packed && lay_out_block(segmenter) != 0) ||
        (!options->features_given && create_vit(segmenter, backbone, config, checkpoint) != 0) ||
        (ops && create_decoder(segmenter, config, ops) != 0)) {
        df_segmenter_free(segmenter);
        return NULL;
    }
    plan(segmenter);
    return segmenter;
}

struct wish {
    struct df_backend *backend;
    const struct df_vit_config *config;
    const struct df_segmenter_options *options;
};

static int segmenter_bytes(const void *context, int64_t batch, size_t *bytes)
{
    const struct wish *wish = context;
    struct df_segmenter_options options = *wish->options;

    options.max_batch = batch;
    struct df_segmenter *planned = create_counted(wish->backend, NULL, wish->config, &options, NULL);
    if (!planned)
        return -1;
    *bytes = planned->arena.peak;
    df_segmenter_free(planned);
    return 0;
}

/* Adds to the error text which batch would fit where these options' does not. Always returns -1. */
static int suggest_batch(struct df_backend *backend, const struct df_vit_config *config,
                         const struct df_segmenter_options *options)
{
    const struct wish wish = {backend, config, options};
    return df_batch_hint(backend, options->max_batch, segmenter_bytes, &wish);
}

struct df_segmenter *df_segmenter_create(struct df_backend *backend, const struct df_state *backbone,
                                         const struct df_vit_config *config,
                                         const struct df_segmenter_options *options,
                                         const struct df_state *checkpoint, uint64_t seed)
{
    struct df_segmenter *segmenter = create_counted(backend, backbone, config, options, checkpoint);

    if (!segmenter)
        return NULL;
    if (df_arena_commit(&segmenter->arena) != 0) {
        suggest_batch(backend, config, options);
        goto fail;
    }
    plan(segmenter);
    if (segmenter->decoder && start_parameters(segmenter, checkpoint, seed) != 0)
        goto fail;
    return segmenter;
fail:
    df_segmenter_free(segmenter);
    return NULL;
}

int df_segmenter_plan(struct df_backend *backend, const struct df_vit_config *config,
                      const struct df_segmenter_options *options, struct df_memory_plan *plan)
{
    struct df_segmenter *segmenter = create_counted(backend, NULL, config, options, NULL);
    struct df_vit_weight_bytes weights = {0, 0};
    int status = -1;

    if (!segmenter || (segmenter->vit && df_vit_weight_bytes(segmenter->vit, &weights) != 0))
        goto done;
    *plan = (struct df_memory_plan){
        .peak = segmenter->arena.peak,
        .n_items =
            segmenter->arena.n_items < DF_ARENA_MAX_ITEMS ? segmenter->arena.n_items : DF_ARENA_MAX_ITEMS,
        .forward_weights = weights.forward,
        .backward_weights = weights.backward,
        .trained = segmenter->parameters.trained,
    };
    memcpy(plan->items, segmenter->arena.items, sizeof plan->items);
    status = 0;
done:
    df_segmenter_free(segmenter);
    return status;
}

const struct df_segmenter_options *df_segmenter_made_with(const struct df_segmenter *segmenter)
{
    return &segmenter->options;
}

struct df_backend *df_segmenter_backend(const struct df_segmenter *segmenter)
{
    return segmenter->backend;
}

int64_t df_segmenter_patch(const struct df_segmenter *segmenter)
{
    return segmenter->config.patch;
}

const struct df_packed_layout *df_segmenter_packing(const struct df_segmenter *segmenter)
{
    return segmenter->options.packed ? &segmenter->packing : NULL;
}

int64_t df_segmenter_trained(const struct df_segmenter *segmenter)
{
    return segmenter->parameters.trained;
}

size_t df_segmenter_planned_bytes(const struct df_segmenter *segmenter)
{
    return segmenter->arena.peak;
}

int df_segmenter_check_parameters(const struct df_segmenter *segmenter)
{
    return df_parameters_check(&segmenter->parameters, segmenter->backend);
}

int df_segmenter_set_size(struct df_segmenter *segmenter, int64_t height, int64_t width)
{
    struct df_arena old = segmenter->arena;
    const int64_t patch = segmenter->config.patch;

    assert(segmenter->vit && !segmenter->options.training);
    if (height == segmenter->options.height && width == segmenter->options.width)
        return 0;
    DF_TRY(df_vit_set_size(segmenter->vit, height, width));
    if (segmenter->decoder)
        DF_TRY(segmenter->decoder->ops->set_grid(segmenter->decoder, height / patch, width / patch));
    segmenter->options.height = height;
    segmenter->options.width = width;
    if (segmenter->options.packed)
        DF_TRY(lay_out_block(segmenter));
    df_arena_init(&segmenter->arena, segmenter->backend);
    plan(segmenter);
    if (df_arena_replace(&segmenter->arena, &old, segmenter->parameter_bytes) != 0) {
        df_arena_free(&old);
        return suggest_batch(segmenter->backend, &segmenter->config, &segmenter->options);
    }
    plan(segmenter);
    return 0;
}

void df_segmenter_free(struct df_segmenter *segmenter)
{
    if (!segmenter)
        return;
    for (int i = 0; i < DF_RECORDED_STEPS; i++)
        segmenter->backend->ops->recording_free(segmenter->backend, segmenter->recorded[i].recording);
    if (segmenter->decoder)
        segmenter->decoder->ops->free(segmenter->decoder);
    df_vit_free(segmenter->vit);
    segmenter->backend->ops->free(segmenter->backend, segmenter->resized);
    df_arena_free(&segmenter->arena);
    df_parameters_free(&segmenter->parameters);
    free(segmenter);
}

int df_segmenter_load_labels(struct df_segmenter *segmenter, int64_t count, const uint8_t *labels)
{
    assert(count >= 1 && count <= segmenter->options.max_batch);
    if (!labels)
        return 0;
    assert(segmenter->decoder);
    return segmenter->backend->ops->upload(segmenter->backend, segmenter->labels, labels,
                                           (size_t)pixels(segmenter, count));
}

int df_segmenter_load_pixels(struct df_segmenter *segmenter, int64_t count, const uint8_t *source,
                             const uint8_t *labels)
{
    struct df_backend *backend = segmenter->backend;
    const struct df_segmenter_options *options = &segmenter->options;

    assert(segmenter->vit);
    DF_TRY(df_segmenter_load_labels(segmenter, count, labels));
    DF_TRY(backend->ops->upload(backend, segmenter->pixels, source, (size_t)(3 * pixels(segmenter, count))));
    return backend->ops->image_normalize(backend, segmenter->pixels, segmenter->image, count, options->height,
                                         options->width, options->mean, options->std);
}

/* The parts of the block that hold something. */
int df_segmenter_send(struct df_segmenter *segmenter, int64_t count, const uint8_t *packed)
{
    struct df_backend *backend = segmenter->backend;
    const struct df_packed_layout *layout = &segmenter->packing;
    const struct df_packed_image *images = df_packed_images((uint8_t *)packed);
    const struct df_packed_image *masks = df_packed_masks(layout, (uint8_t *)packed);

    assert(segmenter->incoming && count >= 1 && count <= segmenter->options.max_batch);
    segmenter->sent = packed;
    DF_TRY(backend->ops->send(backend, segmenter->incoming, packed, layout->images));
    for (int64_t i = 0; i < count; i++) {
        const size_t pixels = (size_t)images[i].width * (size_t)images[i].height;
        const size_t mask_pixels = (size_t)masks[i].width * (size_t)masks[i].height;
        DF_TRY(backend->ops->send(backend, segmenter->incoming + images[i].offset, packed + images[i].offset,
                                  3 * pixels));
        DF_TRY(backend->ops->send(backend, segmenter->incoming + masks[i].offset, packed + masks[i].offset,
                                  mask_pixels));
    }
    return 0;
}

int df_segmenter_receive(struct df_segmenter *segmenter, int64_t count, const uint8_t *packed)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_packed_batch batch = {
        .count = count,
        .height = options->height,
        .width = options->width,
        .block = segmenter->incoming,
        .images = df_packed_images(segmenter->incoming),
        .masks = df_packed_masks(&segmenter->packing, segmenter->incoming),
    };

    assert(segmenter->sent == packed);
    segmenter->sent = NULL;
    memcpy(batch.mean, options->mean, sizeof batch.mean);
    memcpy(batch.std, options->std, sizeof batch.std);
    return segmenter->backend->ops->resize_batch(segmenter->backend, &batch, segmenter->image,
                                                 segmenter->labels);
}

int df_segmenter_load_image(struct df_segmenter *segmenter, int64_t count, const float *image,
                            const uint8_t *labels)
{
    assert(segmenter->vit);
    DF_TRY(df_segmenter_load_labels(segmenter, count, labels));
    return segmenter->backend->ops->upload(segmenter->backend, segmenter->image, image,
                                           (size_t)(3 * pixels(segmenter, count)) * sizeof *image);
}

int df_segmenter_load_features(struct df_segmenter *segmenter, int64_t i, const void *features)
{
    struct df_backend *backend = segmenter->backend;
    const size_t bytes = df_segmenter_feature_bytes(segmenter);

    assert(segmenter->options.features_given && i >= 0 && i < segmenter->options.max_batch);
    for (int n = 0; n < segmenter->n_features; n++)
        DF_TRY(backend->ops->upload(backend, (char *)segmenter->features[n] + (size_t)i * bytes,
                                    (const char *)features + (size_t)n * bytes, bytes));
    return 0;
}

static int forward(struct df_segmenter *segmenter, int64_t count, bool training)
{
    if (segmenter->vit)
        DF_TRY(df_vit_forward(segmenter->vit, segmenter->image, count, training));
    if (!segmenter->decoder)
        return 0;
    return segmenter->decoder->ops->forward(segmenter->decoder, segmenter->features, count, training);
}

/* The host's part of a training pass. */
static int begin_pass(struct df_segmenter *segmenter, struct df_rng *rng)
{
    df_parameters_count_pass(&segmenter->parameters);
    return segmenter->vit ? df_vit_rescale_rope(segmenter->vit, rng) : 0;
}

/* What is not finite stays so in a sum. One of finite logits overflows only where these are near to it. */
static int check_logits(struct df_segmenter *segmenter, int64_t count)
{
    struct df_backend *backend = segmenter->backend;
    const int64_t classes = segmenter->options.classes;
    const char *path = segmenter->options.checkpoint_path;
    const struct df_matrix logits = {segmenter->decoder->logits, DF_F32,
                                     logit_count(segmenter, count) / classes, classes, classes};
    float sums[DF_MAX_CLASSES];

    DF_TRY(backend->ops->column_sum(backend, logits, segmenter->logit_sums));
    DF_TRY(backend->ops->download(backend, sums, segmenter->logit_sums, (size_t)classes * sizeof *sums));
    if (df_all_finite(sums, (size_t)classes))
        return 0;
    df_error_set("the model's logits are not finite numbers: its weights are damaged, or too large");
    return path && !segmenter->options.training ? df_error_context("%s", path) : -1;
}

int df_segmenter_forward(struct df_segmenter *segmenter, int64_t count, bool training, struct df_rng *rng)
{
    if (training) {
        DF_TRY(begin_pass(segmenter, rng));
        return forward(segmenter, count, true);
    }
    DF_TRY(forward(segmenter, count, false));
    return segmenter->decoder ? check_logits(segmenter, count) : 0;
}

int df_segmenter_download_features(const struct df_segmenter *segmenter, int64_t i, int block, void *features)
{
    struct df_backend *backend = segmenter->backend;

    assert(block >= 0 && block < segmenter->n_features);
    return backend->ops->download(backend, features, segmenter->features[block] + feature_count(segmenter, i),
                                  df_segmenter_feature_bytes(segmenter));
}

int df_segmenter_download_class_token(const struct df_segmenter *segmenter, int64_t i, float *token)
{
    struct df_backend *backend = segmenter->backend;
    const int64_t dim = segmenter->config.dim;

    return backend->ops->download(backend, token, df_vit_class_token(segmenter->vit) + i * dim,
                                  (size_t)dim * sizeof *token);
}

struct df_logits df_segmenter_logits(const struct df_segmenter *segmenter, int64_t i)
{
    const struct df_decoder *decoder = segmenter->decoder;

    return (struct df_logits){decoder->logits + logit_count(segmenter, i), decoder->logits_h,
                              decoder->logits_w};
}

/* The batch's loss at the images' size; what is to be found out is for the caller to say. */
static struct df_upsample_loss describe_loss(const struct df_segmenter *segmenter, int64_t count)
{
    const struct df_decoder *decoder = segmenter->decoder;

    return (struct df_upsample_loss){
        .batch = count,
        .h = decoder->logits_h,
        .w = decoder->logits_w,
        .classes = decoder->shape.classes,
        .height = segmenter->options.height,
        .width = segmenter->options.width,
        .logits = decoder->logits,
    };
}

int df_segmenter_loss(struct df_segmenter *segmenter, int64_t count, bool gradient, bool prediction,
                      double *loss_sum, int64_t *loss_count)
{
    struct df_upsample_loss work = describe_loss(segmenter, count);

    work.labels = loss_sum || gradient ? segmenter->labels : NULL;
    work.dlogits = gradient ? segmenter->decoder->dlogits : NULL;
    work.prediction = prediction ? segmenter->prediction : NULL;
    DF_TRY(segmenter->backend->ops->upsample_loss(segmenter->backend, &work, segmenter->loss_scratch));
    if (loss_sum)
        *loss_sum = work.loss.sum;
    if (loss_count)
        *loss_count = work.loss.count;
    return 0;
}

int df_segmenter_backward(struct df_segmenter *segmenter, int64_t count)
{
    struct df_decoder *decoder = segmenter->decoder;

    DF_TRY(decoder->ops->backward(decoder, segmenter->features, count, segmenter->dfeatures));
    if (segmenter->options.rank == 0)
        return 0;
    return df_vit_backward(segmenter->vit, count, (const float *const *)segmenter->dfeatures);
}

int df_segmenter_update(struct df_segmenter *segmenter, double lr)
{
    struct df_parameters *parameters = &segmenter->parameters;
    struct df_adamw settings = {lr, BETA1, BETA2, ADAM_EPS, WEIGHT_DECAY, ++segmenter->steps};

    return segmenter->backend->ops->adamw(segmenter->backend, &settings, parameters->values,
                                          parameters->gradients, parameters->m, parameters->v,
                                          parameters->trained);
}

struct step {
    struct df_segmenter *segmenter;
    int64_t count;
};

/* Loss and gradients of a batch, on the device alone. */
static int differentiate(void *argument)
{
    const struct step *step = argument;
    struct df_segmenter *segmenter = step->segmenter;
    struct df_upsample_loss work = describe_loss(segmenter, step->count);

    work.labels = segmenter->labels;
    work.dlogits = segmenter->decoder->dlogits;
    work.on_device = segmenter->loss;
    DF_TRY(forward(segmenter, step->count, true));
    DF_TRY(segmenter->backend->ops->upsample_loss(segmenter->backend, &work, segmenter->loss_scratch));
    return df_segmenter_backward(segmenter, step->count);
}

/* Where a step of so many images is recorded: the one that has been, or else the place that was not used. */
static struct df_recording **find_recording(struct df_segmenter *segmenter, int64_t count)
{
    int i = 0;

    while (i + 1 < DF_RECORDED_STEPS && segmenter->recorded[i].count != count &&
           segmenter->recorded[i].count > 0)
        i++;
    if (segmenter->recorded[i].count != count) {
        segmenter->backend->ops->recording_free(segmenter->backend, segmenter->recorded[i].recording);
        segmenter->recorded[i] = (struct df_recorded_step){.count = count};
    }
    return &segmenter->recorded[i].recording;
}

int df_segmenter_train_step(struct df_segmenter *segmenter, int64_t count, double lr, struct df_rng *rng,
                            double *loss, int64_t *counted)
{
    struct df_backend *backend = segmenter->backend;
    struct step step = {segmenter, count};
    struct df_loss_sum result;

    DF_TRY(begin_pass(segmenter, rng));
    DF_TRY(backend->ops->repeat(backend, find_recording(segmenter, count), differentiate, &step));
    DF_TRY(df_segmenter_update(segmenter, lr));
    /* Last, because it waits for all that comes before. */
    DF_TRY(backend->ops->download(backend, &result, segmenter->loss, sizeof result));
    *loss = result.count > 0 ? result.sum / (double)result.count : NAN;
    *counted = result.count;
    return 0;
}

int df_segmenter_download_prediction(struct df_segmenter *segmenter, int64_t count, uint8_t *prediction)
{
    return segmenter->backend->ops->download(segmenter->backend, prediction, segmenter->prediction,
                                             (size_t)pixels(segmenter, count));
}

/* Room for the prediction and the labels of an image of `bytes` pixels. */
static uint8_t *reserve_resized(struct df_segmenter *segmenter, size_t bytes)
{
    struct df_backend *backend = segmenter->backend;

    if (2 * bytes <= segmenter->resized_bytes)
        return segmenter->resized;
    backend->ops->free(backend, segmenter->resized);
    segmenter->resized = backend->ops->alloc(backend, 2 * bytes);
    segmenter->resized_bytes = segmenter->resized ? 2 * bytes : 0;
    return segmenter->resized;
}

int df_segmenter_compare(struct df_segmenter *segmenter, const struct df_loss_sum *loss,
                         const uint8_t *prediction, const uint8_t *labels, int64_t count,
                         struct df_comparison *comparison)
{
    struct df_backend *backend = segmenter->backend;
    const int64_t classes = segmenter->options.classes;

    comparison->loss_sum = loss->sum;
    comparison->loss_count = loss->count;
    DF_TRY(backend->ops->count_pairs(backend, prediction, labels, count, classes, segmenter->pairs));
    return backend->ops->download(backend, comparison->pairs, segmenter->pairs,
                                  df_pair_table_count(classes) * sizeof *comparison->pairs);
}

/* Image i under work, whose logits are still those of the first. */
static int predict_image(struct df_segmenter *segmenter, int64_t i, struct df_upsample_loss *work,
                         uint8_t *prediction, struct df_comparison *comparison)
{
    struct df_backend *backend = segmenter->backend;
    const int64_t count = work->height * work->width;

    work->logits += logit_count(segmenter, i);
    DF_TRY(backend->ops->upsample_loss(backend, work, NULL));
    if (comparison)
        DF_TRY(
            df_segmenter_compare(segmenter, &work->loss, work->prediction, work->labels, count, comparison));
    return prediction ? backend->ops->download(backend, prediction, work->prediction, (size_t)count) : 0;
}

int df_segmenter_predict(struct df_segmenter *segmenter, int64_t i, uint8_t *prediction,
                         struct df_comparison *comparison)
{
    struct df_upsample_loss work = describe_loss(segmenter, 1);

    work.labels = segmenter->labels + pixels(segmenter, i);
    work.prediction = segmenter->prediction + pixels(segmenter, i);
    return predict_image(segmenter, i, &work, prediction, comparison);
}

int df_segmenter_download_labels(struct df_segmenter *segmenter, int64_t i, uint8_t *labels)
{
    return segmenter->backend->ops->download(
        segmenter->backend, labels, segmenter->labels + pixels(segmenter, i), (size_t)pixels(segmenter, 1));
}

int df_segmenter_predict_at(struct df_segmenter *segmenter, int64_t i, int64_t height, int64_t width,
                            const uint8_t *labels, uint8_t *prediction, struct df_comparison *comparison)
{
    struct df_backend *backend = segmenter->backend;
    const size_t bytes = (size_t)(height * width);
    struct df_upsample_loss work = describe_loss(segmenter, 1);
    uint8_t *device = reserve_resized(segmenter, bytes);

    assert(labels || !comparison);
    if (!device)
        return -1;
    if (labels)
        DF_TRY(backend->ops->upload(backend, device + bytes, labels, bytes));
    work.height = height;
    work.width = width;
    work.labels = labels ? device + bytes : NULL;
    work.prediction = device;
    return predict_image(segmenter, i, &work, prediction, comparison);
}

int df_segmenter_download_logits(struct df_segmenter *segmenter, int64_t i, float *logits)
{
    struct df_backend *backend = segmenter->backend;
    const struct df_decoder *decoder = segmenter->decoder;
    size_t bytes = (size_t)(decoder->shape.classes * pixels(segmenter, 1)) * sizeof *logits;
    float *device = backend->ops->alloc(backend, bytes);
    if (!device)
        return -1;
    int status = backend->ops->upsample_logits(
        backend, decoder->logits + logit_count(segmenter, i), device, 1, decoder->logits_h, decoder->logits_w,
        decoder->shape.classes, segmenter->options.height, segmenter->options.width);
    if (status == 0)
        status = backend->ops->download(backend, logits, device, bytes);
    backend->ops->free(backend, device);
    return status;
}

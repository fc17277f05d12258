/* A model as a whole: creating it, its plan, another size, and what it says of itself. */
#include "segmenter_internal.h"

#include "batch_hint.h"

#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/size.h"

#include <assert.h>
#include <string.h>

struct request {
    struct df_backend *backend;
    const struct df_vit_config *config;
    const struct df_segmenter_options *options;
};

static int segmenter_bytes(const void *context, int64_t batch, size_t *bytes)
{
    const struct request *request = context;
    struct df_segmenter_options options = *request->options;

    options.max_batch = batch;
    struct df_segmenter *planned = segmenter_make(request->backend, NULL, request->config, &options, NULL);
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
    const struct request request = {backend, config, options};
    return df_batch_hint(backend, options->max_batch, segmenter_bytes, &request);
}

/* Whether the magnitudes come from the backbone, and not from the checkpoint. */
static bool begins_dora(const struct df_segmenter *segmenter, const struct df_state *checkpoint)
{
    const struct df_segmenter_options *options = &segmenter->options;
    const bool is_new = !checkpoint || (options->new_parts & DF_PART_LORA);

    return is_new && options->training && options->lora.dora && df_trains_lora(options);
}

static int start_parameters(struct df_segmenter *segmenter, const struct df_state *checkpoint, uint64_t seed)
{
    DF_TRY(optimizer_start(&segmenter->optimizer));
    DF_TRY(segmenter_start_loss(segmenter));
    const struct df_first_values first = {checkpoint, segmenter->options.new_parts, seed};
    if (df_parameters_start(&segmenter->parameters, segmenter->backend, &first) == 0)
        return begins_dora(segmenter, checkpoint) ? df_vit_start_magnitudes(segmenter->vit) : 0;
    if (!checkpoint)
        return -1;
    return df_error_context("%s", segmenter->options.checkpoint_path ? segmenter->options.checkpoint_path
                                                                     : "the checkpoint");
}

/* The block of a model that is trained does not move, since graphs know its addresses: it is made large
 * enough. */
static int count_other_sizes(struct df_segmenter *segmenter)
{
    struct df_segmenter_options options = segmenter->options;
    const struct request request = {segmenter->backend, &segmenter->config, &options};
    const int64_t shorter = df_min_i64(options.height, options.width);
    size_t bytes;

    if (!options.training || !options.keeps_ratio)
        return 0;
    options.keeps_ratio = false;
    options.height = shorter;
    options.width = DF_IMAGE_MAX_RATIO * shorter;
    DF_TRY(segmenter_bytes(&request, 1, &bytes));
    if (bytes > segmenter->arena.peak)
        segmenter->arena.peak = bytes;
    return 0;
}

/* The model, its memory counted. */
static struct df_segmenter *plan_all(const struct request *request, const struct df_state *backbone,
                                     const struct df_state *checkpoint)
{
    struct df_segmenter *segmenter =
        segmenter_make(request->backend, backbone, request->config, request->options, checkpoint);

    if (segmenter && count_other_sizes(segmenter) != 0) {
        df_segmenter_free(segmenter);
        return NULL;
    }
    return segmenter;
}

struct df_segmenter *df_segmenter_create(struct df_backend *backend, const struct df_state *backbone,
                                         const struct df_vit_config *config,
                                         const struct df_segmenter_options *options,
                                         const struct df_state *checkpoint, uint64_t seed)
{
    const struct request request = {backend, config, options};
    struct df_segmenter *segmenter = plan_all(&request, backbone, checkpoint);

    if (!segmenter)
        return NULL;
    segmenter->seed = seed;
    if (df_arena_commit(&segmenter->arena) != 0) {
        suggest_batch(backend, config, options);
        goto fail;
    }
    segmenter_take_memory(segmenter);
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
    const struct request request = {backend, config, options};
    struct df_segmenter *segmenter = plan_all(&request, NULL, NULL);
    struct df_vit_weight_bytes weights = {0, 0};
    int status = -1;

    if (!segmenter || (segmenter->vit && df_vit_weight_bytes(segmenter->vit, &weights) != 0))
        goto done;
    *plan = (struct df_memory_plan){
        .peak = segmenter->arena.peak,
        .n_items = (int)df_min_i64(segmenter->arena.n_items, DF_ARENA_MAX_ITEMS),
        .forward_weights = weights.forward,
        .backward_weights = weights.backward,
        .trained_parameters = segmenter->parameters.trained,
    };
    memcpy(plan->items, segmenter->arena.items, sizeof plan->items);
    status = 0;
done:
    df_segmenter_free(segmenter);
    return status;
}

/* The parts, for batches of another shape. */
static int set_shape(struct df_segmenter *segmenter, int64_t max_batch, int64_t height, int64_t width)
{
    struct df_decoder *decoder = segmenter->decoder;
    const int64_t patch = segmenter->config.patch;

    DF_TRY(df_vit_set_size(segmenter->vit, max_batch, height, width));
    if (decoder) {
        decoder->shape.max_batch = max_batch;
        DF_TRY(decoder->ops->set_grid(decoder, height / patch, width / patch));
    }
    segmenter->options.max_batch = max_batch;
    segmenter->options.height = height;
    segmenter->options.width = width;
    return segmenter->options.packed ? segmenter_lay_out_block(segmenter) : 0;
}

int df_segmenter_set_batch(struct df_segmenter *segmenter, int64_t max_batch, int64_t height, int64_t width)
{
    const struct df_segmenter_options *options = &segmenter->options;
    struct df_arena old = segmenter->arena;

    assert(segmenter->vit);
    if (max_batch == options->max_batch && height == options->height && width == options->width)
        return 0;
    segmenter_drop_graphs(segmenter);
    if (segmenter->sent) /* a batch that is on its way and will not be taken: its place is given away here */
        DF_TRY(segmenter->backend->ops->sent(segmenter->backend));
    DF_TRY(set_shape(segmenter, max_batch, height, width));
    df_arena_init(&segmenter->arena, segmenter->backend);
    segmenter_take_memory(segmenter);
    assert(!options->training || segmenter->arena.peak <= old.allocated);
    if (df_arena_replace(&segmenter->arena, &old, segmenter->parameter_bytes) != 0) {
        df_arena_free(&old);
        return suggest_batch(segmenter->backend, &segmenter->config, &segmenter->options);
    }
    segmenter_take_memory(segmenter);
    return 0;
}

int df_segmenter_set_size(struct df_segmenter *segmenter, int64_t height, int64_t width)
{
    return df_segmenter_set_batch(segmenter, segmenter->options.max_batch, height, width);
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

const struct df_vit_config *df_segmenter_backbone(const struct df_segmenter *segmenter)
{
    return &segmenter->config;
}

const struct df_packed_layout *df_segmenter_packing(const struct df_segmenter *segmenter)
{
    return segmenter->options.packed ? &segmenter->packing : NULL;
}

int64_t df_segmenter_trained_parameters(const struct df_segmenter *segmenter)
{
    return segmenter->parameters.trained;
}

size_t df_segmenter_planned_bytes(const struct df_segmenter *segmenter)
{
    return segmenter->arena.peak;
}

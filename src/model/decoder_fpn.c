/* The feature pyramid decoder of the reference project over the last four blocks' patch tokens, maps in NHWC
 * and float32 (see backend.h).
 *
 *     conv1 dim->128, conv2 128->64 on f3; nearest x2; + resized inter_conv1(f0)
 *     conv3 64->32; nearest x2; + resized inter_conv2(f1)
 *     conv4 32->21; + resized inter_conv3(f2); conv5 21->C
 *
 * convN is a 3x3 convolution without padding and bias, BatchNorm, ReLU; inter_convN a 1x1 convolution with
 * bias. */
#include "decoder.h"
#include "decoder_batchnorm.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>

#define STAGES   5
#define LATERALS 3

/* One 3x3 convolution with its normalisation. */
struct stage {
    struct df_conv_shape conv; /* batch is set for each pass */
    int64_t out_h, out_w;
    const float *input;        /* not owned */
    float *convolved, *output; /* [B, out_h, out_w, out] */
    float *mean, *rstd;        /* [out] */
    float *dinput;             /* gradient of input; stage 1's goes to the backbone */
};

/* What is added in front of stage 3, 4 and 5: the output before it, resized to height x width, plus a lateral
 * map. */
struct merge {
    int before;            /* index of the stage whose output is resized */
    int64_t height, width; /* of the sum */
    int64_t channels;
    float *lateral; /* [B * P, channels]: inter_conv of a feature */
    float *sum;     /* [B, height, width, channels] */
};

struct fpn {
    struct df_decoder base;
    struct stage stages[STAGES];
    struct merge merges[LATERALS]; /* merges[i] feeds stages[i + 2] and reads features[i] */
    float *dlateral;               /* scratch [B * P, 64] */
    float *doutput;                /* scratch, gradient of a merged stage's output */
};

static int64_t stage_elements(const struct fpn *fpn, const struct stage *stage)
{
    return fpn->base.shape.max_batch * stage->out_h * stage->out_w * stage->conv.out;
}

/* Sizes of every map for a grid; false if one vanishes. */
static bool lay_out(struct fpn *fpn, int64_t grid_h, int64_t grid_w)
{
    const int64_t widths[STAGES + 1] = {fpn->base.shape.dim, 128, 64, 32, 21, fpn->base.shape.classes};
    int64_t h = grid_h, w = grid_w;

    for (int i = 0; i < STAGES; i++) {
        if (i >= 2) {
            int64_t scale = i < 4 ? 2 : 1; /* stages 3 and 4 work on enlarged maps */
            h *= scale;
            w *= scale;
            fpn->merges[i - 2] =
                (struct merge){.before = i - 1, .height = h, .width = w, .channels = widths[i]};
        }
        struct stage *stage = &fpn->stages[i];
        stage->conv = (struct df_conv_shape){
            .height = h, .width = w, .in = widths[i], .out = widths[i + 1], .kernel = 3};
        h -= 2;
        w -= 2;
        if (h < 1 || w < 1)
            return false;
        stage->out_h = h;
        stage->out_w = w;
    }
    fpn->base.logits_h = h;
    fpn->base.logits_w = w;
    return true;
}

static int set_grid(struct df_decoder *decoder, int64_t grid_h, int64_t grid_w)
{
    struct fpn *fpn = (struct fpn *)decoder;
    struct df_decoder_shape *shape = &fpn->base.shape;
    shape->grid_h = grid_h;
    shape->grid_w = grid_w;
    if (lay_out(fpn, grid_h, grid_w))
        return 0;
    const long long smallest = fpn->base.ops->kind.least_grid * shape->patch;
    return df_error_set("the FPN decoder needs images of at least %lld x %lld pixels, found "
                        "%lld x %lld: its convolutions without padding use up smaller grids of patches",
                        smallest, smallest, (long long)(shape->grid_h * shape->patch),
                        (long long)(shape->grid_w * shape->patch));
}

/* The parameters of a stage, and of a merge's lateral convolution, as they are added: first all stages'. */
enum { WEIGHT, NORM, STAGE_PARAMETERS = NORM + DF_NORM_TENSORS };
enum { LATERAL_WEIGHT, LATERAL_BIAS, LATERAL_PARAMETERS };

static const struct df_parameter *stage_parameters(const struct fpn *fpn, int i)
{
    return &fpn->base.parameters->items[fpn->base.first + STAGE_PARAMETERS * i];
}

static const struct df_parameter *lateral_parameters(const struct fpn *fpn, int i)
{
    return stage_parameters(fpn, STAGES) + (ptrdiff_t)LATERAL_PARAMETERS * i;
}

static const char *tensor_name(char buffer[64], const char *format, int index)
{
    snprintf(buffer, 64, format, index + 1);
    return buffer;
}

static int open_decoder(struct df_decoder *decoder)
{
    const struct fpn *fpn = (struct fpn *)decoder;
    char name[64];

    for (int i = 0; i < STAGES; i++) {
        const struct df_conv_shape *conv = &fpn->stages[i].conv;
        tensor_name(name, "conv%d.0", i);
        DF_TRY(df_decoder_add_conv(decoder, name, conv->out, conv->in, conv->kernel, false));
        DF_TRY(df_batchnorm_add(decoder->parameters, tensor_name(name, "conv%d.1", i), conv->out));
    }
    for (int i = 0; i < LATERALS; i++) {
        tensor_name(name, "inter_conv%d", i);
        DF_TRY(df_decoder_add_conv(decoder, name, fpn->merges[i].channels, decoder->shape.dim, 1, true));
    }
    return 0;
}

static void plan_stage(struct fpn *fpn, struct df_arena *arena, int i)
{
    struct stage *stage = &fpn->stages[i];

    stage->convolved = df_arena_take(arena, "FPN convolution", stage_elements(fpn, stage), DF_F32);
    stage->output = i == STAGES - 1
                        ? fpn->base.logits
                        : df_arena_take(arena, "FPN activation", stage_elements(fpn, stage), DF_F32);
    stage->mean = df_arena_take(arena, "BatchNorm batch statistics", 2 * stage->conv.out, DF_F32);
    stage->rstd = stage->mean ? stage->mean + stage->conv.out : NULL;
    if (fpn->base.shape.training && i > 0)
        stage->dinput = df_arena_take(
            arena, "FPN gradient",
            fpn->base.shape.max_batch * stage->conv.height * stage->conv.width * stage->conv.in, DF_F32);
}

static void plan(struct df_decoder *decoder, struct df_arena *arena)
{
    struct fpn *fpn = (struct fpn *)decoder;
    int64_t batch = decoder->shape.max_batch, patches = decoder->shape.grid_h * decoder->shape.grid_w;
    int64_t largest = 0;

    df_decoder_plan_logits(decoder, arena);
    for (int i = 0; i < STAGES; i++)
        plan_stage(fpn, arena, i);
    for (int i = 0; i < LATERALS; i++) {
        struct merge *merge = &fpn->merges[i];
        largest = df_max_i64(largest, stage_elements(fpn, &fpn->stages[merge->before]));
        merge->lateral = df_arena_take(arena, "FPN lateral", batch * patches * merge->channels, DF_F32);
        merge->sum =
            df_arena_take(arena, "FPN sum", batch * merge->height * merge->width * merge->channels, DF_F32);
    }
    if (decoder->shape.training) {
        fpn->dlateral =
            df_arena_take(arena, "FPN lateral gradient", batch * patches * fpn->merges[0].channels, DF_F32);
        fpn->doutput = df_arena_take(arena, "FPN activation gradient", largest, DF_F32);
    }
}

static struct df_batchnorm batchnorm(const struct fpn *fpn, int i, int64_t batch)
{
    const struct stage *stage = &fpn->stages[i];
    struct df_batchnorm norm =
        df_batchnorm_over(stage_parameters(fpn, i) + NORM, 0, stage->conv.out,
                          batch * stage->out_h * stage->out_w, stage->mean, stage->rstd);

    norm.relu = true;
    return norm;
}

static int stage_forward(struct fpn *fpn, int i, const float *input, int64_t batch, bool training)
{
    struct df_backend *backend = fpn->base.backend;
    struct stage *stage = &fpn->stages[i];
    struct df_batchnorm norm = batchnorm(fpn, i, batch);
    const float *weight = stage_parameters(fpn, i)[WEIGHT].value;

    stage->input = input;
    stage->conv.batch = batch;
    DF_TRY(backend->ops->conv_forward(backend, stage->conv, input, weight, NULL, stage->convolved));
    return backend->ops->batchnorm_forward(backend, &norm, training, stage->convolved, stage->output);
}

static struct df_conv_shape lateral_shape(const struct fpn *fpn, int i, int64_t batch)
{
    const struct df_decoder_shape *shape = &fpn->base.shape;
    return (struct df_conv_shape){.batch = batch,
                                  .height = shape->grid_h,
                                  .width = shape->grid_w,
                                  .in = shape->dim,
                                  .out = fpn->merges[i].channels,
                                  .kernel = 1};
}

static int merge_forward(struct fpn *fpn, int i, const float *feature, int64_t batch)
{
    struct df_backend *backend = fpn->base.backend;
    const struct df_parameter *own = lateral_parameters(fpn, i);
    const struct merge *merge = &fpn->merges[i];
    const struct stage *before = &fpn->stages[merge->before];

    DF_TRY(backend->ops->nearest_forward(backend, before->output, batch, before->out_h, before->out_w,
                                         merge->sum, merge->height, merge->width, merge->channels, false));
    DF_TRY(backend->ops->conv_forward(backend, lateral_shape(fpn, i, batch), feature,
                                      own[LATERAL_WEIGHT].value, own[LATERAL_BIAS].value, merge->lateral));
    return backend->ops->nearest_forward(backend, merge->lateral, batch, fpn->base.shape.grid_h,
                                         fpn->base.shape.grid_w, merge->sum, merge->height, merge->width,
                                         merge->channels, true);
}

static int forward(struct df_decoder *decoder, float *const features[], int64_t batch, bool training)
{
    struct fpn *fpn = (struct fpn *)decoder;

    DF_TRY(stage_forward(fpn, 0, features[3], batch, training));
    DF_TRY(stage_forward(fpn, 1, fpn->stages[0].output, batch, training));
    for (int i = 0; i < LATERALS; i++) {
        DF_TRY(merge_forward(fpn, i, features[i], batch));
        DF_TRY(stage_forward(fpn, i + 2, fpn->merges[i].sum, batch, training));
    }
    return 0;
}

/* From the gradient of stage i's output (overwritten) to its parameters' and its input's (NULL: not
 * needed). */
static int stage_backward(struct fpn *fpn, int i, int64_t batch, float *doutput, float *dinput)
{
    struct df_backend *backend = fpn->base.backend;
    const struct df_parameter *own = stage_parameters(fpn, i);
    const struct stage *stage = &fpn->stages[i];
    struct df_batchnorm norm = batchnorm(fpn, i, batch);

    assert(stage->conv.batch == batch);
    DF_TRY(backend->ops->batchnorm_backward(backend, &norm, stage->convolved, stage->output, doutput, doutput,
                                            own[NORM + DF_NORM_WEIGHT].gradient,
                                            own[NORM + DF_NORM_BIAS].gradient));
    DF_TRY(backend->ops->conv_backward_weight(backend, stage->conv, stage->input, doutput,
                                              own[WEIGHT].gradient));
    if (!dinput)
        return 0;
    return backend->ops->conv_backward_data(backend, stage->conv, doutput, own[WEIGHT].value, dinput);
}

/* From the gradient of merge i's sum to the lateral convolution's, the feature's, and (in doutput) the stage
 * before. */
static int merge_backward(struct fpn *fpn, int i, int64_t batch, const float *feature, float *dfeature)
{
    struct df_backend *backend = fpn->base.backend;
    const struct df_parameter *own = lateral_parameters(fpn, i);
    const struct merge *merge = &fpn->merges[i];
    const struct stage *before = &fpn->stages[merge->before];
    const float *dsum = fpn->stages[i + 2].dinput;
    struct df_conv_shape shape = lateral_shape(fpn, i, batch);
    struct df_matrix dlateral = {fpn->dlateral, DF_F32, batch * shape.height * shape.width, shape.out,
                                 shape.out};

    DF_TRY(backend->ops->nearest_backward(backend, dsum, batch, merge->height, merge->width, fpn->dlateral,
                                          shape.height, shape.width, merge->channels));
    DF_TRY(backend->ops->column_sum(backend, dlateral, own[LATERAL_BIAS].gradient));
    DF_TRY(backend->ops->conv_backward_weight(backend, shape, feature, fpn->dlateral,
                                              own[LATERAL_WEIGHT].gradient));
    if (dfeature)
        DF_TRY(backend->ops->conv_backward_data(backend, shape, fpn->dlateral, own[LATERAL_WEIGHT].value,
                                                dfeature));
    return backend->ops->nearest_backward(backend, dsum, batch, merge->height, merge->width, fpn->doutput,
                                          before->out_h, before->out_w, merge->channels);
}

static int backward(struct df_decoder *decoder, float *const features[], int64_t batch,
                    float *const dfeatures[])
{
    struct fpn *fpn = (struct fpn *)decoder;
    float *doutput = decoder->dlogits;

    for (int i = LATERALS - 1; i >= 0; i--) {
        DF_TRY(stage_backward(fpn, i + 2, batch, doutput, fpn->stages[i + 2].dinput));
        DF_TRY(merge_backward(fpn, i, batch, features[i], dfeatures[i]));
        doutput = fpn->doutput;
    }
    DF_TRY(stage_backward(fpn, 1, batch, doutput, fpn->stages[1].dinput));
    return stage_backward(fpn, 0, batch, fpn->stages[1].dinput, dfeatures[3]);
}

const struct df_decoder_ops df_decoder_fpn = {
    .kind = {.choice = DF_DECODER_FPN,
             .name = "fpn",
             .title = "FPN",
             .least_grid = 7,
             .n_features = 4,
             .of_reference = true},
    .classes = "conv5.0.weight",
    .input = "conv1.0.weight",
    .inputs = 1,
    .size = sizeof(struct fpn),
    .open = open_decoder,
    .set_grid = set_grid,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};

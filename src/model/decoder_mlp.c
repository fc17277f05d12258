/* The decoder mlp, on the grid of patches: four blocks' tokens are projected to 256 channels each and added
 * up, then a 3x3 convolution with zeros around the map, BatchNorm and ReLU, then a 1x1 convolution.
 * Projections that are added up are one 1x1 convolution over the concatenated maps. */
#include "decoder.h"
#include "decoder_batchnorm.h"
#include "decoder_concat.h"

#include "dinoft/error.h"

#define WIDTH  256
#define BLOCKS 4

struct mlp {
    struct df_decoder base;
    float *projected, *convolved,
        *fused;                 /* [B * P, WIDTH]: before and after the 3x3 convolution, and the ReLU */
    float *mean, *rstd;         /* [WIDTH] */
    float *dfused, *dprojected; /* scratch [B * P, WIDTH], in training */
};

/* Its parameters, in the order that they are added. */
enum {
    PROJECT_WEIGHT,
    PROJECT_BIAS,
    FUSE_WEIGHT,
    FUSE_NORM,
    CLASSIFIER_WEIGHT = FUSE_NORM + DF_NORM_TENSORS,
    CLASSIFIER_BIAS
};

static int open_decoder(struct df_decoder *decoder)
{
    DF_TRY(df_decoder_add_conv(decoder, "mlp.project", WIDTH, BLOCKS * decoder->shape.dim, 1, true));
    DF_TRY(df_decoder_add_conv(decoder, "mlp.fuse.0", WIDTH, WIDTH, 3, false));
    DF_TRY(df_batchnorm_add(decoder->parameters, "mlp.fuse.1", WIDTH));
    return df_decoder_add_conv(decoder, "mlp.classifier", decoder->shape.classes, WIDTH, 1, true);
}

static int64_t rows_of(const struct df_decoder *decoder, int64_t batch)
{
    return batch * decoder->shape.grid_h * decoder->shape.grid_w;
}

static void plan(struct df_decoder *decoder, struct df_arena *arena)
{
    struct mlp *mlp = (struct mlp *)decoder;
    const int64_t map = rows_of(decoder, decoder->shape.max_batch) * WIDTH;

    df_decoder_plan_logits(decoder, arena);
    mlp->projected = df_arena_take(arena, "MLP projection", map, DF_F32);
    mlp->convolved = df_arena_take(arena, "MLP convolution", map, DF_F32);
    mlp->fused = df_arena_take(arena, "MLP activation", map, DF_F32);
    mlp->mean = df_arena_take(arena, "BatchNorm batch statistics", 2 * WIDTH, DF_F32);
    mlp->rstd = mlp->mean ? mlp->mean + WIDTH : NULL;
    if (!decoder->shape.training)
        return;
    mlp->dfused = df_arena_take(arena, "MLP activation gradient", map, DF_F32);
    mlp->dprojected = df_arena_take(arena, "MLP projection gradient", map, DF_F32);
}

static const struct df_parameter *own_parameters(const struct mlp *mlp)
{
    return &mlp->base.parameters->items[mlp->base.first];
}

static struct df_concat projection(const struct mlp *mlp, int64_t batch)
{
    const struct df_parameter *own = own_parameters(mlp);

    return (struct df_concat){.n = BLOCKS,
                              .rows = rows_of(&mlp->base, batch),
                              .dim = mlp->base.shape.dim,
                              .out = WIDTH,
                              .weight = &own[PROJECT_WEIGHT],
                              .bias = &own[PROJECT_BIAS]};
}

static struct df_concat classifier(const struct mlp *mlp, int64_t batch)
{
    const struct df_parameter *own = own_parameters(mlp);

    return (struct df_concat){.n = 1,
                              .rows = rows_of(&mlp->base, batch),
                              .dim = WIDTH,
                              .out = mlp->base.shape.classes,
                              .weight = &own[CLASSIFIER_WEIGHT],
                              .bias = &own[CLASSIFIER_BIAS]};
}

static struct df_conv_shape fusing_conv(const struct mlp *mlp, int64_t batch)
{
    return (struct df_conv_shape){.batch = batch,
                                  .height = mlp->base.shape.grid_h,
                                  .width = mlp->base.shape.grid_w,
                                  .in = WIDTH,
                                  .out = WIDTH,
                                  .kernel = 3,
                                  .padding = 1};
}

static struct df_batchnorm fusing_norm(const struct mlp *mlp, int64_t batch)
{
    struct df_batchnorm norm = df_batchnorm_over(own_parameters(mlp) + FUSE_NORM, 0, WIDTH,
                                                 rows_of(&mlp->base, batch), mlp->mean, mlp->rstd);

    norm.relu = true;
    return norm;
}

static int forward(struct df_decoder *decoder, float *const features[], int64_t batch, bool training)
{
    struct mlp *mlp = (struct mlp *)decoder;
    struct df_backend *backend = decoder->backend;
    const struct df_concat project = projection(mlp, batch), classify = classifier(mlp, batch);
    const struct df_batchnorm norm = fusing_norm(mlp, batch);

    DF_TRY(df_concat_forward(backend, &project, features, mlp->projected));
    DF_TRY(backend->ops->conv_forward(backend, fusing_conv(mlp, batch), mlp->projected,
                                      own_parameters(mlp)[FUSE_WEIGHT].value, NULL, mlp->convolved));
    DF_TRY(backend->ops->batchnorm_forward(backend, &norm, training, mlp->convolved, mlp->fused));
    return df_concat_forward(backend, &classify, &mlp->fused, decoder->logits);
}

/* From the gradient of what leaves the ReLU, which is overwritten, to that of the projection. */
static int fusing_backward(struct mlp *mlp, int64_t batch)
{
    struct df_backend *backend = mlp->base.backend;
    const struct df_parameter *own = own_parameters(mlp);
    const struct df_batchnorm norm = fusing_norm(mlp, batch);
    const struct df_conv_shape shape = fusing_conv(mlp, batch);

    DF_TRY(backend->ops->batchnorm_backward(backend, &norm, mlp->convolved, mlp->fused, mlp->dfused,
                                            mlp->dfused, own[FUSE_NORM + DF_NORM_WEIGHT].gradient,
                                            own[FUSE_NORM + DF_NORM_BIAS].gradient));
    DF_TRY(backend->ops->conv_backward_weight(backend, shape, mlp->projected, mlp->dfused,
                                              own[FUSE_WEIGHT].gradient));
    return backend->ops->conv_backward_data(backend, shape, mlp->dfused, own[FUSE_WEIGHT].value,
                                            mlp->dprojected);
}

static int backward(struct df_decoder *decoder, float *const features[], int64_t batch,
                    float *const dfeatures[])
{
    struct mlp *mlp = (struct mlp *)decoder;
    struct df_backend *backend = decoder->backend;
    const struct df_concat project = projection(mlp, batch), classify = classifier(mlp, batch);

    DF_TRY(df_concat_backward_bias(backend, &classify, decoder->dlogits));
    DF_TRY(df_concat_backward_map(backend, &classify, 0, mlp->fused, decoder->dlogits, mlp->dfused));
    DF_TRY(fusing_backward(mlp, batch));
    DF_TRY(df_concat_backward_bias(backend, &project, mlp->dprojected));
    for (int i = 0; i < BLOCKS; i++)
        DF_TRY(df_concat_backward_map(backend, &project, i, features[i], mlp->dprojected, dfeatures[i]));
    return 0;
}

const struct df_decoder_ops df_decoder_mlp = {
    .kind = {.choice = DF_DECODER_MLP,
             .name = "mlp",
             .title = "MLP over four blocks",
             .least_grid = 1,
             .n_features = BLOCKS},
    .classes = "mlp.classifier.weight",
    .input = "mlp.project.weight",
    .inputs = BLOCKS,
    .size = sizeof(struct mlp),
    .open = open_decoder,
    .set_grid = df_decoder_keep_grid,
    .plan = plan,
    .forward = forward,
    .backward = backward,
};

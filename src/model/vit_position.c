/* Where patches are: DINOv2's position embedding or DINOv3's RoPE tables, for the grid that images have at
 * the moment. */
#include "vit_internal.h"
#include "position.h"

#include "dinoft/error.h"

#include <stdlib.h>

/* Device memory for so many floats; it only ever grows. */
static int reserve(struct df_vit *vit, size_t count)
{
    const struct df_backend_ops *ops = vit->backend->ops;

    if (count <= vit->position_count)
        return 0;
    ops->free(vit->backend, vit->positions);
    vit->positions = ops->alloc(vit->backend, count * sizeof *vit->positions);
    vit->position_count = vit->positions ? count : 0;
    return vit->positions ? 0 : -1;
}

static int interpolate_embedding(struct df_vit *vit)
{
    const size_t count = (size_t)(vit->patches * vit->config.dim);
    float *resized = malloc(count * sizeof *resized);
    int status = -1;

    if (!resized) {
        df_error_memory("the position embedding", count * sizeof *resized);
        goto done;
    }
    if (df_pos_embed_interpolate(vit->position_host + vit->config.dim, &vit->config, vit->grid_h, vit->grid_w,
                                 resized) != 0 ||
        reserve(vit, count) != 0)
        goto done;
    vit->pos_embed = vit->positions;
    status = vit->backend->ops->upload(vit->backend, vit->pos_embed, resized, count * sizeof *resized);
done:
    free(resized);
    return status;
}

static int make_rope_tables(struct df_vit *vit)
{
    const int64_t size = vit->config.head_size, table = vit->patches * size;

    DF_TRY(reserve(vit, (size_t)(2 * table)));
    vit->rope_sin = vit->positions;
    vit->rope_cos = vit->positions + table;
    return vit->backend->ops->rope_tables(vit->backend, vit->rope_periods, vit->rope_scales, 1, vit->grid_h,
                                          vit->grid_w, size, vit->positions);
}

static int make_positions(struct df_vit *vit)
{
    return vit->config.family == DF_DINOV3 ? make_rope_tables(vit) : interpolate_embedding(vit);
}

static int load_periods(struct df_vit *vit, const float *periods)
{
    const struct df_backend_ops *ops = vit->backend->ops;
    const int64_t count = vit->config.head_size / 4;
    const float one = 1.0f;

    for (int64_t i = 0; i < count; i++) {
        if (!(periods[i] > 0.0f))
            return df_error_set("rope_embed.periods holds %g, expected periods above 0", (double)periods[i]);
    }
    vit->rope_periods = ops->alloc(vit->backend, (size_t)(count + 1 + vit->config.depth) * sizeof *periods);
    if (!vit->rope_periods)
        return -1;
    vit->rope_scales = vit->rope_periods + count;
    DF_TRY(ops->upload(vit->backend, vit->rope_periods, periods, (size_t)count * sizeof *periods));
    return ops->upload(vit->backend, vit->rope_scales, &one, sizeof one);
}

int df_vit_load_positions(struct df_vit *vit, const struct df_state *weights)
{
    if (vit->config.family == DF_DINOV3) {
        float *periods = vit_host_tensor(weights, "rope_embed.periods");
        const int status = periods ? load_periods(vit, periods) : -1;
        free(periods);
        DF_TRY(status);
    } else if (!(vit->position_host = vit_host_tensor(weights, "pos_embed"))) {
        return -1;
    }
    return make_positions(vit);
}

void df_vit_free_positions(struct df_vit *vit)
{
    vit->backend->ops->free(vit->backend, vit->positions);
    vit->backend->ops->free(vit->backend, vit->rope_periods);
    free(vit->position_host);
}

void df_vit_set_grid(struct df_vit *vit, int64_t height, int64_t width)
{
    vit->options.height = height;
    vit->options.width = width;
    vit->grid_h = height / vit->config.patch;
    vit->grid_w = width / vit->config.patch;
    vit->patches = vit->grid_h * vit->grid_w;
    vit->tokens = vit->prefix + vit->patches;
}

int df_vit_check_size(const struct df_vit_config *config, int64_t height, int64_t width)
{
    if (height >= config->patch && width >= config->patch && height % config->patch == 0 &&
        width % config->patch == 0)
        return 0;
    return df_error_set("image size %lld x %lld is not a multiple of the patch size %lld", (long long)height,
                        (long long)width, (long long)config->patch);
}

int df_vit_set_size(struct df_vit *vit, int64_t max_batch, int64_t height, int64_t width)
{
    DF_TRY(df_vit_check_size(&vit->config, height, width));
    df_vit_set_grid(vit, height, width);
    vit->options.max_batch = max_batch;
    return make_positions(vit);
}

#include "cpu_backend.h"

#include "cpu_context.h"

#include <assert.h>

/* Convolutions read and write the NHWC maps, which are float32, where they are. Only the weights, which are
 * small, are converted to the library's layout (and their gradient out of it), in the scratch buffer: they
 * change every step. */

struct conv_plan {
    struct df_primitive *conv;
    struct df_primitive *reorder; /* between [out, in, kernel, kernel] and conv->weights */
};

static struct df_primitive *weight_reorder(struct df_onednn *onednn, enum df_conv_pass pass,
                                           struct df_conv_shape shape, const struct df_layout *packed)
{
    const int64_t kernel = shape.kernel, area = kernel * kernel;
    struct df_layout plain = {0};
    struct df_primitive *reorder = NULL;

    if (df_layout_strided(&plain, 4, (dnnl_dims_t){shape.out, shape.in, kernel, kernel},
                          (dnnl_dims_t){shape.in * area, area, kernel, 1}, DF_F32) == 0)
        reorder = pass == DF_CONV_BACKWARD_WEIGHT ? df_primitive_reorder(onednn, packed, &plain)
                                                  : df_primitive_reorder(onednn, &plain, packed);
    df_layout_free(&plain);
    return reorder;
}

static int find_plan(struct df_backend *backend, enum df_conv_pass pass, struct df_conv_shape shape,
                     bool bias, struct conv_plan *plan)
{
    struct df_cpu_context *context = df_cpu_context(backend);
    struct df_primitive_key key = {
        DF_KIND_CONV + (int64_t)pass,
        {shape.batch, shape.height, shape.width, shape.in, shape.out, shape.kernel, shape.padding, bias},
    };

    assert(shape.kernel > shape.padding && df_conv_side(&shape, shape.height) >= 1 &&
           df_conv_side(&shape, shape.width) >= 1);
    plan->conv = df_primitive_cache_find(&context->cache, &key);
    if (!plan->conv)
        plan->conv = df_primitive_cache_add(&context->cache, &key,
                                            df_primitive_conv(&context->onednn, pass, shape, DF_F32, bias));
    if (!plan->conv)
        return -1;
    key.kind = DF_KIND_CONV_REORDER + (int64_t)pass;
    plan->reorder = df_primitive_cache_find(&context->cache, &key);
    if (!plan->reorder)
        plan->reorder = df_primitive_cache_add(
            &context->cache, &key, weight_reorder(&context->onednn, pass, shape, &plan->conv->weights));
    return plan->reorder ? 0 : -1;
}

/* The scratch buffer holds the packed weights, then the primitive's scratchpad. */
static void *plan_scratch(struct df_backend *backend, const struct conv_plan *plan, void **scratchpad)
{
    const size_t weights = df_cpu_aligned(plan->conv->weights.bytes);
    const size_t conv = plan->conv->scratchpad_bytes, reorder = plan->reorder->scratchpad_bytes;
    char *scratch = df_cpu_scratch(backend, weights + (conv > reorder ? conv : reorder));

    *scratchpad = scratch ? scratch + weights : NULL;
    return scratch;
}

/* The forward pass and the gradient of the input: both read the weights. */
static int run_with_weight(struct df_backend *backend, enum df_conv_pass pass, struct df_conv_shape shape,
                           void *x, const float *weight, const float *bias, void *y)
{
    struct df_onednn *onednn = &df_cpu_context(backend)->onednn;
    struct conv_plan plan;
    void *scratchpad;

    if (find_plan(backend, pass, shape, bias != NULL, &plan) != 0)
        return -1;
    void *packed = plan_scratch(backend, &plan, &scratchpad);
    if (!packed)
        return -1;
    void *const pack[DF_SLOT_COUNT] = {[DF_SLOT_SOURCE] = (void *)weight, [DF_SLOT_DESTINATION] = packed};
    if (df_primitive_run(onednn, plan.reorder, pack, scratchpad) != 0)
        return -1;
    void *const data[DF_SLOT_COUNT] = {
        [DF_SLOT_SOURCE] = x,
        [DF_SLOT_WEIGHTS] = packed,
        [DF_SLOT_DESTINATION] = y,
        [DF_SLOT_BIAS] = (void *)bias,
    };
    return df_primitive_run(onednn, plan.conv, data, scratchpad);
}

int df_cpu_conv_forward(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                        const float *weight, const float *bias, float *y)
{
    return run_with_weight(backend, DF_CONV_FORWARD, shape, (void *)x, weight, bias, y);
}

int df_cpu_conv_backward_data(struct df_backend *backend, struct df_conv_shape shape, const float *dy,
                              const float *weight, float *dx)
{
    return run_with_weight(backend, DF_CONV_BACKWARD_DATA, shape, dx, weight, NULL, (void *)dy);
}

int df_cpu_conv_backward_weight(struct df_backend *backend, struct df_conv_shape shape, const float *x,
                                const float *dy, float *dweight)
{
    struct df_onednn *onednn = &df_cpu_context(backend)->onednn;
    struct conv_plan plan;
    void *scratchpad;

    if (find_plan(backend, DF_CONV_BACKWARD_WEIGHT, shape, false, &plan) != 0)
        return -1;
    void *packed = plan_scratch(backend, &plan, &scratchpad);
    if (!packed)
        return -1;
    void *const data[DF_SLOT_COUNT] = {
        [DF_SLOT_SOURCE] = (void *)x,
        [DF_SLOT_WEIGHTS] = packed,
        [DF_SLOT_DESTINATION] = (void *)dy,
    };
    if (df_primitive_run(onednn, plan.conv, data, scratchpad) != 0)
        return -1;
    void *const unpack[DF_SLOT_COUNT] = {[DF_SLOT_SOURCE] = packed, [DF_SLOT_DESTINATION] = dweight};
    return df_primitive_run(onednn, plan.reorder, unpack, scratchpad);
}

#include "onednn.h"

#include "onednn_versions.h"

#include "dinoft/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static int onednn_error(dnnl_status_t status, const char *what)
{
    static const char *const names[] = {"success",       "out of memory",  "invalid arguments",
                                        "unimplemented", "iterator ended", "runtime error",
                                        "not required"};
    const dnnl_version_t *version = dnnl_version();
    size_t i = (size_t)status;

    return df_error_set("oneDNN %d.%d.%d: %s: %s", version->major, version->minor, version->patch, what,
                        i < sizeof names / sizeof *names ? names[i] : "unknown failure");
}

#define TRY_DNNL(call, what)                                                                                 \
    do {                                                                                                     \
        dnnl_status_t try_status = (call);                                                                   \
        if (try_status != dnnl_success)                                                                      \
            return onednn_error(try_status, what);                                                           \
    } while (0)

int df_onednn_open(struct df_onednn *onednn)
{
    TRY_DNNL(dnnl_engine_create(&onednn->engine, dnnl_cpu, 0), "opening the cpu engine");
    TRY_DNNL(dnnl_stream_create(&onednn->stream, onednn->engine, dnnl_stream_default_flags),
             "opening a stream");
    return 0;
}

void df_onednn_close(struct df_onednn *onednn)
{
    if (onednn->stream)
        dnnl_stream_destroy(onednn->stream);
    if (onednn->engine)
        dnnl_engine_destroy(onednn->engine);
    memset(onednn, 0, sizeof *onednn);
}

bool df_onednn_may_use(dnnl_cpu_isa_t isa)
{
    return ((unsigned)dnnl_get_effective_cpu_isa() & (unsigned)isa) == (unsigned)isa;
}

int df_onednn_check_bf16(struct df_onednn *onednn)
{
    const struct df_matrix matrix = {NULL, DF_BF16, 16, 16, 16};
    const struct df_gemm gemm = {.a = matrix, .b = matrix, .c = matrix};
    const dnnl_version_t *version = dnnl_version();
    struct df_primitive *primitive = df_primitive_gemm(onednn, &gemm, NULL);

    if (!primitive)
        return df_error_set("oneDNN %d.%d.%d has no bfloat16 for this processor (it takes AVX-512): use "
                            "precision fp32",
                            version->major, version->minor, version->patch);
    df_primitive_free(primitive);
    return 0;
}

/* --- layouts --- */

static dnnl_data_type_t dnnl_type(enum df_dtype type)
{
    assert(type == DF_F32 || type == DF_BF16);
    return type == DF_BF16 ? dnnl_bf16 : dnnl_f32;
}

int df_layout_strided(struct df_layout *layout, int ndims, const dnnl_dims_t dims, const dnnl_dims_t strides,
                      enum df_dtype type)
{
    TRY_DNNL(desc_strided(&layout->desc, ndims, dims, strides, dnnl_type(type)), "describing a tensor");
    layout->bytes = dnnl_memory_desc_get_size(desc_of(layout));
    return 0;
}

/* The library is to choose; only good for asking it. */
static int layout_any(struct df_layout *layout, int ndims, const dnnl_dims_t dims, enum df_dtype type)
{
    TRY_DNNL(desc_any(&layout->desc, ndims, dims, dnnl_type(type)), "describing a tensor of any layout");
    return 0;
}

static int layout_matrix(struct df_layout *layout, int64_t rows, int64_t cols, enum df_dtype type)
{
    return df_layout_strided(layout, 2, (dnnl_dims_t){rows, cols}, (dnnl_dims_t){cols, 1}, type);
}

/* NHWC in memory; oneDNN names the dimensions in the order N, C, H, W. */
static int layout_map(struct df_layout *layout, int64_t batch, int64_t height, int64_t width,
                      int64_t channels, enum df_dtype type)
{
    return df_layout_strided(layout, 4, (dnnl_dims_t){batch, channels, height, width},
                             (dnnl_dims_t){height * width * channels, 1, width * channels, channels}, type);
}

void df_layout_free(struct df_layout *layout)
{
    desc_destroy(&layout->desc);
    memset(layout, 0, sizeof *layout);
}

/* --- primitives from their descriptors --- */

/* Which of oneDNN's arguments a slot is and how its descriptor asks for the layout. name 0: no such argument.
 */
struct slot {
    int name;
    dnnl_query_t query;
    int index;
};

static const struct slot forward_slots[DF_SLOT_COUNT] = {
    [DF_SLOT_SOURCE] = {DNNL_ARG_SRC, dnnl_query_src_md, 0},
    [DF_SLOT_WEIGHTS] = {DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0},
    [DF_SLOT_DESTINATION] = {DNNL_ARG_DST, dnnl_query_dst_md, 0},
    [DF_SLOT_BIAS] = {DNNL_ARG_BIAS, dnnl_query_weights_md, 1},
};
static const struct slot backward_data_slots[DF_SLOT_COUNT] = {
    [DF_SLOT_SOURCE] = {DNNL_ARG_DIFF_SRC, dnnl_query_diff_src_md, 0},
    [DF_SLOT_WEIGHTS] = {DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0},
    [DF_SLOT_DESTINATION] = {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0},
};
static const struct slot backward_weight_slots[DF_SLOT_COUNT] = {
    [DF_SLOT_SOURCE] = {DNNL_ARG_SRC, dnnl_query_src_md, 0},
    [DF_SLOT_WEIGHTS] = {DNNL_ARG_DIFF_WEIGHTS, dnnl_query_diff_weights_md, 0},
    [DF_SLOT_DESTINATION] = {DNNL_ARG_DIFF_DST, dnnl_query_diff_dst_md, 0},
};
static const struct slot reorder_slots[DF_SLOT_COUNT] = {
    [DF_SLOT_SOURCE] = {DNNL_ARG_FROM, dnnl_query_src_md, 0},
    [DF_SLOT_DESTINATION] = {DNNL_ARG_TO, dnnl_query_dst_md, 0},
};

static int take_memories(struct df_primitive *primitive, struct df_onednn *onednn,
                         const_dnnl_primitive_desc_t desc, const struct slot *slots, bool bias)
{
    for (int i = 0; i < DF_SLOT_COUNT; i++) {
        if (!slots[i].name || (i == DF_SLOT_BIAS && !bias))
            continue;
        const_dnnl_memory_desc_t layout = dnnl_primitive_desc_query_md(desc, slots[i].query, slots[i].index);
        primitive->names[i] = slots[i].name;
        TRY_DNNL(dnnl_memory_create(&primitive->memories[i], layout, onednn->engine, DNNL_MEMORY_NONE),
                 "making a memory object");
        if (i != DF_SLOT_WEIGHTS)
            continue;
        TRY_DNNL(desc_clone(&primitive->weights.desc, layout), "copying a layout");
        primitive->weights.bytes = dnnl_memory_desc_get_size(layout);
    }
    const_dnnl_memory_desc_t scratchpad = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    primitive->scratchpad_bytes = scratchpad ? dnnl_memory_desc_get_size(scratchpad) : 0;
    if (primitive->scratchpad_bytes)
        TRY_DNNL(dnnl_memory_create(&primitive->scratchpad, scratchpad, onednn->engine, DNNL_MEMORY_NONE),
                 "making a memory object");
    return 0;
}

/* Consumes the descriptor. */
static struct df_primitive *primitive_from(struct df_onednn *onednn, dnnl_primitive_desc_t desc,
                                           const struct slot *slots, bool bias)
{
    struct df_primitive *primitive = calloc(1, sizeof *primitive);
    dnnl_status_t status;
    int result = -1;

    if (!primitive) {
        df_error_memory("a primitive", sizeof *primitive);
        goto done;
    }
    status = dnnl_primitive_create(&primitive->primitive, desc);
    if (status != dnnl_success) {
        onednn_error(status, "making a primitive");
        goto done;
    }
    result = take_memories(primitive, onednn, desc, slots, bias);
done:
    dnnl_primitive_desc_destroy(desc);
    if (result == 0)
        return primitive;
    df_primitive_free(primitive);
    return NULL;
}

/* The scratchpad comes from the caller, so that running allocates nothing. */
static int make_attributes(dnnl_primitive_attr_t *attributes, bool accumulate)
{
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(attributes);

    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(*attributes, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && accumulate) {
        status = dnnl_post_ops_create(&ops);
        if (status == dnnl_success)
            status = append_sum(ops);
        if (status == dnnl_success)
            status = dnnl_primitive_attr_set_post_ops(*attributes, ops);
        if (ops)
            dnnl_post_ops_destroy(ops);
    }
    return status == dnnl_success ? 0 : onednn_error(status, "making attributes");
}

/* --- the three kinds --- */

struct df_primitive *df_primitive_gemm(struct df_onednn *onednn, const struct df_gemm *gemm,
                                       const struct df_layout *weights)
{
    struct df_layout source = {0}, any = {0}, bias = {0}, destination = {0};
    struct df_primitive *primitive = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t desc = NULL;

    if (layout_matrix(&source, gemm->a.rows, gemm->a.cols, gemm->a.type) != 0 ||
        layout_any(&any, 2, (dnnl_dims_t){gemm->b.rows, gemm->b.cols}, gemm->b.type) != 0 ||
        layout_matrix(&bias, 1, gemm->c.cols, DF_F32) != 0 ||
        layout_matrix(&destination, gemm->c.rows, gemm->c.cols, gemm->c.type) != 0 ||
        make_attributes(&attributes, gemm->residual != NULL) != 0)
        goto done;
    dnnl_status_t status =
        gemm_desc(&desc, onednn->engine, desc_of(&source), desc_of(weights ? weights : &any),
                  desc_of(gemm->bias ? &bias : NULL), desc_of(&destination), attributes);
    if (status != dnnl_success)
        onednn_error(status, "describing a matrix product");
    else
        primitive = primitive_from(onednn, desc, forward_slots, gemm->bias != NULL);
done:
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    df_layout_free(&source);
    df_layout_free(&any);
    df_layout_free(&bias);
    df_layout_free(&destination);
    return primitive;
}

/* The tensors of a convolution in the order source, weights, destination, bias (NULL: none), and the weights'
 * gradient. */
static dnnl_status_t conv_pass_desc(dnnl_primitive_desc_t *result, struct df_onednn *onednn,
                                    enum df_conv_pass pass,
                                    const struct df_layout *const tensors[DF_SLOT_COUNT],
                                    const struct df_layout *gradient, const dnnl_dims_t padding,
                                    dnnl_primitive_attr_t attributes)
{
    const_dnnl_memory_desc_t source = desc_of(tensors[DF_SLOT_SOURCE]);
    const_dnnl_memory_desc_t weights = desc_of(tensors[DF_SLOT_WEIGHTS]);
    const_dnnl_memory_desc_t destination = desc_of(tensors[DF_SLOT_DESTINATION]);
    const_dnnl_memory_desc_t bias = desc_of(tensors[DF_SLOT_BIAS]);
    dnnl_primitive_desc_t forward = NULL;
    dnnl_status_t status = conv_desc(&forward, onednn->engine, DF_CONV_FORWARD, source, weights, bias,
                                     destination, padding, NULL, attributes);

    if (status != dnnl_success || pass == DF_CONV_FORWARD) {
        *result = forward;
        return status;
    }
    /* The backward passes are described with the forward pass as a hint. */
    if (pass == DF_CONV_BACKWARD_WEIGHT)
        weights = desc_of(gradient);
    status = conv_desc(result, onednn->engine, pass, source, weights, NULL, destination, padding, forward,
                       attributes);
    dnnl_primitive_desc_destroy(forward);
    return status;
}

struct df_primitive *df_primitive_conv(struct df_onednn *onednn, enum df_conv_pass pass,
                                       struct df_conv_shape shape, enum df_dtype type, bool bias)
{
    static const struct slot *const slots[] = {
        [DF_CONV_FORWARD] = forward_slots,
        [DF_CONV_BACKWARD_DATA] = backward_data_slots,
        [DF_CONV_BACKWARD_WEIGHT] = backward_weight_slots,
    };
    const int64_t height = df_conv_side(&shape, shape.height), width = df_conv_side(&shape, shape.width);
    const dnnl_dims_t padding = {shape.padding, shape.padding};
    const dnnl_dims_t weight_dims = {shape.out, shape.in, shape.kernel, shape.kernel};
    struct df_layout source = {0}, weights = {0}, gradient = {0}, vector = {0}, destination = {0};
    const struct df_layout *const tensors[DF_SLOT_COUNT] = {&source, &weights, &destination,
                                                            bias ? &vector : NULL};
    struct df_primitive *primitive = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t desc = NULL;

    if (layout_map(&source, shape.batch, shape.height, shape.width, shape.in, type) != 0 ||
        layout_any(&weights, 4, weight_dims, type) != 0 ||
        layout_any(&gradient, 4, weight_dims, DF_F32) != 0 ||
        df_layout_strided(&vector, 1, (dnnl_dims_t){shape.out}, (dnnl_dims_t){1}, DF_F32) != 0 ||
        layout_map(&destination, shape.batch, height, width, shape.out, type) != 0 ||
        make_attributes(&attributes, false) != 0)
        goto done;
    dnnl_status_t status = conv_pass_desc(&desc, onednn, pass, tensors, &gradient, padding, attributes);
    if (status != dnnl_success)
        onednn_error(status, "describing a convolution");
    else
        primitive = primitive_from(onednn, desc, slots[pass], bias);
done:
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    df_layout_free(&source);
    df_layout_free(&weights);
    df_layout_free(&gradient);
    df_layout_free(&vector);
    df_layout_free(&destination);
    return primitive;
}

struct df_primitive *df_primitive_reorder(struct df_onednn *onednn, const struct df_layout *source,
                                          const struct df_layout *destination)
{
    struct df_primitive *primitive = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t desc = NULL;

    if (make_attributes(&attributes, false) == 0) {
        dnnl_status_t status = dnnl_reorder_primitive_desc_create(
            &desc, desc_of(source), onednn->engine, desc_of(destination), onednn->engine, attributes);
        if (status != dnnl_success)
            onednn_error(status, "describing a change of layout");
        else
            primitive = primitive_from(onednn, desc, reorder_slots, false);
    }
    if (attributes)
        dnnl_primitive_attr_destroy(attributes);
    return primitive;
}

int df_primitive_run(struct df_onednn *onednn, const struct df_primitive *primitive, void *const *data,
                     void *scratchpad)
{
    dnnl_exec_arg_t arguments[DF_SLOT_COUNT + 1];
    int n = 0;

    for (int i = 0; i < DF_SLOT_COUNT; i++) {
        if (!primitive->memories[i])
            continue;
        TRY_DNNL(dnnl_memory_set_data_handle(primitive->memories[i], data[i]), "handing over a tensor");
        arguments[n++] = (dnnl_exec_arg_t){primitive->names[i], primitive->memories[i]};
    }
    if (primitive->scratchpad) {
        TRY_DNNL(dnnl_memory_set_data_handle(primitive->scratchpad, scratchpad), "handing over a scratchpad");
        arguments[n++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, primitive->scratchpad};
    }
    TRY_DNNL(dnnl_primitive_execute(primitive->primitive, onednn->stream, n, arguments),
             "running a primitive");
    TRY_DNNL(dnnl_stream_wait(onednn->stream), "waiting for a primitive");
    return 0;
}

void df_primitive_free(struct df_primitive *primitive)
{
    if (!primitive)
        return;
    for (int i = 0; i < DF_SLOT_COUNT; i++) {
        if (primitive->memories[i])
            dnnl_memory_destroy(primitive->memories[i]);
    }
    if (primitive->scratchpad)
        dnnl_memory_destroy(primitive->scratchpad);
    if (primitive->primitive)
        dnnl_primitive_destroy(primitive->primitive);
    df_layout_free(&primitive->weights);
    free(primitive);
}

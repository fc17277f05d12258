/* What the CPU backend needs of oneDNN: layouts of tensors and primitives that are made once and run often.
 *
 * oneDNN 2.x and 3.x differ in their C interface; onednn.c is the only place that knows. Private to
 * src/backend/cpu. */
#ifndef DINOFT_ONEDNN_H
#define DINOFT_ONEDNN_H

#include "../gemm.h"

#include <oneapi/dnnl/dnnl.h>

struct df_onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
};

int df_onednn_open(struct df_onednn *onednn);
void df_onednn_close(struct df_onednn *onednn);

/* Whether the processor has these instructions and the system and the variable ONEDNN_MAX_CPU_ISA let the
 * library use them. */
bool df_onednn_may_use(dnnl_cpu_isa_t isa);

/* -1 with the error set where the library has no products of bfloat16. On a processor with AVX-512 but
 * without such instructions it has: it widens as it goes. */
int df_onednn_check_bf16(struct df_onednn *onednn);

/* How a tensor lies in memory. A zeroed one holds nothing and may be freed. */
struct df_layout {
    dnnl_memory_desc_t desc; /* a struct in oneDNN 2.x, a pointer to what is owned in 3.x */
    size_t bytes;
};

/* Element (i, j, …) lies at the sum of index * stride elements. */
int df_layout_strided(struct df_layout *layout, int ndims, const dnnl_dims_t dims, const dnnl_dims_t strides,
                      enum df_dtype type);
void df_layout_free(struct df_layout *layout);

/* The tensors that a primitive reads and writes; scratchpad is memory that it may use while it runs. */
enum df_slot { DF_SLOT_SOURCE, DF_SLOT_WEIGHTS, DF_SLOT_DESTINATION, DF_SLOT_BIAS, DF_SLOT_COUNT };

struct df_primitive {
    dnnl_primitive_t primitive;
    struct df_layout weights; /* as the primitive wants them; only where the library may choose */
    size_t scratchpad_bytes;
    int names[DF_SLOT_COUNT];              /* oneDNN's name of each slot's argument */
    dnnl_memory_t memories[DF_SLOT_COUNT]; /* NULL: the primitive has no such argument */
    dnnl_memory_t scratchpad;              /* NULL: none needed */
};

/* Of the gemm only shapes, types and which operands there are count. a is the source, b the weights, neither
 * transposed; bias is float32; with a residual the primitive accumulates. a and c are dense: with gaps
 * between the rows oneDNN 2.6 takes its reference loops. weights: the layout of b, or NULL for the one that
 * the library prefers (see ->weights). */
struct df_primitive *df_primitive_gemm(struct df_onednn *onednn, const struct df_gemm *gemm,
                                       const struct df_layout *weights);

enum df_conv_pass { DF_CONV_FORWARD, DF_CONV_BACKWARD_DATA, DF_CONV_BACKWARD_WEIGHT };

/* Feature maps NHWC and weights of `type`, the weights' gradient float32; weights or their gradient in a
 * layout that the library chooses, see ->weights. Slots are those of the forward pass in every pass: SOURCE
 * is x or dx, DESTINATION is y or dy. */
struct df_primitive *df_primitive_conv(struct df_onednn *onednn, enum df_conv_pass pass,
                                       struct df_conv_shape shape, enum df_dtype type, bool bias);

/* Copies SOURCE to DESTINATION, changing the layout and the type. */
struct df_primitive *df_primitive_reorder(struct df_onednn *onednn, const struct df_layout *source,
                                          const struct df_layout *destination);

/* Runs it on data[DF_SLOT_COUNT]; entries of slots that it does not have are ignored. scratchpad: memory of
 * scratchpad_bytes. Returns when the result is there. */
int df_primitive_run(struct df_onednn *onednn, const struct df_primitive *primitive, void *const *data,
                     void *scratchpad);

/* NULL is allowed. */
void df_primitive_free(struct df_primitive *primitive);

#endif

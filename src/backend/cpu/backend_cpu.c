#include "cpu_backend.h"

#include "cpu_context.h"

#include "dinoft/error.h"

#include <omp.h>
#include <stdlib.h>

static void close_cpu(struct df_backend *backend)
{
    struct df_cpu_context *context = df_cpu_context(backend);

    df_primitive_cache_clear(&context->cache);
    df_onednn_close(&context->onednn);
    df_cpu_free(backend, context->scratch);
    free(context);
}

static const struct df_backend_ops cpu_ops = {
    .close = close_cpu,
    .alloc = df_cpu_alloc,
    .free = df_cpu_free,
    .upload = df_cpu_upload,
    .download = df_cpu_download,
    .copy = df_cpu_copy,
    .zero = df_cpu_zero,
    .wait = df_cpu_wait,
    .memory = df_cpu_memory,
    .repeat = df_cpu_repeat,
    .recording_free = df_cpu_recording_free,
    .linear_create = df_cpu_linear_create,
    .linear_free = df_cpu_linear_free,
    .linear_bytes = df_cpu_linear_bytes,
    .linear_forward = df_cpu_linear_forward,
    .linear_backward = df_cpu_linear_backward,
    .matmul = df_cpu_matmul,
    .column_sum = df_cpu_column_sum,
    .add_bias = df_cpu_add_bias,
    .image_normalize = df_cpu_image_normalize,
    .patchify = df_cpu_patchify,
    .assemble_tokens = df_cpu_assemble_tokens,
    .layernorm_forward = df_cpu_layernorm_forward,
    .layernorm_backward = df_cpu_layernorm_backward,
    .rope = df_cpu_rope,
    .attention_forward = df_cpu_attention_forward,
    .attention_backward = df_cpu_attention_backward,
    .gelu_forward = df_cpu_gelu_forward,
    .gelu_backward = df_cpu_gelu_backward,
    .swiglu_forward = df_cpu_swiglu_forward,
    .swiglu_backward = df_cpu_swiglu_backward,
    .convert = df_cpu_convert,
    .conv_forward = df_cpu_conv_forward,
    .conv_backward_data = df_cpu_conv_backward_data,
    .conv_backward_weight = df_cpu_conv_backward_weight,
    .batchnorm_relu_forward = df_cpu_batchnorm_relu_forward,
    .batchnorm_relu_backward = df_cpu_batchnorm_relu_backward,
    .nearest_forward = df_cpu_nearest_forward,
    .nearest_backward = df_cpu_nearest_backward,
    .upsample_loss = df_cpu_upsample_loss,
    .upsample_logits = df_cpu_upsample_logits,
    .add_window = df_cpu_add_window,
    .add_probabilities = df_cpu_add_probabilities,
    .decide = df_cpu_decide,
    .count_pairs = df_cpu_count_pairs,
    .adamw = df_cpu_adamw,
};

struct df_backend *df_cpu_backend_open(enum df_dtype compute, int threads)
{
    if (compute != DF_F32 && compute != DF_BF16) {
        df_error_set("the cpu backend computes in float32 or bfloat16, not in %s", df_dtype_name(compute));
        return NULL;
    }
    if (threads < 0) {
        df_error_set("%d threads: expected a count, or 0 for all cores", threads);
        return NULL;
    }
    struct df_cpu_context *context = calloc(1, sizeof *context);
    if (!context) {
        df_error_memory("the cpu backend", sizeof *context);
        return NULL;
    }
    context->backend.ops = &cpu_ops;
    context->backend.name = "cpu";
    context->backend.compute = compute;
    context->backend.native = compute != DF_BF16 || df_cpu_bf16_is_native();
    /* Cores that this process may run on. */
    context->backend.threads = threads ? threads : omp_get_num_procs();
    /* OpenMP keeps this for the thread that calls, and oneDNN has no other way of being told. So the thread
     * that opens a backend is the one that may use it, and of two open ones the last decides. */
    omp_set_num_threads(context->backend.threads);
    if (df_onednn_open(&context->onednn) != 0 ||
        (compute == DF_BF16 && df_onednn_check_bf16(&context->onednn) != 0)) {
        close_cpu(&context->backend);
        return NULL;
    }
    return &context->backend;
}

bool df_cpu_bf16_is_native(void)
{
    return df_onednn_may_use(dnnl_cpu_isa_avx512_core_bf16);
}

#include "cpu_backend.h"

#include "cpu_context.h"

#include "dinoft/error.h"

#include <omp.h>
#include <stdlib.h>

void df_cpu_close(struct df_backend *backend)
{
    struct df_cpu_context *context = df_cpu_context(backend);

    df_primitive_cache_clear(&context->cache);
    df_onednn_close(&context->onednn);
    df_cpu_free(backend, context->scratch);
    free(context);
}

static const struct df_backend_ops cpu_ops = {
#define DF_NO_BATCHES
#define DF_ROW(type, name, parameters, arguments) .name = df_cpu_##name,
#include "dinoft/operation_list.h"
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
        df_cpu_close(&context->backend);
        return NULL;
    }
    return &context->backend;
}

bool df_cpu_bf16_is_native(void)
{
    return df_onednn_may_use(dnnl_cpu_isa_avx512_core_bf16);
}

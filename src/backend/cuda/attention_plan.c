#include "attention_plan.h"

#include "kernels/kernels.h"

/* No plan may want more, nor more than this part of the device's memory. */
#define SCRATCH_MAX_BYTES ((size_t)1 << 30)
#define SCRATCH_PART      16

size_t df_attention_plan_scratch(const struct df_attention_choices *choices, int algorithm)
{
    const int candidate = algorithm - 1;

    return df_attention_extra_bytes(&choices->problem, candidate) + choices->plans[candidate].workspace + 1;
}

static bool fits(const struct df_attention_choices *choices, int algorithm)
{
    const size_t bytes = df_attention_plan_scratch(choices, algorithm);
    size_t available, total;

    return cudaMemGetInfo(&available, &total) == cudaSuccess && bytes <= SCRATCH_MAX_BYTES &&
           bytes <= total / SCRATCH_PART;
}

bool df_attention_plan_read(struct df_attention_choices *choices, struct df_cuda_context *context,
                            int candidate, const struct df_cudnn_text *text)
{
    struct df_cudnn_plan *plan = &choices->plans[candidate];

    if (!text->bytes || df_cudnn_plan_read(plan, &context->cudnn, context->dnn, text) != 0)
        return false;
    if (!fits(choices, 1 + candidate))
        df_cudnn_plan_close(plan, &context->cudnn);
    return true;
}

void df_attention_plans_drop(struct df_attention_choices *choices, const struct df_cudnn *cudnn, int but)
{
    for (int i = 0; i < DF_ATTENTION_CANDIDATES; i++) {
        if (1 + i != but)
            df_cudnn_plan_close(&choices->plans[i], cudnn);
    }
}

static bool run_own(struct df_backend *backend, const struct df_attention_problem *problem,
                    const struct df_attention_arrays *a)
{
    const struct df_attention_shape shape = problem->shape;
    cudaStream_t stream = df_cuda_context(backend)->stream;

    if (problem->pass != DF_ATTENTION_BACKWARD)
        return df_launch_attention_forward(stream, shape, DF_BF16, a->qkv, a->out, a->lse) == cudaSuccess;
    void *scratch = df_cuda_scratch(backend, df_launch_attention_backward_scratch(shape, DF_BF16));
    return scratch && df_launch_attention_backward(stream, shape, DF_BF16, a->qkv, a->out, a->lse, a->dout,
                                                   a->dqkv, true, scratch) == cudaSuccess;
}

bool df_attention_run(struct df_backend *backend, const struct df_attention_choices *choices, int algorithm,
                      const struct df_attention_arrays *arrays)
{
    struct df_cuda_context *context = df_cuda_context(backend);
    const int candidate = algorithm - 1;
    struct df_attention_binding binding;

    if (algorithm == DF_ATTENTION_OWN)
        return run_own(backend, &choices->problem, arrays);
    char *scratch = df_cuda_scratch(backend, df_attention_plan_scratch(choices, algorithm));
    if (!scratch)
        return false;
    df_attention_bind(&binding, &choices->problem, candidate, arrays, scratch);
    return df_cudnn_plan_run(&choices->plans[candidate], &context->cudnn, context->dnn, binding.count,
                             binding.names, binding.pointers,
                             scratch + df_attention_extra_bytes(&choices->problem, candidate)) == 0;
}

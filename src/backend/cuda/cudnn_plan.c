#include "cudnn_plan.h"

#include "cuda_check.h"

#include "dinoft/error.h"

static int set(const struct df_cudnn *cudnn, cudnnBackendDescriptor_t descriptor,
               cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
               const void *values)
{
    return DF_CUDNN(cudnn->cudnnBackendSetAttribute(descriptor, name, type, count, values));
}

static int fill(struct df_cudnn_plan *plan, const struct df_cudnn *cudnn, cudnnHandle_t handle,
                const struct df_cudnn_text *text)
{
    int64_t found, workspace = 0;

    DF_TRY(DF_CUDNN(
        cudnn->cudnnBackendCreateDescriptor(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &plan->descriptor)));
    DF_TRY(set(cudnn, plan->descriptor, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
               (int64_t)text->size, text->bytes));
    DF_TRY(set(cudnn, plan->descriptor, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle));
    DF_TRY(DF_CUDNN(cudnn->cudnnBackendFinalize(plan->descriptor)));
    DF_TRY(
        DF_CUDNN(cudnn->cudnnBackendGetAttribute(plan->descriptor, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                                 CUDNN_TYPE_INT64, 1, &found, &workspace)));
    if (workspace < 0)
        return df_error_set("cuDNN's plan wants a workspace of %lld bytes", (long long)workspace);
    plan->workspace = (size_t)workspace;
    return 0;
}

int df_cudnn_plan_read(struct df_cudnn_plan *plan, const struct df_cudnn *cudnn, cudnnHandle_t handle,
                       const struct df_cudnn_text *text)
{
    *plan = (struct df_cudnn_plan){NULL, 0};
    if (fill(plan, cudnn, handle, text) == 0)
        return 0;
    df_cudnn_plan_close(plan, cudnn);
    return -1;
}

void df_cudnn_plan_close(struct df_cudnn_plan *plan, const struct df_cudnn *cudnn)
{
    if (plan->descriptor)
        (void)cudnn->cudnnBackendDestroyDescriptor(plan->descriptor);
    *plan = (struct df_cudnn_plan){NULL, 0};
}

static int fill_pack(const struct df_cudnn *cudnn, cudnnBackendDescriptor_t pack, const int64_t *names,
                     void *const *pointers, int count, void *workspace)
{
    DF_TRY(set(cudnn, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, count, names));
    DF_TRY(set(cudnn, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, count, pointers));
    DF_TRY(set(cudnn, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace));
    return DF_CUDNN(cudnn->cudnnBackendFinalize(pack));
}

int df_cudnn_plan_run(const struct df_cudnn_plan *plan, const struct df_cudnn *cudnn, cudnnHandle_t handle,
                      int count, const int64_t *names, void *const *pointers, void *workspace)
{
    cudnnBackendDescriptor_t pack;

    DF_TRY(DF_CUDNN(cudnn->cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack)));
    int status = fill_pack(cudnn, pack, names, pointers, count, workspace);
    if (status == 0)
        status = DF_CUDNN(cudnn->cudnnBackendExecute(handle, plan->descriptor, pack));
    (void)cudnn->cudnnBackendDestroyDescriptor(pack);
    return status;
}

/* The state of an open CUDA backend. Private to src/backend/cuda.
 *
 * All work goes to one stream, in the order of the calls, but for the copies of batches, which have their
 * own; an operation returns when its work is enqueued. One thread at a time may call: operations share the
 * scratch buffer, the workspace and the staging buffers. */
#ifndef DINOFT_CUDA_CONTEXT_H
#define DINOFT_CUDA_CONTEXT_H

#include "cuda_check.h"
#include "libraries.h"

#include "dinoft/backend.h"
#include "dinoft/worker_pool.h"

#include <stdio.h>

/* What cuBLASLt may use while it multiplies; NVIDIA recommends this much for sm_90. */
#define DF_CUDA_WORKSPACE_BYTES ((size_t)32 << 20)

/* Host memory is copied through two pinned buffers of this size, so that one is filled while the other is
 * copied. */
#define DF_CUDA_STAGE_BYTES ((size_t)4 << 20)

struct df_cuda_staging {
    void *buffer[2];
    cudaEvent_t done[2]; /* the last copy out of or into the buffer */
    int next;
};

/* A second stream for batches, so that one is copied in while the device computes on another. */
struct df_cuda_batches {
    cudaStream_t stream;
    cudaEvent_t arrived; /* all that was sent */
    cudaEvent_t resized; /* the batch that arrived last: its source may be overwritten */
};

/* Results that are on their way to page-locked memory. */
struct df_cuda_fetches {
    void *memory[DF_FETCH_SLOTS]; /* DF_FETCH_MOST bytes each */
    cudaEvent_t arrived[DF_FETCH_SLOTS];
};

struct df_gemm_cache;
struct df_conv_plans;
struct df_attention_plans;

/* One block of device memory. */
struct df_cuda_block {
    void *memory;
    size_t bytes;
    struct df_cuda_block *next;
};

/* Device memory that only ever grows; all zero while there is none. */
struct df_cuda_buffer {
    void *memory;
    size_t bytes;
};

struct df_cuda_context {
    struct df_backend backend; /* first: its address is the context's */
    char device_name[256];
    int gpu, capability; /* 90 for 9.0 */
    cudaStream_t stream;
    struct df_cublaslt lt;
    cublasLtHandle_t blas;
    void *workspace; /* DF_CUDA_WORKSPACE_BYTES */
    struct df_gemm_cache *gemms;
    struct df_conv_plans *convs;
    struct df_attention_plans *attentions;
    double attention_patience; /* DF_ATTENTION_PATIENCE, but in tests */
    struct df_cuda_buffer scratch;
    uint64_t buffer_moves; /* how often a df_cuda_buffer has been reallocated */
    bool capturing;        /* a graph is captured (graph.c): nothing may synchronise, be timed or allocated */
    struct df_cuda_staging staging;
    struct df_cuda_batches batches;
    struct df_cuda_fetches fetches;
    struct df_cuda_block *blocks;
    size_t allocated, most_allocated; /* bytes */
#ifdef DINOFT_WITH_CUDNN
    struct df_cudnn cudnn; /* this and the handle: of use only after df_cuda_have_cudnn() */
    cudnnHandle_t dnn;
    bool dnn_tried, dnn_usable;
    struct df_worker_pool *dnn_opener; /* a thread that opens it; NULL: none does */
    struct df_job_set dnn_opening;
#endif
};

static inline struct df_cuda_context *df_cuda_context(struct df_backend *backend)
{
    return (struct df_cuda_context *)backend;
}

/* Leaves it as backend.algorithm, where our own kernel is one of several ways. */
#define DF_OWN_KERNEL "own kernel"

static inline void df_cuda_note_algorithm(struct df_backend *backend, const char *algorithm)
{
    snprintf(backend->algorithm, sizeof backend->algorithm, "%s", algorithm);
}

/* Launches kernels/'s NAME on the backend's stream; 0, or -1 with the error set. */
#define DF_LAUNCH_ON(backend, name, ...)                                                                     \
    DF_CUDA(df_launch_##name(df_cuda_context(backend)->stream, __VA_ARGS__))

/* Device memory for the running operation, 256-byte aligned, contents undefined. Only ever grows, so that
 * from the second step on nothing is allocated. A second call invalidates what the first returned. NULL with
 * the error set. */
void *df_cuda_scratch(struct df_backend *backend, size_t bytes);

/* The same of another buffer, which is the caller's to free. */
void *df_cuda_buffer_grow(struct df_backend *backend, struct df_cuda_buffer *buffer, size_t bytes);

/* Makes the scratch buffer no larger than so many bytes: what was tried once may have needed far more than
 * what is used. */
void df_cuda_scratch_shrink(struct df_backend *backend, size_t bytes);

/* Frees what cudaMalloc gave, when all that is enqueued is done: it may still use the memory, and cudaFree
 * need not wait. NULL is allowed. */
void df_cuda_release(void *memory);

/* bytes rounded up so that what follows is aligned in a scratch buffer. */
static inline size_t df_cuda_aligned(size_t bytes)
{
    return (bytes + 255) / 256 * 256;
}

static inline cudaDataType_t df_cuda_type(enum df_dtype type)
{
    return type == DF_BF16 ? CUDA_R_16BF : CUDA_R_32F;
}

int df_cuda_staging_open(struct df_cuda_staging *staging);
void df_cuda_staging_close(struct df_cuda_staging *staging);

/* batches.c */
int df_cuda_batches_open(struct df_cuda_batches *batches);
void df_cuda_batches_close(struct df_cuda_batches *batches);

/* fetch.c */
int df_cuda_fetches_open(struct df_cuda_fetches *fetches);
void df_cuda_fetches_close(struct df_cuda_fetches *fetches);

/* cudnn_handle.c: whether cuDNN can be used. The first call opens it, which takes a good part of a second and
 * must not happen while the stream is captured: runs that do not need it need not wait for it. Those that
 * will need it begin early, beside other work. */
bool df_cuda_have_cudnn(struct df_cuda_context *context);
void df_cuda_cudnn_begin(struct df_cuda_context *context);
void df_cuda_cudnn_close(struct df_cuda_context *context);

/* conv_cudnn.c */
void df_conv_cudnn_close(struct df_cuda_context *context);

/* attention_cudnn.c */
void df_attention_cudnn_close(struct df_cuda_context *context);

#endif

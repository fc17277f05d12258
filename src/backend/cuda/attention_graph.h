/* Attention as a graph of cuDNN's operations, and the engines that it has for it. Private to
 * src/backend/cuda.
 *
 * With scale = 1 / sqrt(head_size), for every image and head:
 *
 *     scores = scale q k^T,  weights = softmax(scores),  out = weights v,  lse = log(sum of exp(scores))
 *
 * The softmax is written out, as largest, difference, exp, sum and quotient: cuDNN recognises the whole.
 * Versions 9.8 and 9.19 accept that form; the single operation for attention came later. Without
 * an lse the logarithm stays in the graph, with a result that is not stored: otherwise cuDNN does not
 * support it.
 *
 * What cuDNN does not support is no failure of the program: these return -1 with the error set, and attention
 * has kernels of its own. */
#ifndef DINOFT_CUDA_ATTENTION_GRAPH_H
#define DINOFT_CUDA_ATTENTION_GRAPH_H

#include "cuda_context.h"

#define DF_ATTENTION_ENGINES_MAX 4

/* A deterministic engine. */
struct df_attention_engine {
    cudnnBackendDescriptor_t config;
    cudnnBackendDescriptor_t plan; /* NULL until df_attention_graph_prepare() */
    size_t workspace;              /* bytes */
};

struct df_attention_graph {
    cudnnBackendDescriptor_t *made; /* every descriptor, in the order in which they refer to each other */
    int n_made, capacity;
    float scale;
    int n_engines; /* in cuDNN's order, which is the same for the same device, version and shape */
    struct df_attention_engine engines[DF_ATTENTION_ENGINES_MAX];
};

/* bfloat16 q, k, v in qkv [B, N, 3, heads, head_size], out [B, N, heads, head_size], lse float32 [B, heads,
 * N]. To be closed even when this fails. */
int df_attention_graph_open(struct df_attention_graph *graph, struct df_cuda_context *context,
                            struct df_attention_shape shape, bool with_lse);
void df_attention_graph_close(struct df_attention_graph *graph, struct df_cuda_context *context);

/* Makes an engine ready, which may compile its kernel. */
int df_attention_graph_prepare(struct df_attention_graph *graph, struct df_cuda_context *context, int engine);

/* Enqueues a run of an engine that is ready; lse NULL where the graph has none. */
int df_attention_graph_run(struct df_attention_graph *graph, struct df_cuda_context *context, int engine,
                           struct df_attention_shape shape, const void *qkv, void *out, float *lse,
                           void *workspace);

#endif

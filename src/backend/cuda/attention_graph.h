/* Attention and its gradient as graphs of cuDNN's operations, and the plans that there are for them. Private
 * to src/backend/cuda.
 *
 * With scale = 1 / sqrt(head_size), for every image and head:
 *
 *     scores = scale q k^T,  weights = softmax(scores),  out = weights v,  lse = log(sum of exp(scores))
 *
 *     weights = exp(scores - lse),  delta = sum over the channels of dout * out,
 *     dscores = weights * (dout v^T - delta),
 *     dv = weights^T dout,  dk = scale dscores^T q,  dq = scale dscores k
 *
 * Written out operation by operation: cuDNN recognises the whole. Versions 9.8 and 9.19 accept that form; the
 * single operations for attention came later. Without an lse the logarithm stays in the forward graph, with a
 * result that is not stored: otherwise cuDNN does not support it.
 *
 * dq is a sum over blocks of keys. Where cuDNN writes it in the order in which these end, the bits change.
 * Two forms do not: dscores stored, a matrix [tokens, tokens] for every image and head, so that dq is a
 * product of its own; or sums in a fixed order, by an engine that has to be set by hand. */
#ifndef DINOFT_CUDA_ATTENTION_GRAPH_H
#define DINOFT_CUDA_ATTENTION_GRAPH_H

#include "cudnn_graph.h"

#include "dinoft/backend.h"

/* Results without an lse, with one, the gradient. */
enum df_attention_pass { DF_ATTENTION_INFERENCE, DF_ATTENTION_TRAINING, DF_ATTENTION_BACKWARD };

/* The candidates of a pass: those that cuDNN's heuristics list, then one that is set by hand. */
#define DF_ATTENTION_LISTED     4
#define DF_ATTENTION_BY_HAND    DF_ATTENTION_LISTED
#define DF_ATTENTION_CANDIDATES (DF_ATTENTION_LISTED + 1)

struct df_attention_problem {
    struct df_attention_shape shape;
    enum df_attention_pass pass;
    int capability; /* 90 for 9.0 */
    size_t version; /* of cuDNN, 91900 for 9.19.0 */
};

/* Makes the plans of a candidate, or of all of them for -1: texts [DF_ATTENTION_CANDIDATES], for the caller
 * to free; those that cuDNN does not have stay NULL. May compile kernels. */
void df_attention_make_plans(const struct df_cudnn *cudnn, cudnnHandle_t handle,
                             const struct df_attention_problem *problem, int candidate,
                             struct df_cudnn_text *texts);

/* Of the graph of a candidate, and of how its engine is set: the same as long as its plan fits. */
uint64_t df_attention_digest(const struct df_attention_problem *problem, int candidate);

/* What a plan reads and writes: qkv [B, N, 3, heads, head_size] and its gradient, out and its gradient [B, N,
 * heads, head_size] in bfloat16, lse float32 [B, heads, N]. Those that a pass has not are NULL. */
struct df_attention_arrays {
    const void *qkv;
    void *out;
    float *lse;
    const void *dout;
    void *dqkv;
};

#define DF_ATTENTION_NAMES_MAX 16

/* The tensors' names in the plan of a candidate, and where they are. */
struct df_attention_binding {
    int count;
    int64_t names[DF_ATTENTION_NAMES_MAX];
    void *pointers[DF_ATTENTION_NAMES_MAX];
    float scale, one; /* some of the pointers point here: a binding is not to be moved */
};

/* Bytes of `extra`, float32 numbers that a candidate keeps beside its workspace. */
size_t df_attention_extra_bytes(const struct df_attention_problem *problem, int candidate);
void df_attention_bind(struct df_attention_binding *binding, const struct df_attention_problem *problem,
                       int candidate, const struct df_attention_arrays *arrays, void *extra);

#endif

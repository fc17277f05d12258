/* Graphs of cuDNN's operations, and the plans that it has for them, as text. Private to src/backend/cuda.
 *
 * A graph belongs to one thread and its handle. What leaves it is a plan's text (cuDNN's own serialisation,
 * with the compiled kernel in it), which another thread reads with a handle of its own (cudnn_plan.h), or
 * another process from a file (plan_store.h).
 *
 * What cuDNN does not support is no failure of the program: functions return -1 with the error set. */
#ifndef DINOFT_CUDA_CUDNN_GRAPH_H
#define DINOFT_CUDA_CUDNN_GRAPH_H

#include "libraries.h"

#include "dinoft/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DF_GRAPH_TENSORS_MAX    32
#define DF_GRAPH_OPERATIONS_MAX 20

struct df_cudnn_graph {
    const struct df_cudnn *cudnn; /* NULL: the graph is not made, only its digest */
    cudnnHandle_t handle;
    cudnnBackendDescriptor_t *made; /* every descriptor, in the order in which they refer to each other */
    int n_made, capacity;
    cudnnBackendDescriptor_t tensors[DF_GRAPH_TENSORS_MAX]; /* by name; NULL: there is none */
    cudnnBackendDescriptor_t operations[DF_GRAPH_OPERATIONS_MAX];
    int n_operations;
    cudnnBackendDescriptor_t finished;
    struct df_digest digest; /* of all that describes it */
};

/* Where a tensor's elements are: in memory, in a number that is given at the run, or nowhere, because the
 * operation that makes them and the one that takes them are one kernel. */
enum df_tensor_storage { DF_STORED, DF_BY_VALUE, DF_VIRTUAL };

struct df_tensor_layout {
    int64_t dimensions[4], strides[4];
};

void df_cudnn_graph_open(struct df_cudnn_graph *graph, const struct df_cudnn *cudnn, cudnnHandle_t handle);
/* To be called even where something failed. */
void df_cudnn_graph_close(struct df_cudnn_graph *graph);

/* Names are small numbers from 1 on; in operations 0 stands for no tensor. */
int df_cudnn_graph_tensor(struct df_cudnn_graph *graph, int name, cudnnDataType_t type,
                          struct df_tensor_layout layout, enum df_tensor_storage storage);

/* Operations compute in float32, in the order of these calls. */
int df_cudnn_graph_matmul(struct df_cudnn_graph *graph, int a, int b, int c);
int df_cudnn_graph_pointwise(struct df_cudnn_graph *graph, cudnnPointwiseMode_t mode, int x, int b, int y);
int df_cudnn_graph_reduce(struct df_cudnn_graph *graph, cudnnReduceTensorOp_t mode, int x, int y);
/* y's elements are x's in another order of dimensions. */
int df_cudnn_graph_reshape(struct df_cudnn_graph *graph, int x, int y);
int df_cudnn_graph_finish(struct df_cudnn_graph *graph);

/* An engine and its settings. They live as long as the graph. */
typedef cudnnBackendDescriptor_t df_cudnn_config;

/* The first of those that cuDNN's heuristics expect most of, without engines that do not repeat their bits:
 * returns how many of `configs` [most] are set; 0 with the error set if it has none. The order is the same
 * for the same device, version and graph. */
int df_cudnn_graph_list(struct df_cudnn_graph *graph, df_cudnn_config *configs, int most);

struct df_cudnn_knob {
    int type; /* of cudnnBackendKnobType_t */
    int64_t value;
};

/* The engine of a number, set by hand. Part of the digest. */
int df_cudnn_graph_engine(struct df_cudnn_graph *graph, int64_t engine, const struct df_cudnn_knob *knobs,
                          int n_knobs, df_cudnn_config *config);

/* bytes [size]; NULL: no text. */
struct df_cudnn_text {
    char *bytes;
    size_t size;
};

/* Makes a plan, which may compile its kernel, and writes it down. The text is the caller's to free. */
int df_cudnn_graph_plan(struct df_cudnn_graph *graph, df_cudnn_config config, struct df_cudnn_text *text);

#endif

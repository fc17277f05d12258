/* What operations have to do. The one description of their work: the profiler, the count of a model's FLOP
 * (dinoft/flops.h), `bench`, `info` and the selftest read it.
 *
 * FLOP are those of matrix products, convolutions and attention; a multiply-add counts as two. Bytes are
 * those of the tensors, each read or written once (twice where it is added to), as if caches held the rest,
 * without the few of a bias or a row of gamma. */
#ifndef DINOFT_WORK_H
#define DINOFT_WORK_H

#include "dinoft/backend.h"

#define DF_WORK_SHAPE_MAX 96

struct df_work {
    double flops, bytes;           /* of one call, or of as many as were added up */
    char shape[DF_WORK_SHAPE_MAX]; /* "bf16[2452, 384] -> bf16[2452, 1536]"; without a type: float32 */
};

/* df_work_NAME: the work of the operation with these arguments. Tensors are only looked at for being NULL; of
 * structs and the backend, sizes and types are read. What has to be written for each operation:
 * docs/adding-an-operation.md. */
#define DF_OPERATION(name, parameters, arguments) struct df_work df_work_##name parameters;
#include "dinoft/operation_list.h"

/* Opens a backend whose operations do nothing but add up their work, for tensors that need not exist: what
 * `alloc` returns is an address that leads nowhere. To be closed with df_backend_close. NULL with the error
 * set. */
struct df_backend *df_tally_open(enum df_dtype compute);

/* The sum since it was opened; the shape is that of the last operation. */
struct df_work df_tally_total(const struct df_backend *tally);

#endif

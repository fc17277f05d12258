/* One matrix product (GEMM). Private to src/backend. */
#ifndef DINOFT_GEMM_H
#define DINOFT_GEMM_H

#include "dinoft/backend.h"

/* c [M, N] = op(a) [M, K] op(b) [K, N] + bias [N] + residual [M, N], all row-major. */
struct df_gemm {
    struct df_matrix a, b, c;
    bool transpose_a, transpose_b;
    const void *bias;     /* NULL: none */
    const void *residual; /* of c's type and leading dimension, c.data to accumulate; NULL: none */
};

#endif

/* What cuBLASLt is told of a product, and what it does not support of it. */
#ifndef EMULATION_CUBLASLT_PRODUCT_H
#define EMULATION_CUBLASLT_PRODUCT_H

#include "include/cublasLt.h"

#include <cstddef>
#include <cstdint>

struct df_emulated_matmul {
    cublasComputeType_t compute;
    cublasOperation_t transpose_a, transpose_b;
    cublasLtEpilogue_t epilogue;
    const void *bias;
    cudaDataType bias_type;
    bool bias_type_set;
};

struct df_emulated_layout {
    cudaDataType type;
    uint64_t rows, columns;
    int64_t ld;
};

namespace emulation
{

inline size_t type_bytes(cudaDataType type)
{
    return type == CUDA_R_16BF ? 2 : 4;
}

/* Whether the library has no algorithm for it. */
bool is_refused(const df_emulated_matmul &operation, const df_emulated_layout &a, const df_emulated_layout &b,
                const df_emulated_layout &d);
/* Whether it lists algorithms, which it may also do of what it refuses. */
bool is_listed(const df_emulated_matmul &operation, const df_emulated_layout &a, const df_emulated_layout &b,
               const df_emulated_layout &d);

} // namespace emulation

#endif

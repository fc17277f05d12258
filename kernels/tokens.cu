/* Patches to tokens: x [B, N, D] = prefix [T, D], then patches [B, P, D] + pos [P, D]; float32.
 *
 * Geometry: a block has one token of 4 images, its threads 4 neighbours each of D (or one, where D is no
 * multiple of 4). Grid: (N, images / 4). So a token's position is read once for 4 images, and the branch
 * between prefix and patch is a whole block's.
 *
 * Bound by memory: 4 bytes read and 4 written for an element, and pos once for 4 images, mostly from the
 * L2 cache. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

constexpr int images_of_block = 4;

template <int N>
__global__ void __launch_bounds__(vector_threads)
    assemble(const float *patches, const float *prefix, const float *pos, float *x, int batch, int tokens,
             int n_prefix, int dim)
{
    const int token = (int)blockIdx.x, first = (int)blockIdx.y * images_of_block;
    const int images = min(images_of_block, batch - first);
    const bool is_patch = token >= n_prefix;
    const int64_t patch = token - n_prefix, n_patches = tokens - n_prefix;
    const float *const added = is_patch ? pos : prefix;
    const int64_t added_row = is_patch ? patch : token;

    for (int d = (int)threadIdx.x * N; d < dim; d += (int)blockDim.x * N) {
        float constant[N], values[images_of_block][N];
        if (added) {
            load_vector(added + added_row * dim + d, constant);
        } else {
#pragma unroll
            for (int i = 0; i < N; i++)
                constant[i] = 0.0f;
        }
#pragma unroll
        for (int k = 0; k < images_of_block; k++) {
            if (is_patch && k < images)
                load_vector(patches + ((first + k) * n_patches + patch) * dim + d, values[k]);
        }
#pragma unroll
        for (int k = 0; k < images_of_block; k++) {
            if (k < images) {
#pragma unroll
                for (int i = 0; i < N; i++)
                    values[k][i] = is_patch ? values[k][i] + constant[i] : constant[i];
                store_global(x + ((first + k) * (int64_t)tokens + token) * dim + d, values[k]);
            }
        }
    }
}

} // namespace

cudaError_t df_launch_assemble_tokens(cudaStream_t stream, const float *patches, const float *prefix,
                                      const float *pos, float *x, struct df_token_rows rows, int64_t dim)
{
    const int64_t vector = dim % 4 == 0 ? 4 : 1;
    const dim3 grid((unsigned)rows.tokens, (unsigned)ceil_div(rows.batch, images_of_block));
    const int threads = (int)min((int64_t)vector_threads, ceil_div(dim / vector, warp_lanes) * warp_lanes);

    if (rows.batch == 0 || rows.tokens == 0)
        return cudaSuccess;
    if (vector == 4)
        DF_LAUNCH(assemble<4>, grid, threads, 0, stream, patches, prefix, pos, x, (int)rows.batch,
                  (int)rows.tokens, (int)rows.first, (int)dim);
    else
        DF_LAUNCH(assemble<1>, grid, threads, 0, stream, patches, prefix, pos, x, (int)rows.batch,
                  (int)rows.tokens, (int)rows.first, (int)dim);
    return cudaGetLastError();
}

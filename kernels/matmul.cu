/* Products of matrices that change from step to step: LoRA, the 1x1 decoder and their gradients. Each matrix
 * is float32 or bfloat16, sums are float32.
 *
 * Shapes: R tokens (up to 15000 and more), D channels (384 to 4096) and a thin side: t = rank or twice the
 * rank (3 to 128), or classes (2 to 255).
 *
 *     [R, D] x [D, t]     down projections, logits     the long matrix is read
 *     [R, t] x [t, D]     up projections, dx           the long matrix is written
 *     [D, R] x [R, t]     gradients of weights         the long matrix is read, sums over R
 *
 * and any other shape, which need not be fast.
 *
 * Geometry: the result is cut into tiles of 128 rows and 8, 16, 32 or 64 columns, the fewest that hold the
 * thin side, so that the long matrix is read once; a product that has more columns than rows is computed as
 * its transpose. A block of 128 threads has a tile (gemm_tile.cuh). Where tiles are few, the depth is split
 * as well (split-K; a long one of tokens always): partial sums in scratch, which a second kernel adds in
 * order. Blocks that read the same rows follow each other.
 *
 * Traffic: the long matrix once, in 16-byte loads where its rows are aligned, and the result; the thin
 * operand comes from the L2 cache. With 64 columns and more the float32 arithmetic takes as long as the
 * reading. */
#include "kernels.h"
#include "gemm_tile.cuh"
#include "types.cuh"

namespace
{

typedef gemm_tile<128, 8, 32, 4, 2> tile_8;
typedef gemm_tile<128, 16, 32, 4, 4> tile_16;

/* The product as it is computed: rows >= cols. */
struct product {
    int rows, cols, depth;
    bool transpose_c; /* it is computed as the transpose */
    struct split_k split;
};

template <class TILE, typename A, typename B>
__global__ void __launch_bounds__(TILE::threads, 2)
    product_kernel(matrix_source<A> a, matrix_source<B> b, struct product p, struct product_output out,
                   float *partial)
{
    const int col_tiles = (p.cols + TILE::cols - 1) / TILE::cols;
    const int first_row = (int)(blockIdx.x / (unsigned)col_tiles) * TILE::rows;
    const int first_col = (int)(blockIdx.x % (unsigned)col_tiles) * TILE::cols;
    const int begin = (int)blockIdx.y * p.split.depth, end = min(begin + p.split.depth, p.depth);
    float sums[TILE::mt][TILE::nt];

    multiply_tile<TILE>(a, first_row, b, first_col, begin, end, sums);
    if (partial)
        out = {partial + (int64_t)blockIdx.y * p.rows * p.cols, p.transpose_c ? p.rows : p.cols, DF_F32,
               (p.transpose_c ? p.rows : p.cols) % 4 == 0 && (int64_t)p.rows * p.cols % 4 == 0, false};
    if (!p.transpose_c) {
#pragma unroll
        for (int i = 0; i < TILE::mt; i++) {
            const int row = first_row + tile_row<TILE>(i);
#pragma unroll
            for (int j = 0; j < TILE::nt; j += TILE::col_width) {
                if (row < p.rows)
                    put_sums<TILE::col_width>(out, row, first_col + tile_col<TILE>(j), p.cols, &sums[i][j]);
            }
        }
        return;
    }
#pragma unroll
    for (int j = 0; j < TILE::nt; j++) {
        const int col = first_col + tile_col<TILE>(j);
#pragma unroll
        for (int i = 0; i < TILE::mt; i += TILE::row_width) {
            float values[TILE::row_width];
#pragma unroll
            for (int k = 0; k < TILE::row_width; k++)
                values[k] = sums[i + k][j];
            if (col < p.cols)
                put_sums<TILE::row_width>(out, col, first_row + tile_row<TILE>(i), p.rows, values);
        }
    }
}

/* --- planning and launches --- */

/* Calls f with the tile for so many columns. */
template <typename F> auto choose_tile(int64_t cols, F f)
{
    if (cols <= tile_8::cols)
        return f(tile_8());
    if (cols <= tile_16::cols)
        return f(tile_16());
    if (cols <= tile_32::cols)
        return f(tile_32());
    return f(tile_64());
}

struct product make_product(const struct df_matrix &c, int64_t depth)
{
    const bool transpose_c = c.rows < c.cols;
    const int64_t rows = transpose_c ? c.cols : c.rows, cols = transpose_c ? c.rows : c.cols;

    return choose_tile(cols, [&](auto tile) {
        const int64_t tiles = ceil_div(rows, tile.rows) * ceil_div(cols, tile.cols);
        return product{(int)rows, (int)cols, (int)depth, transpose_c,
                       make_split_k(rows, cols, depth, tiles, tile.depth)};
    });
}

template <typename T> matrix_source<T> make_source(const struct df_matrix &m, bool along_depth)
{
    return {static_cast<const T *>(m.data),       m.ld,        (int)(along_depth ? m.rows : m.cols),
            (int)(along_depth ? m.cols : m.rows), along_depth, aligns_rows(m, vector_width<T>, sizeof(T))};
}

/* a's rows are the result's, b's columns, after transpose_c; along_depth says how each lies in memory. */
template <typename A, typename B>
void launch(cudaStream_t stream, const struct product &p, const struct df_matrix &a, bool a_along_depth,
            const struct df_matrix &b, bool b_along_depth, const struct product_output &out, float *partial)
{
    choose_tile(p.cols, [&](auto tile) {
        typedef decltype(tile) TILE;
        const dim3 grid((unsigned)(ceil_div(p.rows, TILE::rows) * ceil_div(p.cols, TILE::cols)),
                        (unsigned)p.split.splits);
        DF_LAUNCH((product_kernel<TILE, A, B>), grid, dim3(TILE::threads), 0, stream,
                  make_source<A>(a, a_along_depth), make_source<B>(b, b_along_depth), p, out, partial);
    });
}

} // namespace

size_t df_launch_matmul_scratch(struct df_matrix a, bool transpose_a, struct df_matrix b, bool transpose_b,
                                struct df_matrix c)
{
    const struct product p = make_product(c, transpose_a ? a.rows : a.cols);
    (void)b;
    (void)transpose_b;
    return p.split.splits > 1 ? (size_t)p.split.splits * (size_t)c.rows * (size_t)c.cols * sizeof(float) : 0;
}

cudaError_t df_launch_matmul(cudaStream_t stream, struct df_matrix a, bool transpose_a, struct df_matrix b,
                             bool transpose_b, struct df_matrix c, bool accumulate, void *scratch)
{
    if (c.rows == 0 || c.cols == 0)
        return cudaSuccess;
    const struct product p = make_product(c, transpose_a ? a.rows : a.cols);
    const struct product_output out = {
        c.data, c.ld, c.type, aligns_rows(c, 4, c.type == DF_F32 ? sizeof(float) : sizeof(__nv_bfloat16)),
        accumulate};
    float *partial = p.split.splits > 1 ? static_cast<float *>(scratch) : nullptr;
    const struct df_matrix left = p.transpose_c ? b : a, right = p.transpose_c ? a : b;
    const bool left_along = p.transpose_c ? transpose_b : !transpose_a,
               right_along = p.transpose_c ? !transpose_a : transpose_b;

    const cudaError_t status = dispatch(left.type, [&](auto left_element) {
        return dispatch(right.type, [&](auto right_element) {
            launch<decltype(left_element), decltype(right_element)>(stream, p, left, left_along, right,
                                                                    right_along, out, partial);
            return cudaGetLastError();
        });
    });
    if (status != cudaSuccess || !partial)
        return status;
    reduce_splits(stream, partial, p.split.splits, c.rows, c.cols, out);
    return cudaGetLastError();
}

/* A block's tile of a GEMM c [rows, cols] = a [rows, depth] b [depth, cols] (depth is its K), with float32
 * sums of float32 products: what matrix products and convolutions share. Where the operands' elements come
 * from is up to a `source`:
 *
 *     typedef … element;                 float or __nv_bfloat16
 *     struct position;                   what is known of a row of a (a column of b), found once
 *     bool along_depth;                  whether 16 bytes of memory run along the depth, or across it
 *     position locate(int outer);        of row or column `outer`, or of the first of those that run across
 *     void fetch(const position &, int depth, uint32_t (&words)[4]);   16 bytes from there on; zeros outside
 *
 * Tiles of both operands are in shared memory as float, the depth outermost, double-buffered: while one pair
 * is multiplied the next is loaded to registers. A thread has MT x NT sums, in vectors of four neighbours, so
 * that it reads 16 bytes at a time and a warp's reads are broadcasts or neighbours. Columns of a tile are
 * swizzled (an exclusive or with the depth), which keeps both the stores of vectors that run along the depth
 * and the reads free of bank conflicts. A tile has no room for that where it is thin: of stores along the
 * depth two lanes meet with 16 columns and four with 8, of stores of bfloat16 across it two with 32 and
 * fewer. That is 3 % of the turns that reads take, or less. */
#ifndef DINOFT_GEMM_TILE_CUH
#define DINOFT_GEMM_TILE_CUH

#include "types.cuh"
#include "vectors.cuh"

template <int ROWS, int COLS, int DEPTH, int MT, int NT> struct gemm_tile {
    static constexpr int rows = ROWS, cols = COLS, depth = DEPTH, mt = MT, nt = NT;
    static constexpr int thread_rows = ROWS / MT, thread_cols = COLS / NT,
                         threads = thread_rows * thread_cols;
    static constexpr int row_width = MT < 4 ? MT : 4, col_width = NT < 4 ? NT : 4; /* neighbours */
};

/* The tiles of more than one kind of product; thinner ones are matmul.cu's own. */
typedef gemm_tile<128, 32, 16, 8, 4> tile_32;
typedef gemm_tile<128, 64, 16, 8, 8> tile_64;

/* --- elements in 16 bytes --- */

__device__ __forceinline__ void put_element(const float *p, int j, uint32_t (&words)[4])
{
    words[j] = __float_as_uint(*p);
}

__device__ __forceinline__ void put_element(const __nv_bfloat16 *p, int j, uint32_t (&words)[4])
{
    words[j / 2] |= (uint32_t)__bfloat16_as_ushort(*p) << (j % 2 * 16);
}

__device__ __forceinline__ void unpack_words(const uint32_t (&words)[4], float (&values)[4])
{
#pragma unroll
    for (int j = 0; j < 4; j++)
        values[j] = __uint_as_float(words[j]);
}

__device__ __forceinline__ void unpack_words(const uint32_t (&words)[4], float (&values)[8])
{
#pragma unroll
    for (int j = 0; j < 4; j++)
        unpack_bf16(words[j], values[2 * j], values[2 * j + 1]);
}

/* 16 bytes of which the first `inside` elements are there (any number, also below 0). */
template <typename T>
__device__ __forceinline__ void fetch_words(const T *p, int inside, bool vector, uint32_t (&words)[4])
{
    if (vector && inside >= vector_width<T>) {
        const uint4 v = __ldg(reinterpret_cast<const uint4 *>(p));
        words[0] = v.x;
        words[1] = v.y;
        words[2] = v.z;
        words[3] = v.w;
        return;
    }
    words[0] = words[1] = words[2] = words[3] = 0;
#pragma unroll
    for (int j = 0; j < vector_width<T>; j++) {
        if (j < inside)
            put_element(p + j, j, words);
    }
}

/* --- the plain source --- */

/* A matrix [outer, depth] if along_depth, [depth, outer] otherwise. */
template <typename T> struct matrix_source {
    typedef T element;
    struct position {
        int outer;
    };

    const T *data;
    int64_t ld;
    int outers, depths;
    bool along_depth, vector;

    __device__ __forceinline__ position locate(int outer) const
    {
        return {outer};
    }

    __device__ __forceinline__ void fetch(const position &p, int depth, uint32_t (&words)[4]) const
    {
        if (along_depth)
            fetch_words(data + p.outer * ld + depth, p.outer < outers ? depths - depth : 0, vector, words);
        else
            fetch_words(data + depth * ld + p.outer, depth < depths ? outers - p.outer : 0, vector, words);
    }
};

/* --- one operand on its way to shared memory --- */

/* Where a column of a tile stands at depth 0. Lanes that store 8 neighbours each, in two halves, would meet
 * in the same banks from the fifth lane on. */
__device__ __forceinline__ int tile_column(int column)
{
    return column ^ (column >> 3 & 4);
}

template <class S, int OUTER, int DEPTH, int THREADS> struct operand {
    typedef typename S::element element;
    static constexpr int width = vector_width<element>, vectors = OUTER * DEPTH / width;
    static constexpr int own = (vectors + THREADS - 1) / THREADS; /* of a thread */
    static constexpr int depth_vectors = DEPTH / width;
    /* Lanes of a warp that store vectors along the depth have this many rows. */
    static constexpr int swizzle_step = warp_lanes / depth_vectors;

    typename S::position positions[own];
    uint32_t words[own][4];

    /* What column indices are exchanged by at this depth: a multiple of 4. */
    static __device__ __forceinline__ int swizzle(int depth)
    {
        return depth / width * swizzle_step & (OUTER - 1);
    }

    static __device__ __forceinline__ bool is_there(int i)
    {
        return vectors % THREADS == 0 || (int)threadIdx.x + i * THREADS < vectors;
    }

    /* Row or column of the thread's i-th vector within the tile, and its depth. */
    static __device__ __forceinline__ int outer(const S &source, int i)
    {
        const int vector = (int)threadIdx.x + i * THREADS;
        return source.along_depth ? vector / depth_vectors : vector % (OUTER / width) * width;
    }

    static __device__ __forceinline__ int depth(const S &source, int i)
    {
        const int vector = (int)threadIdx.x + i * THREADS;
        return source.along_depth ? vector % depth_vectors * width : vector / (OUTER / width);
    }

    __device__ __forceinline__ void locate(const S &source, int first)
    {
#pragma unroll
        for (int i = 0; i < own; i++)
            positions[i] = source.locate(first + outer(source, i));
    }

    __device__ __forceinline__ void load(const S &source, int first_depth)
    {
#pragma unroll
        for (int i = 0; i < own; i++) {
            if (is_there(i))
                source.fetch(positions[i], first_depth + depth(source, i), words[i]);
        }
    }

    __device__ __forceinline__ void store(const S &source, float *tile) const
    {
#pragma unroll
        for (int i = 0; i < own; i++) {
            if (!is_there(i))
                continue;
            const int d = depth(source, i), o = outer(source, i);
            float values[width];
            unpack_words(words[i], values);
            if (source.along_depth) {
                float *const to = tile + (tile_column(o) ^ swizzle(d)); /* the same for all of the vector */
#pragma unroll
                for (int j = 0; j < width; j++)
                    to[(d + j) * OUTER] = values[j];
            } else {
                float *const to = tile + d * OUTER;
                const int column = tile_column(o) ^ swizzle(d);
#pragma unroll
                for (int j = 0; j < width; j += 4)
                    *reinterpret_cast<float4 *>(to + (column ^ j)) =
                        make_float4(values[j], values[j + 1], values[j + 2], values[j + 3]);
            }
        }
    }
};

/* WIDTH neighbours at `p`, in shared memory. */
template <int WIDTH> __device__ __forceinline__ void read_vector(const float *p, float *values)
{
    if constexpr (WIDTH == 4) {
        const float4 v = *reinterpret_cast<const float4 *>(p);
        values[0] = v.x;
        values[1] = v.y;
        values[2] = v.z;
        values[3] = v.w;
    } else {
        static_assert(WIDTH == 2, "vectors are of 2 or 4");
        const float2 v = *reinterpret_cast<const float2 *>(p);
        values[0] = v.x;
        values[1] = v.y;
    }
}

/* --- the thread's place in the tile --- */

template <class TILE> __device__ __forceinline__ int tile_row(int i)
{
    const int thread = (int)threadIdx.x / TILE::thread_cols;
    return i / TILE::row_width * (TILE::thread_rows * TILE::row_width) + thread * TILE::row_width +
           i % TILE::row_width;
}

template <class TILE> __device__ __forceinline__ int tile_col(int j)
{
    const int thread = (int)threadIdx.x % TILE::thread_cols;
    return j / TILE::col_width * (TILE::thread_cols * TILE::col_width) + thread * TILE::col_width +
           j % TILE::col_width;
}

/* sums = the tile of rows first_row, … and columns first_col, … of the product over [begin, end) of the
 * depth; begin is a multiple of the tile's depth. Element (i, j) of sums is at tile_row(i), tile_col(j). All
 * threads of the block call. */
template <class TILE, class A, class B>
__device__ __forceinline__ void multiply_tile(const A &a, int first_row, const B &b, int first_col, int begin,
                                              int end, float (&sums)[TILE::mt][TILE::nt])
{
    DF_SHARED(float, a_tiles, [2][TILE::depth * TILE::rows]);
    DF_SHARED(float, b_tiles, [2][TILE::depth * TILE::cols]);
    operand<A, TILE::rows, TILE::depth, TILE::threads> a_part;
    operand<B, TILE::cols, TILE::depth, TILE::threads> b_part;
    int current = 0;

#pragma unroll
    for (int i = 0; i < TILE::mt; i++) {
#pragma unroll
        for (int j = 0; j < TILE::nt; j++)
            sums[i][j] = 0.0f;
    }
    a_part.locate(a, first_row);
    b_part.locate(b, first_col);
    a_part.load(a, begin);
    b_part.load(b, begin);
    a_part.store(a, a_tiles[0]);
    b_part.store(b, b_tiles[0]);
    __syncthreads();
    for (int at = begin; at < end; at += TILE::depth) {
        const bool more = at + TILE::depth < end;
        if (more) {
            a_part.load(a, at + TILE::depth);
            b_part.load(b, at + TILE::depth);
        }
        const int steps = min(end - at, TILE::depth);
        for (int first = 0; first < steps; first += 4) { /* what is beyond is 0 */
            const float *const a_tile = a_tiles[current] + first * TILE::rows;
            const float *const b_tile = b_tiles[current] + first * TILE::cols;
            const int a_swizzle = decltype(a_part)::swizzle(first),
                      b_swizzle = decltype(b_part)::swizzle(first);
#pragma unroll
            for (int d = 0; d < 4; d++) {
                float a_values[TILE::mt], b_values[TILE::nt];
#pragma unroll
                for (int i = 0; i < TILE::mt; i += TILE::row_width)
                    read_vector<TILE::row_width>(
                        a_tile + d * TILE::rows + (tile_column(tile_row<TILE>(i)) ^ a_swizzle), a_values + i);
#pragma unroll
                for (int j = 0; j < TILE::nt; j += TILE::col_width)
                    read_vector<TILE::col_width>(
                        b_tile + d * TILE::cols + (tile_column(tile_col<TILE>(j)) ^ b_swizzle), b_values + j);
#pragma unroll
                for (int i = 0; i < TILE::mt; i++) {
#pragma unroll
                    for (int j = 0; j < TILE::nt; j++)
                        sums[i][j] += a_values[i] * b_values[j];
                }
            }
        }
        if (more) {
            current ^= 1;
            a_part.store(a, a_tiles[current]);
            b_part.store(b, b_tiles[current]);
            __syncthreads();
        }
    }
}

/* --- where the sums go --- */

/* Rows of float32 or bfloat16, written in runs of WIDTH neighbours. */
struct product_output {
    void *data;
    int64_t ld;
    enum df_dtype type;
    bool vector;     /* every fourth element is aligned to four of them */
    bool accumulate; /* to what is there */
};

template <typename T, int WIDTH>
__device__ __forceinline__ void put_vector(T *to, const struct product_output &out, int inside,
                                           const float *values)
{
    if constexpr (WIDTH == 4) {
        if (out.vector && inside >= 4) {
            float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
            if (out.accumulate)
                load_vector(to, sums);
#pragma unroll
            for (int j = 0; j < 4; j++)
                sums[j] += values[j];
            store_global(to, sums);
            return;
        }
    }
#pragma unroll
    for (int j = 0; j < WIDTH; j++) {
        if (j < inside)
            store_float(to + j, out.accumulate ? load_float(to + j) + values[j] : values[j]);
    }
}

/* WIDTH values to row `row`, from column `col` on; `cols` are there. */
template <int WIDTH>
__device__ __forceinline__ void put_sums(const struct product_output &out, int64_t row, int col, int cols,
                                         const float *values)
{
    const int64_t at = row * out.ld + col;

    if (out.type == DF_F32)
        put_vector<float, WIDTH>(static_cast<float *>(out.data) + at, out, cols - col, values);
    else
        put_vector<__nv_bfloat16, WIDTH>(static_cast<__nv_bfloat16 *>(out.data) + at, out, cols - col,
                                         values);
}

/* --- split-K: partial sums of a long depth --- */

/* Split-K: the depth is split into ranges of `depth` elements, a multiple of the tile's. Depends on shapes
 * alone. */
struct split_k {
    int depth, splits;
};

/* Enough blocks to fill a device; but ranges of some length, and partial sums that are small beside the
 * operands. */
static inline struct split_k make_split_k(int64_t rows, int64_t cols, int64_t depth, int64_t tiles,
                                          int tile_depth)
{
    const int64_t enough_blocks = 512, least_steps = 4, traffic_share = 8;
    const int64_t limits[] = {ceil_div(enough_blocks, tiles), depth / (least_steps * tile_depth),
                              (rows + cols) * depth / (traffic_share * rows * cols)};
    int64_t splits = limits[0];

    for (int64_t limit : limits)
        splits = limit < splits ? limit : splits;
    splits = splits < 1 ? 1 : splits;
    const int64_t steps = ceil_div(depth, splits * tile_depth);
    return {(int)(steps * tile_depth), (int)ceil_div(depth, steps * tile_depth)};
}

constexpr int reduce_threads = 256;

/* out [rows, cols] (+)= the sum of partial [splits, rows * cols], in their order. */
static __global__ void __launch_bounds__(reduce_threads)
    reduce_splits_kernel(const float *partial, int splits, int64_t rows, int cols, struct product_output out)
{
    const int64_t at = (int64_t)blockIdx.x * reduce_threads + threadIdx.x, size = rows * cols;
    float sum = 0.0f;

    if (at >= size)
        return;
#pragma unroll 8
    for (int split = 0; split < splits; split++)
        sum += partial[split * size + at];
    put_sums<1>(out, at / cols, (int)(at % cols), cols, &sum);
}

static inline void reduce_splits(cudaStream_t stream, const float *partial, int splits, int64_t rows,
                                 int64_t cols, const struct product_output &out)
{
    DF_LAUNCH(reduce_splits_kernel, dim3((unsigned)ceil_div(rows * cols, reduce_threads)),
              dim3(reduce_threads), 0, stream, partial, splits, rows, (int)cols, out);
}

#endif

/* Stable sorts of lists of pairs by their keys, each of 32 bits, in ascending order: four times by a digit of
 * 8 bits, the lowest first. All lists of a call have one length and are sorted together.
 *
 * Geometry: a block has a run of a list, in whole tiles of 2048 pairs, and each warp a part of a tile, 32
 * pairs at a time. Lanes with the same digit find each other by votes, and count in their warp's own memory:
 * no atomics, and each pair's rank among those of its digit is known. For a digit, blocks count theirs, a
 * warp adds up the blocks before each, and the pairs are written where they belong. Bound by memory:
 * 24 bytes a pair and digit, of which 8 are written in runs of some 8 pairs. */
#ifndef DINOFT_SORT_PAIRS_CUH
#define DINOFT_SORT_PAIRS_CUH

#include "types.cuh"

constexpr int sort_threads = 256, sort_warps = sort_threads / warp_lanes;
constexpr int sort_digit_bits = 8, sort_digits = 1 << sort_digit_bits;
constexpr int sort_items = 8; /* pairs of a lane in a tile */
constexpr int sort_tile = sort_threads * sort_items, most_sort_blocks = 1024;

struct pair_sort {
    int64_t length, run;   /* pairs of a list, and of a block */
    int lists, blocks;     /* blocks of a list */
    const int64_t *wanted; /* [lists]: 0: the list is not sorted */
    int *counts;           /* [lists, digits, blocks] */
    int *totals;           /* [lists, digits] */
};

/* Host: without the pointers. */
static inline struct pair_sort plan_sort(int64_t length, int64_t lists)
{
    struct pair_sort sort = {};
    const int64_t tiles = ceil_div(length, sort_tile);

    sort.length = length;
    sort.lists = (int)lists;
    sort.run = ceil_div(tiles, (int64_t)most_sort_blocks) * sort_tile;
    sort.blocks = (int)ceil_div(length, sort.run);
    return sort;
}

/* The sum of the values of the lanes up to this one. */
__device__ __forceinline__ int warp_prefix(int value)
{
    const int lane = threadIdx.x % warp_lanes;

#pragma unroll
    for (int distance = 1; distance < warp_lanes; distance *= 2) {
        const int before = __shfl_up_sync(all_lanes, value, distance);
        value += lane >= distance ? before : 0;
    }
    return value;
}

/* The sum of the values of the threads before this one, and of all of the block, whose threads are whole
 * warps. May be called again at once. */
__device__ __forceinline__ int block_prefix(int value, int &all)
{
    DF_SHARED(int, partial, [warp_lanes]);
    const int warp = threadIdx.x / warp_lanes, lane = threadIdx.x % warp_lanes,
              warps = blockDim.x / warp_lanes;
    const int sum = warp_prefix(value);

    if (lane == warp_lanes - 1)
        partial[warp] = sum;
    __syncthreads();
    const int of_warp = lane < warps ? partial[lane] : 0;
    __syncthreads();
    all = warp_sum(of_warp);
    return warp_sum(lane < warp ? of_warp : 0) + sum - value;
}

/* The lanes with a pair whose digit is this lane's. */
__device__ __forceinline__ unsigned find_peers(bool own, unsigned digit)
{
    unsigned peers = __ballot_sync(all_lanes, own);

#pragma unroll
    for (int bit = 0; bit < sort_digit_bits; bit++) {
        const bool is_set = digit >> bit & 1;
        const unsigned set = __ballot_sync(all_lanes, is_set);
        peers &= is_set ? set : ~set;
    }
    return peers;
}

__device__ __forceinline__ unsigned digit_of(uint2 pair, int shift)
{
    return pair.x >> shift & (sort_digits - 1);
}

/* Loads the lane's pairs of a tile, and adds up digits in the warp's counts [digits]: rank = how many there
 * were before each. */
__device__ __forceinline__ void count_pairs(const uint2 *list, int64_t tile, int64_t end, int shift,
                                            int *counts, uint2 (&pair)[sort_items], int (&rank)[sort_items])
{
    const int warp = threadIdx.x / warp_lanes, lane = threadIdx.x % warp_lanes;
    const int64_t first = tile + warp * (warp_lanes * sort_items) + lane;

#pragma unroll
    for (int i = 0; i < sort_items; i++)
        pair[i] = first + i * warp_lanes < end ? list[first + i * warp_lanes] : make_uint2(0, 0);
#pragma unroll
    for (int i = 0; i < sort_items; i++) {
        const bool own = first + i * warp_lanes < end;
        const unsigned digit = digit_of(pair[i], shift), peers = find_peers(own, digit);
        const int count = counts[digit];
        rank[i] = count + __popc(peers & ((1u << lane) - 1));
        __syncwarp();
        if (own && peers >> lane == 1) /* the last of them */
            counts[digit] = count + __popc(peers);
        __syncwarp();
    }
}

static __global__ void __launch_bounds__(sort_threads)
    sort_count_kernel(struct pair_sort sort, const uint2 *from, int shift)
{
    DF_SHARED(int, counts, [sort_warps][sort_digits]);
    const int digit = threadIdx.x, list = blockIdx.y;
    const int64_t begin = blockIdx.x * sort.run, end = min(begin + sort.run, sort.length);
    uint2 pair[sort_items];
    int rank[sort_items], sum = 0;

    if (sort.wanted[list] == 0)
        return;
    for (int warp = 0; warp < sort_warps; warp++)
        counts[warp][digit] = 0;
    __syncthreads();
    for (int64_t tile = begin; tile < end; tile += sort_tile)
        count_pairs(from + list * sort.length, tile, end, shift, counts[threadIdx.x / warp_lanes], pair,
                    rank);
    __syncthreads();
    for (int warp = 0; warp < sort_warps; warp++)
        sum += counts[warp][digit];
    sort.counts[((int64_t)list * sort_digits + digit) * sort.blocks + blockIdx.x] = sum;
}

/* Counts become how many the blocks before have. A warp has a digit. */
static __global__ void __launch_bounds__(sort_threads) sort_scan_kernel(struct pair_sort sort)
{
    const int lane = threadIdx.x % warp_lanes, list = blockIdx.y;
    const int64_t digit = (int64_t)list * sort_digits + blockIdx.x * sort_warps + threadIdx.x / warp_lanes;
    int *const counts = sort.counts + digit * sort.blocks;
    int before = 0;

    if (sort.wanted[list] == 0)
        return;
    for (int first = 0; first < sort.blocks; first += warp_lanes) {
        const int block = first + lane, count = block < sort.blocks ? counts[block] : 0;
        const int sum = warp_prefix(count);
        if (block < sort.blocks)
            counts[block] = before + sum - count;
        before += __shfl_sync(all_lanes, sum, warp_lanes - 1);
    }
    if (lane == 0)
        sort.totals[digit] = before;
}

static __global__ void __launch_bounds__(sort_threads)
    sort_scatter_kernel(struct pair_sort sort, const uint2 *from, uint2 *to, int shift)
{
    DF_SHARED(int, counts, [sort_warps][sort_digits]);
    const int digit = threadIdx.x, own_warp = threadIdx.x / warp_lanes, lane = threadIdx.x % warp_lanes,
              list = blockIdx.y;
    const int64_t begin = blockIdx.x * sort.run, end = min(begin + sort.run, sort.length);
    uint2 pair[sort_items];
    int rank[sort_items], all;

    if (sort.wanted[list] == 0)
        return;
    to += list * sort.length;
    /* Where the block's next pair with the thread's digit goes. */
    int place = block_prefix(sort.totals[list * sort_digits + digit], all) +
                sort.counts[((int64_t)list * sort_digits + digit) * sort.blocks + blockIdx.x];
    for (int64_t tile = begin; tile < end; tile += sort_tile) {
        for (int warp = 0; warp < sort_warps; warp++)
            counts[warp][digit] = 0;
        __syncthreads();
        count_pairs(from + list * sort.length, tile, end, shift, counts[own_warp], pair, rank);
        __syncthreads();
        for (int warp = 0; warp < sort_warps; warp++) {
            const int count = counts[warp][digit];
            counts[warp][digit] = place;
            place += count;
        }
        __syncthreads();
        const int64_t first = tile + own_warp * (warp_lanes * sort_items) + lane;
#pragma unroll
        for (int i = 0; i < sort_items; i++) {
            if (first + i * warp_lanes < end)
                to[counts[own_warp][digit_of(pair[i], shift)] + rank[i]] = pair[i];
        }
        __syncthreads();
    }
}

/* Host: sorts pairs [lists, length], with other memory of that size. */
static inline void sort_pairs(cudaStream_t stream, const struct pair_sort &sort, uint2 *pairs, uint2 *other)
{
    const dim3 grid((unsigned)sort.blocks, (unsigned)sort.lists);

    for (int shift = 0; shift < 32; shift += 2 * sort_digit_bits) {
        for (int half = 0; half < 2; half++) {
            const uint2 *const from = half == 0 ? pairs : other;
            const int digit = shift + half * sort_digit_bits;
            DF_LAUNCH(sort_count_kernel, grid, dim3(sort_threads), 0, stream, sort, from, digit);
            DF_LAUNCH(sort_scan_kernel, dim3(sort_digits / sort_warps, (unsigned)sort.lists),
                      dim3(sort_threads), 0, stream, sort);
            DF_LAUNCH(sort_scatter_kernel, grid, dim3(sort_threads), 0, stream, sort, from,
                      half == 0 ? other : pairs, digit);
        }
    }
}

#endif

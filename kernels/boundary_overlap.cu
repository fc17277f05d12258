/* The boundaries of the classes of two maps, prediction and labels uint8 [H, W], and what they share: three
 * sums of integers for each class. A pixel is inside its class if the square of 2 * reach + 1 pixels around
 * it lies in the image and has that one class; else it is of the boundary.
 *
 * Geometry: a thread has a pixel. A first kernel looks along its row and leaves two bits, one for each map; a
 * second looks along its column at bits and classes, which neighbours read from the L1 cache, and counts in
 * shared memory. Both end at the first pixel that differs. A block then adds its counts to the device's;
 * atomics of integers give the same sums in whatever order. Bound by these reads, at most 4 * reach a pixel
 * and map. */
#include "kernels.h"
#include "types.cuh"

namespace
{

constexpr int threads = 256, sums_of_class = 3, blocks_max = 1024;
constexpr int flat_prediction = 1, flat_label = 2;

struct boundary_work {
    const uint8_t *prediction, *labels;
    int64_t width, pixels;
    int height, classes, reach;
    uint8_t *flat; /* [H, W] */
};

/* Whether the pixels of the row around `at` have one class. */
__device__ __forceinline__ bool is_flat(const uint8_t *map, int64_t at, int reach)
{
    const int value = map[at];
    bool same = true;

    for (int i = 1; same && i <= reach; i++)
        same = map[at - i] == value && map[at + i] == value;
    return same;
}

__global__ void __launch_bounds__(threads) row_kernel(struct boundary_work work)
{
    const int64_t at = (int64_t)blockIdx.x * threads + threadIdx.x;

    if (at >= work.pixels)
        return;
    const int64_t x = at % work.width;
    int flat = 0;
    if (x >= work.reach && x + work.reach < work.width)
        flat = (is_flat(work.prediction, at, work.reach) ? flat_prediction : 0) |
               (is_flat(work.labels, at, work.reach) ? flat_label : 0);
    work.flat[at] = (uint8_t)flat;
}

/* Whether the column around the pixel has that bit, and one class. */
__device__ __forceinline__ bool is_inside(const struct boundary_work &work, const uint8_t *map, int bit,
                                          int64_t at)
{
    const int value = map[at];
    bool inside = work.flat[at] & bit;

    for (int i = 1; inside && i <= work.reach; i++) {
        const int64_t above = at - i * work.width, below = at + i * work.width;
        inside = map[above] == value && map[below] == value && (work.flat[above] & work.flat[below] & bit);
    }
    return inside;
}

__global__ void __launch_bounds__(threads) count_kernel(struct boundary_work work, int64_t *overlap)
{
    DF_SHARED(int, counts, [sums_of_class * DF_MAX_CLASSES]);

    for (int i = threadIdx.x; i < sums_of_class * work.classes; i += threads)
        counts[i] = 0;
    __syncthreads();
    for (int64_t at = (int64_t)blockIdx.x * threads + threadIdx.x; at < work.pixels;
         at += (int64_t)gridDim.x * threads) {
        const int predicted = work.prediction[at], label = work.labels[at], y = (int)(at / work.width);
        if (predicted >= work.classes || label >= work.classes)
            continue;
        const bool cut = y < work.reach || y + work.reach >= work.height;
        const bool of_prediction = cut || !is_inside(work, work.prediction, flat_prediction, at);
        const bool of_label = cut || !is_inside(work, work.labels, flat_label, at);
        if (of_prediction)
            atomicAdd(&counts[sums_of_class * predicted], 1);
        if (of_label)
            atomicAdd(&counts[sums_of_class * label + 1], 1);
        if (of_prediction && of_label && predicted == label)
            atomicAdd(&counts[sums_of_class * label + 2], 1);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < sums_of_class * work.classes; i += threads) {
        if (counts[i] > 0)
            atomicAdd(reinterpret_cast<unsigned long long *>(overlap) + i, (unsigned long long)counts[i]);
    }
}

} // namespace

cudaError_t df_launch_boundary_overlap(cudaStream_t stream, const uint8_t *prediction, const uint8_t *labels,
                                       int64_t height, int64_t width, int64_t classes, int64_t reach,
                                       uint8_t *scratch, int64_t *overlap)
{
    const struct boundary_work work = {prediction,  labels,       width,      height * width,
                                       (int)height, (int)classes, (int)reach, scratch};
    const int64_t blocks = ceil_div(work.pixels, threads);

    if (work.pixels == 0)
        return cudaSuccess;
    DF_LAUNCH(row_kernel, dim3((unsigned)blocks), dim3(threads), 0, stream, work);
    DF_LAUNCH(count_kernel, dim3((unsigned)(blocks < blocks_max ? blocks : blocks_max)), dim3(threads), 0,
              stream, work, overlap);
    return cudaGetLastError();
}

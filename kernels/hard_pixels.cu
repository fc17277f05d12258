/* Online hard example mining: the probability of each pixel's label, and of these the lowest.
 *
 * Shapes: logits [B, h, w, C] float32, labels bytes [B, H, W], as the loss has them (upsample_loss.cu).
 *
 * Geometry: a group of 4 to 32 lanes (upsample.cuh) has a pixel, with each lane's classes in registers; the
 * probability is stored, 4 bytes a pixel. The one of the rank that is asked for is found by its bits, which
 * have the order of numbers: three times, blocks count a digit of 11 bits of those that begin as the ones
 * before, in shared memory and with atomics of integers, and one block adds up their counts and chooses the
 * digit. Bound by arithmetic at first, then by memory: 4 bytes a pixel, four times. */
#include "kernels.h"
#include "types.cuh"
#include "upsample.cuh"

#include "dinoft/labels.h"

namespace
{

constexpr int confidence_threads = 128, count_threads = 256, choose_threads = 1024, most_blocks = 256;
constexpr int digit_bits = 11, digits = 1 << digit_bits, first_shift = 22;
constexpr float ignored = -1.0f;

struct hard_work : enlarged {
    int64_t pixels;
    const uint8_t *labels;
    float *confidence; /* [pixels] */
    int *counts;       /* [blocks, digits] */
    struct hard_search *search;
};

/* What is known of the bits of the value that is looked for. */
struct hard_search {
    int64_t rank; /* among those that begin so */
    unsigned prefix;
    float bound; /* in the end */
};

template <int LANES, int SLOTS>
__global__ void __launch_bounds__(confidence_threads) confidence_kernel(struct hard_work work)
{
    const int lane = threadIdx.x % LANES, classes = work.classes;
    const int64_t at = blockIdx.x * (int64_t)(confidence_threads / LANES) + threadIdx.x / LANES;
    const int64_t pixel = min(at, work.pixels - 1);
    const int label = (int)__ldg(work.labels + pixel);
    float value[SLOTS], own = 0.0f;

    load_pixel<LANES>(value, work, pixel, lane);
    const float best = largest<LANES>(value), sum = powers<LANES>(value, best);
#pragma unroll
    for (int k = 0; k < SLOTS; k++)
        own += k * LANES + lane == label ? value[k] : 0.0f;
    own = group_sum<LANES>(own);
    if (lane == 0 && at < work.pixels)
        work.confidence[at] = label == DF_IGNORE_LABEL ? ignored : label < classes ? own / sum : NAN;
}

__global__ void __launch_bounds__(count_threads) count_kernel(struct hard_work work, int shift)
{
    DF_SHARED(int, counts, [digits]);
    const unsigned prefix = shift == first_shift ? 0 : work.search->prefix;

    for (int i = threadIdx.x; i < digits; i += count_threads)
        counts[i] = 0;
    __syncthreads();
    for (int64_t i = blockIdx.x * (int64_t)count_threads + threadIdx.x; i < work.pixels;
         i += (int64_t)gridDim.x * count_threads) {
        const unsigned bits = __float_as_uint(work.confidence[i]);
        if (bits >> 31 == 0 && (unsigned)((unsigned long long)bits >> (shift + digit_bits)) == prefix)
            atomicAdd(&counts[bits >> shift & (digits - 1)], 1);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < digits; i += count_threads)
        work.counts[(int64_t)blockIdx.x * digits + i] = counts[i];
}

/* Of values that have no rank so high, the last; of none at all, 0. */
__global__ void __launch_bounds__(choose_threads)
    choose_kernel(struct hard_work work, int blocks, int shift, int64_t rank, float threshold)
{
    DF_SHARED(int64_t, counts, [digits]);
    int64_t all = 0;

    for (int i = threadIdx.x; i < digits; i += choose_threads) {
        int64_t count = 0;
        for (int b = 0; b < blocks; b++)
            count += work.counts[(int64_t)b * digits + i];
        counts[i] = count;
        all += count;
    }
    all = block_sum(all);
    __syncthreads();
    if (threadIdx.x > 0)
        return;
    struct hard_search search = *work.search;
    if (shift == first_shift)
        search = {min(rank, all - 1), 0, 0.0f};
    int digit = 0;
    for (; all > 0 && search.rank >= counts[digit]; digit++)
        search.rank -= counts[digit];
    search.prefix = search.prefix << digit_bits | (unsigned)digit;
    search.bound = fmaxf(shift == 0 ? __uint_as_float(search.prefix) : 0.0f, threshold);
    *work.search = search;
}

/* A probability that is no number stays, and shows in the loss. */
__global__ void __launch_bounds__(count_threads) mark_kernel(struct hard_work work, uint8_t *hard)
{
    const int64_t i = blockIdx.x * (int64_t)count_threads + threadIdx.x;

    if (i < work.pixels)
        hard[i] = work.confidence[i] >= work.search->bound ? DF_IGNORE_LABEL : work.labels[i];
}

int64_t blocks_of(int64_t pixels)
{
    return min((int64_t)most_blocks, ceil_div(pixels, (int64_t)count_threads));
}

} // namespace

size_t df_launch_hard_pixels_scratch(const struct df_upsample_loss *work)
{
    const int64_t pixels = work->batch * work->height * work->width;
    return sizeof(struct hard_search) + (size_t)(blocks_of(pixels) * digits) * sizeof(int) +
           (size_t)pixels * sizeof(float);
}

cudaError_t df_launch_hard_pixels(cudaStream_t stream, const struct df_upsample_loss *work, float threshold,
                                  int64_t least, void *scratch, uint8_t *hard)
{
    struct hard_work w = {};

    static_cast<struct enlarged &>(w) =
        enlarged_logits(work->logits, work->h, work->w, work->classes, work->height, work->width);
    w.pixels = work->batch * work->height * work->width;
    w.labels = work->labels;
    if (w.pixels == 0)
        return cudaErrorInvalidValue;
    const int64_t blocks = blocks_of(w.pixels);
    w.search = static_cast<struct hard_search *>(scratch);
    w.counts = reinterpret_cast<int *>(w.search + 1);
    w.confidence = reinterpret_cast<float *>(w.counts + blocks * digits);
    spread_classes(work->classes, [&](auto spread) {
        DF_LAUNCH((confidence_kernel<spread.lanes, spread.slots>),
                  dim3((unsigned)ceil_div(w.pixels, (int64_t)(confidence_threads / spread.lanes))),
                  dim3(confidence_threads), 0, stream, w);
    });
    for (int shift = first_shift; shift >= 0; shift -= digit_bits) {
        DF_LAUNCH(count_kernel, dim3((unsigned)blocks), dim3(count_threads), 0, stream, w, shift);
        DF_LAUNCH(choose_kernel, dim3(1), dim3(choose_threads), 0, stream, w, (int)blocks, shift, least,
                  threshold);
    }
    DF_LAUNCH(mark_kernel, dim3((unsigned)ceil_div(w.pixels, (int64_t)count_threads)), dim3(count_threads), 0,
              stream, w, hard);
    return cudaGetLastError();
}

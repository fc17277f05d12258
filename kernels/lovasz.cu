/* The Lovasz softmax loss of a batch: the errors of all pixels are sorted for each class, and each counts by
 * how much the Jaccard loss grows with it. No array has all classes of all pixels: a few classes are worked
 * on at a time, at most 32 and as many as a sort of 2^21 pairs has room for, and at least one.
 *
 * Shapes: logits [B, h, w, C] float32, labels bytes [B, H, W], as the loss has them (upsample_loss.cu);
 * slopes [B, H, W] and gradient [B, h, w, C], see struct df_loss_terms.
 *
 * Geometry: for the sums of exponentials a group of lanes (upsample.cuh) has a pixel, whose classes are in
 * registers; for the errors a thread has one, whose key is its error's bits turned around, so that the
 * largest comes first and what has no label last. Blocks have runs of the sorted pairs (sort_pairs.cuh),
 * count their pixels of the class and then know the counts before each pair. For the gradient a warp has a
 * logit: its lanes add up what the pixels around it have. Classes without pixels end at once, which the host
 * need not know. No atomics but of counts. Bound by memory: 4 * 24 bytes for the sort of a pixel and class,
 * and some 40 besides. */
#include "kernels.h"
#include "sort_pairs.cuh"
#include "types.cuh"
#include "upsample.cuh"

#include "dinoft/labels.h"

namespace
{

constexpr int pixel_threads = 256, softmax_threads = 128, gather_threads = 128;
constexpr int64_t most_pairs = 1 << 21, most_lists = 32;
constexpr unsigned own_bit = 1u << 31, no_label = 1u << 31, most_key = no_label - 1;

struct lovasz_work : enlarged {
    int64_t pixels;
    int first; /* class of the first list */
    const uint8_t *labels;
    struct pair_sort sort;
    int64_t *sizes;       /* [C]: labelled pixels */
    double *scale;        /* [1] */
    double *losses;       /* [C, blocks]: without the scale */
    uint2 *pairs, *other; /* [lists, pixels]: key and pixel, of which own_bit says that it is of the class */
    float *log_sum;       /* [pixels]: the base 2 logarithm of the sum of exponentials */
    float *share;         /* [lists, pixels]: p times slope; 0 without a label */
    int *own;             /* [lists, blocks]: pixels of the class */
};

/* What labels the block's pixels have, to counts [blocks, 256]. */
__global__ void __launch_bounds__(pixel_threads) label_kernel(struct lovasz_work work, int *counts)
{
    DF_SHARED(int, shared, [pixel_threads]);

    shared[threadIdx.x] = 0;
    __syncthreads();
    for (int64_t i = blockIdx.x * (int64_t)pixel_threads + threadIdx.x; i < work.pixels;
         i += (int64_t)gridDim.x * pixel_threads)
        atomicAdd(&shared[work.labels[i]], 1);
    __syncthreads();
    counts[(int64_t)blockIdx.x * pixel_threads + threadIdx.x] = shared[threadIdx.x];
}

/* A thread has one class. */
__global__ void __launch_bounds__(pixel_threads)
    size_kernel(struct lovasz_work work, const int *counts, int blocks, const float *class_weights,
                float factor)
{
    const int c = threadIdx.x;
    const bool is_class = c < work.classes;
    int64_t size = 0;

    for (int b = 0; is_class && b < blocks; b++)
        size += counts[(int64_t)b * pixel_threads + c];
    const int present = block_sum(size > 0 ? 1 : 0);
    const double weight = block_sum(is_class ? (double)class_weights[c] * (double)size : 0.0);
    if (is_class)
        work.sizes[c] = size;
    if (c == 0)
        *work.scale = present > 0 ? (double)factor * weight / present : 0.0;
}

template <int LANES, int SLOTS>
__global__ void __launch_bounds__(softmax_threads) softmax_kernel(struct lovasz_work work)
{
    const int lane = threadIdx.x % LANES;
    const int64_t at = blockIdx.x * (int64_t)(softmax_threads / LANES) + threadIdx.x / LANES;
    float value[SLOTS];

    load_pixel<LANES>(value, work, min(at, work.pixels - 1), lane);
    const float best = largest<LANES>(value), sum = powers<LANES>(value, best);
    if (lane == 0 && at < work.pixels)
        work.log_sum[at] = best + log2f(sum);
}

/* A probability that is no number stays, and shows in the loss. */
__device__ __forceinline__ float probability(const struct lovasz_work &work, int64_t pixel, int c)
{
    const int64_t line = pixel / work.width;
    const struct tap x = bilinear_tap((int)(pixel % work.width), work.column_scale, work.w);
    const struct row_pair pair = read_rows(work.logits + line / work.height * work.h * work.w * work.classes,
                                           bilinear_tap((int)(line % work.height), work.row_scale, work.h),
                                           (int64_t)work.w * work.classes, log2_e);
    const float logit = x.weight_low * mix_rows(pair, x.low, work.classes, c) +
                        x.weight_high * mix_rows(pair, x.high, work.classes, c);
    const float p = fast_exp2(logit - work.log_sum[pixel]);

    return p > 1.0f ? 1.0f : p;
}

__global__ void __launch_bounds__(pixel_threads) error_kernel(struct lovasz_work work)
{
    const int c = work.first + blockIdx.y;
    const int64_t i = blockIdx.x * (int64_t)pixel_threads + threadIdx.x, at = blockIdx.y * work.pixels + i;

    if (i >= work.pixels || work.sizes[c] == 0)
        return;
    const int label = work.labels[i];
    if (label == DF_IGNORE_LABEL) {
        work.pairs[at] = make_uint2(no_label, (unsigned)i);
        work.share[at] = 0.0f;
        return;
    }
    const float p = probability(work, i, c), error = label == c ? 1.0f - p : p;
    work.pairs[at] =
        make_uint2(most_key - (__float_as_uint(error) & most_key), (unsigned)i | (label == c ? own_bit : 0));
}

__device__ __forceinline__ bool is_own(uint2 pair)
{
    return pair.x != no_label && (pair.y & own_bit);
}

__global__ void __launch_bounds__(sort_threads) own_kernel(struct lovasz_work work)
{
    const struct pair_sort &sort = work.sort;
    const uint2 *const pairs = work.pairs + blockIdx.y * work.pixels;
    const int64_t begin = blockIdx.x * sort.run, end = min(begin + sort.run, work.pixels);
    int count = 0;

    if (work.sizes[work.first + blockIdx.y] == 0)
        return;
    for (int64_t i = begin + threadIdx.x; i < end; i += sort_threads)
        count += is_own(pairs[i]);
    count = block_sum(count);
    if (threadIdx.x == 0)
        work.own[(int64_t)blockIdx.y * sort.blocks + blockIdx.x] = count;
}

/* From the largest error to the smallest: what the Jaccard loss grows by with each. Those before it have
 * labels, `before` of them the class's. Returns its part of the loss. */
__device__ __forceinline__ double add_rank(const struct lovasz_work &work, uint2 pair, int64_t rank,
                                           int64_t before, float *share)
{
    const int64_t size = work.sizes[work.first + blockIdx.y];
    const double both = (double)(size - before), either = (double)(size + rank - before);
    const bool own = pair.y & own_bit;
    const float error = __uint_as_float(most_key - pair.x), p = own ? 1.0f - error : error;
    const double growth = own ? 1.0 / either : both / (either * (either + 1.0));

    share[pair.y & ~own_bit] = (float)(*work.scale * (own ? -growth : growth)) * p;
    return growth * (double)error;
}

__global__ void __launch_bounds__(sort_threads) rank_kernel(struct lovasz_work work)
{
    const struct pair_sort &sort = work.sort;
    const int *const own = work.own + (int64_t)blockIdx.y * sort.blocks;
    const int64_t list = blockIdx.y * work.pixels, begin = blockIdx.x * sort.run,
                  end = min(begin + sort.run, work.pixels), c = work.first + blockIdx.y;
    int before = 0;
    double loss = 0.0;

    if (work.sizes[c] == 0)
        return;
    for (int block = threadIdx.x; block < (int)blockIdx.x; block += sort_threads)
        before += own[block];
    before = block_sum(before);
    for (int64_t first = begin; first < end; first += sort_threads) {
        const int64_t i = first + threadIdx.x;
        const uint2 pair = i < end ? work.pairs[list + i] : make_uint2(no_label, 0);
        int all;
        const int prefix = block_prefix(is_own(pair) ? 1 : 0, all);
        if (pair.x != no_label)
            loss += add_rank(work, pair, i, before + prefix, work.share + list);
        before += all;
    }
    loss = block_sum(loss);
    if (threadIdx.x == 0)
        work.losses[c * sort.blocks + blockIdx.x] = loss;
}

__global__ void __launch_bounds__(pixel_threads) slope_kernel(struct lovasz_work work, float *slopes)
{
    const int64_t i = blockIdx.x * (int64_t)pixel_threads + threadIdx.x;

    if (i >= work.pixels)
        return;
    float sum = work.first > 0 ? slopes[i] : 0.0f;
    for (int list = 0; list < work.sort.lists; list++) {
        if (work.sizes[work.first + list] > 0)
            sum += work.share[list * work.pixels + i];
    }
    slopes[i] = sum;
}

/* Of what an output index reads, how much is this. */
__device__ __forceinline__ float weight_of(struct tap t, int source)
{
    return (t.low == source ? t.weight_low : 0.0f) + (t.high == source ? t.weight_high : 0.0f);
}

/* Brings the shares to a logit from the pixels that read it. */
__global__ void __launch_bounds__(gather_threads)
    gather_kernel(struct lovasz_work work, int64_t logits, float *gradient)
{
    const int64_t at = blockIdx.x * (int64_t)(gather_threads / warp_lanes) + threadIdx.x / warp_lanes;
    const int lane = threadIdx.x % warp_lanes, c = work.first + blockIdx.y;
    const int row = (int)(at / work.w % work.h), column = (int)(at % work.w);
    float sum = 0.0f;

    if (at >= logits)
        return;
    if (work.sizes[c] > 0) {
        const int top = first_reader(row - 1, work.row_scale, work.h, work.height);
        const int left = first_reader(column - 1, work.column_scale, work.w, work.width);
        const int rows = first_reader(row + 1, work.row_scale, work.h, work.height) - top;
        const int columns = first_reader(column + 1, work.column_scale, work.w, work.width) - left;
        const float *share = work.share + blockIdx.y * work.pixels +
                             (at / work.w / work.h * work.height + top) * work.width + left;
        for (int i = lane; i < rows * columns; i += warp_lanes) {
            const int y = i / columns, x = i % columns;
            sum += weight_of(bilinear_tap(top + y, work.row_scale, work.h), row) *
                   weight_of(bilinear_tap(left + x, work.column_scale, work.w), column) *
                   share[(int64_t)y * work.width + x];
        }
    }
    sum = warp_sum(sum);
    if (lane == 0)
        gradient[at * work.classes + c] = sum;
}

__global__ void __launch_bounds__(pixel_threads) loss_kernel(struct lovasz_work work, float *more)
{
    double loss = 0.0;

    for (int64_t i = threadIdx.x; i < (int64_t)work.classes * work.sort.blocks; i += pixel_threads) {
        if (work.sizes[i / work.sort.blocks] > 0)
            loss += work.losses[i];
    }
    loss = block_sum(loss);
    if (threadIdx.x == 0)
        *more = (float)(*work.scale * loss);
}

/* Hands out scratch memory; from NULL on, to count it. */
struct hand_out {
    size_t used;
    char *memory;

    template <typename T> T *take(int64_t count)
    {
        T *const part = memory ? reinterpret_cast<T *>(memory + used) : nullptr;
        used += (size_t)ceil_div(count * (int64_t)sizeof(T), (int64_t)16) * 16;
        return part;
    }
};

struct lovasz_work make_work(const struct df_upsample_loss *work, struct hand_out &scratch)
{
    const int64_t pixels = work->batch * work->height * work->width;
    const int64_t room = max((int64_t)1, min(most_lists, most_pairs / max((int64_t)1, pixels)));
    const int64_t lists = min(work->classes, room);
    struct lovasz_work w = {};

    static_cast<struct enlarged &>(w) =
        enlarged_logits(work->logits, work->h, work->w, work->classes, work->height, work->width);
    w.pixels = pixels;
    w.labels = work->labels;
    w.sort = plan_sort(max((int64_t)1, pixels), lists);
    w.sizes = scratch.take<int64_t>(work->classes);
    w.scale = scratch.take<double>(1);
    w.losses = scratch.take<double>(work->classes * w.sort.blocks);
    w.pairs = scratch.take<uint2>(lists * pixels);
    w.other = scratch.take<uint2>(lists * pixels);
    w.log_sum = scratch.take<float>(pixels);
    w.share = scratch.take<float>(lists * pixels);
    w.own = scratch.take<int>(lists * w.sort.blocks);
    w.sort.counts = scratch.take<int>(lists * sort_digits * w.sort.blocks);
    w.sort.totals = scratch.take<int>(lists * sort_digits);
    return w;
}

/* The classes from w.first on, as many as there are lists. */
void launch_classes(cudaStream_t stream, struct lovasz_work &w, int64_t logits, float *slopes,
                    float *gradient)
{
    const unsigned lists = (unsigned)w.sort.lists;
    const dim3 pixels((unsigned)ceil_div(w.pixels, (int64_t)pixel_threads), lists);
    const dim3 runs((unsigned)w.sort.blocks, lists);

    w.sort.wanted = w.sizes + w.first;
    DF_LAUNCH(error_kernel, pixels, dim3(pixel_threads), 0, stream, w);
    sort_pairs(stream, w.sort, w.pairs, w.other);
    DF_LAUNCH(own_kernel, runs, dim3(sort_threads), 0, stream, w);
    DF_LAUNCH(rank_kernel, runs, dim3(sort_threads), 0, stream, w);
    DF_LAUNCH(slope_kernel, dim3(pixels.x), dim3(pixel_threads), 0, stream, w, slopes);
    DF_LAUNCH(gather_kernel, dim3((unsigned)ceil_div(logits, (int64_t)(gather_threads / warp_lanes)), lists),
              dim3(gather_threads), 0, stream, w, logits, gradient);
}

} // namespace

size_t df_launch_lovasz_scratch(const struct df_upsample_loss *work)
{
    struct hand_out scratch = {};

    make_work(work, scratch);
    return scratch.used;
}

cudaError_t df_launch_lovasz(cudaStream_t stream, const struct df_upsample_loss *work, float factor,
                             void *memory, float *slopes, float *gradient, float *more)
{
    struct hand_out scratch = {0, static_cast<char *>(memory)};
    struct lovasz_work w = make_work(work, scratch);

    if (w.pixels == 0 || work->batch * work->h * work->w == 0)
        return cudaErrorInvalidValue;
    int *const counts = w.sort.counts; /* of labels, which are needed before those of digits */
    DF_LAUNCH(label_kernel, dim3((unsigned)w.sort.blocks), dim3(pixel_threads), 0, stream, w, counts);
    DF_LAUNCH(size_kernel, dim3(1), dim3(pixel_threads), 0, stream, w, counts, w.sort.blocks,
              work->terms->class_weights, factor);
    spread_classes(work->classes, [&](auto spread) {
        DF_LAUNCH((softmax_kernel<spread.lanes, spread.slots>),
                  dim3((unsigned)ceil_div(w.pixels, (int64_t)(softmax_threads / spread.lanes))),
                  dim3(softmax_threads), 0, stream, w);
    });
    const int most = w.sort.lists;
    for (w.first = 0; w.first < w.classes; w.first += most) {
        w.sort.lists = min(most, w.classes - w.first);
        launch_classes(stream, w, work->batch * work->h * work->w, slopes, gradient);
    }
    DF_LAUNCH(loss_kernel, dim3(1), dim3(pixel_threads), 0, stream, w, more);
    return cudaGetLastError();
}

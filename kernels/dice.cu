/* The sums of the Dice loss over a batch, and what they make of each pixel's probabilities: a pass over the
 * enlarged logits, of which none is stored.
 *
 * Shapes: logits [B, h, w, C] float32, labels bytes [B, H, W], as the loss has them (upsample_loss.cu).
 *
 * Geometry: a block has a run of pixels, a group of 4 to 32 lanes (upsample.cuh) every nth of them, with each
 * lane's classes in registers: their probabilities are added up there, and in shared memory what labels have.
 * The blocks' sums are added up by one block for each class, in their order, and one block makes slopes of
 * all. No atomics. Bound by arithmetic: an exponential and some ten other operations a class and pixel. */
#include "kernels.h"
#include "types.cuh"
#include "upsample.cuh"

#include "dinoft/labels.h"

namespace
{

constexpr int dice_threads = 128, most_blocks = 1024, class_threads = 128, finish_threads = 256;

struct dice_work : enlarged {
    int64_t pixels, run; /* of all, and of a block */
    const uint8_t *labels;
    float *partial; /* [blocks, 3, C]: sums of probabilities, of those of labels, numbers of labels */
    double *sums;   /* [3, C] */
};

/* Adds a group's classes to the run's sums, in shared memory. */
template <int LANES, int SLOTS>
__global__ void __launch_bounds__(dice_threads, 6) sums_kernel(struct dice_work work)
{
    constexpr int groups = dice_threads / LANES;
    DF_DYNAMIC_SHARED(float, shared); /* [groups, 3, C] */
    const int lane = threadIdx.x % LANES, group = threadIdx.x / LANES, classes = work.classes;
    const int64_t begin = blockIdx.x * work.run, end = min(begin + work.run, work.pixels);
    float *const own = shared + (int64_t)group * 3 * classes;
    float all[SLOTS];

    for (int k = 0; k < SLOTS; k++)
        all[k] = 0.0f;
    for (int c = lane; c < 3 * classes; c += LANES)
        own[c] = 0.0f;
    __syncwarp();
    for (int64_t first = begin; first < end; first += groups) {
        const int64_t pixel = min(first + group, end - 1);
        const int label = first + group < end ? (int)__ldg(work.labels + pixel) : DF_IGNORE_LABEL;
        float value[SLOTS];

        load_pixel<LANES>(value, work, pixel, lane);
        const float best = largest<LANES>(value), sum = powers<LANES>(value, best);
        if (label == DF_IGNORE_LABEL)
            continue;
#pragma unroll
        for (int k = 0; k < SLOTS; k++) {
            all[k] += value[k] / sum;
            if (k * LANES + lane != label)
                continue;
            own[classes + label] += value[k] / sum;
            own[2 * classes + label] += 1.0f;
        }
    }
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        if (k * LANES + lane < classes)
            own[k * LANES + lane] = all[k];
    }
    __syncthreads();
    for (int c = threadIdx.x; c < 3 * classes; c += dice_threads) {
        float sum = 0.0f;
        for (int g = 0; g < groups; g++)
            sum += shared[(int64_t)g * 3 * classes + c];
        work.partial[blockIdx.x * 3 * (int64_t)classes + c] = sum;
    }
}

/* sums[blockIdx.x] of the blocks' partial ones. */
__global__ void __launch_bounds__(class_threads) class_kernel(struct dice_work work, int blocks)
{
    double sum = 0.0;

    for (int64_t i = threadIdx.x; i < blocks; i += class_threads)
        sum += (double)work.partial[i * 3 * work.classes + blockIdx.x];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        work.sums[blockIdx.x] = sum;
}

/* A thread has one class. */
__global__ void __launch_bounds__(finish_threads)
    finish_kernel(struct dice_work work, const float *class_weights, float factor, float *region, float *more)
{
    const int c = threadIdx.x, classes = work.classes;
    const bool is_class = c < classes;
    const double count = is_class ? work.sums[2 * classes + c] : 0.0;
    const double weight = (double)factor * block_sum(is_class ? (double)class_weights[c] * count : 0.0);
    double dice = 0.0, slope = 0.0, loss = 0.0;

    if (count > 0.0) {
        const double size = work.sums[c] + count;
        dice = 2.0 * work.sums[classes + c] / size;
        slope = weight / (classes * size);
        loss = weight / classes * (1.0 - dice);
    }
    if (is_class) {
        region[c] = (float)(slope * dice);
        region[classes + c] = (float)(2.0 * slope);
    }
    loss = block_sum(loss);
    if (c == 0)
        *more = (float)loss;
}

struct dice_plan {
    int64_t blocks;
    size_t partial_bytes;
};

struct dice_plan make_plan(const struct df_upsample_loss *work)
{
    const int64_t pixels = work->batch * work->height * work->width;
    struct dice_plan plan;

    plan.blocks = min((int64_t)most_blocks, ceil_div(pixels, (int64_t)dice_threads));
    plan.partial_bytes =
        (size_t)ceil_div(plan.blocks * 3 * work->classes * (int64_t)sizeof(float), (int64_t)16) * 16;
    return plan;
}

} // namespace

size_t df_launch_dice_scratch(const struct df_upsample_loss *work)
{
    return make_plan(work).partial_bytes + (size_t)(3 * work->classes) * sizeof(double);
}

cudaError_t df_launch_dice(cudaStream_t stream, const struct df_upsample_loss *work, float factor,
                           void *scratch, float *region, float *more)
{
    const struct dice_plan plan = make_plan(work);
    struct dice_work w = {};

    if (plan.blocks == 0)
        return cudaErrorInvalidValue;
    static_cast<struct enlarged &>(w) =
        enlarged_logits(work->logits, work->h, work->w, work->classes, work->height, work->width);
    w.pixels = work->batch * work->height * work->width;
    w.run = ceil_div(w.pixels, plan.blocks);
    w.labels = work->labels;
    w.partial = static_cast<float *>(scratch);
    w.sums = reinterpret_cast<double *>(static_cast<char *>(scratch) + plan.partial_bytes);
    spread_classes(work->classes, [&](auto spread) {
        const size_t shared = (size_t)(dice_threads / spread.lanes * 3 * work->classes) * sizeof(float);
        DF_LAUNCH((sums_kernel<spread.lanes, spread.slots>), dim3((unsigned)plan.blocks), dim3(dice_threads),
                  shared, stream, w);
    });
    DF_LAUNCH(class_kernel, dim3((unsigned)(3 * work->classes)), dim3(class_threads), 0, stream, w,
              (int)plan.blocks);
    DF_LAUNCH(finish_kernel, dim3(1), dim3(finish_threads), 0, stream, w, work->terms->class_weights, factor,
              region, more);
    return cudaGetLastError();
}

/* Averages over windows and views of one image.
 *
 * Shapes: logits [h, w, C] float32 of one view, 35 x 35 or so; canvas and sums [H, W, C] float32 of the whole
 * image, C = 21 or 150.
 *
 * Geometry: add_window has a thread for one channel or, where C allows it, for four neighbours of one pixel
 * of the window; blocks run along x over a row and along y over rows. add_probabilities has a group of lanes
 * for a pixel (upsample.cuh), a warp for neighbouring pixels of one row: their softmax goes through shared
 * memory, so that the sums are read and written in whole lines however odd C is. argmax has a group of lanes
 * for a pixel, and each block a run of pixels.
 *
 * Bound by reading and writing the canvas or the sums once (argmax: by reading them). */
#include "kernels.h"
#include "loss_sum.cuh"
#include "types.cuh"
#include "upsample.cuh"
#include "vectors.cuh"

#include "dinoft/labels.h"

#include <cfloat>

namespace
{

constexpr int window_threads = 256, view_threads = 128, view_warps = view_threads / warp_lanes;
constexpr int64_t grid_y_limit = 65535, argmax_blocks_max = 1024;

/* --- windows --- */

template <int WIDTH>
__global__ void __launch_bounds__(window_threads)
    window_kernel(struct df_window window, const float *logits, float *canvas, float row_scale,
                  float column_scale)
{
    const int classes = (int)window.classes, size = (int)window.width * classes;
    const int at = ((int)blockIdx.x * window_threads + (int)threadIdx.x) * WIDTH;
    const int column = at / classes, c = at % classes;

    if (at >= size || window.left + column < 0 || window.left + column >= window.canvas_width)
        return;
    const struct tap x = bilinear_tap(column, column_scale, (int)window.w);
    for (int row = (int)blockIdx.y; row < window.height; row += (int)gridDim.y) {
        if (window.top + row < 0 || window.top + row >= window.canvas_height)
            continue;
        const struct row_pair pair =
            read_rows(logits, bilinear_tap(row, row_scale, (int)window.h), window.w * window.classes, 1.0f);
        float *const to =
            canvas + ((window.top + row) * window.canvas_width + window.left) * window.classes + at;
        const float weight = window.row_weight[row] * window.column_weight[column];
        float sums[WIDTH];

        load_vector(to, sums);
#pragma unroll
        for (int i = 0; i < WIDTH; i++)
            sums[i] += weight * (x.weight_low * mix_rows(pair, x.low, classes, c + i) +
                                 x.weight_high * mix_rows(pair, x.high, classes, c + i));
        store_global(to, sums);
    }
}

/* --- softmax of a view --- */

struct view : enlarged { /* of one image */
    bool mirrored;
};

/* Dynamic shared memory: the softmax of each warp's pixels, [pixels, C]. */
template <int LANES, int SLOTS>
__global__ void __launch_bounds__(view_threads) probability_kernel(struct view view, float *sum)
{
    DF_DYNAMIC_SHARED(float, all_probabilities);
    constexpr int groups = warp_lanes / LANES;
    const int lane = threadIdx.x % LANES, group = threadIdx.x % warp_lanes / LANES,
              warp = threadIdx.x / warp_lanes;
    const int classes = view.classes, first = ((int)blockIdx.x * view_warps + warp) * groups;
    const int pixels = min(groups, view.width - first); /* of the warp */
    const int column = min(first + group, view.width - 1);
    const struct tap x =
        bilinear_tap(view.mirrored ? view.width - 1 - column : column, view.column_scale, view.w);
    float *const probabilities = all_probabilities + warp * groups * classes;

    if (pixels <= 0)
        return;
    for (int row = (int)blockIdx.y; row < view.height; row += (int)gridDim.y) {
        const struct row_pair pair = read_rows(view.logits, bilinear_tap(row, view.row_scale, view.h),
                                               (int64_t)view.w * classes, log2_e);
        float value[SLOTS];

        load_mixed<LANES>(value, pair, x, classes, lane);
        const float inverse = 1.0f / powers<LANES>(value, largest<LANES>(value));
#pragma unroll
        for (int k = 0; k < SLOTS; k++) {
            if (k * LANES + lane < classes)
                probabilities[group * classes + k * LANES + lane] = inverse * value[k];
        }
        __syncwarp();
        float *const to = sum + ((int64_t)row * view.width + first) * classes;
        for (int i = threadIdx.x % warp_lanes; i < pixels * classes; i += warp_lanes)
            to[i] += probabilities[i];
        __syncwarp();
    }
}

/* --- argmax --- */

struct argmax_work {
    const float *sum;   /* [count, C] */
    int64_t count, run; /* pixels in all, and of a block: whole steps of its groups */
    int classes;
    float views;
    double log_views;
    const uint8_t *labels;
    uint8_t *prediction;
    float *confidence;
    struct df_loss_sum *partial;
};

template <int LANES, int SLOTS>
__global__ void __launch_bounds__(view_threads) argmax_kernel(struct argmax_work work)
{
    constexpr int step = view_threads / LANES; /* pixels at a time */
    const int lane = threadIdx.x % LANES, group = threadIdx.x / LANES, classes = work.classes;
    const int64_t begin = blockIdx.x * work.run, end = min(begin + work.run, work.count);
    double loss = 0.0;
    int64_t counted = 0;

    for (int64_t first = begin; first < end; first += step) {
        const int64_t pixel = first + group;
        const bool own = pixel < end;
        const float *const from = work.sum + (own ? pixel : begin) * classes;
        float value[SLOTS];

#pragma unroll
        for (int k = 0; k < SLOTS; k++)
            value[k] =
                k * LANES + lane < classes ? from[k * LANES + lane] : -1.0f; /* below any probability */
        const float most = largest<LANES>(value);
        const int best = first_class_with<LANES>(value, most, lane, classes);
        if (!own || lane > 0)
            continue;
        work.prediction[pixel] = (uint8_t)best;
        if (work.confidence)
            work.confidence[pixel] = most / work.views;
        const int label = work.labels ? (int)work.labels[pixel] : DF_IGNORE_LABEL;
        if (label == DF_IGNORE_LABEL)
            continue;
        loss += label < classes ? work.log_views - log((double)fmaxf(from[label], FLT_MIN)) : (double)NAN;
        counted++;
    }
    store_block_loss({loss, counted, (double)counted}, work.partial);
}

/* Pixels of a block: enough that there are not too many blocks, in steps of 32 groups, which are whole for
 * all kernels. */
int64_t argmax_run(int64_t count)
{
    return ceil_div(ceil_div(count, argmax_blocks_max), view_threads) * view_threads;
}

unsigned grid_rows(int64_t height)
{
    return (unsigned)(height < grid_y_limit ? height : grid_y_limit);
}

} // namespace

cudaError_t df_launch_add_window(cudaStream_t stream, const struct df_window *window, const float *logits,
                                 float *canvas)
{
    const float row_scale = (float)window->h / (float)window->height;
    const float column_scale = (float)window->w / (float)window->width;
    const bool vectors = window->classes % 4 == 0 && is_aligned_16(canvas);
    const int64_t elements = window->width * window->classes / (vectors ? 4 : 1);
    const dim3 grid((unsigned)ceil_div(elements, window_threads), grid_rows(window->height));

    if (elements == 0 || window->height == 0)
        return cudaSuccess;
    if (vectors)
        DF_LAUNCH(window_kernel<4>, grid, dim3(window_threads), 0, stream, *window, logits, canvas, row_scale,
                  column_scale);
    else
        DF_LAUNCH(window_kernel<1>, grid, dim3(window_threads), 0, stream, *window, logits, canvas, row_scale,
                  column_scale);
    return cudaGetLastError();
}

cudaError_t df_launch_add_probabilities(cudaStream_t stream, const float *logits, int64_t h, int64_t w,
                                        int64_t classes, bool mirrored, float *sum, int64_t height,
                                        int64_t width)
{
    const struct view view = {enlarged_logits(logits, h, w, classes, height, width), mirrored};

    if (height == 0 || width == 0)
        return cudaSuccess;
    spread_classes(classes, [&](auto spread) {
        constexpr int pixels = view_warps * spread.groups;
        DF_LAUNCH((probability_kernel<spread.lanes, spread.slots>),
                  dim3((unsigned)ceil_div(width, pixels), grid_rows(height)), dim3(view_threads),
                  (size_t)(pixels * classes) * sizeof(float), stream, view, sum);
    });
    return cudaGetLastError();
}

size_t df_launch_argmax_scratch(int64_t count)
{
    return count > 0 ? (size_t)ceil_div(count, argmax_run(count)) * sizeof(struct df_loss_sum) : 0;
}

cudaError_t df_launch_argmax(cudaStream_t stream, const float *sum, int64_t count, int64_t classes,
                             int64_t views, const uint8_t *labels, uint8_t *prediction, float *confidence,
                             void *scratch, struct df_loss_sum *loss)
{
    struct df_loss_sum *const partial = static_cast<struct df_loss_sum *>(scratch);

    if (count == 0)
        return cudaErrorInvalidValue;
    const struct argmax_work work = {
        sum,    count,      argmax_run(count), (int)classes, (float)views, log((double)views),
        labels, prediction, confidence,        partial};
    const int64_t blocks = ceil_div(count, work.run);
    spread_classes(classes, [&](auto spread) {
        DF_LAUNCH((argmax_kernel<spread.lanes, spread.slots>), dim3((unsigned)blocks), dim3(view_threads), 0,
                  stream, work);
    });
    finish_loss(stream, partial, blocks, nullptr, loss);
    return cudaGetLastError();
}

/* Bilinear upsampling of logits fused with softmax, cross-entropy, its gradient and the arg max; nothing of
 * the upsampled size is stored. And the upsampled logits themselves, for those who want them.
 *
 * Shapes: logits [B, h, w, C] float32 with h x w = 35 x 35 (1x1 decoder, 490 x 490 pixels) to 116 x 116
 * (FPN), C = 21 or 150; labels and prediction bytes [B, H, W].
 *
 * Geometry: a cell is the output pixels whose low source row and column are i and j, 14 x 14 or 4 x 4 of
 * them. A group of 4 to 32 lanes (upsample.cuh) walks along a strip of cells of one row, pixel by pixel, with
 * each lane's classes of the two source columns in registers. The gradients of a cell's right corners become
 * those of the next one's left corners. A strip is one cell where there are few, and at most 8. All groups of
 * a warp take equally many steps, those that have fewer pixels idle, so that shuffles meet.
 *
 * The gradient without atomics: a strip writes rows i (`low`) and i + 1 (`high`) of its own columns to two
 * buffers of the logits' size, and its last right corners to smaller ones (`edge`). A second kernel adds the
 * up to four parts of an element in a fixed order and divides by the number of pixels that count, which the
 * device has by then.
 *
 * Bound by arithmetic: an exponential and some ten other operations a class and pixel. Traffic: logits and
 * labels once, and five times the gradient's size (two buffers written and read, the result written). */
#include "kernels.h"
#include "loss_sum.cuh"
#include "types.cuh"
#include "upsample.cuh"

#include "dinoft/labels.h"

namespace
{

constexpr int block_threads =
    64; /* few, so that no multiprocessor waits long for the last block of another */
constexpr int combine_threads = 256, logits_threads = 128, logits_classes = 32;
constexpr int64_t enough_threads = 1 << 18; /* to fill a device: more are better spent on longer strips */
constexpr int strip_max = 8;
constexpr float product_max = 1e30f; /* times a sum of at most max_classes powers, this is still a float */

struct loss_work : enlarged {
    int batch;
    int strip, strips; /* cells of a strip, strips of a row */
    const uint8_t *labels;
    uint8_t *prediction, *sigmoid_prediction;
    float *confidence;
    float *low, *high;           /* [B, h, w, C] */
    float *edge_low, *edge_high; /* [B, h, strips, C] */
    struct df_loss_sum *partial;
    /* of a loss with terms */
    const float *class_weights; /* [C] */
    float weight_sum;           /* of these */
    float hit, share;           /* how much of a pixel's loss is its label's, and each class's */
    float gamma;                /* of the focal loss; 0: it is none */
    /* of a loss of all pixels, as struct df_loss_terms has it; each NULL where there is none */
    const float *region, *slopes, *more_gradient;
};

/* -log2 softmax summed up: one logarithm serves many pixels. */
struct loss_total {
    double sum;
    float product; /* of sums of powers whose logarithm is not in `sum` yet */
    int count;
    double weight; /* where there are terms; else as much as count */
};

__device__ __forceinline__ void settle(struct loss_total &total)
{
    total.sum += (double)log2f(total.product);
    total.product = 1.0f;
}

/* The gradients of a cell's four corners, for the lane's classes. */
template <int SLOTS> struct corners {
    float low_left[SLOTS], low_right[SLOTS], high_left[SLOTS], high_right[SLOTS];
};

template <int SLOTS> __device__ __forceinline__ void clear(float (&values)[SLOTS])
{
#pragma unroll
    for (int k = 0; k < SLOTS; k++)
        values[k] = 0.0f;
}

template <int SLOTS>
__device__ __forceinline__ void add_scaled(float (&to)[SLOTS], float factor, const float (&values)[SLOTS])
{
#pragma unroll
    for (int k = 0; k < SLOTS; k++)
        to[k] += factor * values[k];
}

/* The lane's classes of the pixel at `to`. */
template <int LANES, int SLOTS>
__device__ __forceinline__ void store_classes(float *to, const float (&values)[SLOTS], int classes, int lane)
{
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        if (k * LANES + lane < classes)
            to[k * LANES + lane] = values[k];
    }
}

/* Takes from the gradients what the labels' classes have, and clears `hits` [C] of the group: corners in the
 * order low left, low right, high left, high right. */
template <int LANES, int SLOTS>
__device__ __forceinline__ void take_hits(struct corners<SLOTS> &gradient, float4 *hits, int classes,
                                          int lane)
{
    __syncwarp();
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        const int c = k * LANES + lane;
        if (c >= classes)
            continue;
        const float4 hit = hits[c];
        gradient.low_left[k] -= hit.x;
        gradient.low_right[k] -= hit.y;
        gradient.high_left[k] -= hit.z;
        gradient.high_right[k] -= hit.w;
        hits[c] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    }
    __syncwarp();
}

/* The lane's classes times their weights. */
template <int LANES, int SLOTS>
__device__ __forceinline__ float weighted_sum(const float *weights, const float (&value)[SLOTS], int classes,
                                              int lane)
{
    float sum = 0.0f;
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        const int c = k * LANES + lane;
        if (c < classes)
            sum += __ldg(weights + c) * value[k];
    }
    return sum;
}

/* The lane's classes times `factor` and what a loss of all pixels makes of their probabilities. */
template <int LANES, int SLOTS>
__device__ __forceinline__ void weigh_by_region(const struct loss_work &work, float (&value)[SLOTS],
                                                float factor, int lane)
{
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        const int c = k * LANES + lane;
        value[k] *= factor + (c < work.classes ? __ldg(work.region + c) : 0.0f);
    }
}

/* Takes from the gradients what smoothing has, and clears the pixels' weights of each corner, in the order of
 * hits. */
template <int LANES, int SLOTS>
__device__ __forceinline__ void take_smoothing(const struct loss_work &work, struct corners<SLOTS> &gradient,
                                               float4 &pixels, int lane)
{
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        const int c = k * LANES + lane;
        if (c >= work.classes)
            continue;
        const float share = work.share * __ldg(work.class_weights + c);
        gradient.low_left[k] -= share * pixels.x;
        gradient.low_right[k] -= share * pixels.y;
        gradient.high_left[k] -= share * pixels.z;
        gradient.high_right[k] -= share * pixels.w;
    }
    pixels = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
}

/* A group's position. */
struct strip {
    int image, row, first, end; /* cells [first, end) of source row `row`; empty: the group only keeps pace */
    int index;                  /* in the row */
    int top, bottom;            /* output rows */
};

__device__ __forceinline__ struct strip own_strip(const struct loss_work &work, int64_t group)
{
    struct strip s = {0, 0, 0, 0, 0, 0, 0};
    const int64_t row = group / work.strips;

    if (row >= (int64_t)work.batch * work.h)
        return s;
    s.image = (int)(row / work.h);
    s.row = (int)(row % work.h);
    s.index = (int)(group % work.strips);
    s.first = s.index * work.strip;
    s.end = min(s.first + work.strip, work.w);
    s.top = first_reader(s.row, work.row_scale, work.h, work.height);
    s.bottom = first_reader(s.row + 1, work.row_scale, work.h, work.height);
    return s;
}

/* Writes the left corners' gradients, which are complete, and makes the right ones those of the next cell's
 * left. */
template <int LANES, int SLOTS>
__device__ __forceinline__ void store_cell(const struct loss_work &work, const struct strip &s, int column,
                                           struct corners<SLOTS> &gradient, int lane)
{
    const int64_t row = (int64_t)s.image * work.h + s.row;
    const int64_t at = (row * work.w + column) * work.classes,
                  edge = (row * work.strips + s.index) * work.classes;

    if (s.row == work.h - 1) { /* reads itself as the row below */
        add_scaled(gradient.low_left, 1.0f, gradient.high_left);
        add_scaled(gradient.low_right, 1.0f, gradient.high_right);
    }
    if (column == work.w - 1) { /* reads itself as the column to the right */
        add_scaled(gradient.low_left, 1.0f, gradient.low_right);
        add_scaled(gradient.high_left, 1.0f, gradient.high_right);
    }
    store_classes<LANES>(work.low + at, gradient.low_left, work.classes, lane);
    if (s.row < work.h - 1)
        store_classes<LANES>(work.high + at, gradient.high_left, work.classes, lane);
    if (column == s.end - 1 && column < work.w - 1) {
        store_classes<LANES>(work.edge_low + edge, gradient.low_right, work.classes, lane);
        if (s.row < work.h - 1)
            store_classes<LANES>(work.edge_high + edge, gradient.high_right, work.classes, lane);
    }
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        gradient.low_left[k] = gradient.low_right[k];
        gradient.high_left[k] = gradient.high_right[k];
    }
    clear(gradient.low_right);
    clear(gradient.high_right);
}

/* The group's hits [C], in dynamic shared memory. */
template <bool GRADIENT> __device__ __forceinline__ float4 *own_hits(int group, int classes)
{
    if constexpr (GRADIENT) {
        DF_DYNAMIC_SHARED(float4, hits);
        return hits + group * classes;
    } else {
        return nullptr;
    }
}

/* The cell that a group is in. */
struct cell {
    int column, right_column; /* of the logits */
    int begin, end;           /* output columns */
    int steps;                /* the most that a group of the warp has */
    bool own;                 /* else the group only keeps pace */
};

/* Adds the loss of a pixel: its largest logit, the label's, and the sum of all powers. */
__device__ __forceinline__ void add_loss(struct loss_total &total, float best, float logit, float sum)
{
    total.sum += (double)(best - logit);
    total.product *= sum;
    total.count++;
    if (total.product > product_max)
        settle(total);
}

/* What the focal loss multiplies a pixel's loss and its gradient by. p: its label's probability, rest: that
 * of all others, minus_log: -log p. */
struct focus {
    float loss, gradient;
};

__device__ __forceinline__ struct focus focus_of(float gamma, float p, float rest, float minus_log)
{
    if (gamma == 0.0f)
        return {1.0f, 1.0f};
    if (rest <= 0.0f)
        return {0.0f, 0.0f};
    const float power = exp2f(gamma * log2f(rest));
    return {power, power + power / rest * (gamma * p * minus_log)};
}

/* The same of a loss with terms, where each lane adds the smoothing of its classes, whose weighted logits are
 * `dot`. Returns how much of the gradient is the label's. */
__device__ __forceinline__ float add_loss_of_terms(const struct loss_work &work, struct loss_total &total,
                                                   float weight, float best, float logit, float sum,
                                                   float dot, int lane)
{
    const double log_sum = (double)best + (double)log2f(sum), minus_log = log_sum - (double)logit;
    const float power = fast_exp2(logit - best), own = work.hit * weight;
    const struct focus focus =
        focus_of(work.gamma, power / sum, (sum - power) / sum, (float)(minus_log * ln_2));

    total.sum -= (double)work.share * (double)dot;
    if (lane == 0)
        total.sum +=
            (double)(own * focus.loss) * minus_log + (double)(work.share * work.weight_sum) * log_sum;
    total.count++;
    total.weight += (double)weight;
    return own * focus.gradient;
}

/* corners += factor * the pixel's weights. */
__device__ __forceinline__ void add_corners(float4 &corners, float factor, struct tap y, struct tap x)
{
    corners.x += factor * (y.weight_low * x.weight_low);
    corners.y += factor * (y.weight_low * x.weight_high);
    corners.z += factor * (y.weight_high * x.weight_low);
    corners.w += factor * (y.weight_high * x.weight_high);
}

__device__ __forceinline__ void add_hit(float4 *hits, int label, float factor, struct tap y, struct tap x)
{
    float4 hit = hits[label];
    add_corners(hit, factor, y, x);
    hits[label] = hit;
}

/* No logit (times log2_e) below this has the float32 sigmoid of `best`: it is further away than eight steps
 * of what the sigmoid is rounded to, over its slope. */
__device__ __forceinline__ float lowest_tie(float best)
{
    if (best > 24.5f)
        return 23.9f; /* 1 + 2^-x is 1 */
    if (best < -115.0f)
        return -INFINITY; /* 2^-x leaves the normal numbers, or nearly */
    return best - 0x1p-19f * (1.0f + fast_exp2(best));
}

__device__ __forceinline__ float sigmoid_of_power(float x)
{
    return 1.0f / (1.0f + exp2f(-x));
}

/* The lowest class whose float32 sigmoid is that of `best`, which `first` is the first class to have. Almost
 * always it is `first`: sigmoids are computed where another class is so near to it in one of the warp's
 * pixels. */
template <int LANES, int SLOTS>
__device__ __forceinline__ int first_class_of_sigmoid(const float (&value)[SLOTS], float best, int first,
                                                      int lane)
{
    const float lowest = lowest_tie(best);
    bool near = false;
#pragma unroll
    for (int k = 0; k < SLOTS; k++)
        near = near || (value[k] >= lowest && k * LANES + lane < first);
    if (!__any_sync(all_lanes, near))
        return first;
    const float most = sigmoid_of_power(best);
    int index = first;
#pragma unroll
    for (int k = SLOTS - 1; k >= 0; k--)
        index = sigmoid_of_power(value[k]) == most ? min(index, k * LANES + lane) : index;
    return group_min<LANES>(index);
}

/* A pixel's predictions, where they are wanted; without `own` the lanes only keep pace. */
template <int LANES, int SLOTS, bool GRADIENT>
__device__ __forceinline__ void predict(const struct loss_work &work, const float (&value)[SLOTS], float best,
                                        int64_t pixel, bool own, int lane)
{
    if (!work.prediction)
        return;
    const int first = first_class_with<LANES>(value, best, lane, work.classes);
    if (own && lane == 0)
        work.prediction[pixel] = (uint8_t)first;
    if (!GRADIENT && work.sigmoid_prediction) {
        const int tied = first_class_of_sigmoid<LANES>(value, best, first, lane);
        if (own && lane == 0)
            work.sigmoid_prediction[pixel] = (uint8_t)tied;
    }
}

/* The pixels of one output row of the cell; without own_row none of them. */
template <int LANES, int SLOTS, bool GRADIENT, bool TERMS>
__device__ __forceinline__ void
walk_row(const struct loss_work &work, const struct strip &s, const struct cell &cell, int row, bool own_row,
         int lane, float4 *hits, struct corners<SLOTS> &gradient, float4 &smoothed, struct loss_total &total)
{
    const int classes = work.classes;
    const struct tap y = bilinear_tap(min(row, work.height - 1), work.row_scale, work.h);
    const struct row_pair pair = read_rows(work.logits + (int64_t)s.image * work.h * work.w * classes, y,
                                           (int64_t)work.w * classes, log2_e);
    const int64_t line = ((int64_t)s.image * work.height + row) * work.width;
    float left[SLOTS], right[SLOTS], dleft[SLOTS], dright[SLOTS];

    load_column<LANES>(left, pair, cell.column, classes, lane);
    load_column<LANES>(right, pair, cell.right_column, classes, lane);
    clear(dleft);
    clear(dright);
    for (int i = 0; i < cell.steps; i++) {
        const int at = cell.begin + i;
        const bool own = own_row && at < cell.end;
        const struct tap x = bilinear_tap(at, work.column_scale, work.w);
        float value[SLOTS];

#pragma unroll
        for (int k = 0; k < SLOTS; k++)
            value[k] = x.weight_low * left[k] + x.weight_high * right[k];
        const float best = largest<LANES>(value);
        predict<LANES, SLOTS, GRADIENT>(work, value, best, line + at, own, lane);
        if (!work.labels && (GRADIENT || !work.confidence))
            continue;
        const int label = own && work.labels ? (int)__ldg(work.labels + line + at) : DF_IGNORE_LABEL;
        const float dot =
            TERMS && work.share > 0.0f ? weighted_sum<LANES>(work.class_weights, value, classes, lane) : 0.0f;
        const float sum = powers<LANES>(value, best);
        if (!GRADIENT && work.confidence && own && lane == 0)
            work.confidence[line + at] = 1.0f / sum;
        const float slope =
            TERMS && work.region
                ? group_sum<LANES>(weighted_sum<LANES>(work.region, value, classes, lane)) / sum
                : 0.0f;
        if (label == DF_IGNORE_LABEL)
            continue;
        if (label >= classes) { /* shows, where a write beyond the arrays might not */
            total.sum = (double)NAN;
            continue;
        }
        const float logit = x.weight_low * mix_rows(pair, cell.column, classes, label) +
                            x.weight_high * mix_rows(pair, cell.right_column, classes, label);
        float factor = 1.0f, hit = 1.0f; /* of the probabilities' gradient, and of the label's */
        if (TERMS) {
            const float weight = __ldg(work.class_weights + label);
            hit = add_loss_of_terms(work, total, weight, best, logit, sum, dot, lane);
            factor = hit + work.share * work.weight_sum;
            if (work.slopes)
                factor -= __ldg(work.slopes + line + at);
            add_corners(smoothed, 1.0f, y, x);
            if (work.region) {
                const float of_label = __ldg(work.region + classes + label) * (fast_exp2(logit - best) / sum);
                hit += of_label;
                weigh_by_region<LANES>(work, value, factor + of_label - slope, lane);
                factor = 1.0f;
            }
        } else {
            add_loss(total, best, logit, sum);
        }
        if (!GRADIENT)
            continue;
        add_scaled(dleft, x.weight_low * factor / sum, value);
        add_scaled(dright, x.weight_high * factor / sum, value);
        if (lane == 0)
            add_hit(hits, label, hit, y, x);
    }
    if (GRADIENT) {
        add_scaled(gradient.low_left, y.weight_low, dleft);
        add_scaled(gradient.low_right, y.weight_low, dright);
        add_scaled(gradient.high_left, y.weight_high, dleft);
        add_scaled(gradient.high_right, y.weight_high, dright);
    }
}

template <int LANES, int SLOTS, bool GRADIENT, bool TERMS>
__global__ void __launch_bounds__(block_threads, SLOTS <= 8 ? 6 : 4) loss_kernel(struct loss_work work)
{
    const int lane = threadIdx.x % LANES, group = threadIdx.x / LANES;
    const struct strip s = own_strip(work, (int64_t)blockIdx.x * (block_threads / LANES) + group);
    const int rows = warp_max(s.end > s.first ? s.bottom - s.top : 0);
    float4 *const hits = own_hits<GRADIENT>(group, work.classes);
    struct loss_total total = {0.0, 1.0f, 0, 0.0};
    float4 smoothed = make_float4(0.0f, 0.0f, 0.0f, 0.0f); /* weights of pixels, as hits are */
    struct corners<SLOTS> gradient;
    int next = first_reader(s.first, work.column_scale, work.w, work.width);

    clear(gradient.low_left);
    clear(gradient.low_right);
    clear(gradient.high_left);
    clear(gradient.high_right);
    for (int c = lane; GRADIENT && c < work.classes; c += LANES)
        hits[c] = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    __syncwarp();
    for (int i = 0; i < work.strip; i++) {
        struct cell cell;
        cell.own = s.first + i < s.end;
        cell.column = cell.own ? s.first + i : 0;
        cell.right_column = min(cell.column + 1, work.w - 1);
        cell.begin = next;
        if (cell.own)
            next = first_reader(cell.column + 1, work.column_scale, work.w, work.width);
        cell.end = next;
        cell.steps = warp_max(cell.end - cell.begin);
        for (int r = 0; r < rows; r++) {
            const bool own_row = cell.own && s.top + r < s.bottom;
            walk_row<LANES, SLOTS, GRADIENT, TERMS>(work, s, cell, own_row ? s.top + r : s.top, own_row, lane,
                                                    hits, gradient, smoothed, total);
        }
        if (GRADIENT) {
            take_hits<LANES>(gradient, hits, work.classes, lane);
            if (TERMS)
                take_smoothing<LANES>(work, gradient, smoothed, lane);
            if (cell.own)
                store_cell<LANES>(work, s, cell.column, gradient, lane);
        }
    }
    settle(total);
    if (!TERMS)
        total.weight = (double)total.count;
    const bool own = lane == 0; /* the others have what smoothing takes from it */
    store_block_loss({own || TERMS ? total.sum * ln_2 : 0.0, own ? total.count : 0, own ? total.weight : 0.0},
                     work.partial);
}

/* dlogits = (what rows i and i - 1 have left of it) / weight. */
__global__ void __launch_bounds__(combine_threads)
    combine_kernel(struct loss_work work, const struct df_loss_sum *loss, float *dlogits)
{
    const int64_t at = (int64_t)blockIdx.x * combine_threads + threadIdx.x;
    const int64_t row_size = (int64_t)work.w * work.classes;
    const int64_t row = at / row_size;
    const int column = (int)(at % row_size) / work.classes, c = (int)(at % row_size) % work.classes;

    if (row >= (int64_t)work.batch * work.h)
        return;
    const bool below = row % work.h > 0, edge = column > 0 && column % work.strip == 0;
    const int64_t edge_at = (row * work.strips + column / work.strip - 1) * work.classes + c;
    float sum = work.low[at];
    if (edge)
        sum += work.edge_low[edge_at];
    if (below)
        sum += work.high[at - row_size];
    if (below && edge)
        sum += work.edge_high[edge_at - (int64_t)work.strips * work.classes];
    if (work.more_gradient)
        sum += work.more_gradient[at];
    dlogits[at] = sum * (loss->weight > 0.0 ? (float)(1.0 / loss->weight) : 0.0f);
}

/* --- planning and launches --- */

struct plan {
    struct loss_work work;
    int64_t blocks, edge_elements; /* of each of two buffers */
};

struct plan make_plan(const struct df_upsample_loss *work)
{
    struct plan plan = {};
    struct loss_work &w = plan.work;

    w.batch = (int)work->batch;
    static_cast<struct enlarged &>(w) =
        enlarged_logits(work->logits, work->h, work->w, work->classes, work->height, work->width);
    w.labels = work->labels;
    w.prediction = work->prediction;
    w.sigmoid_prediction = work->sigmoid_prediction;
    w.confidence = work->confidence;
    if (work->terms) {
        w.class_weights = work->terms->class_weights;
        w.weight_sum = work->terms->weight_sum;
        w.hit = work->terms->pixel * (1.0f - work->terms->smoothing);
        w.share = work->terms->pixel * work->terms->smoothing / (float)work->classes;
        w.region = work->terms->region;
        w.slopes = work->terms->slopes;
        w.more_gradient = work->terms->gradient;
        w.gamma = work->terms->gamma;
    }
    spread_classes(work->classes, [&](auto spread) {
        const int64_t rows = work->batch * work->h, most = rows * work->w * spread.lanes / enough_threads;
        w.strip = (int)(most < 1 ? 1 : most < strip_max ? most : strip_max);
        w.strips = (int)ceil_div(work->w, w.strip);
        plan.blocks = ceil_div(rows * w.strips, block_threads / spread.lanes);
        plan.edge_elements = rows * w.strips * work->classes;
    });
    return plan;
}

} // namespace

size_t df_launch_upsample_loss_scratch(const struct df_upsample_loss *work)
{
    const struct plan plan = make_plan(work);
    return (size_t)plan.blocks * sizeof(struct df_loss_sum) +
           (work->dlogits ? 2 * (size_t)plan.edge_elements * sizeof(float) : 0);
}

cudaError_t df_launch_upsample_loss(cudaStream_t stream, const struct df_upsample_loss *work,
                                    float *gradient_scratch, void *scratch, struct df_loss_sum *loss)
{
    struct plan plan = make_plan(work);
    struct loss_work &w = plan.work;
    const int64_t elements = work->batch * work->h * work->w * work->classes;

    if (elements == 0 || work->height == 0 || work->width == 0)
        return cudaErrorInvalidValue;
    w.partial = static_cast<struct df_loss_sum *>(scratch);
    w.low = gradient_scratch;
    w.high = gradient_scratch + elements;
    w.edge_low = reinterpret_cast<float *>(w.partial + plan.blocks);
    w.edge_high = w.edge_low + plan.edge_elements;
    spread_classes(work->classes, [&](auto spread) {
        const dim3 grid((unsigned)plan.blocks), block(block_threads);
        const size_t hits = (size_t)(block_threads / spread.lanes * work->classes) * sizeof(float4);
        if (work->terms)
            DF_LAUNCH((loss_kernel<spread.lanes, spread.slots, true, true>), grid, block, hits, stream, w);
        else if (work->dlogits)
            DF_LAUNCH((loss_kernel<spread.lanes, spread.slots, true, false>), grid, block, hits, stream, w);
        else
            DF_LAUNCH((loss_kernel<spread.lanes, spread.slots, false, false>), grid, block, 0, stream, w);
    });
    finish_loss(stream, w.partial, plan.blocks, work->terms ? work->terms->more : nullptr, loss);
    if (work->dlogits)
        DF_LAUNCH(combine_kernel, dim3((unsigned)ceil_div(elements, combine_threads)), dim3(combine_threads),
                  0, stream, w, loss, work->dlogits);
    return cudaGetLastError();
}

/* --- upsampled logits: a block has a run of one output row's pixels and some classes, a thread one pixel, so
 * that planes are written in whole lines. Bound by writing them; what is read again comes from the cache. ---
 */

namespace
{

__global__ void __launch_bounds__(logits_threads)
    logits_kernel(const float *logits, float *out, int batch, int h, int w, int classes, int height,
                  int width, float row_scale, float column_scale)
{
    const int runs = (int)ceil_div(width, logits_threads), parts = (int)ceil_div(classes, logits_classes);
    const int64_t line = blockIdx.x / (unsigned)(runs * parts); /* of all images' */
    const int rest = (int)(blockIdx.x % (unsigned)(runs * parts));
    const int x = rest % runs * logits_threads + threadIdx.x, first = rest / runs * logits_classes;
    const int64_t image = line / height;
    const int row = (int)(line % height);

    if (x >= width || image >= batch)
        return;
    const struct tap across = bilinear_tap(x, column_scale, w);
    const struct row_pair pair = read_rows(logits + image * h * w * classes, bilinear_tap(row, row_scale, h),
                                           (int64_t)w * classes, 1.0f);
    const int64_t plane = (int64_t)height * width;
    float *to = out + image * classes * plane + (int64_t)row * width + x;
    const int end = min(first + logits_classes, classes);
#pragma unroll 4
    for (int c = first; c < end; c++)
        to[c * plane] = across.weight_low * mix_rows(pair, across.low, classes, c) +
                        across.weight_high * mix_rows(pair, across.high, classes, c);
}

} // namespace

cudaError_t df_launch_upsample_logits(cudaStream_t stream, const float *logits, float *out, int64_t batch,
                                      int64_t h, int64_t w, int64_t classes, int64_t height, int64_t width)
{
    const int64_t blocks =
        batch * height * ceil_div(width, logits_threads) * ceil_div(classes, logits_classes);

    if (blocks == 0)
        return cudaSuccess;
    DF_LAUNCH(logits_kernel, dim3((unsigned)blocks), dim3(logits_threads), 0, stream, logits, out, (int)batch,
              (int)h, (int)w, (int)classes, (int)height, (int)width, (float)h / (float)height,
              (float)w / (float)width);
    return cudaGetLastError();
}

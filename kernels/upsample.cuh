/* Bilinear upsampling of logits [h, w, C] and the softmax of an upsampled pixel: what the loss, the upsampled
 * logits and the averages over views share.
 *
 * A pixel belongs to a group of neighbouring lanes of a warp, of which each has every LANES-th class in
 * registers. */
#ifndef DINOFT_UPSAMPLE_CUH
#define DINOFT_UPSAMPLE_CUH

#include "mma.cuh"
#include "types.cuh"

constexpr int max_classes = 255; /* labels are uint8 */

/* The value for classes that do not exist: its exponential is 0. */
constexpr float padding_logit = -1e30f;

/* Exponentials are powers of 2: logits are multiplied by this where they are mixed. */
constexpr float log2_e = 1.44269504f;
constexpr double ln_2 = 0.693147180559945309;

/* --- where an output index reads in one direction, by PyTorch's rule in its float32 --- */

struct tap {
    int low, high;
    float weight_low, weight_high;
};

/* The products are rounded before anything is added: a compiler that fuses them in one place and not in
 * another would let two kernels disagree on where a pixel reads. */
__device__ __forceinline__ struct tap bilinear_tap(int i, float scale, int in)
{
    const float source = fmaxf(__fsub_rn(__fmul_rn((float)i + 0.5f, scale), 0.5f), 0.0f);
    struct tap t;

    t.low = min((int)source, in - 1);
    t.high = t.low < in - 1 ? t.low + 1 : t.low;
    t.weight_high = fminf(source - (float)t.low, 1.0f);
    t.weight_low = 1.0f - t.weight_high;
    return t;
}

/* The first output index whose low source index is not below `source`; `out` if there is none. The formula
 * turned around is right up to rounding. */
__device__ __forceinline__ int first_reader(int source, float scale, int in, int out)
{
    if (source <= 0)
        return 0;
    if (source >= in)
        return out;
    int i = min(max((int)(((float)source + 0.5f) / scale - 0.5f), 0), out);
    while (i > 0 && bilinear_tap(i - 1, scale, in).low >= source)
        i--;
    while (i < out && bilinear_tap(i, scale, in).low < source)
        i++;
    return i;
}

/* --- groups of lanes --- */

/* How a number of classes is spread: class slot * LANES + lane is in `slot` of a lane. */
template <int LANES_, int SLOTS_> struct class_spread {
    static constexpr int lanes = LANES_, slots = SLOTS_, groups = warp_lanes / LANES_; /* groups of a warp */
};

/* Host: calls f with the class_spread for so many classes. Many slots make few shuffles, and lanes that are
 * few waste no slots. */
template <typename F> void spread_classes(int64_t classes, F f)
{
    if (classes <= 8)
        f(class_spread<4, 2>());
    else if (classes <= 16)
        f(class_spread<4, 4>());
    else if (classes <= 24)
        f(class_spread<4, 6>());
    else if (classes <= 32)
        f(class_spread<4, 8>());
    else if (classes <= 64)
        f(class_spread<8, 8>());
    else if (classes <= 128)
        f(class_spread<16, 8>());
    else if (classes <= 160)
        f(class_spread<16, 10>());
    else
        f(class_spread<32, 8>());
}

/* Over a group; all lanes of the warp take part. */
template <int LANES> __device__ __forceinline__ float group_sum(float value)
{
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        value += __shfl_xor_sync(all_lanes, value, distance);
    return value;
}

template <int LANES> __device__ __forceinline__ float group_max(float value)
{
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        value = fmaxf(value, __shfl_xor_sync(all_lanes, value, distance));
    return value;
}

template <int LANES> __device__ __forceinline__ int group_min(int value)
{
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        value = min(value, __shfl_xor_sync(all_lanes, value, distance));
    return value;
}

/* The largest of the group's values. A NaN is skipped. */
template <int LANES, int SLOTS> __device__ __forceinline__ float largest(const float (&value)[SLOTS])
{
    float best = value[0];
#pragma unroll
    for (int k = 1; k < SLOTS; k++)
        best = fmaxf(best, value[k]);
    return group_max<LANES>(best);
}

/* The lowest class that has the value; the last class where none does (NaN). */
template <int LANES, int SLOTS>
__device__ __forceinline__ int first_class_with(const float (&value)[SLOTS], float best, int lane,
                                                int classes)
{
    int index = classes - 1;
#pragma unroll
    for (int k = SLOTS - 1; k >= 0; k--)
        index = value[k] == best ? min(index, k * LANES + lane) : index;
    return group_min<LANES>(index);
}

/* value = 2^(value - best); returns the sum over the group. */
template <int LANES, int SLOTS> __device__ __forceinline__ float powers(float (&value)[SLOTS], float best)
{
    float sum = 0.0f;
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        value[k] = fast_exp2(value[k] - best);
        sum += value[k];
    }
    return group_sum<LANES>(sum);
}

/* --- mixing --- */

/* The two rows of logits that an output row reads, and their weights. */
struct row_pair {
    const float *upper, *lower; /* [w, C] */
    float weight_upper, weight_lower;
};

/* logits is one image [h, w, C]; the weights are multiplied by `factor`. */
__device__ __forceinline__ struct row_pair read_rows(const float *logits, struct tap y, int64_t row_size,
                                                     float factor)
{
    return {logits + y.low * row_size, logits + y.high * row_size, y.weight_low * factor,
            y.weight_high * factor};
}

/* One class of source column `column`, between the two rows. */
__device__ __forceinline__ float mix_rows(const struct row_pair &rows, int64_t column, int classes, int c)
{
    const int64_t at = column * classes + c;
    return rows.weight_upper * __ldg(rows.upper + at) + rows.weight_lower * __ldg(rows.lower + at);
}

/* The lane's classes of a source column. */
template <int LANES, int SLOTS>
__device__ __forceinline__ void load_column(float (&value)[SLOTS], const struct row_pair &rows,
                                            int64_t column, int classes, int lane)
{
#pragma unroll
    for (int k = 0; k < SLOTS; k++) {
        const int c = k * LANES + lane;
        value[k] = c < classes ? mix_rows(rows, column, classes, c) : padding_logit;
    }
}

/* The lane's classes of an output pixel, between the two source columns of `x`. */
template <int LANES, int SLOTS>
__device__ __forceinline__ void load_mixed(float (&value)[SLOTS], const struct row_pair &rows, struct tap x,
                                           int classes, int lane)
{
    float right[SLOTS];

    load_column<LANES>(value, rows, x.low, classes, lane);
    load_column<LANES>(right, rows, x.high, classes, lane);
#pragma unroll
    for (int k = 0; k < SLOTS; k++)
        value[k] = x.weight_low * value[k] + x.weight_high * right[k];
}

/* --- enlarged logits --- */

/* Logits [B, h, w, C], and the size to which they are enlarged. */
struct enlarged {
    const float *logits;
    int h, w, classes, height, width;
    float row_scale, column_scale;
};

static inline struct enlarged enlarged_logits(const float *logits, int64_t h, int64_t w, int64_t classes,
                                              int64_t height, int64_t width)
{
    return {logits,
            (int)h,
            (int)w,
            (int)classes,
            (int)height,
            (int)width,
            (float)h / (float)height,
            (float)w / (float)width};
}

/* The lane's classes of a pixel of all images, times log2_e. */
template <int LANES, int SLOTS>
__device__ __forceinline__ void load_pixel(float (&value)[SLOTS], const struct enlarged &from, int64_t pixel,
                                           int lane)
{
    const int64_t line = pixel / from.width;
    const struct tap x = bilinear_tap((int)(pixel % from.width), from.column_scale, from.w);
    const struct row_pair pair = read_rows(from.logits + line / from.height * from.h * from.w * from.classes,
                                           bilinear_tap((int)(line % from.height), from.row_scale, from.h),
                                           (int64_t)from.w * from.classes, log2_e);

    load_mixed<LANES>(value, pair, x, from.classes, lane);
}

#endif

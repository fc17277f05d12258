/* BatchNorm over the rows of [M, C] with the ReLU that may follow it, forward and backward.
 *
 * Shapes: M is batch * height * width of a decoder's map (up to millions), C its channels: 21 to 255, often
 * odd, or the backbone's width.
 *
 * Geometry: the map is one long array. A block has a run of rows and steps through it by a period, which is
 * the smallest number of whole rows that is also a whole number of 16-byte vectors, times as often as it fits
 * into 256 threads. So a thread reads vectors without gaps, and its four elements belong to the same four
 * channels in every step: sums and parameters stay in registers. (Where C is so large that a period does not
 * fit, blocks have 256 channels each and threads one, and read single elements.) Runs depend on the shape
 * alone, and partial sums are added in their order. Sums are taken in double, of x less its first row, which
 * is exact enough in one pass.
 *
 * Traffic: training forward reads x twice and writes y; evaluation reads x and writes y; backward reads x, y
 * and dy twice and writes dx. What the second pass reads may still be in the L2 cache. */
#include "kernels.h"
#include "vectors.cuh"
#include "types.cuh"

namespace
{

constexpr int block_threads = 256;
constexpr int64_t chunks_max = 1024;                 /* runs of rows */
constexpr int64_t chunk_elements = 8192;             /* at least, in a run */
constexpr int finish_columns = 32, finish_rows = 16; /* threads that add up partial sums */

/* How blocks and threads share [rows, channels]. A thread's first element of a run is `lane * width`, and the
 * next `stride` further on. */
struct sweep {
    int64_t rows, channels;
    int64_t chunk_rows, chunks;
    int64_t stride; /* elements that all threads of a block step over together */
    int lanes;      /* threads that take part */
    int slice;      /* channels that a block has */
    int slices;
};

int64_t greatest_divisor(int64_t a, int64_t b)
{
    return b == 0 ? a : greatest_divisor(b, a % b);
}

struct sweep make_sweep(int64_t rows, int64_t channels, int *width)
{
    const int64_t vectors = channels / greatest_divisor(channels, 4); /* in the smallest period */
    struct sweep s = {rows, channels, 0, 0, 0, 0, 0, 0};

    if (vectors <= block_threads) {
        *width = 4;
        s.lanes = (int)(block_threads / vectors * vectors);
        s.stride = 4 * s.lanes;
        s.slice = (int)channels;
        s.slices = 1;
    } else {
        *width = 1;
        s.lanes = block_threads;
        s.stride = channels;
        s.slice = block_threads;
        s.slices = (int)ceil_div(channels, block_threads);
    }
    /* Four rows are whole vectors, so every run begins at one. */
    const int64_t least = ceil_div(chunk_elements, channels), share = ceil_div(rows, chunks_max);
    s.chunk_rows = ceil_div(least > share ? least : share, 4) * 4;
    s.chunks = ceil_div(rows, s.chunk_rows);
    return s;
}

/* The elements of a block's run: [begin, end), the first that this thread has, and the channel of that one.
 */
struct run {
    int64_t begin, end;
    int channel;
    bool active;
};

template <int WIDTH> __device__ __forceinline__ struct run own_run(const struct sweep &s)
{
    const int64_t first = blockIdx.x * s.chunk_rows;
    const int64_t last = min(first + s.chunk_rows, s.rows);
    const int64_t offset =
        WIDTH == 4 ? (int64_t)threadIdx.x * 4 : (int64_t)blockIdx.y * s.slice + threadIdx.x;
    struct run r;

    r.begin = first * s.channels + offset;
    r.end = last * s.channels;
    r.channel = (int)(offset % s.channels);
    r.active = (int)threadIdx.x < s.lanes && (WIDTH == 4 || offset < s.channels);
    return r;
}

/* The channel of the thread's i-th element. */
template <int WIDTH>
__device__ __forceinline__ int own_channel(const struct sweep &s, const struct run &r, int i)
{
    return WIDTH == 4 ? (int)((r.channel + i) % s.channels) : r.channel;
}

/* Elements `at` and the following; 0 from `end` on. */
template <int WIDTH>
__device__ __forceinline__ void read(const float *p, int64_t at, int64_t end, float (&values)[WIDTH])
{
    if constexpr (WIDTH == 4) {
        if (at + 4 <= end) {
            load_vector(p + at, values);
            return;
        }
    }
#pragma unroll
    for (int i = 0; i < WIDTH; i++)
        values[i] = at + i < end ? p[at + i] : 0.0f;
}

/* What the sums are taken of. Without dy: x - its first row, and the square of that. With dy: g = dy, where y
 * is there only where y > 0, and g * n, n being the normalised x. */
struct sum_source {
    const float *x, *y, *dy;
    const float *mean, *rstd;
};

/* dy where it passes the ReLU, whose output is y; without one (NULL) everywhere. */
template <int WIDTH>
__device__ __forceinline__ void read_gradient(const struct sum_source &source, int64_t at, int64_t end,
                                              float (&g)[WIDTH])
{
    read<WIDTH>(source.dy, at, end, g);
    if (!source.y)
        return;
    float y[WIDTH];
    read<WIDTH>(source.y, at, end, y);
#pragma unroll
    for (int i = 0; i < WIDTH; i++)
        g[i] = y[i] > 0.0f ? g[i] : 0.0f;
}

template <int WIDTH>
__device__ __forceinline__ void write(float *p, int64_t at, int64_t end, const float (&values)[WIDTH])
{
    if constexpr (WIDTH == 4) {
        if (at + 4 <= end) {
            store_global(p + at, values);
            return;
        }
    }
#pragma unroll
    for (int i = 0; i < WIDTH; i++) {
        if (at + i < end)
            p[at + i] = values[i];
    }
}

/* --- sums --- */

/* partial [chunks, 2, C]: both sums over each run. */
template <int WIDTH, bool GRADIENT>
__global__ void __launch_bounds__(block_threads, 2)
    sum_kernel(struct sum_source source, struct sweep s, double *partial)
{
    DF_SHARED(double, sums, [2][4 * block_threads]);
    const struct run r = own_run<WIDTH>(s);
    double first[WIDTH], second[WIDTH];
    float a[WIDTH], b[WIDTH]; /* the first row; mean and rstd */

#pragma unroll
    for (int i = 0; i < WIDTH; i++) {
        first[i] = second[i] = 0.0;
        a[i] = b[i] = 0.0f;
        if (r.active) {
            const int channel = own_channel<WIDTH>(s, r, i);
            a[i] = GRADIENT ? source.mean[channel] : source.x[channel];
            b[i] = GRADIENT ? source.rstd[channel] : 0.0f;
        }
    }
    for (int64_t at = r.active ? r.begin : r.end; at < r.end; at += s.stride) {
        float x[WIDTH];
        read<WIDTH>(source.x, at, r.end, x);
        if constexpr (GRADIENT) {
            float g[WIDTH];
            read_gradient<WIDTH>(source, at, r.end, g);
#pragma unroll
            for (int i = 0; i < WIDTH; i++) {
                first[i] += (double)g[i];
                second[i] += (double)g[i] * (double)((x[i] - a[i]) * b[i]);
            }
        } else {
#pragma unroll
            for (int i = 0; i < WIDTH; i++) {
                const double value = at + i < r.end ? (double)x[i] - (double)a[i] : 0.0;
                first[i] += value;
                second[i] += value * value;
            }
        }
    }
    double *to = partial + (int64_t)blockIdx.x * 2 * s.channels;
    if constexpr (WIDTH == 1) { /* nobody else has the channel */
        if (r.active) {
            to[r.channel] = first[0];
            to[s.channels + r.channel] = second[0];
        }
    } else {
#pragma unroll
        for (int i = 0; i < WIDTH; i++) {
            sums[0][threadIdx.x * 4 + i] = first[i];
            sums[1][threadIdx.x * 4 + i] = second[i];
        }
        __syncthreads();
        /* Elements of a period, `channels` apart, are of one channel. */
        for (int i = threadIdx.x; i < 2 * s.slice; i += block_threads) {
            const int which = i / s.slice;
            double total = 0.0;
            for (int at = i % s.slice; at < 4 * s.lanes; at += s.slice)
                total += sums[which][at];
            to[i] = total;
        }
    }
}

/* One channel's two sums over all runs; valid in the threads of row 0. */
__device__ __forceinline__ void add_partials(const double *partial, int64_t channels, int64_t chunks,
                                             int64_t channel, double *first, double *second)
{
    DF_SHARED(double, sums, [2][finish_rows][finish_columns]);
    double a = 0.0, b = 0.0;

    for (int64_t chunk = threadIdx.y; channel < channels && chunk < chunks; chunk += finish_rows) {
        a += partial[chunk * 2 * channels + channel];
        b += partial[(chunk * 2 + 1) * channels + channel];
    }
    sums[0][threadIdx.y][threadIdx.x] = a;
    sums[1][threadIdx.y][threadIdx.x] = b;
    __syncthreads();
    *first = *second = 0.0;
    for (int row = 0; threadIdx.y == 0 && row < finish_rows; row++) {
        *first += sums[0][row][threadIdx.x];
        *second += sums[1][row][threadIdx.x];
    }
}

/* Writes save_mean and save_rstd (biased variance) and moves the running statistics (unbiased variance). */
__global__ void __launch_bounds__(finish_columns *finish_rows)
    statistics_kernel(const double *partial, int64_t chunks, const float *x, struct df_batchnorm norm)
{
    const int64_t channel = (int64_t)blockIdx.x * finish_columns + threadIdx.x;
    const double rows = (double)norm.rows;
    double first, second;

    add_partials(partial, norm.channels, chunks, channel, &first, &second);
    if (threadIdx.y > 0 || channel >= norm.channels)
        return;
    const double offset = first / rows, mean = (double)x[channel] + offset, momentum = (double)norm.momentum;
    double variance = second / rows - offset * offset;
    variance = variance < 0.0 ? 0.0 : variance; /* keeps NaN */
    const double unbiased = norm.rows > 1 ? variance * (rows / (rows - 1.0)) : variance;
    norm.save_mean[channel] = (float)mean;
    norm.save_rstd[channel] = (float)(1.0 / sqrt(variance + (double)norm.eps));
    norm.running_mean[channel] =
        (float)((1.0 - momentum) * (double)norm.running_mean[channel] + momentum * mean);
    norm.running_var[channel] =
        (float)((1.0 - momentum) * (double)norm.running_var[channel] + momentum * unbiased);
}

__global__ void __launch_bounds__(finish_columns *finish_rows)
    parameter_gradient_kernel(const double *partial, int64_t chunks, int64_t channels, float *dgamma,
                              float *dbeta)
{
    const int64_t channel = (int64_t)blockIdx.x * finish_columns + threadIdx.x;
    double first, second;

    add_partials(partial, channels, chunks, channel, &first, &second);
    if (threadIdx.y > 0 || channel >= channels)
        return;
    dbeta[channel] = (float)first;
    dgamma[channel] = (float)second;
}

/* --- element by element --- */

template <int WIDTH>
__global__ void __launch_bounds__(block_threads, 2)
    normalize_kernel(struct df_batchnorm norm, bool training, const float *x, struct sweep s, float *y)
{
    const struct run r = own_run<WIDTH>(s);
    float mean[WIDTH], rstd[WIDTH], gamma[WIDTH], beta[WIDTH];

    if (!r.active)
        return;
#pragma unroll
    for (int i = 0; i < WIDTH; i++) {
        const int channel = own_channel<WIDTH>(s, r, i);
        mean[i] = training ? norm.save_mean[channel] : norm.running_mean[channel];
        rstd[i] = training ? norm.save_rstd[channel] : 1.0f / sqrtf(norm.running_var[channel] + norm.eps);
        gamma[i] = norm.gamma[channel];
        beta[i] = norm.beta[channel];
    }
    for (int64_t at = r.begin; at < r.end; at += s.stride) {
        float values[WIDTH];
        read<WIDTH>(x, at, r.end, values);
#pragma unroll
        for (int i = 0; i < WIDTH; i++) {
            const float value = (values[i] - mean[i]) * rstd[i] * gamma[i] + beta[i];
            values[i] = norm.relu && value < 0.0f ? 0.0f : value; /* keeps NaN */
        }
        write<WIDTH>(y, at, r.end, values);
    }
}

/* dx = gamma * rstd * (g - mean(g) - n * mean(g * n)); dgamma and dbeta hold the sums of g * n and g. */
template <int WIDTH>
__global__ void __launch_bounds__(block_threads, 2)
    gradient_kernel(struct sum_source source, struct sweep s, const float *gamma, const float *dgamma,
                    const float *dbeta, float inverse_rows, float *dx)
{
    const struct run r = own_run<WIDTH>(s);
    float mean[WIDTH], rstd[WIDTH], scale[WIDTH], mean_g[WIDTH], mean_gn[WIDTH];

    if (!r.active)
        return;
#pragma unroll
    for (int i = 0; i < WIDTH; i++) {
        const int channel = own_channel<WIDTH>(s, r, i);
        mean[i] = source.mean[channel];
        rstd[i] = source.rstd[channel];
        scale[i] = gamma[channel] * rstd[i];
        mean_g[i] = dbeta[channel] * inverse_rows;
        mean_gn[i] = dgamma[channel] * inverse_rows;
    }
    for (int64_t at = r.begin; at < r.end; at += s.stride) {
        float x[WIDTH], g[WIDTH];
        read<WIDTH>(source.x, at, r.end, x);
        read_gradient<WIDTH>(source, at, r.end, g);
#pragma unroll
        for (int i = 0; i < WIDTH; i++)
            x[i] = scale[i] * (g[i] - mean_g[i] - (x[i] - mean[i]) * rstd[i] * mean_gn[i]);
        write<WIDTH>(dx, at, r.end, x);
    }
}

/* --- launches --- */

struct plan {
    struct sweep sweep;
    int width;
    dim3 grid, finish_grid, finish_block;
};

struct plan make_plan(const struct df_batchnorm *norm)
{
    struct plan plan;
    plan.sweep = make_sweep(norm->rows, norm->channels, &plan.width);
    plan.grid = dim3((unsigned)plan.sweep.chunks, (unsigned)plan.sweep.slices);
    plan.finish_grid = dim3((unsigned)ceil_div(norm->channels, finish_columns));
    plan.finish_block = dim3(finish_columns, finish_rows);
    return plan;
}

template <int WIDTH>
void launch_forward(cudaStream_t stream, const struct plan &plan, const struct df_batchnorm &norm,
                    bool training, const float *x, float *y, double *partial)
{
    if (training) {
        const struct sum_source source = {x, nullptr, nullptr, nullptr, nullptr};
        DF_LAUNCH((sum_kernel<WIDTH, false>), plan.grid, dim3(block_threads), 0, stream, source, plan.sweep,
                  partial);
        DF_LAUNCH(statistics_kernel, plan.finish_grid, plan.finish_block, 0, stream, partial,
                  plan.sweep.chunks, x, norm);
    }
    DF_LAUNCH(normalize_kernel<WIDTH>, plan.grid, dim3(block_threads), 0, stream, norm, training, x,
              plan.sweep, y);
}

template <int WIDTH>
void launch_backward(cudaStream_t stream, const struct plan &plan, const struct df_batchnorm &norm,
                     const struct sum_source &source, float *dx, float *dgamma, float *dbeta, double *partial)
{
    DF_LAUNCH((sum_kernel<WIDTH, true>), plan.grid, dim3(block_threads), 0, stream, source, plan.sweep,
              partial);
    DF_LAUNCH(parameter_gradient_kernel, plan.finish_grid, plan.finish_block, 0, stream, partial,
              plan.sweep.chunks, norm.channels, dgamma, dbeta);
    DF_LAUNCH(gradient_kernel<WIDTH>, plan.grid, dim3(block_threads), 0, stream, source, plan.sweep,
              norm.gamma, dgamma, dbeta, (float)(1.0 / (double)norm.rows), dx);
}

} // namespace

size_t df_launch_batchnorm_scratch(const struct df_batchnorm *norm)
{
    return (size_t)(make_plan(norm).sweep.chunks * 2 * norm->channels) * sizeof(double);
}

cudaError_t df_launch_batchnorm_forward(cudaStream_t stream, const struct df_batchnorm *norm, bool training,
                                        const float *x, float *y, void *scratch)
{
    const struct plan plan = make_plan(norm);
    double *partial = static_cast<double *>(scratch);

    if (plan.width == 4)
        launch_forward<4>(stream, plan, *norm, training, x, y, partial);
    else
        launch_forward<1>(stream, plan, *norm, training, x, y, partial);
    return cudaGetLastError();
}

cudaError_t df_launch_batchnorm_backward(cudaStream_t stream, const struct df_batchnorm *norm, const float *x,
                                         const float *y, const float *dy, float *dx, float *dgamma,
                                         float *dbeta, void *scratch)
{
    const struct plan plan = make_plan(norm);
    const struct sum_source source = {x, norm->relu ? y : nullptr, dy, norm->save_mean, norm->save_rstd};
    double *partial = static_cast<double *>(scratch);

    if (plan.width == 4)
        launch_backward<4>(stream, plan, *norm, source, dx, dgamma, dbeta, partial);
    else
        launch_backward<1>(stream, plan, *norm, source, dx, dgamma, dbeta, partial);
    return cudaGetLastError();
}

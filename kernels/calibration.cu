/* How sure and how right the pixels of each bin of confidences are: confidence float32, prediction and labels
 * uint8 [count] -> three sums of integers for each bin.
 *
 * Geometry: a thread has a run of 16 pixels, a block 4096. Neighbours are mostly in the same bin, so that a
 * thread adds to the block's sums, in shared memory, only where the bin changes; a block adds its own to the
 * device's. Atomics of integers give the same sums in whatever order. Bound by reading 6 bytes a pixel. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

constexpr int run_pixels = 16, fields = 3;

__device__ __forceinline__ void add(int64_t *to, int64_t value)
{
    atomicAdd(reinterpret_cast<unsigned long long *>(to), (unsigned long long)value);
}

__device__ __forceinline__ int bin_of(float confidence)
{
    return min(max((int)ceilf(confidence * DF_CALIBRATION_BINS) - 1, 0), DF_CALIBRATION_BINS - 1);
}

__device__ __forceinline__ void add_bin(int64_t *sums, int bin, struct df_calibration_bin own)
{
    add(sums + fields * bin, own.pixels);
    add(sums + fields * bin + 1, own.right);
    add(sums + fields * bin + 2, own.confidence);
}

__global__ void __launch_bounds__(vector_threads)
    calibration(const float *confidence, const uint8_t *prediction, const uint8_t *labels, int64_t count,
                struct df_calibration_bin *bins)
{
    DF_SHARED(int64_t, sums, [fields * DF_CALIBRATION_BINS]);
    const int64_t first = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * run_pixels;
    const int pixels = (int)min((int64_t)run_pixels, count - first);
    struct df_calibration_bin own = {0, 0, 0};
    int bin = 0;

    if (threadIdx.x < fields * DF_CALIBRATION_BINS)
        sums[threadIdx.x] = 0;
    __syncthreads();
    for (int i = 0; i < pixels; i++) {
        const int label = labels[first + i];
        if (label == DF_IGNORE_LABEL)
            continue;
        const float sure = confidence[first + i];
        const int next = bin_of(sure);
        if (next != bin && own.pixels > 0) {
            add_bin(sums, bin, own);
            own = {0, 0, 0};
        }
        bin = next;
        own.pixels++;
        own.right += prediction[first + i] == label;
        own.confidence += llrintf(sure * (float)DF_CONFIDENCE_UNITS);
    }
    if (own.pixels > 0)
        add_bin(sums, bin, own);
    __syncthreads();
    if (threadIdx.x < fields * DF_CALIBRATION_BINS && sums[threadIdx.x] > 0)
        add(&bins->pixels + threadIdx.x, sums[threadIdx.x]);
}

static_assert(sizeof(struct df_calibration_bin) == fields * sizeof(int64_t), "bins are written as integers");

} // namespace

cudaError_t df_launch_calibration(cudaStream_t stream, const float *confidence, const uint8_t *prediction,
                                  const uint8_t *labels, int64_t count, struct df_calibration_bin *bins)
{
    if (count == 0)
        return cudaSuccess;
    DF_LAUNCH(calibration, dim3((unsigned)ceil_div(count, vector_threads * run_pixels)), vector_threads, 0,
              stream, confidence, prediction, labels, count, bins);
    return cudaGetLastError();
}

/* How often each label meets each prediction: prediction, labels uint8 [count] -> matrix int64 [C + 1, C],
 * the confusion matrix with a row for pixels that have no label.
 *
 * Geometry: a thread has a run of 16 pixels, a block 4096. Neighbours mostly agree, so that a thread adds to
 * the table only where the pair changes: atomically, which for integers gives the same sums in whatever
 * order. Bound by these additions, of which there are about as many as runs; the 2 bytes of a pixel come
 * through the L1 cache. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

constexpr int run_pixels = 16;

__device__ __forceinline__ void add_pixels(int64_t *matrix, int pair, int pixels)
{
    atomicAdd(reinterpret_cast<unsigned long long *>(matrix) + pair, (unsigned long long)pixels);
}

__global__ void __launch_bounds__(vector_threads)
    confusion_matrix(const uint8_t *prediction, const uint8_t *labels, int64_t count, int classes,
                     int64_t *matrix)
{
    const int64_t first = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * run_pixels;
    const int pixels = (int)min((int64_t)run_pixels, count - first);
    int pair = 0, together = 0;

    for (int i = 0; i < pixels; i++) {
        const int label = labels[first + i];
        const int next = (label == DF_IGNORE_LABEL ? classes : label) * classes + prediction[first + i];
        if (next != pair && together > 0) {
            add_pixels(matrix, pair, together);
            together = 0;
        }
        pair = next;
        together++;
    }
    if (together > 0)
        add_pixels(matrix, pair, together);
}

} // namespace

cudaError_t df_launch_confusion_matrix(cudaStream_t stream, const uint8_t *prediction, const uint8_t *labels,
                                       int64_t count, int64_t classes, int64_t *matrix)
{
    if (count == 0)
        return cudaSuccess;
    DF_LAUNCH(confusion_matrix, dim3((unsigned)ceil_div(count, vector_threads * run_pixels)), vector_threads,
              0, stream, prediction, labels, count, (int)classes, matrix);
    return cudaGetLastError();
}

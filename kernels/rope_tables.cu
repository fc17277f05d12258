/* The tables of DINOv3's rotary position embedding: tables [count, 2, h * w, head size] float32.
 *
 * Geometry: a thread has an angle, which stands twice in a row of the sines and twice in one of the cosines;
 * a block 256 of them. Bound by sines and cosines: the accurate ones, since angles go up to 2 pi * rescale
 * over the shortest period, where the fast ones are off in the third digit. Those have an array in local
 * memory for angles beyond 1e5, which there are none of. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

/* The centre of cell i of n on [-1, 1], in float as the official code computes it. */
__device__ __forceinline__ float coordinate(int64_t i, int64_t n, float rescale)
{
    return (2.0f * (((float)i + 0.5f) / (float)n) - 1.0f) * rescale;
}

__global__ void __launch_bounds__(vector_threads)
    rope_tables(const float *periods, const float *rescale, int64_t count, int64_t h, int64_t w,
                int head_size, float *tables)
{
    const int quarter = head_size / 4, half = head_size / 2;
    const int64_t at = (int64_t)blockIdx.x * vector_threads + threadIdx.x, patches = h * w;
    const int64_t row = at / half, table = row / patches, patch = row % patches;
    const int i = (int)(at % half);
    if (table >= count)
        return;

    const float along =
        i < quarter ? coordinate(patch / w, h, rescale[table]) : coordinate(patch % w, w, rescale[table]);
    const float angle = 6.28318530717958647692f * along / periods[i % quarter];
    float *const s = tables + (2 * table * patches + patch) * head_size + i, *const c =
                                                                                 s + patches * head_size;
    s[0] = s[half] = sinf(angle);
    c[0] = c[half] = cosf(angle);
}

} // namespace

cudaError_t df_launch_rope_tables(cudaStream_t stream, const float *periods, const float *rescale,
                                  int64_t count, int64_t h, int64_t w, int64_t head_size, float *tables)
{
    const int64_t angles = count * h * w * (head_size / 2);

    if (angles == 0)
        return cudaSuccess;
    DF_LAUNCH(rope_tables, dim3((unsigned)ceil_div(angles, (int64_t)vector_threads)), vector_threads, 0,
              stream, periods, rescale, count, h, w, (int)head_size, tables);
    return cudaGetLastError();
}

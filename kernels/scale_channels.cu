/* Maps whose channels are multiplied with a factor of each image: x, y [B, P, C], factors [B, C], all
 * float32.
 *
 * Geometry: a thread takes 4 elements where an image has a multiple of 4, else 1; grid (an image's elements /
 * those of a block, images). Bound by memory: 4 bytes read and 4 written for an element; factors come from
 * the L2 cache. */
#include "kernels.h"
#include "vectors.cuh"

namespace
{

template <int WIDTH>
__global__ void __launch_bounds__(vector_threads)
    scale_channels(const float *x, const float *factors, int64_t batch, int count, int channels, float *y)
{
    const int at = ((int)blockIdx.x * vector_threads + (int)threadIdx.x) * WIDTH;

    if (at >= count)
        return;
    for (int64_t image = blockIdx.y; image < batch; image += gridDim.y) {
        const float *own = factors + image * channels;
        float values[WIDTH];
        int channel = at % channels;
        load_vector(x + image * count + at, values);
#pragma unroll
        for (int i = 0; i < WIDTH; i++) {
            values[i] *= own[channel];
            channel = channel + 1 == channels ? 0 : channel + 1;
        }
        store_global(y + image * count + at, values);
    }
}

} // namespace

cudaError_t df_launch_scale_channels(cudaStream_t stream, const float *x, const float *factors, int64_t batch,
                                     int64_t positions, int64_t channels, float *y)
{
    const int64_t count = positions * channels;
    const bool vectors = count % 4 == 0;
    const dim3 grid((unsigned)ceil_div(count, vector_threads * (vectors ? 4 : 1)),
                    (unsigned)(batch < max_grid_y ? batch : max_grid_y));

    if (count == 0 || batch == 0)
        return cudaSuccess;
    if (vectors)
        DF_LAUNCH(scale_channels<4>, grid, vector_threads, 0, stream, x, factors, batch, (int)count,
                  (int)channels, y);
    else
        DF_LAUNCH(scale_channels<1>, grid, vector_threads, 0, stream, x, factors, batch, (int)count,
                  (int)channels, y);
    return cudaGetLastError();
}

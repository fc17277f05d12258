/* Pixels to patches: pixels uint8 [B, H, W, 3] -> image float32 [B, 3, H, W], normalised; image -> patches [B
 * * P, 3 * p * p], float32 or bfloat16, a row in the order (channel, y, x).
 *
 * Normalising: a thread has 4 pixels, three words in and 16 bytes out for each of the three planes (one
 * pixel, where H W is no multiple of 4). Grid: (blocks of 256 threads in an image, images). Bound by memory:
 * 3 bytes read and 12 written for a pixel, both coalesced.
 *
 * Patches: the p lines of one channel that a row of patches is cut from lie together in image, w * p * p
 * floats; in patches they are w runs of p * p. A thread moves neighbours of one line of a patch, 4 where p
 * allows (16), 2 where it is even (14), and has 4 such groups a block apart, whose loads are all under way
 * before the first is stored. Threads follow the order of patches, so that a warp's writes are coalesced; it
 * reads runs of p floats, and what a line of the cache has beside them is read by the next warps. Other sizes
 * of patches go the same way element by element. Grid: (rows of patches times channels, parts). Bound by
 * memory: 4 bytes read, 4 or 2 written for an element. */
#include "kernels.h"
#include "normalize.cuh"
#include "vectors.cuh"

namespace
{

constexpr int groups_of_thread = 4;

/* Four pixels' bytes, as they lie in three words, to the four values of each channel. */
__device__ __forceinline__ void normalize_four(const uint32_t (&words)[3], float (&values)[3][4],
                                               const struct normalization &n)
{
#pragma unroll
    for (int i = 0; i < 12; i++)
        values[i % 3][i / 3] = normalize(words[i / 4] >> (8 * (i % 4)) & 0xffu, i % 3, n);
}

__global__ void __launch_bounds__(vector_threads)
    normalize_fours(const uint8_t *pixels, float *image, int64_t batch, int64_t plane, struct normalization n)
{
    const int64_t at = ((int64_t)blockIdx.x * vector_threads + threadIdx.x) * 4;
    if (at >= plane)
        return;
    for (int64_t b = blockIdx.y; b < batch; b += gridDim.y) {
        const uint32_t *from = reinterpret_cast<const uint32_t *>(pixels + (b * plane + at) * 3);
        const uint32_t words[3] = {from[0], from[1], from[2]};
        float values[3][4];
        normalize_four(words, values, n);
#pragma unroll
        for (int c = 0; c < 3; c++)
            store_global(image + (b * 3 + c) * plane + at, values[c]);
    }
}

__global__ void __launch_bounds__(vector_threads)
    normalize_ones(const uint8_t *pixels, float *image, int64_t batch, int64_t plane, struct normalization n)
{
    const int64_t at = (int64_t)blockIdx.x * vector_threads + threadIdx.x;
    if (at >= plane)
        return;
    for (int64_t b = blockIdx.y; b < batch; b += gridDim.y) {
        const uint8_t *from = pixels + (b * plane + at) * 3;
#pragma unroll
        for (int c = 0; c < 3; c++)
            image[(b * 3 + c) * plane + at] = normalize(from[c], c, n);
    }
}

/* PATCH: the side of a patch, known to the compiler so that it divides by constants; 0: `side` says. */
template <typename T, int PATCH, int N>
__global__ void __launch_bounds__(vector_threads)
    cut_patches(const float *image, T *patches, int h, int w, int side)
{
    const int patch = PATCH > 0 ? PATCH : side, area = patch * patch;
    const int line_groups = patch / N, patch_groups = patch * line_groups, slab_groups = w * patch_groups;
    const int channel = (int)(blockIdx.x % 3);
    const int row = (int)(blockIdx.x / 3), b = row / h, i = row % h; /* row of patches, in all images */
    const float *const from = image + ((int64_t)(b * 3 + channel) * h + i) * w * area;
    T *const to = patches + ((int64_t)row * w * 3 + channel) * area;
    const int first = (int)blockIdx.y * vector_threads * groups_of_thread + (int)threadIdx.x;
    float values[groups_of_thread][N];

#pragma unroll
    for (int k = 0; k < groups_of_thread; k++) {
        const int group = first + k * vector_threads, j = group / patch_groups, rest = group % patch_groups;
        const int y = rest / line_groups, x = rest % line_groups * N;
        if (group < slab_groups)
            load_vector(from + ((int64_t)y * w + j) * patch + x, values[k]);
    }
#pragma unroll
    for (int k = 0; k < groups_of_thread; k++) {
        const int group = first + k * vector_threads, j = group / patch_groups, rest = group % patch_groups;
        if (group < slab_groups)
            store_global(to + (int64_t)j * 3 * area + rest * N, values[k]);
    }
}

template <int PATCH, int N>
cudaError_t launch_cut(cudaStream_t stream, const float *image, void *patches, enum df_dtype type,
                       int64_t batch, int64_t h, int64_t w, int64_t patch)
{
    const int64_t groups = w * patch * patch / N;
    const dim3 grid((unsigned)(batch * h * 3), (unsigned)ceil_div(groups, vector_threads * groups_of_thread));
    return dispatch(type, [&](auto element) {
        using T = decltype(element);
        DF_LAUNCH((cut_patches<T, PATCH, N>), grid, vector_threads, 0, stream, image,
                  static_cast<T *>(patches), (int)h, (int)w, (int)patch);
        return cudaGetLastError();
    });
}

} // namespace

cudaError_t df_launch_image_normalize(cudaStream_t stream, const uint8_t *pixels, float *image, int64_t batch,
                                      int64_t height, int64_t width, const float mean[3], const float std[3])
{
    const int64_t plane = height * width;
    const bool fours = plane % 4 == 0;
    const dim3 grid((unsigned)ceil_div(fours ? plane / 4 : plane, vector_threads),
                    (unsigned)min(batch, (int64_t)max_grid_y));

    if (batch == 0)
        return cudaSuccess;
    if (fours)
        DF_LAUNCH(normalize_fours, grid, vector_threads, 0, stream, pixels, image, batch, plane,
                  make_normalization(mean, std));
    else
        DF_LAUNCH(normalize_ones, grid, vector_threads, 0, stream, pixels, image, batch, plane,
                  make_normalization(mean, std));
    return cudaGetLastError();
}

cudaError_t df_launch_patchify(cudaStream_t stream, const float *image, void *patches, enum df_dtype type,
                               int64_t batch, int64_t height, int64_t width, int64_t patch)
{
    const int64_t h = height / patch, w = width / patch;

    if (batch * h * w == 0)
        return cudaSuccess;
    if (patch == 14)
        return launch_cut<14, 2>(stream, image, patches, type, batch, h, w, patch);
    if (patch == 16)
        return launch_cut<16, 4>(stream, image, patches, type, batch, h, w, patch);
    return launch_cut<0, 1>(stream, image, patches, type, batch, h, w, patch);
}

#include "probes.h"

#include "attention_bf16.cuh"

#include <cstdlib>

namespace
{

/* Device memory with a copy of host memory. */
template <typename T> struct on_device {
    T *data = nullptr;
    size_t bytes;

    on_device(const T *host, size_t count) : bytes(count * sizeof(T))
    {
        if (cudaMalloc(reinterpret_cast<void **>(&data), bytes) != cudaSuccess ||
            cudaMemcpy(data, host, bytes, cudaMemcpyHostToDevice) != cudaSuccess)
            abort();
    }
    on_device(const on_device &) = delete;
    on_device &operator=(const on_device &) = delete;
    ~on_device()
    {
        cudaFree(data);
    }

    void get(T *host) const
    {
        if (cudaMemcpy(host, data, bytes, cudaMemcpyDeviceToHost) != cudaSuccess)
            abort();
    }
};

__global__ void multiply(const uint32_t *a, const uint32_t *b, float *c)
{
    const int lane = (int)threadIdx.x;
    mma_m16n8k16(c + 4 * lane, a + 4 * lane, b + 2 * lane, c + 4 * lane);
}

__global__ void load(const uint16_t *rows, bool transpose, uint32_t *r)
{
    DF_SHARED(uint16_t, tile, [32][8]);
    const int lane = (int)threadIdx.x;
    uint32_t own[4];

    for (int i = 0; i < 8; i++)
        tile[lane][i] = rows[8 * lane + i];
    __syncwarp();
    if (transpose)
        ldmatrix_x4_trans(own, tile[lane]);
    else
        ldmatrix_x4(own, tile[lane]);
    for (int i = 0; i < 4; i++)
        r[4 * lane + i] = own[i];
}

template <int HEAD>
__global__ void load_operand(operand kind, const uint16_t *from, int row, int step, uint32_t *r)
{
    DF_SHARED(__nv_bfloat16, tile, [32 * HEAD]);
    const int lane = (int)threadIdx.x;
    uint32_t own[4];

    for (int i = lane; i < 32 * HEAD; i += 32)
        tile[i] = __ushort_as_bfloat16(from[i]);
    __syncwarp();
    if (kind == operand::left)
        ldmatrix_x4(own, square<HEAD>(tile, row, step, lane));
    else if (kind == operand::right)
        ldmatrix_x4(own, transposed_square<HEAD>(tile, row, step, lane));
    else
        ldmatrix_x4_trans(own, square<HEAD>(tile, row, step, lane));
    for (int i = 0; i < 4; i++)
        r[4 * lane + i] = own[i];
}

__global__ void round_sums(const float *sums, uint32_t *a)
{
    const int lane = (int)threadIdx.x;
    float own[2][4];
    uint32_t rounded[4];

    for (int i = 0; i < 8; i++)
        own[i / 4][i % 4] = sums[8 * lane + i];
    round_square(rounded, own, 0);
    for (int i = 0; i < 4; i++)
        a[4 * lane + i] = rounded[i];
}

} // namespace

void probe_product(const uint32_t (&a)[lanes][4], const uint32_t (&b)[lanes][2], float (&c)[lanes][4])
{
    const on_device<uint32_t> left(a[0], lanes * 4), right(b[0], lanes * 2);
    const on_device<float> sums(c[0], lanes * 4);

    DF_LAUNCH(multiply, 1, lanes, 0, nullptr, left.data, right.data, sums.data);
    sums.get(c[0]);
}

void probe_matrices(const uint16_t (&rows)[lanes][8], bool transpose, uint32_t (&r)[lanes][4])
{
    const on_device<uint16_t> from(rows[0], lanes * 8);
    const on_device<uint32_t> to(r[0], lanes * 4);

    DF_LAUNCH(load, 1, lanes, 0, nullptr, from.data, transpose, to.data);
    to.get(r[0]);
}

void probe_operand(operand kind, int head, const uint16_t *tile, int row, int step, uint32_t (&r)[lanes][4])
{
    const on_device<uint16_t> from(tile, (size_t)(32 * head));
    const on_device<uint32_t> to(r[0], lanes * 4);

    DF_LAUNCH((head == 64 ? load_operand<64> : load_operand<128>), 1, lanes, 0, nullptr, kind, from.data, row,
              step, to.data);
    to.get(r[0]);
}

void probe_rounded(const float (&sums)[lanes][2][4], uint32_t (&a)[lanes][4])
{
    const on_device<float> from(sums[0][0], lanes * 8);
    const on_device<uint32_t> to(a[0], lanes * 4);

    DF_LAUNCH(round_sums, 1, lanes, 0, nullptr, from.data, to.data);
    to.get(a[0]);
}

int probe_offset(int head, int row, int vector)
{
    return head == 64 ? swizzled_offset<64>(row, vector) : swizzled_offset<128>(row, vector);
}

/* mma, ldmatrix, cp.async and ex2.approx. */
#include "device_memory.h"
#include "tensor_core_sum.h"

#include <cfloat>
#include <cmath>
#include <cstring>

namespace emulation
{

static float widen(uint32_t word, int half)
{
    const uint32_t bits = half ? word & 0xffff0000u : word << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

struct product {
    float *d;
    const uint32_t *a, *b;
    const float *c;
};

/* From the lanes' registers to matrices and back, as the PTX manual draws it for mma.m16n8k16 with .bf16. */
static void multiply(void *const brought[lanes], unsigned)
{
    float a[16][16], b[16][8], c[16][8];

    for (unsigned lane = 0; lane < lanes; lane++) {
        const product &p = *(const product *)brought[lane];
        const unsigned g = lane / 4, t = lane % 4;
        for (unsigned i = 0; i < 8; i++)
            a[g + 8 * (i / 2 % 2)][2 * t + i % 2 + 8 * (i / 4)] = widen(p.a[i / 2], (int)(i % 2));
        for (unsigned i = 0; i < 4; i++) {
            b[2 * t + i % 2 + 8 * (i / 2)][g] = widen(p.b[i / 2], (int)(i % 2));
            c[g + 8 * (i / 2)][2 * t + i % 2] = p.c[i];
        }
    }
    for (unsigned row = 0; row < 16 && sums_are_truncated(); row++) {
        for (unsigned column = 0; column < 8; column++)
            c[row][column] =
                sum_truncated(c[row][column], 16, [&](unsigned long k) { return a[row][k] * b[k][column]; });
    }
    for (unsigned row = 0; row < 16 && !sums_are_truncated(); row++) {
        for (unsigned k = 0; k < 16; k++) {
            for (unsigned column = 0; column < 8; column++)
                c[row][column] += a[row][k] * b[k][column];
        }
    }
    for (unsigned lane = 0; lane < lanes; lane++) {
        const product &p = *(const product *)brought[lane];
        const unsigned g = lane / 4, t = lane % 4;
        for (unsigned i = 0; i < 4; i++)
            p.d[i] = c[g + 8 * (i / 2)][2 * t + i % 2];
    }
}

extern "C" void df_emulated_mma_m16n8k16(float *d, const uint32_t *a, const uint32_t *b, const float *c)
{
    product own = {d, a, b, c};

    warp_collective("mma_m16n8k16", ~0u, &own, multiply, "mma.cuh", 0);
}

struct matrix_load {
    uint32_t *r;
    const unsigned char *row;
    int matrices;
    bool transpose;
    const void *location;
};

static void load_matrices(void *const brought[lanes], unsigned)
{
    const int matrices = ((const matrix_load *)brought[0])->matrices;

    if (counts_banks) {
        const char *rows[lanes];
        for (unsigned lane = 0; lane < lanes; lane++)
            rows[lane] = (const char *)((const matrix_load *)brought[lane])->row;
        note_matrix_rows(rows, (unsigned)matrices, ((const matrix_load *)brought[0])->location);
    }
    for (unsigned lane = 0; lane < lanes; lane++) {
        const matrix_load &own = *(const matrix_load *)brought[lane];
        const unsigned g = lane / 4, t = lane % 4;
        for (int i = 0; i < matrices; i++) {
            uint16_t pair[2];
            for (unsigned j = 0; j < 2; j++) {
                const unsigned row = own.transpose ? 2 * t + j : g, column = own.transpose ? g : 2 * t + j;
                memcpy(&pair[j], ((const matrix_load *)brought[8 * (unsigned)i + row])->row + 2 * column, 2);
            }
            own.r[i] = (uint32_t)pair[0] | (uint32_t)pair[1] << 16;
        }
    }
}

extern "C" void df_emulated_ldmatrix(uint32_t *r, const void *shared, int matrices, bool transpose)
{
    static const char *const names[] = {"ldmatrix_x2", "ldmatrix_x2_trans", "ldmatrix_x4",
                                        "ldmatrix_x4_trans"};
    const void *const location = __builtin_return_address(0);
    matrix_load own = {r, (const unsigned char *)shared, matrices, transpose, location};

    if (running.current % lanes < 8 * (unsigned)matrices)
        check_shared_16(shared, access::read, "ldmatrix", location);
    warp_collective(names[(matrices == 4) * 2 + transpose], ~0u, &own, load_matrices, "mma.cuh", 0);
}

extern "C" void df_emulated_copy_async(void *shared, const void *global, bool valid)
{
    const void *const location = __builtin_return_address(0);
    thread &t = current_thread();

    check_shared_16(shared, access::write, "cp_async_16", location);
    if (counts_banks)
        note_shared(DF_SHARED_COPY, shared, 16, location);
    if (valid) {
        if ((uintptr_t)global % 16 != 0)
            report(location, "cp_async_16 from %p, which is not aligned to 16 bytes", global);
        if (!is_device_address(global))
            report(location, "cp_async_16 from %p, which is not an address of the device's memory", global);
        check_access(global, 16, access::read, location);
    }
    begin_async_write(shared, 16);
    t.copies.push_back({shared, global, valid, t.group});
}

extern "C" void df_emulated_copy_commit(void)
{
    current_thread().group++;
}

extern "C" void df_emulated_copy_wait(int groups)
{
    const void *const location = __builtin_return_address(0);
    thread &t = current_thread();
    size_t done = 0;

    while (done < t.copies.size() && t.copies[done].group + (unsigned)groups < t.group) {
        const async_copy &copy = t.copies[done++];
        end_async_write(copy.shared, 16, location);
        if (copy.valid)
            memcpy(copy.shared, copy.global, 16);
        else
            memset(copy.shared, 0, 16);
    }
    t.copies.erase(t.copies.begin(), t.copies.begin() + (std::ptrdiff_t)done);
}

/* As wrong as the PTX manual allows, above or below as the operand's bits have it. */
extern "C" float df_emulated_fast_exp2(float x)
{
    const float error = 1.0f / (1 << 22), value = exp2f(x);
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    const float wrong = value + (bits * 2654435761u >> 31 ? error : -error) * value;
    return value < FLT_MIN ? 0.0f : value > FLT_MAX ? value : wrong;
}

} // namespace emulation

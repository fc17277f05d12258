/* Which lane and register holds which element of a matrix, by NVIDIA's own description of the instructions:
 * the layouts of CuTe's traits. A layout is a function of (lane, value within the lane's registers). */
#include "probes.h"

#include <cute/atom/copy_traits_sm75.hpp>
#include <cute/atom/mma_traits_sm80.hpp>
#include <cute/swizzle.hpp>

#include <cstdio>
#include <cstring>
#include <vector>

using product = cute::MMA_Traits<cute::SM80_16x8x16_F32BF16BF16F32_TN>;

static int failures;

static void expect(bool holds, const char *what)
{
    failures += !holds;
    if (!holds)
        fprintf(stderr, "not as CuTe has it: %s\n", what);
}

/* --- the same numbers as registers and as matrices, columns outermost as CuTe counts them --- */

static uint16_t half_of(const uint32_t *registers, int value)
{
    return (uint16_t)(registers[value / 2] >> (value % 2 * 16));
}

static void put_half(uint32_t *registers, int value, uint16_t bits)
{
    registers[value / 2] |= (uint32_t)bits << (value % 2 * 16);
}

/* Of a small whole number. */
static uint16_t narrow(int value)
{
    const float wide = (float)value;
    uint32_t bits;

    memcpy(&bits, &wide, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static int small_number(int i)
{
    return (i * 37 + i / 7 * 11) % 13 - 6;
}

/* Whether operand registers hold the elements of a matrix [rows, 16] of which element(row, column) gives the
 * bits. */
template <class Layout, typename F>
static bool holds(Layout layout, int rows, int values, const uint32_t *registers, int registers_of_lane,
                  F element)
{
    for (int lane = 0; lane < lanes; lane++) {
        for (int value = 0; value < values; value++) {
            const int at = layout(lane, value);
            if (half_of(registers + lane * registers_of_lane, value) != element(at % rows, at / rows))
                return false;
        }
    }
    return true;
}

/* --- mma --- */

static void check_product()
{
    uint32_t a[lanes][4] = {}, b[lanes][2] = {};
    float c[lanes][4];
    bool equal = true;

    for (int lane = 0; lane < lanes; lane++) {
        for (int value = 0; value < 8; value++)
            put_half(a[lane], value, narrow(small_number(product::ALayout{}(lane, value))));
        for (int value = 0; value < 4; value++) {
            put_half(b[lane], value, narrow(small_number(500 + product::BLayout{}(lane, value))));
            c[lane][value] = (float)product::CLayout{}(lane, value);
        }
    }
    probe_product(a, b, c);
    for (int lane = 0; lane < lanes; lane++) {
        for (int value = 0; value < 4; value++) {
            const int at = product::CLayout{}(lane, value), row = at % 16, column = at / 16;
            int sum = at;
            for (int k = 0; k < 16; k++)
                sum += small_number(row + 16 * k) * small_number(500 + column + 8 * k);
            equal = equal && c[lane][value] == (float)sum;
        }
    }
    expect(equal, "the operands and sums of mma_m16n8k16");
}

/* --- ldmatrix --- */

/* CuTe counts bits: of the 128 that each lane's address leads to, one lane's after the other's. */
template <class Traits> static void check_matrices(bool transpose, const char *what)
{
    uint16_t rows[lanes][8];
    uint32_t r[lanes][4] = {};
    bool equal = true;

    for (int i = 0; i < lanes * 8; i++)
        rows[i / 8][i % 8] = (uint16_t)i;
    probe_matrices(rows, transpose, r);
    for (int lane = 0; lane < lanes; lane++) {
        for (int value = 0; value < 8; value++) {
            const int bit = typename Traits::DstLayout{}(lane, 16 * value);
            equal = equal && typename Traits::SrcLayout{}(bit / 128, bit % 128) == bit &&
                    half_of(r[lane], value) == rows[bit / 128][bit % 128 / 16];
        }
    }
    expect(equal, what);
}

/* --- attention: a tile of 32 rows, whose element is its number --- */

template <int HEAD> static void check_tile()
{
    const cute::Swizzle<3, 3, HEAD == 64 ? 3 : 4> swizzle;
    std::vector<uint16_t> tile(32 * HEAD);
    const auto number = [](int row, int column) { return (uint16_t)(row * HEAD + column); };
    bool offsets = true, left = true, right = true, right_of_rows = true;

    for (int row = 0; row < 32; row++) {
        for (int column = 0; column < HEAD; column++)
            tile[(size_t)swizzle(row * HEAD + column)] = number(row, column);
        for (int vector = 0; vector < HEAD / 8; vector++)
            offsets = offsets && probe_offset(HEAD, row, vector) == swizzle(row * HEAD + 8 * vector);
    }
    expect(offsets, HEAD == 64 ? "the swizzle, head size 64" : "the swizzle, head size 128");
    for (int i = 0; i < 2 * HEAD / 16; i++) {
        const int row = i % 2 * 16, step = i / 2;
        uint32_t r[lanes][4] = {};
        probe_operand(operand::left, HEAD, tile.data(), row, step, r);
        left = left && holds(product::ALayout{}, 16, 8, r[0], 4,
                             [=](int m, int k) { return number(row + m, 16 * step + k); });
        probe_operand(operand::right, HEAD, tile.data(), row, step, r);
        for (int half = 0; half < 2; half++)
            right = right && holds(product::BLayout{}, 8, 4, r[0] + 2 * half, 4,
                                   [=](int n, int k) { return number(row + 8 * half + n, 16 * step + k); });
        probe_operand(operand::right_of_rows, HEAD, tile.data(), row, step, r);
        for (int half = 0; half < 2; half++)
            right_of_rows = right_of_rows &&
                            holds(product::BLayout{}, 8, 4, r[0] + 2 * half, 4,
                                  [=](int n, int k) { return number(row + k, 16 * step + 8 * half + n); });
    }
    expect(left, "attention's left operand");
    expect(right, "attention's right operand");
    expect(right_of_rows, "attention's right operand whose depth are rows");
}

/* The results of two products beside each other become the left operand of the next. */
static void check_rounded()
{
    float sums[lanes][2][4];
    uint32_t a[lanes][4] = {};

    for (int lane = 0; lane < lanes; lane++) {
        for (int i = 0; i < 8; i++) {
            const int at = product::CLayout{}(lane, i % 4);
            sums[lane][i / 4][i % 4] = (float)(at % 16 + 16 * (at / 16 + 8 * (i / 4)));
        }
    }
    probe_rounded(sums, a);
    expect(holds(product::ALayout{}, 16, 8, a[0], 4, [](int m, int k) { return narrow(m + 16 * k); }),
           "attention's sums as a left operand");
}

int main()
{
    check_product();
    check_matrices<cute::Copy_Traits<cute::SM75_U32x4_LDSM_N>>(false, "ldmatrix_x4");
    check_matrices<cute::Copy_Traits<cute::SM75_U16x8_LDSM_T>>(true, "ldmatrix_x4_trans");
    check_tile<64>();
    check_tile<128>();
    check_rounded();
    return failures > 0;
}

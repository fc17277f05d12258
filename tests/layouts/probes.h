/* What the emulated device, and the attention kernels on it, take an instruction's registers and addresses
 * for. Registers are [lane][register]; a warp runs. */
#ifndef TESTS_LAYOUTS_PROBES_H
#define TESTS_LAYOUTS_PROBES_H

#include <cstdint>

enum { lanes = 32 };

/* c += a b, mma_m16n8k16. */
void probe_product(const uint32_t (&a)[lanes][4], const uint32_t (&b)[lanes][2], float (&c)[lanes][4]);

/* ldmatrix_x4 with the address of row `lane` of rows. */
void probe_matrices(const uint16_t (&rows)[lanes][8], bool transpose, uint32_t (&r)[lanes][4]);

enum class operand {
    left,          /* 16 rows from the tile's `row` on, columns from 16 step on */
    right,         /* the same rows as the columns of a right operand */
    right_of_rows, /* the same as a right operand whose depth are the rows */
};

/* What ldmatrix gives for the addresses of a tile [32, head], swizzled as it is in shared memory. */
void probe_operand(operand kind, int head, const uint16_t *tile, int row, int step, uint32_t (&r)[lanes][4]);

/* Sums [16, 16], two of mma's results beside each other, as a left operand. */
void probe_rounded(const float (&sums)[lanes][2][4], uint32_t (&a)[lanes][4]);

/* Where attention puts a row's vector of 8 in a tile, in elements. */
int probe_offset(int head, int row, int vector);

#endif

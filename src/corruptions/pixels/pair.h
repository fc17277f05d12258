/* Two doubles, which every 64-bit processor adds and multiplies at once. The filters' inner loops are written
 * in them, with the sums of a block in registers: left to themselves, compilers take these loops apart in
 * another direction, which costs more than twice the time. */
#ifndef DINOFT_CORRUPTIONS_PAIR_H
#define DINOFT_CORRUPTIONS_PAIR_H

#include <stdint.h>

typedef double pair __attribute__((vector_size(16), aligned(8), may_alias));

/* Pairs that are summed at once. */
#define PAIRS       8
#define PAIRS_BLOCK ((int64_t)2 * PAIRS)

static inline pair pair_at(const double *values)
{
    return *(const pair *)values;
}

#endif

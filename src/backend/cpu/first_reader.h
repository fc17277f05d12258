/* Which output indices of a resizing read a given input index, so that a gradient's owner finds its share. */
#ifndef DINOFT_BACKEND_CPU_FIRST_READER_H
#define DINOFT_BACKEND_CPU_FIRST_READER_H

#include <stdint.h>

/* The first output index whose source is not below `source`; `out` if there is none. source_of never
 * decreases with its index; scale and in are handed to it. */
static inline int64_t df_first_reader(int64_t (*source_of)(int64_t index, float scale, int64_t in),
                                      int64_t source, float scale, int64_t in, int64_t out)
{
    int64_t low = 0, high = out;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (source_of(middle, scale, in) < source)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif

/* Checked arithmetic for sizes that come from files or flags. */
#ifndef DINOFT_SIZE_H
#define DINOFT_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each stores the result and returns true, or returns false when it does not fit. */
static inline bool df_size_mul(size_t a, size_t b, size_t *result)
{
    return !__builtin_mul_overflow(a, b, result);
}

static inline bool df_size_add(size_t a, size_t b, size_t *result)
{
    return !__builtin_add_overflow(a, b, result);
}

/* Product of ndim non-negative dimensions. */
static inline bool df_shape_count(const int64_t *shape, int ndim, size_t *count)
{
    *count = 1;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 0 || !df_size_mul(*count, (size_t)shape[i], count))
            return false;
    }
    return *count <= (size_t)INT64_MAX;
}

static inline int64_t df_min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t df_max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif

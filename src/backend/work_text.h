/* How shapes are spelled and bytes are counted, for the files work*.c. Private to src/backend. */
#ifndef DINOFT_WORK_TEXT_H
#define DINOFT_WORK_TEXT_H

#include "dinoft/work.h"

#include <inttypes.h>

#define I64 "%" PRId64 /* in a format: a count or a size */

/* The format and what follows spell the shape. */
struct df_work df_work_of(double flops, double bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* In front of a shape: nothing for float32. */
static inline const char *df_type_mark(enum df_dtype type)
{
    return type == DF_BF16 ? "bf16" : "";
}

/* Bytes of count elements, of the compute type and of float32. */
static inline double df_act_bytes(const struct df_backend *backend, int64_t count)
{
    return (double)count * (double)df_dtype_size(backend->compute);
}

static inline double df_f32_bytes(int64_t count)
{
    return (double)count * sizeof(float);
}

/* What is added to is read first. */
static inline int df_result_passes(bool accumulate)
{
    return accumulate ? 2 : 1;
}

static inline const char *df_result_arrow(bool accumulate)
{
    return accumulate ? "-> +=" : "->";
}

#endif

#include "cpu_backend.h"
#include "rows.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <string.h>

#define CHUNK 4096 /* elements converted at a time */

static void convert_chunk(const void *source, enum df_dtype from, void *destination, enum df_dtype to,
                          int64_t begin, int64_t end)
{
    const size_t n = (size_t)(end - begin);
    const char *in = (const char *)source + (size_t)begin * df_dtype_size(from);
    char *out = (char *)destination + (size_t)begin * df_dtype_size(to);
    if (from == to)
        memcpy(out, in, n * df_dtype_size(to));
    else if (from == DF_BF16)
        df_widen((float *)(void *)out, (const uint16_t *)(const void *)in, end - begin);
    else if (to == DF_BF16)
        df_narrow((uint16_t *)(void *)out, (const float *)(const void *)in, end - begin);
    else if (to == DF_F32)
        df_convert_to_f32((float *)(void *)out, in, from, n);
    else
        (void)df_convert_from_f32(out, to, (const float *)(const void *)in, n);
}

int df_cpu_convert(struct df_backend *backend, const void *source, enum df_dtype from, void *destination,
                   enum df_dtype to, int64_t count)
{
    if (from != to && from != DF_F32 && to != DF_F32)
        return df_error_set("cannot convert %s to %s: one of them must be float32", df_dtype_name(from),
                            df_dtype_name(to));
    if (to != from && to != DF_F32 && to != DF_BF16 && to != DF_F16)
        return df_error_set("cannot convert float32 to %s", df_dtype_name(to));
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t first = 0; first < count; first += CHUNK)
        convert_chunk(source, from, destination, to, first, df_min_i64(first + CHUNK, count));
    return 0;
}

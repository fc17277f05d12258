#include "rows.h"

#include "bf16.h"

#include <assert.h>

/* Matrices of fewer elements are not worth waking threads for. */
#define SMALL 4096

DF_MULTIVERSION void df_widen(float *to, const uint16_t *from, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = df_bf16_widen(from[i]);
}

DF_MULTIVERSION void df_narrow(uint16_t *to, const float *from, int64_t count)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = df_bf16_narrow(from[i]);
}

void df_row_convert(const struct df_matrix *to, const struct df_matrix *from, int64_t i)
{
    const size_t to_size = df_dtype_size(to->type), from_size = df_dtype_size(from->type);
    void *destination = (char *)to->data + (size_t)(i * to->ld) * to_size;
    const void *source = (const char *)from->data + (size_t)(i * from->ld) * from_size;

    if (to->type == from->type)
        memcpy(destination, source, (size_t)to->cols * to_size);
    else if (to->type == DF_F32)
        df_widen(destination, source, to->cols);
    else
        df_narrow(destination, source, to->cols);
}

void df_matrix_copy(struct df_backend *backend, const struct df_matrix *to, const struct df_matrix *from)
{
    assert(to->rows == from->rows && to->cols == from->cols);
    assert(to->type == DF_F32 || to->type == DF_BF16);
    assert(from->type == DF_F32 || from->type == DF_BF16);
    /* Not an "if" of the loop below: the OpenMP runtime would allocate a team of one. */
    if (to->rows * to->cols <= SMALL) {
        for (int64_t i = 0; i < to->rows; i++)
            df_row_convert(to, from, i);
        return;
    }
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < to->rows; i++)
        df_row_convert(to, from, i);
}

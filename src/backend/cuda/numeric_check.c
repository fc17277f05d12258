#include "numeric_check.h"

#include "cuda_backend.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>

#define CHUNK ((size_t)1 << 18) /* numbers */

/* A part of both arrays, on the host. */
struct chunk {
    float reference[CHUNK], other[CHUNK];
    char raw[CHUNK * sizeof(float)];
};

static int download(struct df_backend *backend, struct chunk *chunk, float *values, enum df_dtype type,
                    const void *array, size_t first, size_t count)
{
    const size_t size = df_dtype_size(type);

    DF_TRY(df_cuda_download(backend, chunk->raw, (const char *)array + first * size, count * size));
    df_convert_to_f32(values, chunk->raw, type, count);
    return 0;
}

static bool is_close(const struct chunk *chunk, size_t count, float tolerance)
{
    double squares = 0.0;

    for (size_t i = 0; i < count; i++)
        squares += (double)chunk->reference[i] * chunk->reference[i];
    const float rms = (float)sqrt(squares / (double)count);
    for (size_t i = 0; i < count; i++) {
        /* Written so that a NaN fails. */
        if (!(fabsf(chunk->other[i] - chunk->reference[i]) <= tolerance * (fabsf(chunk->reference[i]) + rms)))
            return false;
    }
    return isfinite(rms);
}

bool df_cuda_is_close(struct df_backend *backend, enum df_dtype type, const void *reference,
                      const void *other, size_t count, float tolerance)
{
    struct chunk *chunk = malloc(sizeof *chunk);
    bool close = chunk != NULL;

    for (size_t first = 0; first < count && close; first += CHUNK) {
        const size_t length = count - first < CHUNK ? count - first : CHUNK;
        close = download(backend, chunk, chunk->reference, type, reference, first, length) == 0 &&
                download(backend, chunk, chunk->other, type, other, first, length) == 0 &&
                is_close(chunk, length, tolerance);
    }
    free(chunk);
    return close;
}

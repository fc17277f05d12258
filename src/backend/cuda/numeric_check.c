#include "numeric_check.h"

#include "cuda_backend.h"

#include "dinoft/error.h"

#include <math.h>
#include <stdlib.h>

#define PIECE ((size_t)1 << 18) /* numbers */

/* A part of both arrays, on the host. */
struct piece {
    float own[PIECE], other[PIECE];
    char raw[PIECE * sizeof(float)];
};

static int fetch(struct df_backend *backend, struct piece *piece, float *values, enum df_dtype type,
                 const void *array, size_t first, size_t count)
{
    const size_t size = df_dtype_size(type);

    DF_TRY(df_cuda_download(backend, piece->raw, (const char *)array + first * size, count * size));
    df_convert_to_f32(values, piece->raw, type, count);
    return 0;
}

static bool agree(const struct piece *piece, size_t count, float tolerance)
{
    double squares = 0.0;

    for (size_t i = 0; i < count; i++)
        squares += (double)piece->own[i] * piece->own[i];
    const float usual = (float)sqrt(squares / (double)count);
    for (size_t i = 0; i < count; i++) {
        /* Written so that a NaN fails. */
        if (!(fabsf(piece->other[i] - piece->own[i]) <= tolerance * (fabsf(piece->own[i]) + usual)))
            return false;
    }
    return isfinite(usual);
}

bool df_cuda_is_close(struct df_backend *backend, enum df_dtype type, const void *own, const void *other,
                      size_t count, float tolerance)
{
    struct piece *piece = malloc(sizeof *piece);
    bool same = piece != NULL;

    for (size_t first = 0; first < count && same; first += PIECE) {
        const size_t length = count - first < PIECE ? count - first : PIECE;
        same = fetch(backend, piece, piece->own, type, own, first, length) == 0 &&
               fetch(backend, piece, piece->other, type, other, first, length) == 0 &&
               agree(piece, length, tolerance);
    }
    free(piece);
    return same;
}

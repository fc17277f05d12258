#include "numeric_check.h"

#include "cuda_backend.h"

#include "dinoft/error.h"

#include <assert.h>
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

/* Numbers of one kind that lie side by side in a chunk, [from, to). */
struct span {
    size_t from, to, kind;
};

/* The span that begins behind `from`, in a chunk of `count` numbers that begins at `first`. */
static struct span next_span(struct df_interleaved kinds, size_t first, size_t from, size_t count)
{
    const size_t run = (first + from) / kinds.length, left = kinds.length - (first + from) % kinds.length;

    return (struct span){from, left < count - from ? from + left : count, run % kinds.parts};
}

/* Root mean squares of the reference's kinds in the chunk that begins at `first`. */
static void find_sizes(const struct chunk *chunk, size_t first, size_t count, struct df_interleaved kinds,
                       float *sizes)
{
    double squares[DF_NUMERIC_PARTS_MAX] = {0.0};
    size_t counts[DF_NUMERIC_PARTS_MAX] = {0};

    for (size_t from = 0; from < count;) {
        const struct span span = next_span(kinds, first, from, count);
        for (size_t i = span.from; i < span.to; i++)
            squares[span.kind] += (double)chunk->reference[i] * chunk->reference[i];
        counts[span.kind] += span.to - span.from;
        from = span.to;
    }
    for (size_t kind = 0; kind < kinds.parts; kind++)
        sizes[kind] = counts[kind] ? (float)sqrt(squares[kind] / (double)counts[kind]) : 0.0f;
}

static bool is_close(const struct chunk *chunk, size_t first, size_t count, struct df_interleaved kinds,
                     float tolerance)
{
    float sizes[DF_NUMERIC_PARTS_MAX];

    find_sizes(chunk, first, count, kinds, sizes);
    for (size_t from = 0; from < count;) {
        const struct span span = next_span(kinds, first, from, count);
        const float size = sizes[span.kind];
        for (size_t i = span.from; i < span.to; i++) {
            const float reference = chunk->reference[i];
            /* Written so that a NaN fails. */
            if (!(fabsf(chunk->other[i] - reference) <= tolerance * (fabsf(reference) + size)))
                return false;
        }
        if (!isfinite(size))
            return false;
        from = span.to;
    }
    return true;
}

bool df_cuda_is_close(struct df_backend *backend, enum df_dtype type, const void *reference,
                      const void *other, size_t count, struct df_interleaved kinds, float tolerance)
{
    struct chunk *chunk = malloc(sizeof *chunk);
    bool close = chunk != NULL;

    assert(kinds.parts >= 1 && kinds.parts <= DF_NUMERIC_PARTS_MAX && kinds.length >= 1);
    for (size_t first = 0; first < count && close; first += CHUNK) {
        const size_t length = count - first < CHUNK ? count - first : CHUNK;
        close = download(backend, chunk, chunk->reference, type, reference, first, length) == 0 &&
                download(backend, chunk, chunk->other, type, other, first, length) == 0 &&
                is_close(chunk, first, length, kinds, tolerance);
    }
    free(chunk);
    return close;
}

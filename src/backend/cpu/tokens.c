#include "cpu_backend.h"

#include <assert.h>
#include <string.h>

int df_cpu_assemble_tokens(struct df_backend *backend, const float *patches, const float *prefix,
                           const float *pos, float *x, struct df_token_rows rows, int64_t dim)
{
    const int64_t n_prefix = rows.tokens - rows.rows; /* the chosen rows are the patches */
    assert(rows.first == n_prefix);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t i = 0; i < rows.batch * rows.tokens; i++) {
        const int64_t b = i / rows.tokens, token = i % rows.tokens;
        float *to = x + i * dim;
        if (token < n_prefix) {
            memcpy(to, prefix + token * dim, (size_t)dim * sizeof(float));
            continue;
        }
        const float *patch = patches + (b * rows.rows + token - n_prefix) * dim;
        if (!pos) {
            memcpy(to, patch, (size_t)dim * sizeof(float));
            continue;
        }
        const float *position = pos + (token - n_prefix) * dim;
#pragma omp simd
        for (int64_t d = 0; d < dim; d++)
            to[d] = patch[d] + position[d];
    }
    return 0;
}

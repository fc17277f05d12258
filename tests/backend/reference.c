#include "reference.h"

#include <math.h>
#include <string.h>

void ref_layernorm(const double *x, struct df_token_rows rows, int64_t dim, const float *gamma,
                   const float *beta, float eps, double *y, double *mean, double *rstd)
{
    for (int64_t b = 0; b < rows.batch; b++) {
        for (int64_t i = 0; i < rows.rows; i++) {
            const double *from = x + (b * rows.tokens + rows.first + i) * dim;
            const int64_t row = b * rows.rows + i;
            double centre, variance, scale;
            ref_channel_statistics(from, dim, 1, &centre, &variance);
            scale = 1.0 / sqrt(variance + (double)eps);
            for (int64_t d = 0; d < dim; d++)
                y[row * dim + d] = (from[d] - centre) * scale * (double)gamma[d] + (double)beta[d];
            if (mean) {
                mean[row] = centre;
                rstd[row] = scale;
            }
        }
    }
}

void ref_rope(double *qkv, struct df_attention_shape shape, int64_t prefix_tokens, const float *sin,
              const float *cos)
{
    const int64_t size = shape.head_size, half = size / 2;
    for (int64_t b = 0; b < shape.batch; b++) {
        for (int64_t token = prefix_tokens; token < shape.tokens; token++) {
            const float *s = sin + (token - prefix_tokens) * size, *c = cos + (token - prefix_tokens) * size;
            for (int64_t head = 0; head < 2 * shape.heads; head++) {
                double *x = qkv + ((b * shape.tokens + token) * 3 * shape.heads + head) * size;
                double old[256];
                memcpy(old, x, (size_t)size * sizeof(double));
                for (int64_t i = 0; i < size; i++) {
                    const double turned = i < half ? -old[i + half] : old[i - half];
                    x[i] = old[i] * (double)c[i] + turned * (double)s[i];
                }
            }
        }
    }
}

void ref_channel_statistics(const double *x, int64_t rows, int64_t channels, double *mean, double *variance)
{
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t i = 0; i < rows; i++)
            sum += x[i * channels + c];
        mean[c] = sum / (double)rows;
        for (int64_t i = 0; i < rows; i++)
            squares += (x[i * channels + c] - mean[c]) * (x[i * channels + c] - mean[c]);
        variance[c] = squares / (double)rows;
    }
}

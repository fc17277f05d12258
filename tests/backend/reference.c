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

void ref_batchnorm_relu(const double *x, int64_t rows, int64_t channels, const double *mean,
                        const double *variance, float eps, const double *gamma, const double *beta, double *y)
{
    for (int64_t i = 0; i < rows * channels; i++) {
        const int64_t c = i % channels;
        const double value = (x[i] - mean[c]) / sqrt(variance[c] + (double)eps) * gamma[c] + beta[c];
        y[i] = value > 0.0 ? value : 0.0;
    }
}

void ref_batchnorm_relu_backward(const double *x, const double *dy, int64_t rows, int64_t channels, float eps,
                                 const double *gamma, const double *beta, double *dx, double *dgamma,
                                 double *dbeta)
{
    for (int64_t c = 0; c < channels; c++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t i = 0; i < rows; i++)
            sum += x[i * channels + c];
        const double mean = sum / (double)rows;
        for (int64_t i = 0; i < rows; i++)
            squares += (x[i * channels + c] - mean) * (x[i * channels + c] - mean);
        const double rstd = 1.0 / sqrt(squares / (double)rows + (double)eps);
        dgamma[c] = dbeta[c] = 0.0;
        for (int64_t pass = 0; pass < 2; pass++) {
            for (int64_t i = 0; i < rows; i++) {
                const double normalized = (x[i * channels + c] - mean) * rstd;
                const double g = normalized * gamma[c] + beta[c] > 0.0 ? dy[i * channels + c] : 0.0;
                if (pass == 0) {
                    dgamma[c] += g * normalized;
                    dbeta[c] += g;
                } else {
                    dx[i * channels + c] =
                        gamma[c] * rstd * (g - (dbeta[c] + normalized * dgamma[c]) / (double)rows);
                }
            }
        }
    }
}

static int64_t nearest_index(int64_t i, int64_t in, int64_t out)
{
    const float scale = (float)in / (float)out;
    const int64_t index = (int64_t)floorf((float)i * scale);
    return index < in ? index : in - 1;
}

void ref_nearest_add(const double *x, int64_t batch, int64_t h, int64_t w, double *y, int64_t height,
                     int64_t width, int64_t channels)
{
    for (int64_t b = 0; b < batch; b++)
        for (int64_t i = 0; i < height; i++)
            for (int64_t j = 0; j < width; j++)
                for (int64_t c = 0; c < channels; c++)
                    y[((b * height + i) * width + j) * channels + c] +=
                        x[((b * h + nearest_index(i, h, height)) * w + nearest_index(j, w, width)) *
                              channels +
                          c];
}

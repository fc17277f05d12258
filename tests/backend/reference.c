#include "reference.h"

#include <math.h>

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

#include "reference.h"

#include <math.h>
#include <string.h>

double ref_gelu(double x)
{
    return 0.5 * x * erfc(-x / sqrt(2.0));
}

double ref_silu(double x)
{
    return x / (1.0 + exp(-x));
}

void ref_swiglu(const double *x, double *y, int64_t rows, int64_t hidden)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < hidden; j++)
            y[i * hidden + j] = ref_silu(x[i * 2 * hidden + j]) * x[i * 2 * hidden + hidden + j];
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

/* The weight with which output index `to` reads source index `from`. */
static double bilinear_weight(int64_t to, int64_t from, int64_t in, int64_t out)
{
    const float scale = (float)in / (float)out;
    const float source = fmaxf(((float)to + 0.5f) * scale - 0.5f, 0.0f);
    const int64_t low = (int64_t)floorf(source) < in - 1 ? (int64_t)floorf(source) : in - 1;
    const int64_t high = low + 1 < in ? low + 1 : low;
    const float weight = fminf(source - (float)low, 1.0f);
    return (from == low ? 1.0 - (double)weight : 0.0) + (from == high ? (double)weight : 0.0);
}

/* Both directions of the linear map, over every pair of a source and an output pixel. */
static void bilinear_map(const double *logits, double *large, const double *dlarge, double *dlogits,
                         const int64_t shape[6])
{
    const int64_t batch = shape[0], h = shape[1], w = shape[2], classes = shape[3], height = shape[4],
                  width = shape[5];
    for (int64_t pair = 0; pair < batch * height * width * h * w; pair++) {
        const int64_t source = pair % (h * w), target = pair / (h * w) % (height * width),
                      image = pair / (h * w * height * width);
        const double weight = bilinear_weight(target / width, source / w, h, height) *
                              bilinear_weight(target % width, source % w, w, width);
        if (weight == 0.0)
            continue;
        const int64_t small_at = (image * h * w + source) * classes;
        const int64_t large_at = (image * height * width + target) * classes;
        for (int64_t c = 0; c < classes; c++) {
            if (large)
                large[large_at + c] += weight * logits[small_at + c];
            else
                dlogits[small_at + c] += weight * dlarge[large_at + c];
        }
    }
}

void ref_bilinear(const double *logits, int64_t batch, int64_t h, int64_t w, int64_t classes, double *large,
                  int64_t height, int64_t width)
{
    const int64_t shape[6] = {batch, h, w, classes, height, width};
    memset(large, 0, (size_t)(batch * height * width * classes) * sizeof(double));
    bilinear_map(logits, large, NULL, NULL, shape);
}

void ref_bilinear_backward(const double *dlarge, int64_t batch, int64_t h, int64_t w, int64_t classes,
                           double *dlogits, int64_t height, int64_t width)
{
    const int64_t shape[6] = {batch, h, w, classes, height, width};
    memset(dlogits, 0, (size_t)(batch * h * w * classes) * sizeof(double));
    bilinear_map(NULL, NULL, dlarge, dlogits, shape);
}

double ref_cross_entropy(const double *logits, const uint8_t *labels, int64_t pixels, int64_t classes,
                         int64_t *counted, double *dlogits)
{
    double total = 0.0;
    *counted = 0;
    for (int64_t i = 0; i < pixels; i++)
        *counted += labels[i] != 255;
    for (int64_t i = 0; i < pixels; i++) {
        const double *row = logits + i * classes;
        double largest = row[0], sum = 0.0;
        for (int64_t c = 0; c < classes; c++)
            largest = fmax(largest, row[c]);
        for (int64_t c = 0; c < classes; c++)
            sum += exp(row[c] - largest);
        if (labels[i] != 255)
            total += log(sum) + largest - row[labels[i]];
        for (int64_t c = 0; dlogits && c < classes; c++)
            dlogits[i * classes + c] =
                labels[i] == 255 ? 0.0 : (exp(row[c] - largest) / sum - (c == labels[i])) / (double)*counted;
    }
    return total;
}

void ref_adamw(const struct df_adamw *settings, double *parameter, double gradient, double *m, double *v)
{
    *parameter *= 1.0 - settings->lr * settings->weight_decay;
    *m = settings->beta1 * *m + (1.0 - settings->beta1) * gradient;
    *v = settings->beta2 * *v + (1.0 - settings->beta2) * gradient * gradient;
    const double m_hat = *m / (1.0 - pow(settings->beta1, (double)settings->step));
    const double v_hat = *v / (1.0 - pow(settings->beta2, (double)settings->step));
    *parameter -= settings->lr * m_hat / (sqrt(v_hat) + settings->eps);
}

#include "cpu_backend.h"

#include "dinoft/labels.h"
#include "dinoft/size.h"

#include <math.h>
#include <string.h>

#define MAX_CHUNKS 64 /* of pixels; as many partial counts */

static void add_pixels(const float *confidence, const uint8_t *prediction, const uint8_t *labels,
                       int64_t first, int64_t end, struct df_calibration_bin *bins)
{
    for (int64_t i = first; i < end; i++) {
        if (labels[i] == DF_IGNORE_LABEL)
            continue;
        const int bin = (int)ceilf(confidence[i] * DF_CALIBRATION_BINS) - 1;
        struct df_calibration_bin *own = &bins[bin < 0                     ? 0
                                               : bin < DF_CALIBRATION_BINS ? bin
                                                                           : DF_CALIBRATION_BINS - 1];
        own->pixels++;
        own->right += prediction[i] == labels[i];
        own->confidence += llrintf(confidence[i] * (float)DF_CONFIDENCE_UNITS);
    }
}

int df_cpu_calibration(struct df_backend *backend, const float *confidence, const uint8_t *prediction,
                       const uint8_t *labels, int64_t count, struct df_calibration_bin *bins)
{
    const int64_t chunks = df_min_i64(MAX_CHUNKS, count);
    struct df_calibration_bin partial[MAX_CHUNKS][DF_CALIBRATION_BINS] = {0};

#pragma omp parallel for num_threads(backend->threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        add_pixels(confidence, prediction, labels, count * chunk / chunks, count * (chunk + 1) / chunks,
                   partial[chunk]);
    memset(bins, 0, DF_CALIBRATION_BINS * sizeof *bins);
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        for (int b = 0; b < DF_CALIBRATION_BINS; b++) {
            bins[b].pixels += partial[chunk][b].pixels;
            bins[b].right += partial[chunk][b].right;
            bins[b].confidence += partial[chunk][b].confidence;
        }
    }
    return 0;
}

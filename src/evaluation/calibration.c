#include "dinoft/calibration.h"

#include <math.h>

double df_calibration_accuracy(const struct df_calibration_bin *bin)
{
    return bin->pixels > 0 ? (double)bin->right / (double)bin->pixels : NAN;
}

double df_calibration_confidence(const struct df_calibration_bin *bin)
{
    return bin->pixels > 0 ? (double)bin->confidence / DF_CONFIDENCE_UNITS / (double)bin->pixels : NAN;
}

double df_calibration_error(const struct df_calibration_bin *bins)
{
    double sum = 0.0;
    int64_t pixels = 0;

    for (int i = 0; i < DF_CALIBRATION_BINS; i++) {
        sum += fabs((double)bins[i].right - (double)bins[i].confidence / DF_CONFIDENCE_UNITS);
        pixels += bins[i].pixels;
    }
    return pixels > 0 ? sum / (double)pixels : NAN;
}

void df_calibration_add(struct df_calibration_bin *sum, const struct df_calibration_bin *bins)
{
    for (int i = 0; i < DF_CALIBRATION_BINS; i++) {
        sum[i].pixels += bins[i].pixels;
        sum[i].right += bins[i].right;
        sum[i].confidence += bins[i].confidence;
    }
}

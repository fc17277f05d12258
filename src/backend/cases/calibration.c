/* Calibration: how sure and how right. */
#include "build.h"

#include "dinoft/labels.h"

#include <math.h>

enum { COUNT, BOUND };
enum { CONFIDENCE, PREDICTION, LABELS, BINS };

/* Around the runs of pixels that a thread of the device has, and its blocks. */
static const int64_t calibration_odd[][DF_CASE_SIZES] = {
    {0, 3}, {1, 3}, {15, 2}, {16, 2}, {17, 1}, {4096, 5}, {5003, 3}, {70001, 2},
};

static int calibration_uses(const struct df_case_model *m, int64_t n[DF_CASE_USES][DF_CASE_SIZES])
{
    n[0][COUNT] = m->height * m->width;
    n[0][BOUND] = m->classes;
    return 1;
}

/* Runs of equal confidence, the ends of all bins and of their range among them. */
static void calibration_build(struct df_case *c)
{
    df_case_in(c, DF_F32, c->n[COUNT], 0.7, 0.25);
    df_case_in_bytes(c, c->n[COUNT], (int)c->n[BOUND], false);
    df_case_in_bytes(c, c->n[COUNT], (int)c->n[BOUND], true);
    df_case_out(c, DF_I64, 3 * DF_CALIBRATION_BINS, 0.0);
    float *values = c->tensors[CONFIDENCE].values;
    for (int64_t i = 0; values && i < c->n[COUNT]; i++) {
        values[i] = fminf(fmaxf(values[i], 0.0f), 1.0f);
        if (i % 3 == 1)
            values[i] = values[i - 1];
        if (i % 50 == 2)
            values[i] = (float)(i / 50 % (DF_CALIBRATION_BINS + 1)) / (float)DF_CALIBRATION_BINS;
    }
}

static int calibration_call(const struct df_case *c, struct df_case_run *run)
{
    return run->backend->ops->calibration(run->backend, run->memory[CONFIDENCE], run->memory[PREDICTION],
                                          run->memory[LABELS], c->n[COUNT], run->memory[BINS]);
}

static void calibration_expect(struct df_case *c)
{
    const uint8_t *prediction = c->tensors[PREDICTION].bytes, *labels = c->tensors[LABELS].bytes;

    for (int64_t i = 0; i < c->n[COUNT]; i++) {
        const float value = c->tensors[CONFIDENCE].values[i];
        int bin = 0;
        if (labels[i] == DF_IGNORE_LABEL)
            continue;
        while (bin < DF_CALIBRATION_BINS - 1 && value * (float)DF_CALIBRATION_BINS > (float)(bin + 1))
            bin++;
        c->tensors[BINS].expected[3 * bin]++;
        c->tensors[BINS].expected[3 * bin + 1] += prediction[i] == labels[i];
        c->tensors[BINS].expected[3 * bin + 2] += rint((double)value * DF_CONFIDENCE_UNITS);
    }
}

DF_CASE_SET(calibration, calibration_odd, calibration_uses);

/* Whether a device computes what it should. The parts of `dinoft selftest`: the cases of every operation
 * (dinoft/operation_case.h), and a short training run. */
#ifndef DINOFT_SELFTEST_H
#define DINOFT_SELFTEST_H

#include "dinoft/operation_case.h"
#include "dinoft/vit_config.h"

/* The shapes are those of a step of this model. */
struct selftest_setting {
    struct df_vit_config vit;
    int64_t batch, height, width, classes, rank;
    uint64_t seed;
    double seconds; /* each operation is repeated for so long to be timed; 0: not at all */
};

struct selftest_line {
    const char *operation;
    const char *shape;
    struct df_case_error worst; /* of the results */
    double seconds;             /* of one call; 0: not timed */
    double flops, bytes;        /* of one call (dinoft/work.h) */
    const char *algorithm;      /* of the device, as struct df_backend has it; NULL: not looked at */
};

typedef void selftest_report(const struct selftest_line *line, void *context);

/* Hands lines to report, and counts those that disagree: for each operation one of its odd sizes, which are
 * compared with plain loops, and one for each use that the model makes of it, which is compared with the
 * reference (the CPU in float32) and timed. -1 with the error set when an operation fails or memory does not
 * suffice. */
int selftest_operations(struct df_backend *reference, struct df_backend *device,
                        const struct selftest_setting *setting, selftest_report *report, void *context,
                        int *disagreements);

/* Bytes per second that the device copies in its own memory, read and written. */
int selftest_copy_peak(struct df_backend *device, double *peak);

#define SELFTEST_STEPS_MAX 1000

/* Losses of `steps` training steps of a small model with LoRA of random weights; the same on every backend
 * but for rounding. */
int selftest_losses(struct df_backend *backend, const struct selftest_setting *setting, const char *decoder,
                    int64_t steps, double *losses);

#endif

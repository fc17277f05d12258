/* Whether a device computes what the CPU computes. The parts of `dinoft selftest`.
 *
 * Every operation of a backend runs once on a reference backend (the CPU in float32) and once on the device,
 * on the same numbers, which the device's compute type holds exactly. */
#ifndef DINOFT_SELFTEST_H
#define DINOFT_SELFTEST_H

#include "dinoft/backend.h"
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
    double
        error; /* the largest difference over the largest value of the result, or the share of wrong bytes */
    double bound;
    double seconds;      /* of one call */
    double flops, bytes; /* of one call; bytes of the tensors, each read or written once */
    bool agrees;
};

typedef void selftest_report(const struct selftest_line *line, void *context);

/* Hands a line for each operation and shape to report, and counts those that disagree. -1 with the error set
 * when an operation fails or memory does not suffice. */
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

/* What a measurement found, and how it is shown. */
#ifndef DINOFT_BENCH_FIGURES_H
#define DINOFT_BENCH_FIGURES_H

#include "dinoft/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Timed steps of one kind. */
struct bench_pass {
    const char *name; /* "train", "eval" */
    bool training;
    double median, fastest, slowest; /* seconds of a step */
    double flops_per_image;
    size_t planned_bytes; /* activations, parameters, gradients */
    size_t peak_bytes; /* the most that was taken up to this pass's steps: of the device's memory, or else the
                          largest resident size of the process */
    bool peak_on_device;
    struct df_profile profile; /* with `ops` */
};

struct bench_figures {
    const char *mode;    /* "train", "eval", "ops" */
    const char *model;   /* hub name */
    const char *weights; /* a path, or "random" */
    const char *decoder, *device, *precision;
    bool recompute; /* in training, activations were computed again for memory's sake */
    int64_t rank, classes, batch_size, height, width, threads, steps;
    double gemm_peak; /* FLOP/s of the fastest matrix product in this run */
    bool profiled;    /* mode is "ops" */
    int n_passes;
    struct bench_pass passes[2];
};

/* Amount over seconds, 0 where the clock saw no time go by. */
double bench_rate(double amount, double seconds);
double bench_images_per_second(const struct bench_figures *figures, const struct bench_pass *pass);
double bench_flops(const struct bench_figures *figures, const struct bench_pass *pass);

void bench_print(const struct bench_figures *figures);

/* The keys are in docs/measuring.md. Atomically. */
int bench_write_json(const char *path, const struct bench_figures *figures);

#endif

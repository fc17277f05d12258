/* What a measurement found, and how it is shown. */
#ifndef DINOFT_BENCH_FIGURES_H
#define DINOFT_BENCH_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_figures {
    const char *mode;    /* "train", "eval" */
    const char *model;   /* hub name */
    const char *weights; /* a path, or "random" */
    const char *decoder, *device, *precision;
    bool recompute; /* activations were computed again, for memory's sake */
    int64_t rank, classes, batch_size, height, width, threads, steps;
    double median, fastest, slowest; /* seconds of a step */
    double flops_per_image;
    double gemm_peak;     /* FLOP/s of the fastest large matrix product in this run */
    size_t planned_bytes; /* activations, parameters, gradients */
    size_t peak_bytes;    /* the process's largest resident size */
};

void bench_print(const struct bench_figures *figures);

/* images_per_second, gflops, gemm_peak_gflops, gemm_share, peak_memory_bytes, … as JSON, atomically. */
int bench_write_json(const char *path, const struct bench_figures *figures);

#endif

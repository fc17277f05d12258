#include "bench_figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MEBIBYTE 1048576.0

double bench_rate(double amount, double seconds)
{
    return seconds > 0.0 ? amount / seconds : 0.0;
}

double bench_images_per_second(const struct bench_figures *figures, const struct bench_pass *pass)
{
    return bench_rate((double)figures->batch_size, pass->median);
}

double bench_flops(const struct bench_figures *figures, const struct bench_pass *pass)
{
    return bench_images_per_second(figures, pass) * pass->flops_per_image;
}

static void print_pass(const struct bench_figures *f, const struct bench_pass *pass)
{
    const double flops = bench_flops(f, pass);

    printf("%-5s step       %.4f s, the median of %" PRId64 " (%.4f to %.4f)\n", pass->name, pass->median,
           f->steps, pass->fastest, pass->slowest);
    printf("images/s         %.3f\n", bench_images_per_second(f, pass));
    printf("GFLOP/s          %.0f (%.1f GFLOP an image), %.1f %% of the GEMM peak\n", flops / 1e9,
           pass->flops_per_image / 1e9, 100.0 * flops / f->gemm_peak);
    printf("planned memory   %.0f MiB%s\n", (double)pass->planned_bytes / MEBIBYTE,
           f->recompute && pass->training ? ", activations recomputed" : "");
    printf("peak memory      %.0f MiB (%s)\n", (double)pass->peak_bytes / MEBIBYTE,
           pass->peak_on_device ? "of the device's" : "the whole process");
}

/* A dash where there is nothing to count. */
static void print_figure(int width, int decimals, double value)
{
    if (value > 0.0)
        printf(" %*.*f", width, decimals, value);
    else
        printf(" %*s", width, "-");
}

static bool names_algorithms(const struct df_profile *profile)
{
    for (size_t i = 0; i < profile->n_rows; i++) {
        if (profile->rows[i].algorithm[0])
            return true;
    }
    return false;
}

static void print_profile(const struct df_profile *profile, double gemm_peak)
{
    int operation_width = (int)strlen("operation"), shape_width = (int)strlen("shape");

    for (size_t i = 0; i < profile->n_rows; i++) {
        const int operation = (int)strlen(profile->rows[i].operation);
        const int shape = (int)strlen(profile->rows[i].work.shape);
        operation_width = operation > operation_width ? operation : operation_width;
        shape_width = shape > shape_width ? shape : shape_width;
    }
    printf("\n%-*s  %-*s  %5s %9s %6s %8s %6s %7s%s\n", operation_width, "operation", shape_width, "shape",
           "calls", "ms", "step %", "GFLOP/s", "peak %", "GB/s",
           names_algorithms(profile) ? "  algorithm" : "");
    for (size_t i = 0; i < profile->n_rows; i++) {
        const struct df_profile_row *row = &profile->rows[i];
        const double rate = bench_rate(row->work.flops, row->seconds);
        printf("%-*s  %-*s  %5g %9.3f %6.1f", operation_width, row->operation, shape_width, row->work.shape,
               row->calls, 1e3 * row->seconds, 100.0 * row->seconds / profile->seconds);
        print_figure(8, 0, rate / 1e9);
        print_figure(6, 1, 100.0 * rate / gemm_peak);
        print_figure(7, 1, bench_rate(row->work.bytes, row->seconds) / 1e9);
        printf("%s%s\n", row->algorithm[0] ? "  " : "", row->algorithm);
    }
    printf("%-*s  %5s %9.3f %6.1f\n", operation_width + 2 + shape_width, "outside any operation", "",
           1e3 * profile->outside, 100.0 * profile->outside / profile->seconds);
}

void bench_print(const struct bench_figures *f)
{
    printf("model            %s (%s weights), LoRA rank %" PRId64 ", decoder %s, %" PRId64 " classes\n",
           f->model, f->weights, f->rank, f->decoder, f->classes);
    printf("input            batch %" PRId64 ", %" PRId64 " x %" PRId64 "\n", f->batch_size, f->height,
           f->width);
    printf("device           %s, %s, %" PRId64 " threads\n", f->device, f->precision, f->threads);
    printf("GEMM peak        %.0f GFLOP/s, measured in this run\n", f->gemm_peak / 1e9);
    for (int i = 0; i < f->n_passes; i++) {
        if (f->profiled)
            printf("\n");
        print_pass(f, &f->passes[i]);
        if (f->profiled)
            print_profile(&f->passes[i].profile, f->gemm_peak);
    }
}

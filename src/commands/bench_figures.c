#include "bench_figures.h"

#include "dinoft/json_file.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>

static double images_per_second(const struct bench_figures *figures)
{
    return (double)figures->batch_size / figures->median;
}

static double flops(const struct bench_figures *figures)
{
    return images_per_second(figures) * figures->flops_per_image;
}

void bench_print(const struct bench_figures *f)
{
    const double mebibyte = 1048576.0;
    printf("model            %s (%s weights), LoRA rank %" PRId64 ", decoder %s, %" PRId64 " classes\n",
           f->model, f->weights, f->rank, f->decoder, f->classes);
    printf("input            batch %" PRId64 ", %" PRId64 " x %" PRId64 "\n", f->batch_size, f->height,
           f->width);
    printf("device           %s, %s, %" PRId64 " threads\n", f->device, f->precision, f->threads);
    printf("%-5s step       %.4f s, the median of %" PRId64 " (%.4f to %.4f)\n", f->mode, f->median, f->steps,
           f->fastest, f->slowest);
    printf("images/s         %.3f\n", images_per_second(f));
    printf("GFLOP/s          %.0f (%.1f GFLOP an image)\n", flops(f) / 1e9, f->flops_per_image / 1e9);
    printf("GEMM peak        %.0f GFLOP/s, measured in this run; the %s step reaches %.1f %% of it\n",
           f->gemm_peak / 1e9, f->mode, 100.0 * flops(f) / f->gemm_peak);
    printf("planned memory   %.0f MiB%s\n", (double)f->planned_bytes / mebibyte,
           f->recompute ? ", activations recomputed" : "");
    printf("peak memory      %.0f MiB (the whole process)\n", (double)f->peak_bytes / mebibyte);
}

int bench_write_json(const char *path, const struct bench_figures *f)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "mode", f->mode);
    cJSON_AddStringToObject(object, "model", f->model);
    cJSON_AddStringToObject(object, "weights", f->weights);
    cJSON_AddStringToObject(object, "decoder", f->decoder);
    cJSON_AddStringToObject(object, "device", f->device);
    cJSON_AddStringToObject(object, "precision", f->precision);
    cJSON_AddBoolToObject(object, "recompute", f->recompute);
    cJSON_AddNumberToObject(object, "rank", (double)f->rank);
    cJSON_AddNumberToObject(object, "n_classes", (double)f->classes);
    cJSON_AddNumberToObject(object, "batch_size", (double)f->batch_size);
    cJSON_AddNumberToObject(object, "height", (double)f->height);
    cJSON_AddNumberToObject(object, "width", (double)f->width);
    cJSON_AddNumberToObject(object, "threads", (double)f->threads);
    cJSON_AddNumberToObject(object, "steps", (double)f->steps);
    cJSON_AddItemToObject(object, "step_seconds", df_json_number(f->median));
    cJSON_AddItemToObject(object, "images_per_second", df_json_number(images_per_second(f)));
    cJSON_AddItemToObject(object, "gflops", df_json_number(flops(f) / 1e9));
    cJSON_AddItemToObject(object, "gflop_per_image", df_json_number(f->flops_per_image / 1e9));
    cJSON_AddItemToObject(object, "gemm_peak_gflops", df_json_number(f->gemm_peak / 1e9));
    cJSON_AddItemToObject(object, "gemm_share", df_json_number(flops(f) / f->gemm_peak));
    cJSON_AddNumberToObject(object, "planned_memory_bytes", (double)f->planned_bytes);
    cJSON_AddNumberToObject(object, "peak_memory_bytes", (double)f->peak_bytes);
    int status = df_json_write(path, object);
    cJSON_Delete(object);
    return status;
}

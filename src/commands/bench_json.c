#include "bench_figures.h"

#include "dinoft/json_file.h"

#include <cjson/cJSON.h>

static void add_number(cJSON *object, const char *name, double value)
{
    cJSON_AddItemToObject(object, name, df_json_number(value));
}

static void add_setting(cJSON *object, const struct bench_figures *f)
{
    cJSON_AddStringToObject(object, "mode", f->mode);
    cJSON_AddStringToObject(object, "model", f->model);
    cJSON_AddStringToObject(object, "weights", f->weights);
    cJSON_AddStringToObject(object, "decoder", f->decoder);
    cJSON_AddStringToObject(object, "device", f->device);
    cJSON_AddStringToObject(object, "precision", f->precision);
    cJSON_AddBoolToObject(object, "recompute", f->recompute);
    add_number(object, "rank", (double)f->rank);
    add_number(object, "n_classes", (double)f->classes);
    add_number(object, "batch_size", (double)f->batch_size);
    add_number(object, "height", (double)f->height);
    add_number(object, "width", (double)f->width);
    add_number(object, "threads", (double)f->threads);
    add_number(object, "steps", (double)f->steps);
    add_number(object, "gemm_peak_gflops", f->gemm_peak / 1e9);
}

static void add_pass(cJSON *object, const struct bench_figures *f, const struct bench_pass *pass)
{
    add_number(object, "step_seconds", pass->median);
    add_number(object, "images_per_second", bench_images_per_second(f, pass));
    add_number(object, "gflops", bench_flops(f, pass) / 1e9);
    add_number(object, "gflop_per_image", pass->flops_per_image / 1e9);
    add_number(object, "gemm_share", bench_flops(f, pass) / f->gemm_peak);
    add_number(object, "planned_memory_bytes", (double)pass->planned_bytes);
    add_number(object, "peak_memory_bytes", (double)pass->peak_bytes);
}

static void add_profile(cJSON *object, const struct df_profile *profile, double gemm_peak)
{
    cJSON *operations = cJSON_AddArrayToObject(object, "operations");

    for (size_t i = 0; i < profile->n_rows; i++) {
        const struct df_profile_row *row = &profile->rows[i];
        const double rate = bench_rate(row->flops, row->seconds);
        cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(entry, "operation", row->operation);
        cJSON_AddStringToObject(entry, "shape", row->shape);
        add_number(entry, "calls_per_step", row->calls);
        add_number(entry, "seconds_per_step", row->seconds);
        add_number(entry, "step_share", bench_rate(row->seconds, profile->seconds));
        add_number(entry, "gflop_per_step", row->flops / 1e9);
        add_number(entry, "gflops", rate / 1e9);
        add_number(entry, "gemm_share", rate / gemm_peak);
        add_number(entry, "bytes_per_step", row->bytes);
        add_number(entry, "gigabytes_per_second", bench_rate(row->bytes, row->seconds) / 1e9);
        cJSON_AddItemToArray(operations, entry);
    }
    add_number(object, "outside_seconds", profile->outside);
}

int bench_write_json(const char *path, const struct bench_figures *f)
{
    cJSON *object = cJSON_CreateObject();

    add_setting(object, f);
    for (int i = 0; i < f->n_passes; i++) {
        const struct bench_pass *pass = &f->passes[i];
        cJSON *target = f->profiled ? cJSON_AddObjectToObject(object, pass->name) : object;
        add_pass(target, f, pass);
        if (f->profiled)
            add_profile(target, &pass->profile, f->gemm_peak);
    }
    const int status = df_json_write(path, object);
    cJSON_Delete(object);
    return status;
}

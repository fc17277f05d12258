#include "bench_figures.h"

#include "dinoft/json_writer.h"

static void add_setting(struct df_json *json, const struct bench_figures *f)
{
    df_json_text(json, "mode", f->mode);
    df_json_text(json, "model", f->model);
    df_json_text(json, "weights", f->weights);
    df_json_text(json, "decoder", f->decoder);
    df_json_text(json, "device", f->device);
    df_json_text(json, "precision", f->precision);
    df_json_bool(json, "recompute", f->recompute);
    df_json_integer(json, "rank", f->rank);
    df_json_integer(json, "n_classes", f->classes);
    df_json_integer(json, "batch_size", f->batch_size);
    df_json_integer(json, "height", f->height);
    df_json_integer(json, "width", f->width);
    df_json_integer(json, "threads", f->threads);
    df_json_integer(json, "steps", f->steps);
    df_json_number(json, "gemm_peak_gflops", f->gemm_peak / 1e9);
}

static void add_pass(struct df_json *json, const struct bench_figures *f, const struct bench_pass *pass)
{
    df_json_number(json, "step_seconds", pass->median);
    df_json_number(json, "images_per_second", bench_images_per_second(f, pass));
    df_json_number(json, "gflops", bench_flops(f, pass) / 1e9);
    df_json_number(json, "gflop_per_image", pass->flops_per_image / 1e9);
    df_json_number(json, "gemm_share", bench_flops(f, pass) / f->gemm_peak);
    df_json_number(json, "planned_memory_bytes", (double)pass->planned_bytes);
    df_json_number(json, "peak_memory_bytes", (double)pass->peak_bytes);
}

static void add_profile(struct df_json *json, const struct df_profile *profile, double gemm_peak)
{
    df_json_array(json, "operations");
    for (size_t i = 0; i < profile->n_rows; i++) {
        const struct df_profile_row *row = &profile->rows[i];
        const double rate = bench_rate(row->work.flops, row->seconds);
        df_json_object(json, NULL);
        df_json_text(json, "operation", row->operation);
        df_json_text(json, "shape", row->work.shape);
        df_json_number(json, "calls_per_step", row->calls);
        df_json_number(json, "seconds_per_step", row->seconds);
        df_json_number(json, "step_share", bench_rate(row->seconds, profile->seconds));
        df_json_number(json, "gflop_per_step", row->work.flops / 1e9);
        df_json_number(json, "gflops", rate / 1e9);
        df_json_number(json, "gemm_share", rate / gemm_peak);
        df_json_number(json, "bytes_per_step", row->work.bytes);
        df_json_number(json, "gigabytes_per_second", bench_rate(row->work.bytes, row->seconds) / 1e9);
        if (row->algorithm[0])
            df_json_text(json, "algorithm", row->algorithm);
        df_json_close(json);
    }
    df_json_close(json);
    df_json_number(json, "outside_seconds", profile->outside);
}

int bench_write_json(const char *path, const struct bench_figures *f)
{
    struct df_json json = {0};

    df_json_object(&json, NULL);
    add_setting(&json, f);
    for (int i = 0; i < f->n_passes; i++) {
        const struct bench_pass *pass = &f->passes[i];
        if (f->profiled)
            df_json_object(&json, pass->name);
        add_pass(&json, f, pass);
        if (f->profiled) {
            add_profile(&json, &pass->profile, f->gemm_peak);
            df_json_close(&json);
        }
    }
    df_json_close(&json);
    return df_json_write(&json, path);
}

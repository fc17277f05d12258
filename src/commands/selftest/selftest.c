/* Each operation of a device against plain loops and, at the sizes of a model's training step, against the
 * CPU in float32, with its speed; then a short training run. The exit status says whether all agreed. */
#include "selftest.h"

#include "../bench/bench_peak.h"
#include "../commands.h"

#include "dinoft/error.h"
#include "dinoft/setup.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SECONDS_EACH 0.1
#define RANK         3

/* Of the losses, relative. The FPN normalises over the few pixels of a small batch, which enlarges rounding:
 * the CPU's bfloat16 is up to 2e-2 away from its float32 there (seeds 0 to 2, a hundred steps), and up to
 * 6e-4 with the 1x1 decoder. */
static const struct {
    const char *decoder;
    double in_f32, in_bf16;
} trainings[] = {{"linear", 2e-4, 5e-3}, {"multi", 2e-4, 5e-3}, {"mlp", 2e-3, 5e-2}, {"fpn", 2e-3, 5e-2}};

struct table {
    double gemm_peak, copy_peak;
    int lines;
};

static void print_head(void)
{
    printf("%-24s %-64s %9s %9s %10s %9s %9s %7s  %s\n", "operation", "shape", "error", "bound", "ms", "GB/s",
           "GFLOP/s", "peak %", "agrees");
}

static void print_line(const struct selftest_line *line, void *context)
{
    struct table *table = context;
    const double bytes = line->seconds > 0.0 ? line->bytes / line->seconds : 0.0;
    const double flops = line->seconds > 0.0 ? line->flops / line->seconds : 0.0;
    const double share = line->flops > 0.0 ? flops / table->gemm_peak : bytes / table->copy_peak;
    char rate[32] = "-";

    if (line->flops > 0.0)
        snprintf(rate, sizeof rate, "%.0f", flops / 1e9);
    printf("%-24s %-64s %9.2e %9.2e ", line->operation, line->shape, line->worst.error,
           line->worst.tolerance);
    if (line->seconds > 0.0)
        printf("%10.4f %9.1f %9s %7.1f", 1e3 * line->seconds, bytes / 1e9, rate, 100.0 * share);
    else
        printf("%10s %9s %9s %7s", "-", "-", "-", "-");
    printf("  %s", line->worst.agrees ? "yes" : "NO");
    if (line->algorithm && line->algorithm[0])
        printf(", by %s", line->algorithm);
    printf("\n");
    fflush(stdout);
    table->lines++;
}

/* The largest relative difference; NaN where there is one. */
static double loss_difference(const double *expected, const double *losses, int64_t steps)
{
    double largest = 0.0;

    for (int64_t i = 0; i < steps; i++) {
        const double difference = fabs(losses[i] - expected[i]) / fabs(expected[i]);
        if (!(difference <= largest) && !isnan(largest))
            largest = difference;
    }
    return largest;
}

/* Trains on both and, for the bits, on the device once more. */
static int compare_training(struct df_backend *reference, struct df_backend *device,
                            const struct selftest_setting *setting, const char *decoder, double bound,
                            int64_t steps, int *disagreements)
{
    double expected[SELFTEST_STEPS_MAX], losses[SELFTEST_STEPS_MAX], again[SELFTEST_STEPS_MAX];

    DF_TRY(selftest_losses(reference, setting, decoder, steps, expected));
    DF_TRY(selftest_losses(device, setting, decoder, steps, losses));
    DF_TRY(selftest_losses(device, setting, decoder, steps, again));
    const double difference = loss_difference(expected, losses, steps);
    const bool agrees = difference <= bound;
    const bool repeats = memcmp(losses, again, (size_t)steps * sizeof *losses) == 0;
    printf("training, decoder %-6s  %" PRId64 " steps, loss %.6f to %.6f (reference %.6f to %.6f), largest "
           "relative difference %.2e, bound %.2e  %s\n",
           decoder, steps, losses[0], losses[steps - 1], expected[0], expected[steps - 1], difference, bound,
           agrees ? "yes" : "NO");
    printf("the same bits twice       %s\n", repeats ? "yes" : "NO");
    *disagreements += !agrees + !repeats;
    return 0;
}

static int choose_setting(const struct df_config *config, struct selftest_setting *setting)
{
    struct df_segmenter_options options;

    *setting =
        (struct selftest_setting){.seed = (uint64_t)config->seed, .seconds = SECONDS_EACH, .rank = RANK};
    DF_TRY(df_backbone_dimensions(config, NULL, &setting->vit));
    DF_TRY(df_model_options(&options, config, NULL, &setting->vit, NULL));
    setting->batch = options.max_batch;
    setting->classes = options.classes;
    setting->height = options.height;
    setting->width = options.width;
    if (config->steps > SELFTEST_STEPS_MAX)
        return df_error_set("--steps %" PRId64 ": the selftest takes at most %d", config->steps,
                            SELFTEST_STEPS_MAX);
    printf("shapes           %s, batch %" PRId64 ", %" PRId64 " x %" PRId64 ", %" PRId64 " classes\n",
           df_vit_hub_name(&setting->vit), setting->batch, setting->height, setting->width, setting->classes);
    return 0;
}

static int describe(const struct df_backend *reference, struct df_backend *device, struct table *table)
{
    DF_TRY(bench_measure_peak(device, &table->gemm_peak));
    DF_TRY(selftest_copy_peak(device, &table->copy_peak));
    printf("device           %s, %s\n", device->name, df_dtype_name(device->compute));
    printf("reference        cpu, float32\n");
    if (device->ops == reference->ops && device->compute == reference->compute)
        printf("                 the same: but for odd sizes, what follows is speed, and that bits repeat\n");
    printf("peaks            %.0f GFLOP/s in matrix products, %.0f GB/s copied, measured in this run\n\n",
           table->gemm_peak / 1e9, table->copy_peak / 1e9);
    return 0;
}

static int run(struct df_backend *reference, struct df_backend *device, const struct df_config *config,
               const struct selftest_setting *setting, int *disagreements)
{
    struct table table = {0};

    DF_TRY(describe(reference, device, &table));
    print_head();
    DF_TRY(selftest_operations(reference, device, setting, print_line, &table, disagreements));
    printf("\n");
    for (size_t i = 0; i < sizeof trainings / sizeof *trainings; i++)
        DF_TRY(compare_training(reference, device, setting, trainings[i].decoder,
                                device->compute == DF_BF16 ? trainings[i].in_bf16 : trainings[i].in_f32,
                                config->steps, disagreements));
    return 0;
}

int command_selftest(struct df_config *config)
{
    struct df_backend *reference = NULL, *device = NULL;
    struct selftest_setting setting;
    int disagreements = 0, status = 1;

    if (choose_setting(config, &setting) != 0)
        return 1;
    device = df_backend_open(config->device, config->precision, (int)config->threads);
    reference = device ? df_cpu_backend_open(DF_F32, (int)config->threads) : NULL;
    if (!reference || run(reference, device, config, &setting, &disagreements) != 0)
        goto done;
    if (disagreements > 0)
        df_error_set("selftest: %d results of device %s disagree with the reference; they are marked NO",
                     disagreements, device->name);
    else
        printf("all agree\n");
    status = disagreements > 0;
done:
    df_backend_close(reference);
    df_backend_close(device);
    return status;
}

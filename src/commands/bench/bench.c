/* Speed and memory of training or evaluation on this machine, or of each operation of both, on random pixels,
 * with random weights if none are given; or of the loader alone. */
#include "bench_batch.h"
#include "bench_figures.h"
#include "bench_loader.h"
#include "bench_peak.h"
#include "../commands.h"
#include "../interrupt.h"

#include "dinoft/atomic_write.h"
#include "dinoft/backbone_file.h"
#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/flops.h"
#include "dinoft/median.h"
#include "dinoft/peak_memory.h"
#include "dinoft/setup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WARM_UP                                                                                              \
    2 /* steps that are not counted: the first ones allocate, create primitives and touch memory */

struct bench {
    const struct df_config *config;
    const volatile sig_atomic_t *stop;
    char *weights_path; /* NULL: random ones */
    struct df_backend *backend;
    struct df_state *backbone; /* read already, for the first pass; NULL: it is read or drawn */
    struct df_vit_config vit;
    struct df_segmenter_options options; /* but for what a pass decides */
    struct df_segmenter *segmenter;
    struct bench_batch batch;
    double *seconds; /* [steps] */
    struct bench_figures figures;
};

static void choose_passes(struct bench *bench)
{
    static const char *const mode_names[] = {DF_BENCH_MODES(DF_CHOICE_TEXT)};
    const enum df_bench_mode mode = bench->config->bench_mode;
    struct bench_figures *figures = &bench->figures;
    const struct bench_pass train = {.name = "train", .training = true}, eval = {.name = "eval"};

    figures->mode = mode_names[mode];
    figures->profiled = mode == DF_BENCH_OPS;
    if (figures->profiled || mode == DF_BENCH_TRAIN)
        figures->passes[figures->n_passes++] = train;
    if (figures->profiled || mode == DF_BENCH_EVAL)
        figures->passes[figures->n_passes++] = eval;
}

/* The backend, under a profiler where operations are measured. */
static struct df_backend *open_backend(const struct bench *bench)
{
    const struct df_config *config = bench->config;
    struct df_backend *backend = df_backend_open(config->device, config->precision, (int)config->threads);

    if (!backend || !bench->figures.profiled)
        return backend;
    struct df_backend *profiler = df_profiler_open(backend, config->steps);
    if (!profiler)
        df_backend_close(backend);
    return profiler;
}

/* Dimensions and options, before anything large is made: refusals and log lines come once. */
static int choose_model(struct bench *bench)
{
    const struct df_config *config = bench->config;

    if (config->weights)
        bench->backbone = df_setup_backbone(config, NULL, &bench->vit, &bench->weights_path);
    if (config->weights ? !bench->backbone : df_backbone_dimensions(config, NULL, &bench->vit) != 0)
        return -1;
    return df_model_options(&bench->options, config, NULL, &bench->vit, NULL);
}

static int open_segmenter(struct bench *bench, bool training)
{
    const uint64_t seed = (uint64_t)bench->config->seed;
    struct df_segmenter_options options = bench->options;

    /* Batches come as they do when images are read from files. */
    DF_TRY(df_model_options_use(&options, training ? DF_MODEL_TRAINS : DF_MODEL_EVALUATES_FEED,
                                bench->backend, bench->vit.patch));
    struct df_state *backbone = bench->backbone       ? bench->backbone
                                : bench->weights_path ? df_backbone_read(bench->weights_path, &bench->vit)
                                                      : df_backbone_random(&bench->vit, seed);
    bench->backbone = NULL;
    if (!backbone)
        return -1;
    bench->segmenter = df_segmenter_create(bench->backend, backbone, &bench->vit, &options, NULL, seed);
    df_state_free(backbone);
    return bench->segmenter ? 0 : -1;
}

static int training_step(struct bench *bench)
{
    struct df_segmenter *segmenter = bench->segmenter;
    const int64_t count = df_segmenter_made_with(segmenter)->max_batch;
    struct df_step_result result;

    for (int64_t part = 0; part < bench->config->accumulate; part++) {
        DF_TRY(bench_batch_load(&bench->batch, segmenter));
        DF_TRY(df_segmenter_train_part(segmenter, count, NULL));
    }
    DF_TRY(df_segmenter_update(segmenter, bench->config->lr));
    return df_segmenter_step_result(segmenter, &result);
}

static int evaluation_step(struct bench *bench)
{
    struct df_segmenter *segmenter = bench->segmenter;
    const int64_t count = df_segmenter_made_with(segmenter)->max_batch;
    double loss;
    int64_t counted;

    for (int64_t part = 0; part < bench->config->accumulate; part++) {
        DF_TRY(bench_batch_load(&bench->batch, segmenter));
        DF_TRY(df_segmenter_forward(segmenter, count, false, NULL));
        DF_TRY(df_segmenter_loss(segmenter, count, false, true, &loss, &counted));
    }
    return 0;
}

static int step(struct bench *bench)
{
    DF_TRY(df_segmenter_made_with(bench->segmenter)->training ? training_step(bench)
                                                              : evaluation_step(bench));
    return bench->backend->ops->wait(bench->backend);
}

static int timed_step(struct bench *bench, double *seconds)
{
    const double started = df_seconds();

    if (bench->figures.profiled)
        df_profiler_begin_step(bench->backend);
    DF_TRY(step(bench));
    if (bench->figures.profiled)
        DF_TRY(df_profiler_end_step(bench->backend));
    *seconds = df_seconds() - started;
    return 0;
}

/* Two steps that warm up and the timed ones; around those of the last pass the GEMM peak is measured, twice
 * because a machine that others use changes its speed. Memory is read before the peak's own matrices are
 * there; a step allocates nothing that the first one did not. */
static int measure(struct bench *bench, struct bench_pass *pass)
{
    const int64_t steps = bench->config->steps;
    const bool last = pass == bench->figures.passes; /* they run backwards */

    for (int i = 0; i < WARM_UP; i++)
        DF_TRY(step(bench));
    DF_TRY(df_peak_memory(bench->backend, &pass->peak_bytes, &pass->peak_on_device));
    if (last)
        DF_TRY(bench_measure_peak(bench->backend, &bench->figures.gemm_peak));
    for (int64_t i = 0; i < steps && !*bench->stop; i++)
        DF_TRY(timed_step(bench, &bench->seconds[i]));
    if (*bench->stop)
        return 0;
    if (last)
        DF_TRY(bench_measure_peak(bench->backend, &bench->figures.gemm_peak));
    pass->median = df_median(bench->seconds, (size_t)steps);
    pass->fastest = bench->seconds[0];
    pass->slowest = bench->seconds[steps - 1];
    if (!bench->figures.profiled)
        return 0;
    DF_TRY(df_profiler_result(bench->backend, &pass->profile));
    pass->median = pass->profile.seconds; /* of which the operations have their shares */
    return 0;
}

static void describe(struct bench *bench)
{
    const struct df_segmenter_options *options = df_segmenter_made_with(bench->segmenter);
    const char *name = df_vit_hub_name(&bench->vit);
    struct bench_figures *figures = &bench->figures;

    figures->weights = bench->weights_path ? bench->weights_path : "random";
    figures->model = name ? name : df_family_name(bench->vit.family);
    figures->decoder = options->decoder;
    figures->device = bench->backend->name;
    figures->precision = df_dtype_name(bench->backend->compute);
    figures->recompute = bench->config->recompute && options->rank > 0;
    figures->rank = options->rank;
    figures->classes = options->classes;
    figures->batch_size = options->max_batch * bench->config->accumulate;
    figures->height = options->height;
    figures->width = options->width;
    figures->threads = bench->backend->threads;
    figures->steps = bench->config->steps;
}

/* The model of one kind of step from its making to its end. */
static int run_pass(struct bench *bench, struct bench_pass *pass)
{
    int status = -1;

    bench->backend = open_backend(bench);
    if (!bench->backend || open_segmenter(bench, pass->training) != 0 ||
        bench_batch_open(&bench->batch, bench->segmenter, (uint64_t)bench->config->seed) != 0 ||
        measure(bench, pass) != 0 ||
        df_segmenter_flops(&bench->vit, df_segmenter_made_with(bench->segmenter), &pass->flops_per_image) !=
            0)
        goto done;
    describe(bench);
    pass->planned_bytes = df_segmenter_planned_bytes(bench->segmenter);
    status = 0;
done:
    bench_batch_close(&bench->batch);
    df_segmenter_free(bench->segmenter);
    df_backend_close(bench->backend);
    bench->segmenter = NULL;
    bench->backend = NULL;
    return status;
}

static void finish(struct bench *bench)
{
    free(bench->seconds);
    free(bench->weights_path);
    df_state_free(bench->backbone);
    for (int i = 0; i < bench->figures.n_passes; i++)
        df_profile_free(&bench->figures.passes[i].profile);
}

/* What reads a data set is for `loader` alone, and what concerns a training step for those that have one. */
static int check_flags(const struct df_config *config)
{
    static const enum df_option others[] = {DF_OPTION_DATASET,        DF_OPTION_DATA_ROOT,
                                            DF_OPTION_CLASS_NAMES,    DF_OPTION_MASK_VALUES,
                                            DF_OPTION_ANNOTATIONS,    DF_OPTION_PALETTE,
                                            DF_OPTION_IGNORE_VALUE,   DF_OPTION_MERGE_CLASSES,
                                            DF_OPTION_IGNORE_CLASSES, DF_OPTION_LAYOUT,
                                            DF_OPTION_IMAGES,         DF_OPTION_MASKS,
                                            DF_OPTION_PAIRS,          DF_OPTION_FOLD,
                                            DF_OPTION_VAL_FRACTION,   DF_OPTION_SPLIT_SEED,
                                            DF_OPTION_TRAIN_LIST,     DF_OPTION_VAL_LIST,
                                            DF_OPTION_NUM_WORKERS,    DF_OPTION_AUGMENT,
                                            DF_OPTION_AUGMENT_SCALE,  DF_OPTION_CROP_CLASS_BALANCE};
    static const enum df_option of_a_step[] = {DF_OPTION_ACCUMULATE, DF_OPTION_EMA, DF_OPTION_GRAD_CLIP};
    const enum df_bench_mode mode = config->bench_mode;
    enum df_option typed = df_config_typed(config, of_a_step, sizeof of_a_step / sizeof of_a_step[0]);

    if (typed != DF_OPTION_COUNT && mode != DF_BENCH_TRAIN && mode != DF_BENCH_OPS)
        return df_error_set("--%s is for bench train and ops: nothing else trains", df_option_name(typed));
    typed = df_config_typed(config, others, sizeof others / sizeof others[0]);
    if (typed == DF_OPTION_COUNT || mode == DF_BENCH_LOADER)
        return 0;
    return df_error_set("--%s is for bench loader: what else is measured works on random pixels",
                        df_option_name(typed));
}

int command_bench(struct df_config *config)
{
    struct bench bench = {.config = config, .stop = interrupt_flag()};
    int status = 1;

    if (check_flags(config) != 0 || (config->json && df_check_writable_file(config->json) != 0))
        return 1;
    if (config->bench_mode == DF_BENCH_LOADER) {
        if (bench_loader(config, bench.stop) != 0)
            return 1;
        return *bench.stop ? EXIT_INTERRUPTED : 0;
    }
    if (choose_model(&bench) != 0)
        goto done;
    choose_passes(&bench);
    bench.seconds = malloc((size_t)config->steps * sizeof *bench.seconds);
    if (!bench.seconds) {
        df_error_memory("the steps' times", (size_t)config->steps * sizeof *bench.seconds);
        goto done;
    }
    /* Backwards, evaluation before training: it needs less, and the process's peak only grows. */
    for (int i = bench.figures.n_passes - 1; i >= 0 && !*bench.stop; i--) {
        if (run_pass(&bench, &bench.figures.passes[i]) != 0)
            goto done;
    }
    if (*bench.stop) {
        status = EXIT_INTERRUPTED;
        goto done;
    }
    bench_print(&bench.figures);
    if (!config->json || bench_write_json(config->json, &bench.figures) == 0)
        status = 0;
done:
    finish(&bench);
    return status;
}

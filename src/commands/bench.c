/* Speed and memory of training or evaluation on this machine, on random pixels, with random weights if none
 * are given. */
#include "bench_figures.h"
#include "commands.h"
#include "interrupt.h"

#include "dinoft/atomic_write.h"
#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/flops.h"
#include "dinoft/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define WARM_UP                                                                                              \
    2 /* steps that are not counted: the first ones allocate, create primitives and touch memory */
#define USUAL_CLASSES 21

/* The product that stands for the machine's peak: large enough that nothing but arithmetic counts. */
#define PEAK_ROWS    2048
#define PEAK_IN      1024
#define PEAK_OUT     4096
#define PEAK_REPEATS 5

struct bench {
    const struct df_config *config;
    bool training;
    struct df_backend *backend;
    struct df_vit_config vit;
    struct df_segmenter *segmenter;
    uint8_t *pixels, *labels; /* [batch, H, W, 3], [batch, H, W] */
    double *seconds;          /* [steps] */
    struct bench_figures figures;
};

static int check_mode(struct bench *bench)
{
    const char *mode = bench->config->n_inputs > 0 ? bench->config->inputs[0] : "train";
    bench->training = strcmp(mode, "train") == 0;
    bench->figures.mode = mode;
    if (bench->training || strcmp(mode, "eval") == 0)
        return 0;
    return df_error_set("bench measures train or eval, not '%s'", mode);
}

static struct df_state *open_backbone(struct bench *bench)
{
    const struct df_config *config = bench->config;
    bench->figures.weights = config->weights ? config->weights : "random";
    if (config->weights)
        return df_backbone_read(config->weights, &bench->vit);
    const char *name = df_hub_name_for(config->dino_type, config->size);
    if (!name || df_vit_config_for_hub_name(name, &bench->vit) != 0)
        return NULL;
    return df_backbone_random(&bench->vit, (uint64_t)config->seed);
}

static int open_segmenter(struct bench *bench)
{
    const struct df_config *config = bench->config;
    struct df_state *backbone = open_backbone(bench);
    if (!backbone)
        return -1;
    const int64_t patch = bench->vit.patch;
    struct df_segmenter_options options = {
        .decoder = config->use_fpn ? "fpn" : "linear",
        .classes = config->n_classes > 0 ? config->n_classes : USUAL_CLASSES,
        .rank = config->use_lora ? config->r : 0,
        .max_batch = config->batch_size,
        .height = config->img_dim[0] - config->img_dim[0] % patch,
        .width = config->img_dim[1] - config->img_dim[1] % patch,
        .training = bench->training,
        .recompute = config->recompute,
        .rope_rescale = 1.0,
        .std = {1.0f, 1.0f, 1.0f},
    };
    bench->segmenter =
        df_segmenter_create(bench->backend, backbone, &bench->vit, &options, NULL, (uint64_t)config->seed);
    df_state_free(backbone);
    return bench->segmenter ? 0 : -1;
}

/* Random pixels, and labels in patches of every class with some that do not count. */
static int fill_batch(struct bench *bench)
{
    const struct df_segmenter_options *options = &bench->segmenter->options;
    const int64_t count = options->max_batch * options->height * options->width;
    struct df_rng rng;

    bench->pixels = malloc((size_t)(3 * count));
    bench->labels = malloc((size_t)count);
    bench->seconds = malloc((size_t)bench->config->steps * sizeof *bench->seconds);
    if (!bench->pixels || !bench->labels || !bench->seconds)
        return df_error_memory("a batch", (unsigned long long)(4 * count));
    df_rng_seed(&rng, (uint64_t)bench->config->seed, df_hash_text("bench"));
    for (int64_t i = 0; i < 3 * count; i++)
        bench->pixels[i] = (uint8_t)df_rng_below(&rng, 256);
    for (int64_t i = 0; i < count; i++) {
        const int64_t cell = i / 40 % (options->classes + 1);
        bench->labels[i] = cell == options->classes ? DF_IGNORE_LABEL : (uint8_t)cell;
    }
    return 0;
}

static int step(struct bench *bench)
{
    struct df_segmenter *segmenter = bench->segmenter;
    const int64_t count = segmenter->options.max_batch;
    double loss;
    int64_t counted;

    DF_TRY(df_segmenter_load_pixels(segmenter, count, bench->pixels, bench->labels));
    if (bench->training)
        return df_segmenter_train_step(segmenter, count, bench->config->lr, NULL, &loss, &counted);
    DF_TRY(df_segmenter_forward(segmenter, count, false, NULL));
    return df_segmenter_loss(segmenter, count, false, true, &loss, &counted);
}

/* The fastest of a few large products, in FLOP/s. */
static int measure_peak(struct bench *bench)
{
    struct df_backend *backend = bench->backend;
    const size_t element = df_dtype_size(backend->compute);
    float *weight = calloc((size_t)PEAK_OUT * PEAK_IN, sizeof *weight);
    void *x = backend->ops->alloc(backend, (size_t)PEAK_ROWS * PEAK_IN * element);
    void *y = backend->ops->alloc(backend, (size_t)PEAK_ROWS * PEAK_OUT * element);
    struct df_linear *linear = NULL;
    int status = -1;

    if (!weight)
        df_error_memory("a weight", (unsigned long long)PEAK_OUT * PEAK_IN * sizeof *weight);
    else if (x && y)
        linear = backend->ops->linear_create(backend, weight, NULL, PEAK_OUT, PEAK_IN, PEAK_ROWS, false);
    if (!linear || backend->ops->zero(backend, x, (size_t)PEAK_ROWS * PEAK_IN * element) != 0)
        goto done;
    for (int i = 0; i <= PEAK_REPEATS; i++) {
        const double started = df_seconds();
        if (backend->ops->linear_forward(
                backend, linear, (struct df_matrix){x, backend->compute, PEAK_ROWS, PEAK_IN, PEAK_IN},
                (struct df_matrix){y, backend->compute, PEAK_ROWS, PEAK_OUT, PEAK_OUT}, false) != 0)
            goto done;
        const double rate = 2.0 * PEAK_ROWS * PEAK_IN * PEAK_OUT / (df_seconds() - started);
        bench->figures.gemm_peak = i > 0 ? fmax(bench->figures.gemm_peak, rate) : bench->figures.gemm_peak;
    }
    status = 0;
done:
    if (linear)
        backend->ops->linear_free(backend, linear);
    backend->ops->free(backend, x);
    backend->ops->free(backend, y);
    free(weight);
    return status;
}

static int compare_doubles(const void *a, const void *b)
{
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* Timed steps between two measurements of the peak: a machine that others use changes its speed. */
static int measure(struct bench *bench, const volatile sig_atomic_t *stop)
{
    const int64_t steps = bench->config->steps;
    struct rusage usage;

    for (int i = 0; i < WARM_UP; i++)
        DF_TRY(step(bench));
    DF_TRY(measure_peak(bench));
    for (int64_t i = 0; i < steps && !*stop; i++) {
        const double started = df_seconds();
        DF_TRY(step(bench));
        bench->seconds[i] = df_seconds() - started;
    }
    if (*stop)
        return 0;
    DF_TRY(measure_peak(bench));
    qsort(bench->seconds, (size_t)steps, sizeof *bench->seconds, compare_doubles);
    bench->figures.median = 0.5 * (bench->seconds[(steps - 1) / 2] + bench->seconds[steps / 2]);
    bench->figures.fastest = bench->seconds[0];
    bench->figures.slowest = bench->seconds[steps - 1];
    getrusage(RUSAGE_SELF, &usage);
    bench->figures.peak_bytes = (size_t)usage.ru_maxrss * 1024; /* Linux counts kibibytes */
    return 0;
}

static void describe(struct bench *bench)
{
    const struct df_segmenter_options *options = &bench->segmenter->options;
    const char *name = df_vit_hub_name(&bench->vit);
    struct bench_figures *figures = &bench->figures;

    figures->model = name ? name : df_family_name(bench->vit.family);
    figures->decoder = options->decoder;
    figures->device = bench->backend->name;
    figures->precision = df_dtype_name(bench->backend->compute);
    figures->recompute = bench->training && options->recompute && options->rank > 0;
    figures->rank = options->rank;
    figures->classes = options->classes;
    figures->batch_size = options->max_batch;
    figures->height = options->height;
    figures->width = options->width;
    figures->threads = bench->backend->threads;
    figures->steps = bench->config->steps;
    figures->flops_per_image = df_segmenter_flops(bench->segmenter, bench->training);
    figures->planned_bytes = bench->segmenter->arena.peak;
}

static void finish(struct bench *bench)
{
    df_segmenter_free(bench->segmenter);
    df_backend_close(bench->backend);
    free(bench->pixels);
    free(bench->labels);
    free(bench->seconds);
}

int command_bench(const struct df_config *config)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    struct bench bench = {.config = config};
    int status = 1;

    if (check_mode(&bench) != 0 || (config->json && df_check_writable_file(config->json) != 0))
        return 1;
    bench.backend = df_backend_open(config->device, config->precision, (int)config->threads);
    if (!bench.backend || open_segmenter(&bench) != 0 || fill_batch(&bench) != 0 ||
        measure(&bench, stop) != 0)
        goto done;
    if (*stop) {
        status = EXIT_INTERRUPTED;
        goto done;
    }
    describe(&bench);
    bench_print(&bench.figures);
    if (!config->json || bench_write_json(config->json, &bench.figures) == 0)
        status = 0;
done:
    finish(&bench);
    return status;
}

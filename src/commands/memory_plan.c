#include "memory_plan.h"

#include "dinoft/error.h"
#include "dinoft/flops.h"
#include "dinoft/json_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEBIBYTE 1048576.0

/* One of the two: training or evaluation. */
struct memory_plan {
    const char *name; /* "train", "eval" */
    struct df_segmenter_options options;
    int64_t parts; /* of a batch, one of which is computed at a time */
    enum df_dtype compute;
    struct df_memory_plan model; /* its items the largest first */
    double flops;                /* of an image */
};

static int compare_items(const void *a, const void *b)
{
    const struct df_arena_item *first = a, *second = b;
    if (first->bytes != second->bytes)
        return first->bytes < second->bytes ? 1 : -1;
    return strcmp(first->name, second->name);
}

static size_t all_weights(const struct memory_plan *plan)
{
    return plan->model.forward_weights + plan->model.backward_weights;
}

static int make_plan(struct memory_plan *plan, struct df_backend *backend, const struct df_vit_config *vit,
                     const struct df_segmenter_options *options)
{
    plan->name = options->training ? "train" : "eval";
    plan->options = *options;
    plan->compute = backend->compute;
    DF_TRY(df_segmenter_plan(backend, vit, options, &plan->model));
    DF_TRY(df_segmenter_flops(vit, options, &plan->flops));
    qsort(plan->model.items, (size_t)plan->model.n_items, sizeof plan->model.items[0], compare_items);
    while (plan->model.n_items > 0 && plan->model.items[plan->model.n_items - 1].bytes == 0)
        plan->model.n_items--;
    return 0;
}

static void print_row(const char *name, int64_t count, size_t bytes, size_t whole)
{
    printf("  %-28s %6" PRId64 " %12.1f MiB %6.1f %%\n", name, count, (double)bytes / MEBIBYTE,
           whole ? 100.0 * (double)bytes / (double)whole : 0.0);
}

static void print_plan(const struct memory_plan *plan)
{
    const struct df_segmenter_options *options = &plan->options;
    const size_t peak = plan->model.peak;
    char lora[64] = "no LoRA", parts[48] = "", head[DF_HEAD_TEXT];

    if (options->rank > 0)
        snprintf(lora, sizeof lora, "%sLoRA of rank %" PRId64 "%s",
                 options->training && options->merged ? "merged " : "", options->rank,
                 options->lora.dora ? " with DoRA" : "");
    if (plan->parts > 1)
        snprintf(parts, sizeof parts, " in %" PRId64 " parts", plan->parts);
    printf("\nmemory to %s: %s, decoder %s, %" PRId64 " classes, batch %" PRId64 "%s, %" PRId64 " x %" PRId64
           ", %s%s\n",
           plan->name, lora, df_head_text(df_decoder_kind_named(options->decoder), &options->head, head),
           options->classes, options->max_batch * plan->parts, parts, options->height, options->width,
           df_dtype_name(plan->compute),
           options->training && options->recompute && df_trains_lora(options) ? ", recomputing" : "");
    for (int i = 0; i < plan->model.n_items; i++)
        print_row(plan->model.items[i].name, plan->model.items[i].count, plan->model.items[i].bytes, peak);
    printf("  %-28s %6s %12.1f MiB  (phases share memory)\n", "planned, at the peak", "",
           (double)peak / MEBIBYTE);
    printf("  %-28s %6s %12.1f MiB  (%.1f forward, %.1f backward)\n", "frozen weights, packed", "",
           (double)all_weights(plan) / MEBIBYTE, (double)plan->model.forward_weights / MEBIBYTE,
           (double)plan->model.backward_weights / MEBIBYTE);
    if (options->training)
        printf("  %-28s %" PRId64 "\n", "trained parameters", plan->model.trained_parameters);
    printf("  %-28s %.1f GFLOP\n", "work of an image", plan->flops / 1e9);
}

static void add_items(struct df_json *json, const struct memory_plan *plan)
{
    df_json_array(json, "items");
    for (int i = 0; i < plan->model.n_items; i++) {
        df_json_object(json, NULL);
        df_json_text(json, "name", plan->model.items[i].name);
        df_json_integer(json, "count", plan->model.items[i].count);
        df_json_integer(json, "bytes", (int64_t)plan->model.items[i].bytes);
        df_json_close(json);
    }
    df_json_close(json);
}

static void add_plan(struct df_json *json, const struct memory_plan *plan)
{
    const struct df_segmenter_options *options = &plan->options;

    df_json_object(json, plan->name);
    df_json_text(json, "decoder", options->decoder);
    df_json_text(json, "precision", df_dtype_name(plan->compute));
    df_json_bool(json, "recompute", options->recompute);
    df_json_integer(json, "rank", options->rank);
    df_json_integer(json, "n_classes", options->classes);
    df_json_integer(json, "batch_size", options->max_batch * plan->parts);
    df_json_integer(json, "accumulate", plan->parts);
    df_json_integer(json, "height", options->height);
    df_json_integer(json, "width", options->width);
    df_json_integer(json, "planned_memory_bytes", (int64_t)plan->model.peak);
    df_json_integer(json, "forward_weights_bytes", (int64_t)plan->model.forward_weights);
    df_json_integer(json, "backward_weights_bytes", (int64_t)plan->model.backward_weights);
    df_json_integer(json, "trained_parameters", plan->model.trained_parameters);
    df_json_number(json, "gflop_per_image", plan->flops / 1e9);
    add_items(json, plan);
    df_json_close(json);
}

static int write_json(const char *path, const struct memory_plan plans[2])
{
    struct df_json json = {0};

    df_json_object(&json, NULL);
    for (int i = 0; i < 2; i++)
        add_plan(&json, &plans[i]);
    df_json_close(&json);
    return df_json_write(&json, path);
}

/* What a checkpoint says itself cannot be asked for. */
static int check_flags(const struct df_config *config, const struct df_checkpoint *checkpoint)
{
    static const enum df_option fixed[] = {
        DF_OPTION_USE_LORA,     DF_OPTION_R,           DF_OPTION_USE_FPN,        DF_OPTION_N_CLASSES,
        DF_OPTION_LORA_TARGETS, DF_OPTION_LORA_BLOCKS, DF_OPTION_LORA_ALPHA,     DF_OPTION_RSLORA,
        DF_OPTION_DORA,         DF_OPTION_DECODER,     DF_OPTION_DECODER_LAYERS, DF_OPTION_HEAD_NORM,
        DF_OPTION_HEAD_DROPOUT};
    const enum df_option typed = df_config_typed(config, fixed, sizeof fixed / sizeof fixed[0]);

    if (config->merge_lora && (!checkpoint || checkpoint->rank == 0))
        return df_error_set("--merge_lora is for a checkpoint with LoRA");
    if (!checkpoint || typed == DF_OPTION_COUNT)
        return 0;
    return df_error_set("--%s is for a backbone: the checkpoint %s says that itself", df_option_name(typed),
                        config->inputs[0]);
}

int memory_plan_print(const struct df_config *config, const struct df_vit_config *vit,
                      const struct df_checkpoint *checkpoint)
{
    struct memory_plan plans[2] = {0};
    struct df_segmenter_options options;
    struct df_backend *backend = NULL;
    int status = -1;

    if (check_flags(config, checkpoint) != 0 ||
        df_model_options(&options, config, checkpoint, vit, NULL) != 0)
        return -1;
    if (checkpoint && !config->typed[DF_OPTION_RESIZE])
        options.keeps_ratio = checkpoint->record.keeps_ratio;
    backend = df_backend_open(config->device, config->precision, 0);
    if (!backend)
        return -1;
    for (int i = 0; i < 2; i++) {
        plans[i].parts = i == 0 ? config->accumulate : 1;
        options.max_batch = config->batch_size / plans[i].parts;
        if (df_model_options_use(&options, i == 0 ? DF_MODEL_TRAINS : DF_MODEL_EVALUATES_FEED, backend,
                                 vit->patch) != 0 ||
            make_plan(&plans[i], backend, vit, &options) != 0)
            goto done;
    }
    for (int i = 0; i < 2; i++)
        print_plan(&plans[i]);
    status = config->json ? write_json(config->json, plans) : 0;
done:
    df_backend_close(backend);
    return status;
}

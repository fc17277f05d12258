#include "memory_plan.h"

#include "dinoft/error.h"
#include "dinoft/json_file.h"
#include "dinoft/size.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USUAL_CLASSES 21
#define MEBIBYTE      1048576.0

/* One of the two: training or evaluation. */
struct memory_plan {
    const char *name; /* "train", "eval" */
    struct df_segmenter *segmenter;
    struct df_vit_weight_bytes weights;
    struct df_arena_item items[DF_ARENA_MAX_ITEMS]; /* the largest first */
    int n_items;
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
    return plan->weights.forward + plan->weights.backward;
}

static int make_plan(struct memory_plan *plan, struct df_backend *backend, const struct df_vit_config *vit,
                     const struct df_segmenter_options *options)
{
    plan->name = options->training ? "train" : "eval";
    plan->segmenter = df_segmenter_plan(backend, vit, options);
    if (!plan->segmenter)
        return -1;
    DF_TRY(df_vit_weight_bytes(plan->segmenter->vit, &plan->weights));
    for (int i = 0; i < plan->segmenter->arena.n_items && i < DF_ARENA_MAX_ITEMS; i++) {
        if (plan->segmenter->arena.items[i].bytes > 0)
            plan->items[plan->n_items++] = plan->segmenter->arena.items[i];
    }
    qsort(plan->items, (size_t)plan->n_items, sizeof plan->items[0], compare_items);
    return 0;
}

static void print_row(const char *name, int64_t count, size_t bytes, size_t whole)
{
    printf("  %-28s %6" PRId64 " %12.1f MiB %6.1f %%\n", name, count, (double)bytes / MEBIBYTE,
           whole ? 100.0 * (double)bytes / (double)whole : 0.0);
}

static void print_plan(const struct memory_plan *plan)
{
    const struct df_segmenter *segmenter = plan->segmenter;
    const struct df_segmenter_options *options = &segmenter->options;
    const size_t peak = segmenter->arena.peak;
    char lora[48] = "no LoRA";

    if (options->rank > 0)
        snprintf(lora, sizeof lora, "LoRA of rank %" PRId64, options->rank);
    printf("\nmemory to %s: %s, decoder %s, %" PRId64 " classes, batch %" PRId64 ", %" PRId64 " x %" PRId64
           ", %s%s\n",
           plan->name, lora, options->decoder, options->classes, options->max_batch, options->height,
           options->width, df_dtype_name(segmenter->backend->compute),
           options->training && options->recompute && options->rank > 0 ? ", recomputing" : "");
    for (int i = 0; i < plan->n_items; i++)
        print_row(plan->items[i].name, plan->items[i].count, plan->items[i].bytes, peak);
    printf("  %-28s %6s %12.1f MiB  (phases share memory)\n", "planned, at the peak", "",
           (double)peak / MEBIBYTE);
    printf("  %-28s %6s %12.1f MiB  (%.1f forward, %.1f backward)\n", "frozen weights, packed", "",
           (double)all_weights(plan) / MEBIBYTE, (double)plan->weights.forward / MEBIBYTE,
           (double)plan->weights.backward / MEBIBYTE);
    if (options->training)
        printf("  %-28s %" PRId64 "\n", "trained parameters", segmenter->parameters.trained);
}

static cJSON *items_node(const struct memory_plan *plan)
{
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < plan->n_items; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", plan->items[i].name);
        cJSON_AddNumberToObject(item, "count", (double)plan->items[i].count);
        cJSON_AddNumberToObject(item, "bytes", (double)plan->items[i].bytes);
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

static cJSON *plan_node(const struct memory_plan *plan)
{
    const struct df_segmenter_options *options = &plan->segmenter->options;
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "decoder", options->decoder);
    cJSON_AddStringToObject(object, "precision", df_dtype_name(plan->segmenter->backend->compute));
    cJSON_AddBoolToObject(object, "recompute", options->recompute);
    cJSON_AddNumberToObject(object, "rank", (double)options->rank);
    cJSON_AddNumberToObject(object, "n_classes", (double)options->classes);
    cJSON_AddNumberToObject(object, "batch_size", (double)options->max_batch);
    cJSON_AddNumberToObject(object, "height", (double)options->height);
    cJSON_AddNumberToObject(object, "width", (double)options->width);
    cJSON_AddNumberToObject(object, "planned_memory_bytes", (double)plan->segmenter->arena.peak);
    cJSON_AddNumberToObject(object, "forward_weights_bytes", (double)plan->weights.forward);
    cJSON_AddNumberToObject(object, "backward_weights_bytes", (double)plan->weights.backward);
    cJSON_AddNumberToObject(object, "trained_parameters", (double)plan->segmenter->parameters.trained);
    cJSON_AddItemToObject(object, "items", items_node(plan));
    return object;
}

static int write_json(const char *path, const struct memory_plan plans[2])
{
    cJSON *object = cJSON_CreateObject();
    for (int i = 0; i < 2; i++)
        cJSON_AddItemToObject(object, plans[i].name, plan_node(&plans[i]));
    int status = df_json_write(path, object);
    cJSON_Delete(object);
    return status;
}

/* What a checkpoint says itself cannot be asked for. */
static int check_flags(const struct df_config *config, const struct df_checkpoint *checkpoint)
{
    static const struct {
        enum df_option option;
        const char *flag;
    } fixed[] = {{DF_OPTION_USE_LORA, "use_lora"},
                 {DF_OPTION_R, "r"},
                 {DF_OPTION_USE_FPN, "use_fpn"},
                 {DF_OPTION_N_CLASSES, "n_classes"}};

    for (size_t i = 0; checkpoint && i < sizeof fixed / sizeof fixed[0]; i++) {
        if (config->typed[fixed[i].option])
            return df_error_set("--%s is for a backbone: the checkpoint %s says that itself", fixed[i].flag,
                                config->inputs[0]);
    }
    return 0;
}

static int choose_options(const struct df_config *config, const struct df_vit_config *vit,
                          const struct df_checkpoint *checkpoint, struct df_segmenter_options *options)
{
    *options = (struct df_segmenter_options){
        .decoder = checkpoint ? checkpoint->decoder->name : df_setup_decoder(config)->name,
        .classes = checkpoint              ? checkpoint->classes
                   : config->n_classes > 0 ? config->n_classes
                                           : USUAL_CLASSES,
        .rank = checkpoint         ? checkpoint->rank
                : config->use_lora ? config->r
                                   : 0,
        .max_batch = config->batch_size,
        .recompute = config->recompute,
        .rope_rescale = config->rope_rescale,
        .std = {1.0f, 1.0f, 1.0f},
    };
    return df_setup_image_size(config, checkpoint, vit->patch, &options->height, &options->width);
}

int memory_plan_print(const struct df_config *config, const struct df_vit_config *vit,
                      const struct df_checkpoint *checkpoint)
{
    struct memory_plan plans[2] = {0};
    struct df_segmenter_options options;
    struct df_backend *backend = NULL;
    int status = -1;

    if (check_flags(config, checkpoint) != 0 || choose_options(config, vit, checkpoint, &options) != 0)
        return -1;
    backend = df_backend_open(config->device, config->precision, 0);
    if (!backend)
        return -1;
    options.packed = backend->resizes;
    for (int i = 0; i < 2; i++) {
        options.training = i == 0;
        if (make_plan(&plans[i], backend, vit, &options) != 0)
            goto done;
    }
    for (int i = 0; i < 2; i++)
        print_plan(&plans[i]);
    status = config->json ? write_json(config->json, plans) : 0;
done:
    for (int i = 0; i < 2; i++)
        df_segmenter_free(plans[i].segmenter);
    df_backend_close(backend);
    return status;
}

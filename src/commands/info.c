#include "commands.h"
#include "memory_plan.h"

#include "dinoft/atomic_write.h"
#include "dinoft/backbone_file.h"
#include "dinoft/checkpoint.h"
#include "dinoft/error.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *format_name(enum df_weight_format format)
{
    static const char *const names[] = {"PyTorch (.pt / .pth)", "safetensors", "ONNX"};
    return names[format];
}

/* "float32 (174 tensors), int64 (5)" */
static void print_types(const struct df_state *state)
{
    size_t counts[DF_DTYPE_COUNT] = {0};
    const char *separator = "";

    for (size_t i = 0; i < state->count; i++) {
        if (!state->entries[i].text)
            counts[state->entries[i].tensor.dtype]++;
    }
    printf("types:           ");
    for (int type = 0; type < DF_DTYPE_COUNT; type++) {
        if (counts[type] > 0) {
            printf("%s%s (%zu tensors)", separator, df_dtype_name((enum df_dtype)type), counts[type]);
            separator = ", ";
        }
    }
    printf("\n");
}

/* Buffers lie beside the parameters in a state dict. */
static bool is_buffer(const char *name)
{
    static const char *const endings[] = {"bias_mask", "periods", "running_mean", "running_var",
                                          "num_batches_tracked"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (df_text_ends_with(name, endings[i]))
            return true;
    }
    return false;
}

static size_t count_parameters(const struct df_state *state, const char *prefix)
{
    size_t total = 0;
    for (size_t i = 0; i < state->count; i++) {
        const struct df_entry *entry = &state->entries[i];
        if (!entry->text && df_text_starts_with(entry->name, prefix) && !is_buffer(entry->name))
            total += entry->tensor.count;
    }
    return total;
}

/* path: NULL without a file. */
static void print_dimensions(const struct df_vit_config *config, const char *path)
{
    const char *hub_name = path ? df_vit_hub_name_of(config, path) : df_vit_hub_name(config);

    printf("backbone:        %s (%s)\n", hub_name ? hub_name : "of other dimensions than the published ones",
           df_family_name(config->family));
    printf("channels:        %" PRId64 " in %" PRId64 " heads of %" PRId64 "\n", config->dim, config->heads,
           config->head_size);
    printf("blocks:          %" PRId64 "\n", config->depth);
    printf("patch:           %" PRId64 " x %" PRId64 "\n", config->patch, config->patch);
    printf("registers:       %" PRId64 "\n", config->registers);
    printf("FFN:             %s, %" PRId64 " hidden\n", config->ffn == DF_FFN_SWIGLU ? "SwiGLU" : "MLP",
           config->ffn_hidden);
    if (!config->qkv_bias)
        printf("qkv:             without a bias\n");
    if (config->family == DF_DINOV2)
        printf("position:        learned, %" PRId64 " x %" PRId64 "\n", config->pos_grid, config->pos_grid);
    else
        printf("position:        RoPE\n");
}

/* One number of each tensor, to compare by eye: a checkpoint's with its backbone's. */
static void print_fingerprint(const struct df_fingerprint *fingerprint)
{
    printf("fingerprint:     ");
    for (int i = 0; i < fingerprint->count; i++)
        printf("%.3g ", fingerprint->tensors[i].values[0]);
    printf("(the first value of each of %d tensors)\n", fingerprint->count);
}

static int print_backbone(const struct df_state *state, const struct df_vit_config *config, const char *path)
{
    struct df_fingerprint fingerprint;
    struct df_normalize normalize;
    char text[DF_NORMALIZE_TEXT];
    const char *why;

    if (df_fingerprint_take(state, config, &fingerprint) != 0)
        return df_error_context("%s", path);
    print_dimensions(config, path);
    if (df_normalize_of_backbone(path, config, &normalize, &why) != 0)
        printf("normalize:       not known: %s\n", df_error_text());
    else if (why)
        printf("normalize:       %s, %s\n", df_normalize_text(&normalize, text), why);
    print_types(state);
    printf("parameters:      %zu\n", count_parameters(state, ""));
    print_fingerprint(&fingerprint);
    return 0;
}

static void print_trained_on(const struct df_record *record)
{
    const struct df_trained_on *trained_on = &record->trained_on;
    char text[DF_TRAINED_ON_TEXT];

    printf("trained on:      %s, %" PRId64 " x %" PRId64 ", normalize %s, backbone %s\n", record->dataset,
           record->img_dim[0], record->img_dim[1], record->normalize, df_trained_on_text(trained_on, text));
    if (record->pos_interpolation != DF_POS_OFFICIAL)
        printf("positions:       placed as by %s\n", df_pos_interpolation_name(record->pos_interpolation));
    if (trained_on->fingerprint.count > 0)
        print_fingerprint(&trained_on->fingerprint);
    else
        printf("fingerprint:     not recorded\n");
}

static void print_lora(const struct df_checkpoint *checkpoint)
{
    const double scale = checkpoint->record.lora_scale;
    char text[DF_LORA_TEXT];
    int64_t blocks = 0;

    for (int64_t i = 0; i < checkpoint->depth; i++)
        blocks += !checkpoint->lora.left_out[i];
    df_lora_text(checkpoint->rank, &checkpoint->lora, checkpoint->lora_ffn, checkpoint->depth, text);
    if (blocks < checkpoint->depth)
        printf("LoRA:            %s\n", text);
    else
        printf("LoRA:            %s in %" PRId64 " blocks\n", text, blocks);
    if (scale > 0.0 && scale != 1.0)
        printf("LoRA's scale:    %g, which B has in it\n", scale);
}

static void print_checkpoint(const struct df_checkpoint *checkpoint)
{
    char head[DF_HEAD_TEXT];

    printf("checkpoint:      %s\n", checkpoint->rank > 0 ? "LoRA and decoder" : "decoder");
    printf("decoder:         %s\n", checkpoint->decoder->title);
    if (strcmp(df_head_text(checkpoint->decoder, &checkpoint->head, head), checkpoint->decoder->name) != 0)
        printf("head:            %s\n", head);
    printf("classes:         %" PRId64 "\n", checkpoint->classes);
    printf("channels:        %" PRId64 "\n", checkpoint->dim);
    if (checkpoint->rank > 0)
        print_lora(checkpoint);
    else
        printf("LoRA:            none\n");
    print_types(checkpoint->state);
    printf("parameters:      %zu (LoRA %zu)\n", count_parameters(checkpoint->state, ""),
           count_parameters(checkpoint->state, "w_a_") + count_parameters(checkpoint->state, "w_b_") +
               count_parameters(checkpoint->state, "lora_"));
    if (!checkpoint->has_record) {
        printf("trained by:      not recorded (the reference project writes no record)\n");
        return;
    }
    print_trained_on(&checkpoint->record);
    if (checkpoint->record.ema > 0.0)
        printf("weights:         a moving average of decay %g\n", checkpoint->record.ema);
    if (*checkpoint->record.augmentation)
        printf("augmentation:    %s\n", checkpoint->record.augmentation);
    if (*checkpoint->record.image_range)
        printf("image range:     %s\n", checkpoint->record.image_range);
    if (*checkpoint->record.bands)
        printf("bands:           %s\n", checkpoint->record.bands);
    if (checkpoint->record.mask_values)
        printf("mask values:     %s are class 0, class 1, ...\n", checkpoint->record.mask_values);
    if (checkpoint->record.ignored_values)
        printf("ignored values:  %s\n", checkpoint->record.ignored_values);
}

static void print_file(const char *path, enum df_weight_format format)
{
    printf("file:            %s\n", path);
    printf("format:          %s\n", format_name(format));
}

static bool names_backbone(const struct df_config *config)
{
    return config->typed[DF_OPTION_SIZE] || config->typed[DF_OPTION_DINO_TYPE];
}

static int info_backbone(const struct df_config *config, struct df_state *state, enum df_weight_format format)
{
    struct df_vit_config vit;
    struct df_state *official = df_backbone_from_state(state, config->inputs[0], &vit);
    if (!official)
        return -1;
    if (names_backbone(config)) {
        df_state_free(official);
        return df_error_set("%s is a backbone: --dino_type and --size say nothing about it",
                            config->inputs[0]);
    }
    print_file(config->inputs[0], format);
    const int status = print_backbone(official, &vit, config->inputs[0]);
    df_state_free(official);
    return status == 0 && config->memory ? memory_plan_print(config, &vit, NULL) : status;
}

/* The plan of a checkpoint's model needs the backbone's dimensions, which its record or the flags name. */
static int plan_checkpoint(const struct df_config *config, const struct df_checkpoint *checkpoint)
{
    const struct df_trained_on *trained_on = &checkpoint->record.trained_on;
    struct df_vit_config vit = trained_on->shape;

    if (!trained_on->has_shape && !names_backbone(config))
        return df_error_set(
            "%s does not name its backbone, so there is no memory plan: --dino_type and --size "
            "can name it",
            config->inputs[0]);
    if (names_backbone(config) || *checkpoint->record.backbone) {
        DF_TRY(df_backbone_dimensions(config, checkpoint, &vit));
        DF_TRY(df_checkpoint_check_shape(checkpoint, config->inputs[0], &vit,
                                         "what --dino_type and --size name"));
    }
    DF_TRY(df_checkpoint_check_backbone(checkpoint, &vit, config->inputs[0]));
    return memory_plan_print(config, &vit, checkpoint);
}

static int info_checkpoint(const struct df_config *config, struct df_state *state,
                           enum df_weight_format format)
{
    struct df_checkpoint *checkpoint = df_checkpoint_from_state(state, config->inputs[0]);
    if (!checkpoint)
        return -1;
    print_file(config->inputs[0], format);
    print_checkpoint(checkpoint);
    const int status = config->memory ? plan_checkpoint(config, checkpoint) : 0;
    df_checkpoint_free(checkpoint);
    return status;
}

static int info_file(const struct df_config *config)
{
    enum df_weight_format format;
    struct df_state *state = df_weight_file_read(config->inputs[0], &format);

    if (!state)
        return -1;
    return df_state_is_backbone(state) ? info_backbone(config, state, format)
                                       : info_checkpoint(config, state, format);
}

/* Without a file: the dimensions alone make a plan. */
static int info_dimensions(const struct df_config *config)
{
    struct df_vit_config vit;

    DF_TRY(df_backbone_dimensions(config, NULL, &vit));
    print_dimensions(&vit, NULL);
    return memory_plan_print(config, &vit, NULL);
}

/* The other flags say nothing about a file. */
static int check_plan_flags(const struct df_config *config)
{
    static const enum df_option of_plan[] = {
        DF_OPTION_DINO_TYPE,      DF_OPTION_SIZE,          DF_OPTION_USE_LORA,     DF_OPTION_R,
        DF_OPTION_USE_FPN,        DF_OPTION_IMG_DIM,       DF_OPTION_GRAD_CLIP,    DF_OPTION_EMA,
        DF_OPTION_BATCH_SIZE,     DF_OPTION_ACCUMULATE,    DF_OPTION_N_CLASSES,    DF_OPTION_RECOMPUTE,
        DF_OPTION_MERGE_LORA,     DF_OPTION_DEVICE,        DF_OPTION_PRECISION,    DF_OPTION_ROPE_RESCALE,
        DF_OPTION_JSON,           DF_OPTION_LORA_TARGETS,  DF_OPTION_LORA_BLOCKS,  DF_OPTION_LORA_ALPHA,
        DF_OPTION_RSLORA,         DF_OPTION_RESIZE,        DF_OPTION_DORA,         DF_OPTION_DECODER,
        DF_OPTION_DECODER_LAYERS, DF_OPTION_HEAD_NORM,     DF_OPTION_HEAD_DROPOUT, DF_OPTION_LOSS,
        DF_OPTION_OHEM_THRESHOLD, DF_OPTION_OHEM_MIN_KEPT, DF_OPTION_FOCAL_GAMMA,  DF_OPTION_REGION_FACTOR,
        DF_OPTION_LABEL_SMOOTHING};
    const enum df_option typed = df_config_typed(config, of_plan, sizeof of_plan / sizeof of_plan[0]);

    if (config->memory || typed == DF_OPTION_COUNT)
        return 0;
    return df_error_set("--%s is for the plan of memory: info FILE --memory", df_option_name(typed));
}

int command_info(struct df_config *config)
{
    const char *path = config->n_inputs > 0 ? config->inputs[0] : NULL;

    if (path && check_plan_flags(config) != 0)
        return 2;
    if (config->json &&
        (df_check_writable_file(config->json) != 0 || df_check_other_file(config->json, path) != 0))
        return 1;
    if (path)
        return info_file(config) == 0 ? 0 : 1;
    if (names_backbone(config))
        return info_dimensions(config) == 0 ? 0 : 1;
    df_error_set("info: expected 'dinoft info FILE', or --size and --dino_type for the plan of a model");
    return 2;
}

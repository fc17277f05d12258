#include "commands.h"

#include "dinoft/backbone_file.h"
#include "dinoft/checkpoint.h"
#include "dinoft/text.h"

#include <inttypes.h>
#include <stdio.h>

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

static void print_backbone(const struct df_state *state, const struct df_vit_config *config)
{
    const char *hub_name = df_vit_hub_name(config);

    printf("backbone:        %s (%s)\n", hub_name ? hub_name : "of other dimensions than the published ones",
           df_family_name(config->family));
    printf("channels:        %" PRId64 " in %" PRId64 " heads of %" PRId64 "\n", config->dim, config->heads,
           config->head_size);
    printf("blocks:          %" PRId64 "\n", config->depth);
    printf("patch:           %" PRId64 " x %" PRId64 "\n", config->patch, config->patch);
    printf("registers:       %" PRId64 "\n", config->registers);
    printf("FFN:             %s, %" PRId64 " hidden\n", config->ffn == DF_FFN_SWIGLU ? "SwiGLU" : "MLP",
           config->ffn_hidden);
    if (config->family == DF_DINOV2)
        printf("position:        learned, %" PRId64 " x %" PRId64 "\n", config->pos_grid, config->pos_grid);
    else
        printf("position:        RoPE\n");
    print_types(state);
    printf("parameters:      %zu\n", count_parameters(state, ""));
}

static void print_checkpoint(const struct df_checkpoint *checkpoint)
{
    const struct df_record *record = &checkpoint->record;

    printf("checkpoint:      %s\n", checkpoint->rank > 0 ? "LoRA and decoder" : "decoder");
    printf("decoder:         %s\n", checkpoint->decoder->title);
    printf("classes:         %" PRId64 "\n", checkpoint->classes);
    printf("channels:        %" PRId64 "\n", checkpoint->dim);
    if (checkpoint->rank > 0)
        printf("LoRA:            rank %" PRId64 " in %" PRId64 " blocks\n", checkpoint->rank,
               checkpoint->depth);
    else
        printf("LoRA:            none\n");
    print_types(checkpoint->state);
    printf("parameters:      %zu (LoRA %zu)\n", count_parameters(checkpoint->state, ""),
           count_parameters(checkpoint->state, "w_a_") + count_parameters(checkpoint->state, "w_b_"));
    if (!checkpoint->has_record) {
        printf("trained by:      not recorded (the reference project writes no record)\n");
        return;
    }
    printf("trained on:      %s, %" PRId64 " x %" PRId64 ", normalize %s, backbone %s\n", record->dataset,
           record->img_dim[0], record->img_dim[1], record->normalize,
           record->backbone[0] ? record->backbone : "of other dimensions than the published ones");
}

static void print_file(const char *path, enum df_weight_format format)
{
    printf("file:            %s\n", path);
    printf("format:          %s\n", format_name(format));
}

static int info_backbone(struct df_state *state, const char *path, enum df_weight_format format)
{
    struct df_vit_config config;
    struct df_state *official = df_backbone_from_state(state, path, &config);
    if (!official)
        return 1;
    print_file(path, format);
    print_backbone(official, &config);
    df_state_free(official);
    return 0;
}

static int info_checkpoint(struct df_state *state, const char *path, enum df_weight_format format)
{
    struct df_checkpoint *checkpoint = df_checkpoint_from_state(state, path);
    if (!checkpoint)
        return 1;
    print_file(path, format);
    print_checkpoint(checkpoint);
    df_checkpoint_free(checkpoint);
    return 0;
}

int command_info(const struct df_config *config)
{
    enum df_weight_format format;
    const char *path = config->inputs[0];
    struct df_state *state = df_weight_file_read(path, &format);

    if (!state)
        return 1;
    return df_state_is_backbone(state) ? info_backbone(state, path, format)
                                       : info_checkpoint(state, path, format);
}

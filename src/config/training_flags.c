/* What flags of a training step say together. */
#include "options.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int check_decay(const struct df_config *config)
{
    if (config->typed[DF_OPTION_DECAY_1D] && config->decay_1d && config->weight_decay == 0)
        return df_error_set("--decay_1d is for a --weight_decay above 0");
    return 0;
}

enum df_option df_config_typed_of_lora(const struct df_config *config)
{
    static const enum df_option of_lora[] = {
        DF_OPTION_LR_LORA, DF_OPTION_LORA_TARGETS, DF_OPTION_LORA_BLOCKS, DF_OPTION_LORA_ALPHA,
        DF_OPTION_RSLORA,  DF_OPTION_DORA,         DF_OPTION_LORA_PLUS,   DF_OPTION_LORA_DROPOUT};

    return df_config_typed(config, of_lora, sizeof of_lora / sizeof of_lora[0]);
}

/* A checkpoint may hold LoRA: what it says is not known yet. */
static int check_lora(const struct df_config *config)
{
    const enum df_option typed = df_config_typed_of_lora(config);

    if (config->merge_lora && config->command == DF_COMMAND_TRAIN && !config->lora_weights)
        return df_error_set("--merge_lora is for the LoRA of a checkpoint: --lora_weights");
    if (config->merge_lora && config->typed[DF_OPTION_USE_LORA] && config->use_lora)
        return df_error_set("--merge_lora and --use_lora: no checkpoint can hold merged LoRA and new LoRA");
    if (typed != DF_OPTION_COUNT && !config->use_lora && (config->merge_lora || !config->lora_weights))
        return df_error_set("--%s is for LoRA, which is not trained here (--use_lora)",
                            df_option_name(typed));
    /* No error: a command line of main.py may have it. */
    if (config->command == DF_COMMAND_TRAIN && config->typed[DF_OPTION_R] && !config->use_lora &&
        (config->merge_lora || !config->lora_weights))
        df_log("warning: --r %" PRId64 " changes nothing: no LoRA is trained here (--use_lora)", config->r);
    return 0;
}

/* Two flags for the same. */
static int resolve_decoder(struct df_config *config)
{
    const bool typed = config->typed[DF_OPTION_DECODER], wants_fpn = config->use_fpn;

    if (!typed && wants_fpn)
        config->decoder = DF_DECODER_FPN;
    config->use_fpn = config->decoder == DF_DECODER_FPN;
    if (typed && config->typed[DF_OPTION_USE_FPN] && wants_fpn != config->use_fpn)
        return df_error_set("--%suse_fpn contradicts --decoder %s", wants_fpn ? "" : "no_",
                            df_choice_text(DF_OPTION_DECODER, (int)config->decoder));
    if (!config->typed[DF_OPTION_HEAD_NORM] && !df_decoder_takes_norm(config->decoder))
        config->head_norm = DF_HEAD_NORM_NONE;
    return config->lora_weights && !typed && !wants_fpn ? 0 : df_config_check_decoder(config);
}

int df_config_check_decoder(const struct df_config *config)
{
    const char *name = df_choice_text(DF_OPTION_DECODER, (int)config->decoder);

    if (config->decoder_layers != DF_LAYERS_LAST && !df_decoder_takes_layers(config->decoder))
        return df_error_set("--decoder_layers %s is for --decoder multi and mlp: %s reads the last blocks",
                            df_choice_text(DF_OPTION_DECODER_LAYERS, (int)config->decoder_layers), name);
    if (df_decoder_takes_norm(config->decoder) ||
        (config->head_norm == DF_HEAD_NORM_NONE && config->head_dropout == 0.0))
        return 0;
    return df_error_set("--%s is for --decoder linear and multi: %s has its own norms",
                        config->head_dropout > 0.0 ? "head_dropout" : "head_norm", name);
}

static int check_accumulate(const struct df_config *config)
{
    const int64_t batch = config->batch_size;
    int64_t less = config->accumulate, more = config->accumulate;

    if (batch % config->accumulate == 0)
        return 0;
    while (batch % less != 0)
        less--;
    while (more < batch && batch % more != 0)
        more++;
    if (more > batch)
        return df_error_set("--accumulate %" PRId64 " is more than --batch_size %" PRId64, config->accumulate,
                            batch);
    return df_error_set("--accumulate %" PRId64 " does not divide --batch_size %" PRId64 ": %" PRId64
                        " and %" PRId64 " do",
                        config->accumulate, batch, less, more);
}

/* What --lr_head is where it is not typed. A decoder alone takes a higher rate than one beside LoRA. */
static double head_factor(const struct df_config *config)
{
    if (!df_decoder_takes_norm(config->decoder))
        return 1.0;
    const bool is_alone = config->decoder == DF_DECODER_LINEAR && !config->use_lora;
    return is_alone && !df_recipe_is_reference(config->recipe) ? 10.0 : config->lr_head;
}

void df_config_settle_recipe(struct df_config *config)
{
    static const enum df_option asks[] = {DF_OPTION_AUGMENT, DF_OPTION_AUGMENT_SCALE, DF_OPTION_CACHE_VIEWS,
                                          DF_OPTION_CROP_CLASS_BALANCE};

    if (config->command == DF_COMMAND_TRAIN && !config->use_lora &&
        config->cache_features != DF_FEATURES_OFF && df_config_typed(config, asks, 4) == DF_OPTION_COUNT)
        config->augment = DF_AUGMENT_NONE;
    if (!config->typed[DF_OPTION_LR_HEAD])
        config->lr_head = head_factor(config);
}

static int check_augmentation(const struct df_config *config)
{
    if (config->augment == DF_AUGMENT_NONE && config->cache_views > 0)
        return df_error_set("--cache_views is for --augment: without it images have one view");
    if (config->augment >= DF_AUGMENT_STANDARD)
        return 0;
    if (config->typed[DF_OPTION_AUGMENT_SCALE])
        return df_error_set("--augment_scale is for --augment standard and strong: otherwise nothing is "
                            "scaled");
    if (config->crop_class_balance)
        return df_error_set("--crop_class_balance is for --augment standard and strong");
    return 0;
}

static int check_loss(const struct df_config *config)
{
    if (config->typed[DF_OPTION_FOCAL_GAMMA] && config->loss != DF_LOSS_FOCAL)
        return df_error_set("--focal_gamma is for --loss focal");
    if ((config->typed[DF_OPTION_OHEM_THRESHOLD] || config->typed[DF_OPTION_OHEM_MIN_KEPT]) &&
        config->loss != DF_LOSS_OHEM)
        return df_error_set("--ohem_threshold and --ohem_min_kept are for --loss ohem");
    if (config->typed[DF_OPTION_REGION_FACTOR] && !df_loss_has_both(config->loss))
        return df_error_set("--region_factor is for --loss ce+dice and ce+lovasz");
    if (config->label_smoothing > 0 && (config->loss == DF_LOSS_FOCAL || !df_loss_has_pixels(config->loss)))
        return df_error_set("--label_smoothing is for cross-entropy, which --loss has not");
    if (strcmp(config->class_weights, "none") != 0 && !df_loss_has_pixels(config->loss))
        return df_error_set(
            "--class_weights is for losses of pixels; with --loss dice or lovasz classes count the same");
    return 0;
}

static int check_resume(const struct df_config *config)
{
    if (config->restart_schedule && config->resume == DF_RESUME_NO)
        return df_error_set("--restart_schedule is for a run that goes on: --resume");
    return 0;
}

static int read_kept(struct df_config *config)
{
    const char *text = config->keep_checkpoints;
    const size_t digits = strspn(text, "0123456789");

    if (strcmp(text, "none") == 0) {
        config->kept = 0;
        return 0;
    }
    if (strcmp(text, "all") == 0) {
        config->kept = INT64_MAX;
        return 0;
    }
    config->kept = digits < 10 && text[digits] == '\0' ? atoi(text) : 0;
    if (config->kept > 0)
        return 0;
    return df_error_set(
        "--keep_checkpoints: expected none, all or a whole number of at least 1, found '%.100s'", text);
}

int df_config_check_training(struct df_config *config)
{
    DF_TRY(check_resume(config));
    DF_TRY(df_config_check_schedule(config));
    DF_TRY(check_decay(config));
    DF_TRY(check_lora(config));
    DF_TRY(resolve_decoder(config));
    if (!config->lora_weights) /* else it may hold LoRA */
        df_config_settle_recipe(config);
    DF_TRY(check_augmentation(config));
    DF_TRY(check_loss(config));
    DF_TRY(read_kept(config));
    return check_accumulate(config);
}

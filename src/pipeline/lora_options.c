#include "lora_options.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static int typed_parts(const struct df_config *config, const struct df_vit_config *vit,
                       struct df_lora_parts *parts)
{
    *parts = (struct df_lora_parts){.dora = config->dora};
    if (df_lora_targets_read(config->lora_targets, vit->ffn, &parts->targets) != 0)
        return df_error_context("--lora_targets");
    if (df_lora_blocks_read(config->lora_blocks, vit->depth, parts) != 0)
        return df_error_context("--lora_blocks");
    return 0;
}

double lora_options_scale(const struct df_config *config)
{
    const double rank = (double)config->r, alpha = config->lora_alpha > 0.0 ? config->lora_alpha : rank;

    return alpha / (config->rslora ? sqrt(rank) : rank);
}

int lora_options_typed(struct df_segmenter_options *options, const struct df_config *config,
                       const struct df_vit_config *vit)
{
    options->rank = config->r;
    options->optimizer.lora_scale = lora_options_scale(config);
    return typed_parts(config, vit, &options->lora);
}

void lora_options_recorded(struct df_segmenter_options *options, const struct df_checkpoint *checkpoint)
{
    const double scale = checkpoint->record.lora_scale;

    options->rank = checkpoint->rank;
    options->lora = checkpoint->lora;
    options->optimizer.lora_scale = scale > 0.0 ? scale : 1.0;
}

static int check_parts(const struct df_config *config, const struct df_checkpoint *checkpoint,
                       const struct df_vit_config *vit)
{
    const char *path = config->lora_weights;
    struct df_lora_parts typed;
    char targets[DF_LORA_TARGETS_TEXT], held[DF_LORA_BLOCKS_TEXT];

    DF_TRY(typed_parts(config, vit, &typed));
    if (typed.targets != df_lora_targets(&checkpoint->lora))
        return df_error_set("%s holds LoRA of %s, --lora_targets says %s", path,
                            df_lora_targets_text(df_lora_targets(&checkpoint->lora), vit->ffn, targets),
                            config->lora_targets);
    if (memcmp(typed.left_out, checkpoint->lora.left_out, (size_t)vit->depth) != 0)
        return df_error_set("%s holds LoRA in blocks %s, --lora_blocks says %s", path,
                            df_lora_blocks_text(&checkpoint->lora, vit->depth, held), config->lora_blocks);
    if (typed.dora != checkpoint->lora.dora)
        return df_error_set("%s holds LoRA %s DoRA, --%sdora says otherwise", path,
                            checkpoint->lora.dora ? "with" : "without", typed.dora ? "" : "no_");
    return 0;
}

int lora_options_check(const struct df_config *config, const struct df_checkpoint *checkpoint,
                       const struct df_vit_config *vit)
{
    const enum df_option typed = df_config_typed_of_lora(config);
    const char *path = config->lora_weights;
    const int64_t rank = checkpoint->rank;

    if (config->merge_lora && rank == 0)
        return df_error_set("%s holds no LoRA that --merge_lora could merge into the backbone", path);
    if (!config->merge_lora && !config->use_lora && rank > 0)
        return df_error_set("%s holds LoRA of rank %" PRId64
                            ", but --no_use_lora was given (--merge_lora keeps it, in a frozen backbone)",
                            path, rank);
    if (rank > 0 && config->typed[DF_OPTION_R] && config->r != rank)
        return df_error_set("%s holds LoRA of rank %" PRId64 ", --r says %" PRId64, path, rank, config->r);
    if (typed != DF_OPTION_COUNT && !config->use_lora)
        return df_error_set("--%s is for LoRA, which %s does not hold", df_option_name(typed), path);
    return rank > 0 && config->use_lora ? check_parts(config, checkpoint, vit) : 0;
}

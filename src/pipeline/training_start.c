#include "dinoft/training_start.h"

#include "lora_options.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEAD_MAX 768 /* two class names, and words */

/* A class of a folder that nobody has named is called so (dataset_classes.c). */
static bool is_named(const char *name, int number)
{
    char usual[32];

    snprintf(usual, sizeof usual, "class_%d", number);
    return strcmp(name, usual) != 0;
}

/* Those of a built-in data set, as it is, are the same, whatever a version of this program has called them.
 */
static bool is_built_in(const struct df_record *record, const struct df_dataset *set)
{
    return set->kind != DF_DATASET_FOLDER && !set->mask_values && !record->mask_values &&
           strcmp(record->dataset, df_dataset_kind_name(set->kind)) == 0;
}

/* Of as many classes as the data set has: the first whose name is another than in the checkpoint, -1 if there
 * is none. *told: whether every class has a name on both sides. */
static int find_other_class(const struct df_record *record, const struct df_dataset *set, bool *told)
{
    *told = record->n_class_names == set->n_classes || is_built_in(record, set);
    if (is_built_in(record, set))
        return -1;
    for (int i = 0; i < record->n_class_names && i < set->n_classes; i++) {
        const char *before = record->class_names[i], *now = set->class_names[i];
        const bool both_named = is_named(before, i) && is_named(now, i);
        if (both_named && strcmp(before, now) != 0)
            return i;
        *told &= both_named;
    }
    return -1;
}

/* Why the checkpoint's decoder cannot serve, and what comes in its place; "" where it can. */
static void judge_head(const struct df_checkpoint *checkpoint, const struct df_config *config,
                       const struct df_dataset *set, char why[HEAD_MAX])
{
    const struct df_record *record = &checkpoint->record;
    const struct df_decoder_kind *decoder = df_decoder_kind_named(df_typed_decoder(config));
    const struct df_head head = df_typed_head(config);
    const char *kind = df_dataset_kind_name(set->kind);
    char before[DF_HEAD_TEXT], now[DF_HEAD_TEXT];
    const bool known = *record->dataset;
    bool told;

    why[0] = '\0';
    if (checkpoint->decoder->choice != decoder->choice || checkpoint->head.layers != head.layers ||
        checkpoint->head.norm != head.norm) {
        snprintf(why, HEAD_MAX, "of type %s: a new one of type %s is made",
                 df_head_text(checkpoint->decoder, &checkpoint->head, before),
                 df_head_text(decoder, &head, now));
        return;
    }
    if (checkpoint->classes != set->n_classes) {
        snprintf(why, HEAD_MAX, "for %" PRId64 " classes%s%s: a new one is made for the %d of %s",
                 checkpoint->classes, known ? " of " : "", record->dataset, set->n_classes, kind);
        return;
    }
    const int other = find_other_class(record, set, &told);
    if (other >= 0)
        snprintf(why, HEAD_MAX, "for other classes (class %d was '%s' and is '%s'): a new one is made", other,
                 record->class_names[other], set->class_names[other]);
    else if (!told)
        df_log("no names tell whether the %" PRId64 " classes of %s are those of %s: its head goes on as if "
               "they were",
               checkpoint->classes, config->lora_weights, kind);
}

static int nothing_goes_on(const char *path, const char *why)
{
    return df_error_set("nothing of %s would go on: it holds no LoRA, and its head is %s (without "
                        "--lora_weights training begins anew)",
                        path, why);
}

static void tell(const struct df_segmenter_options *model, const char *path, const char *why)
{
    if (model->new_parts & DF_PART_DECODER)
        df_log("the head of %s is %s; its LoRA %s", path, why,
               model->merged ? "is merged into the backbone, which is frozen" : "goes on");
    else if (model->new_parts & DF_PART_LORA)
        df_log("%s holds no LoRA: new LoRA of rank %" PRId64 " is made; its head goes on", path, model->rank);
    else if (model->merged)
        df_log("the LoRA of %s is merged into the backbone, which is frozen; its head goes on", path);
}

int df_training_start(struct df_setup *setup, const struct df_config *config, const struct df_dataset *set)
{
    const struct df_checkpoint *checkpoint = setup->checkpoint;
    struct df_segmenter_options *model = &setup->model;
    char why[HEAD_MAX];

    if (!checkpoint)
        return 0;
    DF_TRY(lora_options_check(config, checkpoint, &setup->vit));
    judge_head(checkpoint, config, set, why);
    if (*why && checkpoint->rank == 0)
        return nothing_goes_on(config->lora_weights, why);
    model->decoder = df_typed_decoder(config);
    model->head = df_typed_head(config);
    model->merged = config->merge_lora;
    if (config->use_lora)
        DF_TRY(lora_options_typed(model, config, &setup->vit));
    else
        lora_options_recorded(model, checkpoint);
    model->new_parts = *why ? DF_PART_DECODER : 0;
    if (model->rank > checkpoint->rank)
        model->new_parts |= DF_PART_LORA;
    tell(model, config->lora_weights, why);
    return 0;
}

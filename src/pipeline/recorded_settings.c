#include "recorded_settings.h"

#include "lora_options.h"

#include "dinoft/dataset.h"
#include "dinoft/model_options.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/name_list.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#define ALL SIZE_MAX /* names in a list */

/* Of two ways to say it, alpha. */
static void take_lora_scale(struct df_config *config, const struct df_checkpoint *checkpoint,
                            struct df_name_list *taken, struct df_name_list *changed)
{
    const double recorded = checkpoint->record.lora_scale, scale = recorded > 0.0 ? recorded : 1.0;
    const bool typed = config->typed[DF_OPTION_LORA_ALPHA] || config->typed[DF_OPTION_RSLORA];

    if (typed && lora_options_scale(config) != scale)
        df_name_list_add(changed, "LoRA's scale %g (it was %g)", lora_options_scale(config), scale);
    if (typed || scale == 1.0)
        return;
    config->lora_alpha = scale * (double)checkpoint->rank;
    df_name_list_add(taken, "its alpha %g", config->lora_alpha);
}

static void take_lora(struct df_config *config, const struct df_checkpoint *checkpoint,
                      struct df_name_list *taken, struct df_name_list *changed)
{
    if (checkpoint->rank == 0 || config->merge_lora)
        return;
    if (!config->typed[DF_OPTION_USE_LORA]) {
        config->use_lora = true;
        df_name_list_add(taken, "LoRA of rank %" PRId64, checkpoint->rank);
    } else if (!config->typed[DF_OPTION_R] && config->r != checkpoint->rank) {
        df_name_list_add(taken, "rank %" PRId64, checkpoint->rank);
    }
    if (!config->typed[DF_OPTION_R])
        config->r = checkpoint->rank;
    take_lora_scale(config, checkpoint, taken, changed);
    if (!config->typed[DF_OPTION_LORA_TARGETS] && *checkpoint->record.lora_targets) {
        config->lora_targets = checkpoint->record.lora_targets;
        df_name_list_add(taken, "its layers %s", config->lora_targets);
    }
    if (!config->typed[DF_OPTION_LORA_BLOCKS] && *checkpoint->record.lora_blocks) {
        config->lora_blocks = checkpoint->record.lora_blocks;
        df_name_list_add(taken, "its blocks %s", config->lora_blocks);
    }
    if (!config->typed[DF_OPTION_DORA] && checkpoint->lora.dora) {
        config->dora = true;
        df_name_list_add(taken, "its DoRA");
    }
}

static void take_decoder(struct df_config *config, const struct df_checkpoint *checkpoint,
                         struct df_name_list *taken)
{
    const enum df_decoder_choice decoder = checkpoint->decoder->choice, before = config->decoder;
    const bool is_fpn = decoder == DF_DECODER_FPN;
    const bool typed =
        config->typed[DF_OPTION_DECODER] || (config->typed[DF_OPTION_USE_FPN] && (config->use_fpn || is_fpn));
    char text[DF_HEAD_TEXT];

    if (typed && decoder != before)
        return;
    config->decoder = decoder;
    config->use_fpn = is_fpn;
    if (!config->typed[DF_OPTION_DECODER_LAYERS])
        config->decoder_layers = checkpoint->head.layers;
    if (!config->typed[DF_OPTION_HEAD_NORM])
        config->head_norm = checkpoint->head.norm;
    if (!config->typed[DF_OPTION_HEAD_DROPOUT])
        config->head_dropout = checkpoint->head.dropout;
    const struct df_head head = df_typed_head(config);
    df_head_text(checkpoint->decoder, &head, text);
    if (decoder != before || strcmp(text, checkpoint->decoder->name) != 0)
        df_name_list_add(taken, "decoder %s", text);
}

/* Where nothing is typed, model_options.c takes the trained size for every command. */
static void name_size(const struct df_config *config, const struct df_record *record,
                      struct df_name_list *taken, struct df_name_list *changed)
{
    const int64_t *trained = record->img_dim;
    const bool other = config->img_dim[0] != trained[0] || config->img_dim[1] != trained[1];

    if (trained[0] == 0)
        return;
    if (!config->typed[DF_OPTION_IMG_DIM])
        df_name_list_add(taken, "image size %" PRId64 " x %" PRId64, trained[0], trained[1]);
    else if (other)
        df_name_list_add(changed, "image size %" PRId64 " x %" PRId64 " (it was %" PRId64 " x %" PRId64 ")",
                         config->img_dim[0], config->img_dim[1], trained[0], trained[1]);
}

/* Whether it is typed, recorded and another; `typed` as it would be recorded. */
static bool is_other_normalization(const struct df_config *config, const struct df_record *record,
                                   char typed[DF_NORMALIZE_TEXT])
{
    struct df_normalize normalize;

    if (!*record->normalize || strcmp(config->normalize, DF_NORMALIZE_AUTO) == 0 ||
        df_normalize_parse(config->normalize, &normalize) != 0)
        return false;
    return strcmp(df_normalize_text(&normalize, typed), record->normalize) != 0;
}

/* --normalize auto stays: model_options.c finds the same. */
static void name_normalization(const struct df_config *config, const struct df_record *record,
                               struct df_name_list *taken, struct df_name_list *changed)
{
    const bool is_auto = strcmp(config->normalize, DF_NORMALIZE_AUTO) == 0;
    char wanted[DF_NORMALIZE_TEXT];

    if (is_auto && *record->normalize)
        df_name_list_add(taken, "normalize %s", record->normalize);
    else if (is_auto)
        df_name_list_add(taken, "normalize none, which it does not record");
    else if (is_other_normalization(config, record, wanted))
        df_name_list_add(changed, "normalize %s (it was %s)", wanted, record->normalize);
}

/* DINOv3's models have no table of positions; of those, --pos_interpolation is spoken of elsewhere. */
static bool has_positions(const struct df_record *record)
{
    return !record->trained_on.has_shape || record->trained_on.shape.family == DF_DINOV2;
}

static void take_positions(struct df_config *config, const struct df_record *record,
                           struct df_name_list *taken, struct df_name_list *changed)
{
    const char *recorded = df_pos_interpolation_name(record->pos_interpolation);

    if (config->pos_interpolation == record->pos_interpolation || !has_positions(record))
        return;
    if (config->typed[DF_OPTION_POS_INTERPOLATION]) {
        df_name_list_add(changed, "pos_interpolation %s (it was %s)",
                         df_pos_interpolation_name(config->pos_interpolation), recorded);
        return;
    }
    config->pos_interpolation = record->pos_interpolation;
    df_name_list_add(taken, "pos_interpolation %s", recorded);
}

static const char *const resizes[] = {DF_RESIZES(DF_CHOICE_TEXT)};

static void take_resize(struct df_config *config, const struct df_record *record, struct df_name_list *taken,
                        struct df_name_list *changed)
{
    const enum df_resize recorded = record->keeps_ratio ? DF_RESIZE_SHORT : DF_RESIZE_STRETCH;

    if (config->resize == recorded)
        return;
    if (config->typed[DF_OPTION_RESIZE]) {
        df_name_list_add(changed, "resize %s (it was %s)", resizes[config->resize], resizes[recorded]);
        return;
    }
    config->resize = recorded;
    df_name_list_add(taken, "resize %s", resizes[recorded]);
}

/* As the training's validation did. */
static void take_resize_to_measure(struct df_config *config, const struct df_record *record)
{
    if (config->typed[DF_OPTION_RESIZE] || !record->keeps_ratio)
        return;
    config->resize = DF_RESIZE_SHORT;
    df_log("images keep their ratio, as in the training of %s (--resize stretch does not)",
           config->lora_weights);
}

static int take_for_training(struct df_config *config, const struct df_checkpoint *checkpoint)
{
    struct df_name_list taken = {.most = ALL}, changed = {.most = ALL};

    take_lora(config, checkpoint, &taken, &changed);
    take_decoder(config, checkpoint, &taken);
    name_size(config, &checkpoint->record, &taken, &changed);
    take_resize(config, &checkpoint->record, &taken, &changed);
    name_normalization(config, &checkpoint->record, &taken, &changed);
    take_positions(config, &checkpoint->record, &taken, &changed);
    if (taken.count > 0)
        df_log("taken from %s: %s (flags that are typed win)", config->lora_weights, taken.text);
    if (changed.count > 0)
        df_log("warning: other than in the training of %s: %s", config->lora_weights, changed.text);
    df_config_settle_recipe(config);
    return df_config_check_decoder(config);
}

static int take_recorded_dataset(struct df_config *config, const char *recorded)
{
    char kinds[DF_CHOICE_WORDS];

    if (!df_dataset_kind_named(recorded, &config->dataset))
        return df_error_set(
            "%s was trained on a data set '%s', which this program does not know: --dataset names "
            "one (%s)",
            config->lora_weights, recorded, df_choice_words(DF_OPTION_DATASET, kinds));
    df_log("data set %s, which %s was trained on (--dataset names another)", recorded, config->lora_weights);
    return 0;
}

static int take_usual_dataset(struct df_config *config, const struct df_checkpoint *checkpoint)
{
    char kinds[DF_CHOICE_WORDS];

    if (!df_dataset_of_size(checkpoint->classes, &config->dataset))
        return df_error_set(
            "%s does not say which data set its %" PRId64 " classes are of: --dataset does (%s)",
            config->lora_weights, checkpoint->classes, df_choice_words(DF_OPTION_DATASET, kinds));
    df_log("data set %s, which has the %" PRId64 " classes of %s (--dataset names another)",
           df_dataset_kind_name(config->dataset), checkpoint->classes, config->lora_weights);
    return 0;
}

static int take_dataset(struct df_config *config, const struct df_checkpoint *checkpoint)
{
    const char *recorded = checkpoint->record.dataset;

    if (config->typed[DF_OPTION_DATASET])
        return 0;
    DF_TRY(*recorded ? take_recorded_dataset(config, recorded) : take_usual_dataset(config, checkpoint));
    return df_config_check_dataset(config);
}

/* A training, or prototypes, for another number of classes has masks of its own. */
static bool are_for_other_classes(const struct df_config *config, const struct df_record *record)
{
    struct df_mask_values values;

    if (config->command != DF_COMMAND_TRAIN && !config->prototypes)
        return false;
    const bool other = df_mask_values_parse(record->mask_values, &values) != 0 ||
                       (config->n_classes > 0 && values.count != config->n_classes) ||
                       config->dataset != DF_DATASET_FOLDER;
    df_mask_values_free(&values);
    return other;
}

/* What is said of the masks is said as a whole, here or there. */
static bool are_masks_typed(const struct df_config *config)
{
    static const enum df_option options[] = {DF_OPTION_MASK_VALUES, DF_OPTION_PALETTE, DF_OPTION_IGNORE_VALUE,
                                             DF_OPTION_MERGE_CLASSES, DF_OPTION_IGNORE_CLASSES};
    return df_config_typed(config, options, sizeof options / sizeof *options) != DF_OPTION_COUNT;
}

/* A flag that says something else of masks leaves the checkpoint's values out, by which classes may be
 * others. */
static void warn_of_masks(const struct df_config *config, const struct df_record *record)
{
    static const enum df_option options[] = {DF_OPTION_IGNORE_VALUE, DF_OPTION_MERGE_CLASSES,
                                             DF_OPTION_IGNORE_CLASSES};

    if (!config->mask_values && !config->palette)
        df_log(
            "warning: the values of masks are not taken from %s, since --%s is typed: there they are %.200s "
            "(--mask_values says them)",
            config->lora_weights,
            df_option_name(df_config_typed(config, options, sizeof options / sizeof *options)),
            record->mask_values);
}

static void take_class_names(struct df_config *config, const struct df_record *record)
{
    if (!config->class_names && !config->prototypes && record->n_class_names > 0)
        config->known_classes = (struct df_known_classes){record->n_class_names, record->class_names,
                                                          (const uint8_t(*)[3])record->class_colors};
}

static bool are_values_recorded(const struct df_config *config, const struct df_record *record)
{
    return config->mask_values && strcmp(config->mask_values, record->mask_values) == 0 && !config->palette &&
           !config->merge_classes && !config->ignore_classes;
}

static void take_masks(struct df_config *config, const struct df_record *record)
{
    const bool trains = config->command == DF_COMMAND_TRAIN;

    if (!trains)
        take_class_names(config, record);
    if (!record->mask_values || strcmp(record->dataset, df_dataset_kind_name(config->dataset)) != 0)
        return;
    if (are_masks_typed(config)) {
        if (trains && are_values_recorded(config, record)) /* a run's settings that are repeated */
            take_class_names(config, record);
        warn_of_masks(config, record);
        return;
    }
    if (are_for_other_classes(config, record))
        return;
    config->mask_values = record->mask_values;
    config->ignore_value = record->ignored_values;
    if (trains)
        take_class_names(config, record);
    if (config->void_as_background && config->dataset == DF_DATASET_VOC)
        df_log(
            "warning: --void_as_background has no effect: the classes of %s were merged or ignored, and it "
            "records what is ignored (--ignore_value says otherwise)",
            config->lora_weights);
    df_log("the values of masks are %.200s, as %s records (--mask_values says otherwise)",
           config->mask_values, config->lora_weights);
}

/* Prototypes are of images that are divided as for the checkpoint, too. */
static void take_split(struct df_config *config, const struct df_record *record)
{
    if (config->dataset == DF_DATASET_FOLDER)
        config->trained_split = record->split;
}

/* "": a checkpoint that says nothing. */
static void take_text(struct df_config *config, enum df_option option, const char **text,
                      const char *recorded)
{
    const char *name = df_option_name(option);

    if (!*text && *recorded) {
        *text = recorded;
        df_log("--%s %s, as %s records (the flag says otherwise)", name, recorded, config->lora_weights);
    } else if (*text && strcmp(*text, recorded) != 0) {
        df_log("warning: --%s %s, the training of %s had %s", name, *text, config->lora_weights,
               *recorded ? recorded : "none");
    }
}

/* What a trained model was given, where another command uses it. A checkpoint without a record says nothing
 * of it. */
static void take_input(struct df_config *config, const struct df_record *record)
{
    struct df_name_list taken = {.most = ALL}, changed = {.most = ALL};
    char typed[DF_NORMALIZE_TEXT];

    if (is_other_normalization(config, record, typed))
        df_name_list_add(&changed, "normalize %s (it was %s)", typed, record->normalize);
    take_positions(config, record, &taken, &changed);
    if (taken.count > 0)
        df_log("%s, as %s records (the flag says otherwise)", taken.text, config->lora_weights);
    if (changed.count > 0)
        df_log("warning: other than in the training of %s: %s", config->lora_weights, changed.text);
}

/* How image files become what the model knows. */
static int take_reading(struct df_config *config, const struct df_checkpoint *checkpoint)
{
    if (!checkpoint->has_record)
        return 0;
    take_text(config, DF_OPTION_IMAGE_RANGE, &config->image_range, checkpoint->record.image_range);
    take_text(config, DF_OPTION_BANDS, &config->bands, checkpoint->record.bands);
    return df_image_reading_parse(config->image_range, config->bands, &config->reading);
}

int recorded_settings_take(struct df_config *config, const struct df_checkpoint *checkpoint)
{
    const bool trains = config->command == DF_COMMAND_TRAIN;
    const bool measures = config->command == DF_COMMAND_EVAL || config->command == DF_COMMAND_CORRUPT;

    if (trains)
        DF_TRY(take_for_training(config, checkpoint));
    if (measures)
        DF_TRY(take_dataset(config, checkpoint));
    if (!trains && checkpoint->has_record)
        take_input(config, &checkpoint->record);
    if (measures || config->command == DF_COMMAND_PREDICT)
        take_resize_to_measure(config, &checkpoint->record);
    if (trains || measures) {
        take_masks(config, &checkpoint->record);
        take_split(config, &checkpoint->record);
    }
    return take_reading(config, checkpoint);
}

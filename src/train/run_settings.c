#include "run_settings.h"

#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX   "setting."
#define TEXT_MAX DF_LORA_BLOCKS_TEXT
/* What may be other in a run that goes on. */
#define DEVICE    "device"
#define PRECISION "precision"
/* Differences that are listed. */
#define LIST_MAX 768

static int add(struct df_state *state, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int add(struct df_state *state, const char *name, const char *format, ...)
{
    char key[64], text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(key, sizeof key, PREFIX "%s", name);
    return df_state_add_text(state, key, text) ? 0 : -1;
}

/* As few digits as tell it from its neighbours. */
static int add_real(struct df_state *state, const char *name, double value)
{
    char text[TEXT_MAX];

    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return add(state, name, "%s", text);
}

/* Files that are replaced mostly have other sizes. */
static void add_sample(struct df_digest *digest, const struct df_sample *sample)
{
    df_digest_add_text(digest, sample->name);
    df_digest_add_number(digest, (uint64_t)sample->image_bytes);
    df_digest_add_number(digest, (uint64_t)sample->mask_bytes);
    if (sample->shapes_digest != 0)
        df_digest_add_number(digest, sample->shapes_digest);
}

static int add_order(const struct df_training *training, struct df_state *state)
{
    const struct df_training_options *options = &training->options;
    const int32_t shards = training->train_set->n_shards;

    if (!options->shuffle || shards == 0)
        return add(state, "the order of images", "%s", options->shuffle ? "shuffled" : "the list's");
    return add(state, "the order of images", "%" PRId32 " shards shuffled, --shuffle_buffer %" PRId64, shards,
               options->shuffle_buffer);
}

/* Names, sizes and labels, not places: the folder may have been moved. */
static uint64_t digest_of_set(const struct df_dataset *set)
{
    struct df_digest digest;

    df_digest_start(&digest);
    df_mask_rule_digest(&set->rule, &digest);
    df_image_reading_add(&digest, &set->reading);
    for (int64_t i = 0; i < set->count; i++) {
        add_sample(&digest, &set->samples[i]);
        if (set->n_shards > 0)
            df_digest_add_number(&digest, (uint64_t)set->samples[i].shard);
    }
    return df_digest_value(&digest);
}

static uint64_t digest_of_names(const struct df_dataset *set)
{
    struct df_digest digest;

    df_digest_start(&digest);
    for (int i = 0; i < set->n_classes; i++)
        df_digest_add_text(&digest, set->class_names[i]);
    return df_digest_value(&digest);
}

static uint64_t digest_of_backbone(const struct df_fingerprint *fingerprint)
{
    struct df_digest digest;

    df_digest_start(&digest);
    for (int i = 0; i < fingerprint->count; i++) {
        df_digest_add_text(&digest, fingerprint->tensors[i].name);
        df_digest_add(&digest, fingerprint->tensors[i].values,
                      (size_t)fingerprint->tensors[i].count * sizeof(double));
    }
    return df_digest_value(&digest);
}

/* set: NULL for none. */
static int add_set(struct df_state *state, const char *name, const struct df_dataset *set)
{
    if (!set)
        return add(state, name, "none");
    return add(state, name, "%s, %" PRId64 " images, %016" PRIx64, df_dataset_kind_name(set->kind),
               set->count, digest_of_set(set));
}

static int add_lora_parts(const struct df_training *training, struct df_state *state)
{
    const struct df_segmenter_options *model = &training->setup->model;
    const struct df_vit_config *vit = &training->setup->vit;
    char targets[DF_LORA_TARGETS_TEXT], blocks[DF_LORA_BLOCKS_TEXT];

    if (model->rank == 0)
        return 0;
    DF_TRY(add(state, "--lora_targets", "%s",
               df_lora_targets_text(df_lora_targets(&model->lora), vit->ffn, targets)));
    DF_TRY(add(state, "--lora_blocks", "%s", df_lora_blocks_text(&model->lora, vit->depth, blocks)));
    DF_TRY(add_real(state, "LoRA's scale", model->optimizer.lora_scale));
    return add_real(state, "--lora_dropout", model->lora_dropout);
}

/* A merged one is a part of the backbone. */
static int add_lora(const struct df_training *training, struct df_state *state)
{
    const struct df_segmenter_options *model = &training->setup->model;
    uint64_t digest;

    if (!model->merged) {
        DF_TRY(add(state, "--r", "%" PRId64 "%s", model->rank, model->lora.dora ? " with DoRA" : ""));
        return add_lora_parts(training, state);
    }
    DF_TRY(df_checkpoint_lora_digest(training->setup->checkpoint, &digest));
    return add(state, "--r", "%" PRId64 ", merged (%016" PRIx64 ")", model->rank, digest);
}

static int add_model(const struct df_training *training, struct df_state *state)
{
    const struct df_segmenter_options *model = &training->setup->model;
    const struct df_record *record = &training->record;
    const bool of_positions = record->pos_interpolation != DF_POS_OFFICIAL;
    char head[DF_HEAD_TEXT];

    DF_TRY(add(state, "the backbone", "%016" PRIx64 "%s%s",
               digest_of_backbone(&record->trained_on.fingerprint),
               of_positions ? ", --pos_interpolation " : "",
               of_positions ? df_pos_interpolation_name(record->pos_interpolation) : ""));
    DF_TRY(add_set(state, "the training images", training->train_set));
    DF_TRY(add_set(state, "the validation images", training->val_set));
    DF_TRY(add(state, "the decoder", "%s",
               df_head_text(df_decoder_kind_named(model->decoder), &model->head, head)));
    DF_TRY(add(state, "the number of classes", "%d", training->train_set->n_classes));
    DF_TRY(add(state, "the class names", "%016" PRIx64, digest_of_names(training->train_set)));
    DF_TRY(add_lora(training, state));
    DF_TRY(add(state, "--img_dim", "%" PRId64 " %" PRId64, model->height, model->width));
    DF_TRY(add(state, "--normalize", "%s", record->normalize));
    return add_real(state, "--rope_rescale", model->rope_rescale);
}

static int add_schedule(const struct df_training *training, struct df_state *state)
{
    static const char *const kinds[] = {DF_SCHEDULES(DF_CHOICE_TEXT)};
    const struct df_schedule *schedule = &training->options.schedule;

    DF_TRY(
        add(state, "--schedule", "%s by %s", kinds[schedule->kind], schedule->by_epoch ? "epoch" : "step"));
    DF_TRY(add_real(state, "--lr", schedule->lr));
    DF_TRY(add_real(state, "--min_lr", schedule->min_lr));
    DF_TRY(add(state, "the warm-up", "%" PRId64, schedule->warmup));
    /* The rate of a constant schedule does not depend on it. */
    if (schedule->kind == DF_SCHEDULE_CONSTANT)
        return add(state, "the schedule's length", "any");
    return add(state, "the schedule's length", "%" PRId64 " %s", schedule->length + training->schedule_origin,
               schedule->by_epoch ? "epochs" : "steps");
}

static int add_optimizer(const struct df_training *training, struct df_state *state)
{
    const struct df_optimizer_options *optimizer = &training->setup->model.optimizer;

    DF_TRY(add_real(state, "--lr_head", optimizer->lr_head));
    DF_TRY(add_real(state, "--lr_lora", optimizer->lr_lora));
    DF_TRY(add_real(state, "--lora_plus", optimizer->lora_plus));
    DF_TRY(add_real(state, "--weight_decay", optimizer->weight_decay));
    DF_TRY(add(state, "--decay_1d", "%s", optimizer->decay_1d ? "on" : "off"));
    DF_TRY(add_real(state, "--grad_clip", optimizer->grad_clip));
    return add_real(state, "--ema", optimizer->ema);
}

static int add_loss(const struct df_training *training, struct df_state *state)
{
    char text[DF_LOSS_TEXT];

    df_loss_describe(&training->setup->model.loss, (size_t)training->train_set->n_classes, text);
    return add(state, "the loss", "%s", text);
}

static int add_augmentation(const struct df_training_options *options, struct df_state *state)
{
    char text[DF_AUGMENT_TEXT_MAX];

    df_augment_text(&options->augment, text);
    return add(state, "--augment", "%s", text);
}

int run_settings_add(const struct df_training *training, struct df_state *state)
{
    const struct df_training_options *options = &training->options;

    DF_TRY(add_model(training, state));
    DF_TRY(add_schedule(training, state));
    DF_TRY(add_optimizer(training, state));
    DF_TRY(add_loss(training, state));
    DF_TRY(add(state, "--batch_size", "%" PRId64, options->batch_size));
    DF_TRY(add(state, "--accumulate", "%" PRId64, options->accumulate));
    DF_TRY(add(state, "--seed", "%" PRIu64, options->seed));
    DF_TRY(add(state, "--best_metric", "%s", df_best_metric_title(options->best_metric)));
    DF_TRY(add_order(training, state));
    DF_TRY(add_augmentation(options, state));
    DF_TRY(add(state, DEVICE, "%s", training->setup->backend->name));
    return add(state, PRECISION, "%s", df_dtype_name(training->setup->backend->compute));
}

/* What --restart_schedule begins anew. */
static bool is_about_the_schedule(const char *name)
{
    static const char *const names[] = {"--schedule", "--lr", "--min_lr", "the warm-up",
                                        "the schedule's length"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static void note(char list[LIST_MAX], const char *name, const char *before, const char *now)
{
    const size_t used = strlen(list);

    snprintf(list + used, LIST_MAX - used, "%s%s was %s and is %s", used ? "; " : "", name, before, now);
}

/* Compares one of the current settings. */
static void compare(const struct df_training *training, const struct df_entry *now,
                    const struct df_state *saved, char refused[LIST_MAX])
{
    const struct df_entry *before = df_state_find(saved, now->name);
    const char *const text = before && before->text ? before->text : "not there";
    const char *const name = now->name + strlen(PREFIX);

    if (strcmp(text, now->text) == 0 || strcmp(name, DEVICE) == 0 || strcmp(name, PRECISION) == 0)
        return;
    if (!is_about_the_schedule(name) || !training->options.restart_schedule)
        note(refused, name, text, now->text);
}

int run_settings_compare(const struct df_training *training, const struct df_state *saved)
{
    struct df_state *current = df_state_new();
    char refused[LIST_MAX] = "";
    int status = current ? run_settings_add(training, current) : -1;

    for (size_t i = 0; status == 0 && i < current->count; i++)
        compare(training, &current->entries[i], saved, refused);
    df_state_free(current);
    if (status != 0 || !*refused)
        return status;
    return df_error_set(
        "it cannot be resumed with these settings: %s%s", refused,
        strstr(refused, "the schedule's length") ? " (--restart_schedule begins the schedule anew)" : "");
}

static void warn(const struct df_state *saved, const char *name, const char *now)
{
    char key[64];

    snprintf(key, sizeof key, PREFIX "%s", name);
    const struct df_entry *before = df_state_find(saved, key);
    if (before && before->text && strcmp(before->text, now) != 0)
        df_log("warning: the run's %s was %s and is %s: it goes on, to other bits", name, before->text, now);
}

void run_settings_warn(const struct df_training *training, const struct df_state *saved)
{
    warn(saved, DEVICE, training->setup->backend->name);
    warn(saved, PRECISION, df_dtype_name(training->setup->backend->compute));
}

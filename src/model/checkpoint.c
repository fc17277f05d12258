#include "dinoft/checkpoint.h"

#include "record.h"
#include "segmenter_internal.h"

#include "dinoft/backbone_file.h"
#include "dinoft/error.h"
#include "dinoft/weight_file.h"

#include <stdlib.h>

void df_checkpoint_free(struct df_checkpoint *checkpoint)
{
    if (!checkpoint)
        return;
    record_clear(&checkpoint->record);
    df_state_free(checkpoint->state);
    free(checkpoint);
}

static int read_record(struct df_checkpoint *checkpoint)
{
    const struct df_entry *entry = df_state_find(checkpoint->state, DF_RECORD_KEY);
    if (!entry || !entry->text)
        return 0;
    checkpoint->has_record = true;
    return record_parse(entry->text, &checkpoint->record);
}

/* What of the decoder its tensors do not tell. */
static int read_head(struct df_checkpoint *checkpoint)
{
    checkpoint->head.dropout = checkpoint->record.dropout;
    if (!df_decoder_takes_layers(checkpoint->decoder->choice))
        return 0;
    if (!checkpoint->record.has_layers)
        return df_error_set("it does not say which blocks its decoder %s reads: it lacks dinoft's record "
                            "(the entry '%s'), or decoder_layers there",
                            checkpoint->decoder->name, DF_RECORD_KEY);
    checkpoint->head.layers = checkpoint->record.layers;
    return 0;
}

static int read_contents(struct df_checkpoint *checkpoint)
{
    if (df_state_is_backbone(checkpoint->state))
        return df_error_set("this is a backbone, not a LoRA + decoder checkpoint");
    const struct df_decoder_ops *decoder = df_decoder_of_checkpoint(checkpoint->state, &checkpoint->classes,
                                                                    &checkpoint->dim, &checkpoint->head.norm);
    if (!decoder)
        return -1;
    checkpoint->decoder = &decoder->kind;
    DF_TRY(read_record(checkpoint));
    DF_TRY(read_head(checkpoint));
    return df_lora_find(checkpoint);
}

struct df_checkpoint *df_checkpoint_from_state(struct df_state *state, const char *path)
{
    struct df_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    if (!checkpoint) {
        df_error_memory("the checkpoint", sizeof *checkpoint);
        df_state_free(state);
        return NULL;
    }
    checkpoint->state = state;
    if (read_contents(checkpoint) == 0)
        return checkpoint;
    df_error_context("%s", path);
    df_checkpoint_free(checkpoint);
    return NULL;
}

int df_checkpoint_check_backbone(const struct df_checkpoint *checkpoint, const struct df_vit_config *config,
                                 const char *path)
{
    const char *name = df_vit_hub_name(config);
    const char *shown = name ? name : "the backbone";

    if (checkpoint->dim != config->dim)
        return df_error_set("%s is for a backbone of %lld channels, %s has %lld", path,
                            (long long)checkpoint->dim, shown, (long long)config->dim);
    if (checkpoint->rank > 0 &&
        (checkpoint->tells_depth ? checkpoint->depth != config->depth : checkpoint->depth > config->depth))
        return df_error_set("%s has LoRA for %lld blocks, %s has %lld", path, (long long)checkpoint->depth,
                            shown, (long long)config->depth);
    if (checkpoint->rank > 0 && df_lora_check(checkpoint, config) != 0)
        return df_error_context("%s", path);
    return 0;
}

struct df_state *df_checkpoint_state(const struct df_segmenter *segmenter, const struct df_record *record)
{
    struct df_state *state = df_state_new();
    char *json = state ? record_print(record, segmenter) : NULL;
    const bool made = json && df_parameters_store(&segmenter->parameters, segmenter->backend, state) == 0 &&
                      df_state_add_text(state, DF_RECORD_KEY, json);

    free(json);
    if (made)
        return state;
    df_state_free(state);
    return NULL;
}

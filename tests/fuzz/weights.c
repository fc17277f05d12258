#include "fuzz.h"

#include "dinoft/backbone_file.h"
#include "dinoft/checkpoint.h"

#include <string.h>

static void touch_entry(const struct df_entry *entry)
{
    fuzz_touch(entry->name, strlen(entry->name));
    if (entry->text) {
        fuzz_touch(entry->text, strlen(entry->text));
        return;
    }
    const struct df_tensor *tensor = &entry->tensor;
    size_t count = 1;
    for (int i = 0; i < tensor->ndim; i++)
        count *= (size_t)tensor->shape[i];
    fuzz_check(count == tensor->count, "a tensor's count is its shape's product");
    fuzz_touch(tensor->data, count * df_dtype_size(tensor->dtype));
}

static void touch_entries(const struct df_state *state)
{
    for (size_t i = 0; i < state->count; i++)
        touch_entry(&state->entries[i]);
}

static void use_as_backbone(struct df_state *state)
{
    struct df_vit_config config;
    struct df_fingerprint fingerprint;
    struct df_state *official = df_backbone_from_state(state, "input", &config);

    if (!official) {
        fuzz_check_error();
        return;
    }
    touch_entries(official);
    if (df_fingerprint_take(official, &config, &fingerprint) != 0)
        fuzz_check_error();
    fuzz_forget_error();
    struct df_state *huggingface = df_backbone_to_huggingface(official, &config);
    if (huggingface)
        touch_entries(huggingface);
    else
        fuzz_check_error();
    df_state_free(huggingface);
    df_state_free(official);
}

static void use_as_checkpoint(struct df_state *state)
{
    struct df_checkpoint *checkpoint = df_checkpoint_from_state(state, "input");

    if (!checkpoint)
        fuzz_check_error();
    df_checkpoint_free(checkpoint);
}

void fuzz_use_weights(struct df_state *state)
{
    touch_entries(state);
    fuzz_forget_error();
    if (df_state_is_backbone(state))
        use_as_backbone(state);
    else
        use_as_checkpoint(state);
}

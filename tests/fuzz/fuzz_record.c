/* What a checkpoint says of itself, in JSON, beside tensors that are in order. */
#include "fuzz.h"

#include "dinoft/backbone_file.h"
#include "dinoft/checkpoint.h"

#include <stdlib.h>
#include <string.h>

static const struct df_vit_config config = {DF_DINOV2,      .dim = 64,         .depth = 1,
                                            .heads = 1,     .head_size = 64,   .patch = 14,
                                            .registers = 0, .ffn = DF_FFN_MLP, .ffn_hidden = 64,
                                            .pos_grid = 2,  .qkv_bias = true,  .layernorm_eps = 1e-6f};

static void use(const struct df_checkpoint *checkpoint)
{
    static struct df_state *backbone;
    const struct df_record *record = &checkpoint->record;
    char text[DF_TRAINED_ON_TEXT];

    if (!backbone)
        backbone = df_backbone_random(&config, 1);
    fuzz_check(backbone, "memory");
    for (int i = 0; i < record->n_class_names; i++)
        fuzz_touch(record->class_names[i], strlen(record->class_names[i]));
    fuzz_touch(text, strlen(df_trained_on_text(&record->trained_on, text)));
    if (df_checkpoint_check_backbone(checkpoint, &config, "input") != 0)
        fuzz_check_error();
    fuzz_forget_error();
    if (df_checkpoint_check_trained_on(checkpoint, "input", backbone, &config, "weights") != 0)
        fuzz_check_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const float zeros[2 * 64];
    struct df_state *state = df_state_new();
    char *text = malloc(size + 1);

    fuzz_check(state && text, "memory");
    memcpy(text, data, size);
    text[size] = '\0';
    fuzz_check(df_state_borrow(state, "classifier.weight", DF_F32, 4, (int64_t[]){2, 64, 1, 1}, zeros) &&
                   df_state_borrow(state, "classifier.bias", DF_F32, 1, (int64_t[]){2}, zeros) &&
                   df_state_add_text(state, DF_RECORD_KEY, text),
               "memory");
    free(text);
    fuzz_forget_error();
    struct df_checkpoint *checkpoint = df_checkpoint_from_state(state, "input");
    if (checkpoint)
        use(checkpoint);
    else
        fuzz_check_error();
    df_checkpoint_free(checkpoint);
    return 0;
}

#include "dinoft/feature_key.h"

#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/file_bytes.h"
#include "dinoft/version.h"

static void add_bytes(struct df_digest *digest, const void *bytes, size_t size)
{
    df_digest_add_number(digest, size);
    if (size > 0)
        df_digest_add(digest, bytes, size);
}

static void add_backbone(struct df_digest *digest, const struct df_state *backbone)
{
    for (size_t i = 0; i < backbone->count; i++) {
        const struct df_entry *entry = &backbone->entries[i];
        const struct df_tensor *tensor = &entry->tensor;
        df_digest_add_text(digest, entry->name);
        df_digest_add_number(digest, (uint64_t)tensor->dtype);
        add_bytes(digest, tensor->shape, (size_t)tensor->ndim * sizeof tensor->shape[0]);
        add_bytes(digest, tensor->data, tensor->count * df_dtype_size(tensor->dtype));
    }
}

/* LoRA of a checkpoint, which the extractor folds in. A key without any is that of earlier versions. */
static int add_lora(struct df_digest *digest, const struct df_checkpoint *checkpoint)
{
    uint64_t lora;

    if (!checkpoint || checkpoint->rank == 0)
        return 0;
    DF_TRY(df_checkpoint_lora_digest(checkpoint, &lora));
    df_digest_add_text(digest, "LoRA");
    df_digest_add_number(digest, lora);
    return 0;
}

static int add_file(struct df_digest *digest, const char *path)
{
    struct df_file_bytes file;

    DF_TRY(df_file_bytes_read(path, &file));
    add_bytes(digest, file.bytes, file.size);
    df_file_bytes_free(&file);
    return 0;
}

/* What is drawn has a digest; a picture of segments is a file of its own. */
static int add_mask(struct df_digest *digest, const struct df_dataset *dataset,
                    const struct df_sample *sample)
{
    if (dataset->annotations) {
        df_digest_add_number(digest, sample->shapes_digest);
        return sample->of_segments ? add_file(digest, sample->mask_path) : 0;
    }
    for (int i = 0; i < sample->n_layers; i++) {
        df_digest_add_number(digest, (uint64_t)sample->layers[i].label);
        DF_TRY(add_file(digest, sample->layers[i].path));
    }
    return sample->n_layers > 0 ? 0 : add_file(digest, sample->mask_path);
}

static int add_dataset(struct df_digest *digest, const struct df_dataset *dataset)
{
    df_digest_add_number(digest, (uint64_t)dataset->count);
    df_mask_rule_digest(&dataset->rule, digest);
    df_image_reading_add(digest, &dataset->reading);
    for (int64_t i = 0; i < dataset->count; i++) {
        DF_TRY(add_file(digest, dataset->samples[i].image_path));
        DF_TRY(add_mask(digest, dataset, &dataset->samples[i]));
    }
    return 0;
}

int df_feature_key(const struct df_setup *setup, const struct df_dataset *const sets[], int n_sets,
                   int64_t n_features, uint64_t *key)
{
    struct df_digest digest;

    df_digest_start(&digest);
    df_digest_add_text(&digest, DINOFT_VERSION);
    df_digest_add_text(&digest, setup->backend->name);
    df_digest_add_number(&digest, (uint64_t)setup->backend->compute);
    df_digest_add_number(&digest, (uint64_t)setup->model.height);
    df_digest_add_number(&digest, (uint64_t)setup->model.width);
    df_digest_add_number(&digest, (uint64_t)n_features);
    df_digest_add_number(&digest, (uint64_t)setup->model.head.layers);
    add_bytes(&digest, setup->model.mean, sizeof setup->model.mean);
    add_bytes(&digest, setup->model.std, sizeof setup->model.std);
    add_backbone(&digest, setup->backbone);
    if (setup->vit.pos_interpolation != DF_POS_OFFICIAL) /* a key of it alone is that of earlier versions */
        df_digest_add_text(&digest, df_pos_interpolation_name(setup->vit.pos_interpolation));
    DF_TRY(add_lora(&digest, setup->checkpoint));
    for (int i = 0; i < n_sets; i++)
        DF_TRY(add_dataset(&digest, sets[i]));
    *key = df_digest_value(&digest);
    return 0;
}

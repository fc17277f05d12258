#include "dinoft/corrupt_key.h"

#include "dinoft/digest.h"
#include "dinoft/error.h"
#include "dinoft/feature_key.h"
#include "dinoft/mapped_file.h"

#include <inttypes.h>
#include <stdio.h>

static void add_file(struct df_digest *digest, const struct df_mapping *file)
{
    df_digest_add_number(digest, file->size);
    df_digest_add(digest, file->bytes, file->size);
}

/* Names are part of what is drawn for images; what void is in the reference's numbers depends on the kind of
 * set. */
static void add_names(struct df_digest *digest, const struct df_dataset *dataset)
{
    df_digest_add_number(digest, dataset->reference_void_is_background);
    for (int64_t i = 0; i < dataset->count; i++)
        df_digest_add_text(digest, dataset->samples[i].name);
}

static void add_settings(struct df_digest *digest, const struct df_measure *measure, const char *suite,
                         uint64_t seed)
{
    const struct df_measure_options *options = &measure->options;
    const struct df_inference_options *how = &measure->how;

    df_digest_add_text(digest, suite);
    df_digest_add_text(digest, options->original ? "original" : "network");
    df_digest_add_text(digest, how->own_size ? "none" : how->keep_ratio ? "short" : "stretch");
    df_digest_add_text(digest, options->scales ? options->scales : "");
    df_digest_add_number(digest, (uint64_t)options->slide[0]);
    df_digest_add_number(digest, (uint64_t)options->slide[1]);
    df_digest_add_number(digest, seed);
    df_digest_add_number(digest, (uint64_t)options->batch_size); /* the reference's are means over batches */
}

int df_corrupt_key(const struct df_measure *measure, const char *suite, uint64_t seed,
                   char key[DF_CORRUPT_KEY_LENGTH])
{
    const struct df_dataset *const sets[] = {measure->dataset};
    struct df_digest digest;
    uint64_t files;

    DF_TRY(df_feature_key(&measure->setup, sets, 1, 0, &files));
    df_digest_start(&digest);
    df_digest_add_number(&digest, files);
    add_file(&digest, measure->setup.checkpoint->state->mapping);
    add_names(&digest, measure->dataset);
    add_settings(&digest, measure, suite, seed);
    snprintf(key, DF_CORRUPT_KEY_LENGTH, "%016" PRIx64, df_digest_value(&digest));
    return 0;
}

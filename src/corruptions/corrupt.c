/* Which random numbers belong to which image, and the checks before a corruption. */
#include "dinoft/corruption.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* A stream for each (image, what is drawn, severity). */
static int seed_stream(struct df_rng *rng, uint64_t seed, const char *image_name, const char *what,
                       int severity)
{
    char *stream = df_text_format("%s\n%s\n%d", image_name, what, severity);
    if (!stream)
        return -1;
    df_rng_seed(rng, seed, df_hash_text(stream));
    free(stream);
    return 0;
}

int df_corrupt(const struct df_corruption *corruption, int severity, uint64_t seed, const char *image_name,
               const struct df_frost *frost, struct df_image *image, struct df_image *mask)
{
    struct df_corruption_job job = {.image = image, .mask = mask, .severity = severity, .frost = frost};

    assert(severity >= 1 && severity <= DF_SEVERITIES && image->channels == 3);
    assert(!mask || (mask->channels == 1 && mask->width == image->width && mask->height == image->height));
    if (image->width < DF_CORRUPTION_LEAST || image->height < DF_CORRUPTION_LEAST)
        return df_error_set("%" PRId64 " x %" PRId64 " pixels, corruptions need %d x %d or more",
                            image->width, image->height, DF_CORRUPTION_LEAST, DF_CORRUPTION_LEAST);
    if (corruption->needs_frost && !frost)
        return df_error_set("%s needs its photographs: " DF_FROST_HELP, corruption->name);
    DF_TRY(seed_stream(&job.rng, seed, image_name, corruption->name, severity));
    if (corruption->apply(&job) == 0)
        return 0;
    return df_error_context("%s", corruption->name);
}

const struct df_corruption *df_corruption_draw(const struct df_corruption_suite *suite, int severity,
                                               uint64_t seed, const char *image_name)
{
    struct df_rng rng;

    if (seed_stream(&rng, seed, image_name, suite->name, severity) != 0)
        return NULL;
    return &suite->corruptions[df_rng_below(&rng, (uint64_t)suite->count)];
}

#include "dinoft/batch_hint.h"

#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* The operations' scratch buffers come on top of a plan. */
#define PLAN_SHARE 0.9

int df_batch_hint(struct df_backend *backend, int64_t most, df_planned_bytes *plan, const void *context)
{
    struct df_memory_use use;
    char text[DF_ERROR_TEXT_MAX];
    int64_t least = 0; /* fits, or 0; most does not */

    snprintf(text, sizeof text, "%s", df_error_text());
    if (backend->ops->memory(backend, &use) != 0 || use.available == SIZE_MAX)
        return df_error_set("%s", text);
    while (most - least > 1) {
        const int64_t middle = least + (most - least) / 2;
        size_t bytes;
        if (plan(context, middle, &bytes) == 0 && (double)bytes <= PLAN_SHARE * (double)use.available)
            least = middle;
        else
            most = middle;
    }
    if (least > 0)
        return df_error_set("%s; a batch of %" PRId64 " should fit", text, least);
    return df_error_set("%s; not even a batch of 1 fits", text);
}

struct wish {
    struct df_backend *backend;
    const struct df_vit_config *config;
    const struct df_segmenter_options *options;
};

static int segmenter_bytes(const void *context, int64_t batch, size_t *bytes)
{
    const struct wish *wish = context;
    struct df_segmenter_options options = *wish->options;

    options.max_batch = batch;
    struct df_segmenter *planned = segmenter_counted(wish->backend, wish->config, &options);
    if (!planned)
        return -1;
    *bytes = df_segmenter_planned_bytes(planned);
    df_segmenter_free(planned);
    return 0;
}

int df_segmenter_batch_hint(struct df_backend *backend, const struct df_vit_config *config,
                            const struct df_segmenter_options *options)
{
    const struct wish wish = {backend, config, options};
    return df_batch_hint(backend, options->max_batch, segmenter_bytes, &wish);
}

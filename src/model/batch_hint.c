#include "batch_hint.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* The operations' scratch buffers come on top of a plan. */
#define PLAN_SHARE 0.9

/* False too where the plan cannot be made. */
static bool fits(struct df_backend *backend, const struct df_vit_config *config,
                 struct df_segmenter_options options, int64_t batch, size_t available)
{
    options.max_batch = batch;
    struct df_segmenter *planned = df_segmenter_plan(backend, config, &options);
    const bool result = planned && (double)planned->arena.peak <= PLAN_SHARE * (double)available;

    df_segmenter_free(planned);
    return result;
}

int df_batch_hint(struct df_backend *backend, const struct df_vit_config *config,
                  const struct df_segmenter_options *options)
{
    struct df_memory_use use;
    char text[DF_ERROR_TEXT_MAX];
    int64_t least = 0, most = options->max_batch; /* fits, or 0; does not fit */

    snprintf(text, sizeof text, "%s", df_error_text());
    if (backend->ops->memory(backend, &use) != 0 || use.available == SIZE_MAX)
        return df_error_set("%s", text);
    while (most - least > 1) {
        const int64_t middle = least + (most - least) / 2;
        if (fits(backend, config, *options, middle, use.available))
            least = middle;
        else
            most = middle;
    }
    if (least > 0)
        return df_error_set("%s; a batch of %" PRId64 " should fit", text, least);
    return df_error_set("%s; not even a batch of 1 fits", text);
}

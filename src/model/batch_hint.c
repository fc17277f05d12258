#include "batch_hint.h"

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

#include "dinoft/training_loss.h"

#include "dinoft/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of floats as they lie in memory, which is the same on machines of either byte order. */
static uint64_t digest_of(const float *weights, size_t classes)
{
    struct df_digest digest;
    uint32_t bits;

    df_digest_start(&digest);
    for (size_t i = 0; i < classes; i++) {
        memcpy(&bits, &weights[i], sizeof bits);
        df_digest_add_number(&digest, bits);
    }
    return df_digest_value(&digest);
}

void df_loss_describe(const struct df_loss_options *loss, size_t classes, char text[DF_LOSS_TEXT])
{
    static const char *const kinds[] = {DF_LOSSES(DF_CHOICE_TEXT)};
    size_t used = (size_t)snprintf(text, DF_LOSS_TEXT, "%s", kinds[loss->kind]);

    if (loss->kind == DF_LOSS_FOCAL)
        used += (size_t)snprintf(text + used, DF_LOSS_TEXT - used, ", gamma %g", loss->gamma);
    if (loss->kind == DF_LOSS_OHEM)
        used += (size_t)snprintf(text + used, DF_LOSS_TEXT - used, ", below %g or %" PRId64 " pixels",
                                 loss->threshold, loss->least);
    if (df_loss_has_both(loss->kind))
        used += (size_t)snprintf(text + used, DF_LOSS_TEXT - used, ", factor %g", loss->region);
    if (loss->smoothing > 0.0)
        used += (size_t)snprintf(text + used, DF_LOSS_TEXT - used, ", label smoothing %g", loss->smoothing);
    if (loss->weighted)
        snprintf(text + used, DF_LOSS_TEXT - used, ", class weights %016" PRIx64,
                 digest_of(loss->class_weights, classes));
}

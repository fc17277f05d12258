#include "dinoft/flops.h"

#include "segmenter_internal.h"

#include "dinoft/error.h"
#include "dinoft/work.h"

/* The passes over one image, on a backend that only counts. */
static int count_passes(struct df_segmenter *segmenter)
{
    const bool training = segmenter->options.training;

    DF_TRY(df_arena_commit(&segmenter->arena));
    segmenter_take_memory(segmenter);
    DF_TRY(segmenter_run(segmenter, 1, training));
    return training ? df_segmenter_backward(segmenter, 1) : 0;
}

int df_segmenter_flops(const struct df_vit_config *config, const struct df_segmenter_options *options,
                       double *flops)
{
    struct df_segmenter_options counted = *options;
    struct df_backend *tally = df_tally_open(DF_F32);
    int status = -1;

    if (!tally)
        return -1;
    counted.max_batch = 1;
    counted.recompute = counted.packed = false;
    struct df_segmenter *segmenter = segmenter_make(tally, NULL, config, &counted, NULL);
    if (segmenter)
        status = count_passes(segmenter);
    *flops = df_tally_total(tally).flops;
    df_segmenter_free(segmenter);
    df_backend_close(tally);
    return status;
}

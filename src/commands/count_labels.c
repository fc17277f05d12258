#include "count_labels.h"

#include "jobs.h"

static int count_mask(void *context, int64_t index)
{
    const struct df_dataset *set = context;
    struct df_image mask;

    if (df_label_census_has(set->census, index))
        return 0;
    DF_TRY(df_dataset_read(set, index, NULL, &mask));
    df_image_free(&mask);
    return 0;
}

int count_labels(const struct df_dataset *set, int64_t threads)
{
    return jobs_run("training masks", set->count, threads, count_mask, (void *)set) == 1 ? -1 : 0;
}

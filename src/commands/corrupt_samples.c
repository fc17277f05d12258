#include "corrupt_samples.h"

#include "dinoft/error.h"

/* corruption: NULL for none. */
static int add(const struct corrupt_samples_request *request, const struct df_corruption *corruption,
               struct df_corruption_samples *samples)
{
    const struct df_corruption_results *results = request->results;
    const int severity = corruption ? results->severities[results->n_severities / 2] : 0;
    struct df_image image, mask;

    DF_TRY(df_image_store_read(request->store, 0, &image, &mask));
    int status = corruption ? df_corrupt(corruption, severity, request->seed, request->image, request->frost,
                                         &image, NULL)
                            : 0;
    if (status == 0)
        status =
            df_corruption_samples_add(samples, corruption ? corruption->name : "clean", severity, &image);
    df_image_free(&image);
    df_image_free(&mask);
    return status == 0 ? 0 : df_error_context("%s", request->image);
}

int corrupt_samples_make(const struct corrupt_samples_request *request, struct df_corruption_samples *samples)
{
    const struct df_corruption_results *results = request->results;

    *samples = (struct df_corruption_samples){.image = request->image};
    DF_TRY(add(request, NULL, samples));
    for (int i = 0; request->drawn && i < request->suite->count; i++)
        DF_TRY(add(request, &request->suite->corruptions[i], samples));
    for (size_t i = 0; !request->drawn && i < results->n_rows; i++) {
        const struct df_corruption *corruption = df_corruption_named(results->rows[i].name);
        if (!corruption)
            return -1;
        if (!results->rows[i].skipped)
            DF_TRY(add(request, corruption, samples));
    }
    return 0;
}

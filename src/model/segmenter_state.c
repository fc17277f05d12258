/* What a model that is trained needs to go on to the same bits; and values that were found elsewhere. */
#include "segmenter_internal.h"

#include "dinoft/error.h"

#include <assert.h>
#include <string.h>

int df_segmenter_store(const struct df_segmenter *segmenter, struct df_state *state)
{
    struct df_backend *backend = segmenter->backend;
    const struct df_parameters *parameters = &segmenter->parameters;
    const struct df_optimizer *optimizer = &segmenter->optimizer;

    assert(optimizer->averaged || !optimizer->average);
    DF_TRY(df_parameters_store(parameters, backend, state));
    if (optimizer->average) /* the two have changed places */
        DF_TRY(df_parameters_store_array(parameters, backend, optimizer->average, "raw", state));
    DF_TRY(df_parameters_store_array(parameters, backend, parameters->m, "m", state));
    return df_parameters_store_array(parameters, backend, parameters->v, "v", state);
}

int df_segmenter_restore(struct df_segmenter *segmenter, const struct df_state *state, int64_t steps)
{
    struct df_backend *backend = segmenter->backend;
    struct df_parameters *parameters = &segmenter->parameters;
    struct df_optimizer *optimizer = &segmenter->optimizer;

    assert(!optimizer->averaged);
    DF_TRY(df_parameters_start(parameters, backend, &(struct df_first_values){.checkpoint = state}));
    if (optimizer->average) {
        DF_TRY(backend->ops->copy(backend, optimizer->average, parameters->values,
                                  (size_t)df_parameters_length(parameters) * sizeof(float)));
        DF_TRY(df_parameters_load_array(parameters, backend, parameters->values, "raw", state));
    }
    DF_TRY(df_parameters_load_array(parameters, backend, parameters->m, "m", state));
    DF_TRY(df_parameters_load_array(parameters, backend, parameters->v, "v", state));
    optimizer->steps = steps;
    return 0;
}

int df_segmenter_set_parameter(struct df_segmenter *segmenter, const char *name, const float *values)
{
    const struct df_parameters *parameters = &segmenter->parameters;
    int i = 0;

    while (i < parameters->count && strcmp(parameters->items[i].name, name) != 0)
        i++;
    assert(i < parameters->count);
    return segmenter->backend->ops->upload(segmenter->backend, parameters->items[i].value, values,
                                           (size_t)parameters->items[i].count * sizeof *values);
}

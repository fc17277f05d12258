/* Reading a tensor of the backbone's state dict, and bringing one to the device. */
#include "vit_internal.h"

#include "dinoft/error.h"

#include <assert.h>
#include <stdlib.h>

float *vit_raw_tensor(const struct df_state *weights, const char *name)
{
    const struct df_entry *entry = df_state_find(weights, name);
    if (!entry) {
        df_error_set("%s is missing", name);
        return NULL;
    }
    float *values = malloc((entry->tensor.count ? entry->tensor.count : 1) * sizeof *values);
    if (!values) {
        df_error_memory(name, entry->tensor.count * sizeof *values);
        return NULL;
    }
    df_convert_to_f32(values, entry->tensor.data, entry->tensor.dtype, entry->tensor.count);
    return values;
}

float *vit_host_tensor(const struct df_state *weights, const char *name)
{
    float *values = vit_raw_tensor(weights, name);
    if (!values || df_check_weights(name, values, df_state_find(weights, name)->tensor.count) == 0)
        return values;
    free(values);
    return NULL;
}

float *vit_device_vector(struct df_vit *vit, const float *values, int64_t count)
{
    struct df_backend *backend = vit->backend;
    size_t bytes = (size_t)count * sizeof *values;
    assert(vit->n_vectors < vit->max_vectors);
    float *vector = backend->ops->alloc(backend, bytes);
    if (!vector)
        return NULL;
    vit->vectors[vit->n_vectors++] = vector;
    return backend->ops->upload(backend, vector, values, bytes) == 0 ? vector : NULL;
}

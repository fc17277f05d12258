#include "parameters.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_DEVIATION 0.01
#define GROUP_ALIGNMENT  4 /* elements: kernels take as many at a time */

static bool is_trained(const struct df_parameter *parameter)
{
    return parameter->kind == DF_PARAMETER_LORA_A || parameter->kind == DF_PARAMETER_LORA_B ||
           parameter->kind == DF_PARAMETER_LORA_M || parameter->kind == DF_PARAMETER_DECODER;
}

static bool is_lora(const struct df_parameter *parameter)
{
    return parameter->kind == DF_PARAMETER_LORA_A || parameter->kind == DF_PARAMETER_LORA_B ||
           parameter->kind == DF_PARAMETER_LORA_M || parameter->kind == DF_PARAMETER_FIXED_LORA;
}

void df_parameters_free(struct df_parameters *parameters)
{
    free(parameters->items);
    memset(parameters, 0, sizeof *parameters);
}

int df_parameters_add(struct df_parameters *parameters, const char *name, enum df_parameter_kind kind,
                      enum df_init init, int64_t fan_in, int ndim, const int64_t *shape)
{
    if (parameters->count == parameters->capacity) {
        int capacity = parameters->capacity ? 2 * parameters->capacity : 64;
        struct df_parameter *items = realloc(parameters->items, (size_t)capacity * sizeof *items);
        if (!items)
            return df_error_memory("the list of parameters", (unsigned long long)capacity * sizeof *items);
        parameters->items = items;
        parameters->capacity = capacity;
    }
    struct df_parameter *parameter = &parameters->items[parameters->count++];
    memset(parameter, 0, sizeof *parameter);
    assert(strlen(name) < sizeof parameter->name && ndim <= 4);
    snprintf(parameter->name, sizeof parameter->name, "%s", name);
    parameter->kind = kind;
    parameter->init = init;
    parameter->fan_in = fan_in;
    parameter->ndim = ndim;
    parameter->count = 1;
    for (int i = 0; i < ndim; i++) {
        parameter->shape[i] = shape[i];
        parameter->count *= shape[i];
    }
    if (is_trained(parameter))
        parameters->trained += parameter->count;
    else if (kind != DF_PARAMETER_COUNTER)
        parameters->buffered += parameter->count;
    return 0;
}

static enum df_parameter_group group_of(const struct df_parameter *parameter)
{
    if (parameter->kind == DF_PARAMETER_LORA_A)
        return DF_GROUP_LORA_A;
    if (parameter->kind == DF_PARAMETER_LORA_B)
        return DF_GROUP_LORA_B;
    if (parameter->kind == DF_PARAMETER_LORA_M)
        return DF_GROUP_LORA_M;
    return parameter->ndim > 1 ? DF_GROUP_WEIGHTS : DF_GROUP_VECTORS;
}

static void set_offsets(struct df_parameters *parameters)
{
    int64_t trained = 0, buffered = 0;

    for (int group = 0; group < DF_PARAMETER_GROUPS; group++) {
        trained = (trained + GROUP_ALIGNMENT - 1) / GROUP_ALIGNMENT * GROUP_ALIGNMENT;
        parameters->group_first[group] = trained;
        for (int i = 0; i < parameters->count; i++) {
            struct df_parameter *parameter = &parameters->items[i];
            if (!is_trained(parameter) || (int)group_of(parameter) != group)
                continue;
            parameter->offset = trained;
            trained += parameter->count;
        }
    }
    parameters->group_first[DF_PARAMETER_GROUPS] = trained;
    for (int i = 0; i < parameters->count; i++) {
        struct df_parameter *parameter = &parameters->items[i];
        if (is_trained(parameter) || parameter->kind == DF_PARAMETER_COUNTER)
            continue;
        parameter->offset = buffered;
        buffered += parameter->count;
    }
}

static void set_pointers(const struct df_parameters *parameters, struct df_parameter *parameter)
{
    const bool trained = is_trained(parameter);
    float *values = trained ? parameters->values : parameters->buffers;

    if (parameter->kind == DF_PARAMETER_COUNTER || !values)
        return;
    parameter->value = values + parameter->offset;
    parameter->gradient = trained && parameters->gradients ? parameters->gradients + parameter->offset : NULL;
}

void df_parameters_plan(struct df_parameters *parameters, struct df_arena *arena, bool training)
{
    set_offsets(parameters);
    const int64_t length = df_parameters_length(parameters);

    parameters->values = df_arena_take(arena, "parameters", length, DF_F32);
    parameters->buffers = df_arena_take(arena, "values that are not trained", parameters->buffered, DF_F32);
    if (training) {
        parameters->gradients = df_arena_take(arena, "gradients", length, DF_F32);
        parameters->m = df_arena_take(arena, "AdamW first moments", length, DF_F32);
        parameters->v = df_arena_take(arena, "AdamW second moments", length, DF_F32);
    }
    for (int i = 0; i < parameters->count; i++)
        set_pointers(parameters, &parameters->items[i]);
}

void df_parameters_count_pass(struct df_parameters *parameters)
{
    for (int i = 0; i < parameters->count; i++) {
        if (parameters->items[i].kind == DF_PARAMETER_COUNTER)
            parameters->items[i].counter++;
    }
}

static void initial_values(const struct df_parameter *parameter, uint64_t seed, float *values)
{
    struct df_rng rng;
    double bound = parameter->init == DF_INIT_FAN_IN ? 1.0 / sqrt((double)parameter->fan_in) : 0.0;

    df_rng_seed(&rng, seed, df_hash_text(parameter->name));
    for (int64_t i = 0; i < parameter->count; i++) {
        if (parameter->init == DF_INIT_FAN_IN)
            values[i] = (float)df_rng_uniform(&rng, -bound, bound);
        else if (parameter->init == DF_INIT_NORMAL)
            values[i] = (float)(NORMAL_DEVIATION * df_rng_normal(&rng));
        else
            values[i] = parameter->init == DF_INIT_ONE ? 1.0f : 0.0f;
    }
}

/* A host buffer for the largest parameter. */
static float *host_buffer(const struct df_parameters *parameters)
{
    int64_t largest = 1;
    for (int i = 0; i < parameters->count; i++)
        largest = df_max_i64(largest, parameters->items[i].count);
    float *values = malloc((size_t)largest * sizeof *values);
    if (!values)
        df_error_memory("a parameter", (unsigned long long)largest * sizeof *values);
    return values;
}

/* Gaps between groups too. */
static int zero_all(struct df_parameters *parameters, struct df_backend *backend)
{
    float *const arrays[] = {parameters->values, parameters->gradients, parameters->m, parameters->v};
    const size_t bytes = (size_t)df_parameters_length(parameters) * sizeof(float);

    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        if (arrays[i])
            DF_TRY(backend->ops->zero(backend, arrays[i], bytes));
    }
    return 0;
}

static int check_entry(const struct df_parameter *parameter, const struct df_entry *entry)
{
    char found[DF_SHAPE_TEXT_MAX], expected[DF_SHAPE_TEXT_MAX];

    if (!entry || entry->text)
        return df_error_set("%s is missing", parameter->name);
    bool same = entry->tensor.ndim == parameter->ndim;
    for (int i = 0; same && i < parameter->ndim; i++)
        same = entry->tensor.shape[i] == parameter->shape[i];
    if (same)
        return 0;
    return df_error_set("%s is %s, this model's is %s", parameter->name,
                        df_shape_text(entry->tensor.shape, entry->tensor.ndim, found),
                        df_shape_text(parameter->shape, parameter->ndim, expected));
}

static int load_counter(struct df_parameter *parameter, const struct df_tensor *tensor)
{
    if (tensor->dtype != DF_I64)
        return df_error_set("%s is %s, expected int64", parameter->name, df_dtype_name(tensor->dtype));
    memcpy(&parameter->counter, tensor->data, sizeof parameter->counter);
    return 0;
}

static bool is_new(const struct df_parameter *parameter, const struct df_first_values *first)
{
    return !first->checkpoint || (first->new_parts & (is_lora(parameter) ? DF_PART_LORA : DF_PART_DECODER));
}

static int find_all(const struct df_parameters *parameters, const struct df_first_values *first)
{
    for (int i = 0; i < parameters->count; i++) {
        const struct df_parameter *parameter = &parameters->items[i];
        if (!is_new(parameter, first))
            DF_TRY(check_entry(parameter, df_state_find(first->checkpoint, parameter->name)));
    }
    return 0;
}

/* values: for the parameter's. */
static int first_values(const struct df_parameter *parameter, const struct df_first_values *first,
                        float *values)
{
    if (is_new(parameter, first)) {
        initial_values(parameter, first->seed, values);
        return 0;
    }
    const struct df_tensor *tensor = &df_state_find(first->checkpoint, parameter->name)->tensor;
    df_convert_to_f32(values, tensor->data, tensor->dtype, tensor->count);
    return df_check_weights(parameter->name, values, tensor->count);
}

static int start_counter(struct df_parameter *parameter, const struct df_first_values *first)
{
    parameter->counter = 0;
    if (is_new(parameter, first))
        return 0;
    return load_counter(parameter, &df_state_find(first->checkpoint, parameter->name)->tensor);
}

int df_parameters_start(struct df_parameters *parameters, struct df_backend *backend,
                        const struct df_first_values *first)
{
    DF_TRY(find_all(parameters, first));
    float *values = host_buffer(parameters);
    int status = values ? zero_all(parameters, backend) : -1;

    for (int i = 0; status == 0 && i < parameters->count; i++) {
        struct df_parameter *parameter = &parameters->items[i];
        if (parameter->kind == DF_PARAMETER_COUNTER) {
            status = start_counter(parameter, first);
            continue;
        }
        status = first_values(parameter, first, values);
        if (status == 0)
            status = backend->ops->upload(backend, parameter->value, values,
                                          (size_t)parameter->count * sizeof *values);
    }
    free(values);
    return status;
}

int df_parameters_check(const struct df_parameters *parameters, struct df_backend *backend)
{
    float *values = host_buffer(parameters);
    int status = values ? 0 : -1;

    for (int i = 0; status == 0 && i < parameters->count; i++) {
        const struct df_parameter *parameter = &parameters->items[i];
        if (parameter->kind == DF_PARAMETER_COUNTER)
            continue;
        status = backend->ops->download(backend, values, parameter->value,
                                        (size_t)parameter->count * sizeof *values);
        if (status == 0)
            status = df_check_weights(parameter->name, values, (size_t)parameter->count);
    }
    free(values);
    return status;
}

int df_parameters_find_not_finite(const struct df_parameters *parameters, struct df_backend *backend,
                                  const float *array, bool backwards, const struct df_parameter **found)
{
    float *values = host_buffer(parameters);
    int status = values ? 0 : -1;

    *found = NULL;
    for (int i = 0; status == 0 && !*found && i < parameters->count; i++) {
        const struct df_parameter *parameter = &parameters->items[backwards ? parameters->count - 1 - i : i];
        if (!is_trained(parameter))
            continue;
        status = backend->ops->download(backend, values, array + parameter->offset,
                                        (size_t)parameter->count * sizeof *values);
        if (status == 0 && !df_all_finite(values, (size_t)parameter->count))
            *found = parameter;
    }
    free(values);
    return status;
}

int df_parameters_store(const struct df_parameters *parameters, struct df_backend *backend,
                        struct df_state *state)
{
    float *values = host_buffer(parameters);
    int status = values ? 0 : -1;

    for (int i = 0; status == 0 && i < parameters->count; i++) {
        const struct df_parameter *parameter = &parameters->items[i];
        struct df_entry *entry = NULL;
        if (parameter->kind == DF_PARAMETER_COUNTER) {
            entry = df_state_copy(state, parameter->name, DF_I64, 0, NULL, &parameter->counter);
        } else if (backend->ops->download(backend, values, parameter->value,
                                          (size_t)parameter->count * sizeof *values) == 0) {
            entry = df_state_copy(state, parameter->name, DF_F32, parameter->ndim, parameter->shape, values);
        }
        if (entry)
            entry->is_parameter = is_lora(parameter);
        else
            status = -1;
    }
    free(values);
    return status;
}

/* The names of arrays in a state: "m.w_a_000". */
#define ARRAY_KEY_MAX (sizeof((struct df_parameter *)0)->name + 16)

static const char *array_key(const char *prefix, const struct df_parameter *parameter,
                             char key[ARRAY_KEY_MAX])
{
    snprintf(key, ARRAY_KEY_MAX, "%s.%s", prefix, parameter->name);
    return key;
}

int df_parameters_store_array(const struct df_parameters *parameters, struct df_backend *backend,
                              const float *array, const char *prefix, struct df_state *state)
{
    float *values = host_buffer(parameters);
    int status = values ? 0 : -1;
    char key[ARRAY_KEY_MAX];

    for (int i = 0; status == 0 && i < parameters->count; i++) {
        const struct df_parameter *parameter = &parameters->items[i];
        if (!is_trained(parameter))
            continue;
        status = backend->ops->download(backend, values, array + parameter->offset,
                                        (size_t)parameter->count * sizeof *values);
        if (status == 0 && !df_state_copy(state, array_key(prefix, parameter, key), DF_F32, parameter->ndim,
                                          parameter->shape, values))
            status = -1;
    }
    free(values);
    return status;
}

int df_parameters_load_array(const struct df_parameters *parameters, struct df_backend *backend, float *array,
                             const char *prefix, const struct df_state *state)
{
    char key[ARRAY_KEY_MAX];

    for (int i = 0; i < parameters->count; i++) {
        const struct df_parameter *parameter = &parameters->items[i];
        if (!is_trained(parameter))
            continue;
        array_key(prefix, parameter, key);
        const struct df_entry *entry = df_state_find(state, key);
        if (check_entry(parameter, entry) != 0)
            return df_error_context("%s", prefix);
        if (entry->tensor.dtype != DF_F32)
            return df_error_set("%s is %s, expected float32", key, df_dtype_name(entry->tensor.dtype));
    }
    float *values = host_buffer(parameters);
    int status = values ? 0 : -1;
    for (int i = 0; status == 0 && i < parameters->count; i++) {
        const struct df_parameter *parameter = &parameters->items[i];
        if (!is_trained(parameter))
            continue;
        const struct df_tensor *tensor = &df_state_find(state, array_key(prefix, parameter, key))->tensor;
        const size_t bytes = tensor->count * sizeof(float);
        memcpy(values, tensor->data, bytes); /* which may be unaligned */
        status = df_all_finite(values, tensor->count)
                     ? backend->ops->upload(backend, array + parameter->offset, values, bytes)
                     : df_error_set("%s holds values that are not numbers", key);
    }
    free(values);
    return status;
}

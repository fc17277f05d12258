/* What is trained: LoRA and decoder tensors, and the decoder's buffers (BatchNorm's running statistics),
 * under the names that checkpoints use. Who adds some keeps the index of the first: passes find them by it,
 * and names are for checkpoints and initial values.
 *
 * All trained values lie in one float32 array, their gradients and moments in arrays of the same layout, so
 * that the optimiser needs one pass over a group. Tensors of a group lie in the order in which they were
 * added; neighbours can serve as one matrix. */
#ifndef DINOFT_PARAMETERS_H
#define DINOFT_PARAMETERS_H

#include "dinoft/arena.h"
#include "dinoft/rng.h"
#include "dinoft/segmenter.h"
#include "dinoft/state.h"

enum df_parameter_kind {
    DF_PARAMETER_LORA_A,     /* trained; an nn.Parameter in checkpoints; likewise */
    DF_PARAMETER_LORA_B,     /* B, which holds LoRA's scale */
    DF_PARAMETER_LORA_M,     /* DoRA's magnitudes */
    DF_PARAMETER_DECODER,    /* trained; a plain tensor in checkpoints */
    DF_PARAMETER_FIXED_LORA, /* not trained, saved: the backbone's weights have it, or B is 0; a Parameter */
    DF_PARAMETER_BUFFER,     /* not trained, saved: running_mean, running_var */
    DF_PARAMETER_COUNTER     /* not trained, saved as an int64 scalar: num_batches_tracked */
};

/* What the optimiser treats alike. */
enum df_parameter_group {
    DF_GROUP_LORA_A,
    DF_GROUP_LORA_B,
    DF_GROUP_LORA_M,
    DF_GROUP_WEIGHTS, /* the decoder's matrices and kernels */
    DF_GROUP_VECTORS, /* its one-dimensional tensors: biases, BatchNorm's weights */
    DF_PARAMETER_GROUPS
};

/* How a new model starts. Bounds are PyTorch's defaults for Conv2d and Linear: kaiming_uniform with a =
 * sqrt(5). */
enum df_init {
    DF_INIT_ZERO,
    DF_INIT_ONE,
    DF_INIT_FAN_IN, /* uniform within 1 / sqrt(fan_in) */
    DF_INIT_NORMAL  /* of deviation 0.01 */
};

struct df_parameter {
    char name[64];
    enum df_parameter_kind kind;
    enum df_init init;
    int64_t fan_in;
    int ndim;
    int64_t shape[4];
    int64_t count, offset; /* elements; offset, once planned, into the trained arrays, or into `buffers` */
    int64_t counter;       /* DF_PARAMETER_COUNTER: the value, on the host */
    float *value;          /* device; NULL for a counter, and before the memory is there */
    float *gradient;       /* device; NULL too when not training or not trained */
};

struct df_parameters {
    struct df_parameter *items;
    int count, capacity;
    int64_t trained, buffered; /* elements in all, but for counters */
    /* Of the trained arrays, once they are planned: where each group begins, a multiple of 16 bytes (the gap
     * before it is zeros), and at the end their length. */
    int64_t group_first[DF_PARAMETER_GROUPS + 1];
    float *values, *gradients, *m, *v; /* device [length]; the last three NULL when not training */
    float *buffers;                    /* device [buffered] */
};

/* Elements of the trained arrays, with the gaps between groups. */
static inline int64_t df_parameters_length(const struct df_parameters *parameters)
{
    return parameters->group_first[DF_PARAMETER_GROUPS];
}

void df_parameters_free(struct df_parameters *parameters); /* the list, not the device's memory */

/* Appends one; -1 when out of memory. */
int df_parameters_add(struct df_parameters *parameters, const char *name, enum df_parameter_kind kind,
                      enum df_init init, int64_t fan_in, int ndim, const int64_t *shape);

/* Takes device memory for all that was added, and sets each one's pointers. */
void df_parameters_plan(struct df_parameters *parameters, struct df_arena *arena, bool training);

/* Where values come from at first. */
struct df_first_values {
    const struct df_state *checkpoint; /* NULL: all are new */
    unsigned new_parts;                /* bits of df_model_part that are new although there is a checkpoint */
    uint64_t seed;                     /* of what is new: a tensor's draw depends on it and the name only */
};

/* Gives all their first values, and zeros to gradients and moments. Checks the checkpoint's names and shapes
 * ("KEY is [21, 384], this model's is [150, 384]") before it changes anything; keys that no parameter has are
 * left to the caller. -1 with the error set. */
int df_parameters_start(struct df_parameters *parameters, struct df_backend *backend,
                        const struct df_first_values *first);

/* One more training pass: what each counter counts. */
void df_parameters_count_pass(struct df_parameters *parameters);

/* Copies all to a checkpoint's tensors. */
int df_parameters_store(const struct df_parameters *parameters, struct df_backend *backend,
                        struct df_state *state);

/* *found: the first trained parameter, or the last, whose part of an array [length] (device) is not finite;
 * NULL: none. */
int df_parameters_find_not_finite(const struct df_parameters *parameters, struct df_backend *backend,
                                  const float *array, bool backwards, const struct df_parameter **found);

/* -1 with the error set, which names one, for values that loading would refuse (df_check_weights). */
int df_parameters_check(const struct df_parameters *parameters, struct df_backend *backend);

/* A trained array of the same layout (moments, an average) to and from a state, whose names are PREFIX.KEY.
 * Reading checks names and shapes before it changes anything, and refuses what is not finite. -1 with the
 * error set. */
int df_parameters_store_array(const struct df_parameters *parameters, struct df_backend *backend,
                              const float *array, const char *prefix, struct df_state *state);
int df_parameters_load_array(const struct df_parameters *parameters, struct df_backend *backend, float *array,
                             const char *prefix, const struct df_state *state);

#endif

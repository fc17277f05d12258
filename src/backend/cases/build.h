/* What the files of cases build them with. Private to src/backend/cases. */
#ifndef DINOFT_CASES_BUILD_H
#define DINOFT_CASES_BUILD_H

#include "dinoft/operation_case.h"

/* The sets, one for each operation of the list. */
#define DF_OPERATION(name, parameters, arguments) extern const struct df_case_set df_cases_##name;
#include "dinoft/operation_list.h"

#define DF_COUNT_OF(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* Defines the operation's set: its sizes (an array), the function that finds a model's (never NULL),
 * NAME_build, NAME_call and NAME_expect; what follows is what it has besides, as members of struct
 * df_case_set: .objective = … */
#define DF_CASE_SET(name, odd_sizes, uses_of_model, ...)                                                     \
    const struct df_case_set df_cases_##name = {.operation = #name,                                          \
                                                .odd = odd_sizes,                                            \
                                                .n_odd = DF_COUNT_OF(odd_sizes),                             \
                                                .uses = uses_of_model,                                       \
                                                .build = name##_build,                                       \
                                                .call = name##_call,                                         \
                                                .expect = name##_expect,                                     \
                                                __VA_ARGS__}

/* Each adds a tensor of count elements; they are numbered from 0 on, in the order in which they are added.
 * What is read is normally distributed, rounded to the type; a case may change it if its `values` (`bytes`)
 * are not NULL, as they are when out of memory. A result that is only written has role OUT; one that lies
 * over an input, is added to, or has gaps which must stay as they are, IN_OUT. tolerance: see struct
 * df_case_error. */
void df_case_in(struct df_case *c, enum df_dtype type, int64_t count, double mean, double deviation);
void df_case_out(struct df_case *c, enum df_dtype type, int64_t count, double tolerance);
void df_case_in_out(struct df_case *c, enum df_dtype type, int64_t count, double mean, double deviation,
                    double tolerance);

/* Bytes below `bound`; with `ignored` about every 16th one is DF_IGNORE_LABEL. */
void df_case_in_bytes(struct df_case *c, int64_t count, int bound, bool ignored);

/* The tensor that was added last is in the host's memory (such as the device reads by itself, where there is
 * a difference). */
void df_case_on_host(struct df_case *c);

/* A frozen layer, made on each backend for so many rows, and its bias; with values of this type. */
void df_case_linear(struct df_case *c, enum df_dtype type, int64_t out, int64_t in, int64_t usual_rows);
void df_case_bias(struct df_case *c, enum df_dtype type);

/* A matrix in a tensor's memory: row i begins at element first + i * ld. */
static inline struct df_matrix df_case_matrix(const struct df_case *c, const struct df_case_run *run,
                                              int number, int64_t first, int64_t rows, int64_t cols,
                                              int64_t ld)
{
    const enum df_dtype type = df_case_type(&c->tensors[number], run->backend);
    char *memory = run->memory[number];
    return (struct df_matrix){memory + (size_t)first * df_dtype_size(type), type, rows, cols, ld};
}

/* A matrix with gaps, of ld columns, that a product is written to, or added to: what lies in its gaps, and
 * anywhere before it is only written, is NaN. */
void df_case_product(struct df_case *c, enum df_dtype type, int64_t rows, int64_t cols, int64_t ld,
                     bool accumulate, double tolerance);

/* A tolerance that depends on the compute type: where bfloat16 takes a shorter function, or its instructions
 * round on the way. That a result is rounded at the end needs none. */
static inline double df_case_tolerance(const struct df_case *c, double in_f32, double in_bf16)
{
    return c->act == DF_BF16 ? in_bf16 : in_f32;
}

static inline int64_t df_case_patches(const struct df_case_model *model)
{
    return model->height / model->patch * (model->width / model->patch);
}

/* What LoRA and a 1x1 decoder train. */
static inline int64_t df_case_trained(const struct df_case_model *model)
{
    return (4 * model->rank * model->depth + model->classes) * model->dim + model->classes;
}

/* N, and B * N. */
static inline int64_t df_case_tokens(const struct df_case_model *model)
{
    return model->prefix + df_case_patches(model);
}

static inline int64_t df_case_rows(const struct df_case_model *model)
{
    return model->batch * df_case_tokens(model);
}

#endif

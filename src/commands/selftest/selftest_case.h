/* One operation at one shape: its tensors and its call. Private to the selftest. */
#ifndef DINOFT_SELFTEST_CASE_H
#define DINOFT_SELFTEST_CASE_H

#include "selftest.h"

#define MOST_TENSORS 12
#define MOST_SCALARS 2

#define SELFTEST_NORMALS 65521 /* a prime: no two rows of a tensor are equal */

/* What the two sides' results may differ by, relative to the largest value: sums in another order, and what
 * is rounded to bfloat16 on the way. Seen from above: TF32 in place of float32 would be 1e-3 and more. */
#define BOUND_FLOAT     5e-5
#define BOUND_BF16      1e-2
#define BOUND_ATTENTION 2e-2
#define BOUND_BYTES     1e-3 /* predictions may differ where two classes are equally likely */

enum selftest_role { ROLE_IN, ROLE_OUT, ROLE_IN_OUT };

struct selftest_tensor {
    enum selftest_role role;
    enum df_dtype type; /* on the reference: DF_F32 or DF_U8 */
    bool act;           /* of the backend's compute type */
    int64_t count;
    float *values;  /* host, float32 or, of DF_U8, NULL; what the operation reads, or finds */
    uint8_t *bytes; /* host, of DF_U8 */
};

/* The side that a case runs on. */
struct selftest_side {
    struct df_backend *backend;
    void *memory[MOST_TENSORS];   /* the tensors' */
    struct df_linear *linear;     /* of a case that has one */
    double scalars[MOST_SCALARS]; /* results on the host */
};

struct selftest_case {
    const struct selftest_setting *setting;
    const char *operation;
    char shape[96];
    struct selftest_tensor tensors[MOST_TENSORS];
    int n_tensors;
    int64_t linear_out, linear_in, linear_rows; /* of a linear layer; 0: none */
    float *linear_weight, *linear_bias;         /* host */
    double flops;
    double bound; /* of results in float32; those in act may differ by bound_act */
    double bound_act;
    int n_scalars;
    int (*prepare)(const struct selftest_case *test, struct selftest_side *side); /* once; NULL: nothing */
    int (*call)(const struct selftest_case *test, struct selftest_side *side);
    enum df_dtype device_type; /* the device's compute type: inputs are rounded to it */
    struct df_rng *rng;
    const float *normals; /* [SELFTEST_NORMALS] */
    int failed;           /* out of memory while the case was built */
};

/* Adds a tensor; the number of it. Inputs are normally distributed. */
int selftest_input(struct selftest_case *test, bool act, int64_t count, double mean, double deviation);
int selftest_output(struct selftest_case *test, bool act, int64_t count);
int selftest_in_out(struct selftest_case *test, bool act, int64_t count, double mean, double deviation);
/* Bytes: pixels below `bound`; with `ignored` every 16th one is DF_IGNORE_LABEL. */
int selftest_bytes(struct selftest_case *test, int64_t count, int bound, bool ignored);
int selftest_output_bytes(struct selftest_case *test, int64_t count);
/* A frozen layer with a bias, made on each side. */
void selftest_linear(struct selftest_case *test, int64_t out, int64_t in, int64_t rows);

/* What the shape is called; printf's arguments. */
void selftest_shape(struct selftest_case *test, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Frees what the case holds. */
void selftest_free(struct selftest_case *test);

/* The type of "act" on the side that runs. */
static inline enum df_dtype act_of(const struct selftest_side *side)
{
    return side->backend->compute;
}

/* What a decoder reads: the grid of patches, of so many channels. */
struct selftest_map {
    int64_t batch, height, width, pixels, in, classes;
};

static inline struct selftest_map selftest_map_of(const struct selftest_case *test)
{
    const struct selftest_setting *s = test->setting;
    struct selftest_map map = {.batch = s->batch, .in = s->vit.dim, .classes = s->classes};

    map.height = s->height / s->vit.patch;
    map.width = s->width / s->vit.patch;
    map.pixels = map.batch * map.height * map.width;
    return map;
}

typedef void selftest_builder(struct selftest_case *test);

/* The cases of each file, NULL at the end. */
extern selftest_builder *const selftest_batches[];
extern selftest_builder *const selftest_transformer[];
extern selftest_builder *const selftest_decoder[];
extern selftest_builder *const selftest_evaluation[];

#endif

/* Cases of operations: an operation at certain sizes, what it reads and what should come of it.
 *
 * Each operation of dinoft/operation_list.h has one set of cases, df_cases_NAME in the file of its name or
 * group in src/backend/cases/. The tests of the CPU backend, the tests of the emulated kernels, `dinoft
 * selftest` and its timing all run these. A set has odd sizes (1, primes, remainders of every tile, optional
 * tensors left out), which are compared with plain loops in double, and the sizes of a model's training step,
 * which are compared with another backend. */
#ifndef DINOFT_OPERATION_CASE_H
#define DINOFT_OPERATION_CASE_H

#include "dinoft/work.h"

#define DF_CASE_TENSORS 12
#define DF_CASE_SCALARS 2
#define DF_CASE_SIZES   12 /* numbers that say how large a case is, and which of its options are taken */
#define DF_CASE_USES    8  /* sizes at which a model uses one operation */

enum df_case_role { DF_CASE_IN, DF_CASE_OUT, DF_CASE_IN_OUT };

struct df_case_tensor {
    enum df_case_role role;
    enum df_dtype type; /* DF_F32, the compute type, DF_U8 or DF_I64 */
    bool on_host;       /* the operation has it in the host's memory */
    int64_t count;      /* of elements */
    float *values;      /* host: what is read, or found, there; values that the type holds exactly */
    uint8_t *bytes;     /* host: the same of integers, instead; one of the two is NULL */
    double *expected;   /* host: the result, NULL until it is asked for; `expect` finds `values`, or 0 */
    double tolerance;   /* see struct df_case_error */
};

/* The sizes of a model's training step. */
struct df_case_model {
    int64_t batch, height, width, patch; /* of the images */
    int64_t prefix;                      /* tokens before the patches */
    int64_t depth, dim, heads, head_size;
    int64_t hidden; /* of the feed-forward network */
    bool swiglu;    /* its first layer makes two halves of so many */
    int64_t classes, rank;
};

struct df_case;

/* A case on a backend. */
struct df_case_run {
    struct df_backend *backend;
    void *memory[DF_CASE_TENSORS];   /* the tensors', of the run; NULL beyond c->n_tensors */
    bool on_host[DF_CASE_TENSORS];   /* which of it is the host's */
    struct df_linear *linear;        /* of a case that has one */
    double scalars[DF_CASE_SCALARS]; /* results on the host */
};

struct df_case_set {
    const char *operation;
    const int64_t (*odd)[DF_CASE_SIZES]; /* [n_odd] */
    int n_odd;
    /* Fills in the sizes at which this model uses the operation, which are 0 before; how many these are: 0,
     * while no model does. Never NULL. */
    int (*uses)(const struct df_case_model *model, int64_t sizes[DF_CASE_USES][DF_CASE_SIZES]);
    void (*build)(struct df_case *c); /* adds the tensors that c->n asks for (src/backend/cases/build.h) */
    /* On the backend, before the call that is compared: a forward pass whose result is read. NULL: nothing.
     * These two return what operations do: 0, or -1 with the error set. */
    int (*prepare)(const struct df_case *c, struct df_case_run *run);
    int (*call)(const struct df_case *c, struct df_case_run *run); /* on a tally too: reads no tensor */
    void (*expect)(struct df_case *c); /* fills in `expected`, in double, as plainly as possible */
    /* Of a backward pass: the sum of dy * forward(x), in double, from the tensors' values. The derivative by
     * tensor `input` is what the result `output` holds, or what is added to it; a case that has no such
     * tensor is passed over. NULL: no gradient. */
    double (*objective)(const struct df_case *c);
    struct df_case_gradient {
        int input, output;
    } gradients[4];
    int n_gradients;                                     /* how many of these are checked */
    bool (*supported)(const struct df_backend *backend); /* NULL: by every backend */
    bool is_product;   /* in bfloat16 it takes a device that has that (df_backend_open refuses others) */
    bool threads_show; /* the result's bits depend on the number of the CPU's threads */
};

struct df_case {
    const struct df_case_set *set;
    int64_t n[DF_CASE_SIZES];
    enum df_dtype act; /* the compute type of the backend that it is for */
    struct df_case_tensor tensors[DF_CASE_TENSORS];
    int n_tensors;
    int64_t linear_out, linear_in, linear_rows; /* of a frozen layer; linear_out 0: none */
    float *linear_weight, *linear_bias;         /* host; the bias may be NULL */
    int n_scalars;
    double expected_scalars[DF_CASE_SCALARS], scalar_tolerance;
    uint64_t seed;
    int failed; /* -1: out of memory while it was built, the error set */
};

/* What a value loses at most when it is rounded to bfloat16, half the distance between the numbers of its
 * size; 0 for another type. */
double df_case_rounding(double value, enum df_dtype type);

/* How far results are from what is expected: the worst of a case's.
 *
 * Of floats the largest |got - expected| - r over max(1, |expected|, root mean square of the tensor), where r
 * is what rounding the result to bfloat16 costs; NaN is as far as can be from anything but NaN. Of scalars
 * the same, over max(1, |expected|). Of bytes and 64-bit integers the share of those that differ. */
struct df_case_error {
    double error, tolerance; /* of the tensor or scalar that is worst against its tolerance */
    int tensor;              /* its number; -1: a scalar */
    bool agrees;
    uint64_t digest; /* of every bit of the results */
};

/* The tensor's type on a backend: one of the case's compute type is of the backend's there. */
static inline enum df_dtype df_case_type(const struct df_case_tensor *tensor,
                                         const struct df_backend *backend)
{
    return tensor->type == DF_BF16 ? backend->compute : tensor->type;
}

/* All sets, in the order of the list. */
extern const struct df_case_set *const df_case_sets[];
extern const int df_n_case_sets;

/* Builds the case of these sizes for backends of this compute type (it runs on those of float32 too). -1 with
 * the error set when out of memory; to be closed all the same. */
int df_case_open(struct df_case *c, const struct df_case_set *set, const int64_t sizes[DF_CASE_SIZES],
                 enum df_dtype act, uint64_t seed);
void df_case_close(struct df_case *c);

/* Fills in what is expected: by the plain loops, or from the results of a run on another backend. Here and
 * below: 0, or -1 with the error set. */
int df_case_expect(struct df_case *c);
int df_case_expect_results(struct df_case *c, const struct df_case_run *run);

/* Puts the tensors on the backend, results as NaN. To be closed also when it fails. */
int df_case_run_open(struct df_case_run *run, const struct df_case *c, struct df_backend *backend);
void df_case_run_close(struct df_case_run *run);

/* The call that is compared, with what prepares it; returns when its work is done. */
int df_case_call(const struct df_case *c, struct df_case_run *run);

/* Compares the run's results with what is expected. 0 also where they do not agree: *error tells. */
int df_case_compare(const struct df_case *c, const struct df_case_run *run, struct df_case_error *error);

/* *worst becomes *error where that is the worse one against its tolerance, and agrees only if both do. The
 * digest stays. */
void df_case_note(struct df_case_error *worst, const struct df_case_error *error);

/* Seconds of one call: calls are repeated until they have taken so long together. */
int df_case_time(const struct df_case *c, struct df_case_run *run, double seconds, double *seconds_of_call);

/* What the call has to do. Runs it on a tally (dinoft/work.h), so on no device. */
int df_case_work(const struct df_case *c, struct df_work *work);

#endif

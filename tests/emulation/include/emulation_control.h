/* What tests can ask of the emulated device beside CUDA's functions. */
#ifndef EMULATION_CONTROL_H
#define EMULATION_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was asked of shared memory's banks since counting was last switched on. */
enum df_shared_kind {
    DF_SHARED_MATRIX, /* ldmatrix */
    DF_SHARED_COPY,   /* cp.async */
    DF_SHARED_VECTOR, /* float4, uint2, … */
    DF_SHARED_SCALAR, /* other reads and writes, where every access is seen */
};
struct df_shared_turns {
    unsigned long long phases, conflicts; /* conflicts: turns but the first of each phase */
};
void df_emulation_count_banks(bool yes);
struct df_shared_turns df_emulation_shared_turns(enum df_shared_kind kind);
/* To stderr, the lines of the sources where there were any. */
void df_emulation_print_conflicts(void);

/* How much memory the device has (8 GiB, or DF_EMULATION_MEMORY bytes, until this is called). */
void df_emulation_set_memory(size_t bytes);
size_t df_emulation_memory_in_use(void);

/* Whether kernels are compiled so that every access to memory is seen. */
bool df_emulation_checks_accesses(void);
bool df_emulation_has_address_sanitizer(void);

/* What a measurement by events gives: these milliseconds in turn, over and over. Until this is called, or
 * with a count of 0, everything takes a millisecond. */
void df_emulation_set_times(const float *milliseconds, int count);

/* How many graphs were instantiated, and launched, so far. */
int df_emulation_graphs(void);
int df_emulation_graph_launches(void);

/* How cuDNN does with attention: of its three engines the first is not deterministic, the other two add up
 * in different orders. */
enum df_emulated_cudnn {
    DF_CUDNN_CORRECT,
    DF_CUDNN_ABSENT,           /* cudnnCreate fails */
    DF_CUDNN_FAULTY,           /* its version is known for bugs */
    DF_CUDNN_NO_ENGINE,        /* none for any graph */
    DF_CUDNN_NO_PLAN,          /* execution plans cannot be made */
    DF_CUDNN_NO_RUN,           /* execution fails */
    DF_CUDNN_WRONG_ROW,        /* the last token's result is a quarter too large */
    DF_CUDNN_WRONG_LSE,        /* without the largest score */
    DF_CUDNN_NAN,              /* one NaN */
    DF_CUDNN_NONDETERMINISTIC, /* one number's last bit changes in every second run */
    DF_CUDNN_NOTHING,          /* the third engine writes nothing */
    DF_CUDNN_NO_TEXT,          /* plans cannot be written down */
    DF_CUDNN_NO_READ,          /* nor read */
    DF_CUDNN_LARGE,            /* plans want 2 GB of workspace */
    DF_CUDNN_SLOW,             /* plans take a tenth of a second to make */
    DF_CUDNN_NEWER,            /* version 9.26 */
};
void df_emulation_set_cudnn(enum df_emulated_cudnn how);

/* How many runs of graphs were asked for so far, and how many plans were made, rather than read. */
int df_emulation_cudnn_runs(void);
int df_emulation_cudnn_plans(void);

/* What cuBLASLt has no algorithm for. Until this is called: what DF_EMULATION_CUBLASLT says, a list of the
 * words below in lower case with commas between them, or random:SEED. */
enum df_emulated_refusals {
    DF_REFUSE_UNALIGNED = 1,  /* depths and rows of a and b that are no multiples of 16 bytes */
    DF_REFUSE_EPILOGUE = 2,   /* a bias */
    DF_REFUSE_NARROW = 4,     /* results in bfloat16 */
    DF_REFUSE_ALL = 8,        /* anything */
    DF_REFUSE_LATE = 16,      /* it lists what it refuses, and does so when asked to multiply */
    DF_REFUSE_AT_RANDOM = 32, /* of the others whatever is drawn for a product's shape, types and epilogue */
};
void df_emulation_set_refusals(unsigned refusals);

/* How many products cuBLASLt was given and took so far. */
int df_emulation_products(void);

/* How many handles the libraries gave so far. */
int df_emulation_cublaslt_handles(void);
int df_emulation_cudnn_handles(void);

#ifdef __cplusplus
}
#endif

#endif

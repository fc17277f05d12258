/* Autotuning: which of several algorithms for the same operation is the fastest on the device, timed once and
 * then kept in a file. Private to src/backend/cuda.
 *
 * Two algorithms may round differently, and timing may find another one the fastest on another day. The same
 * seed has to give the same bits, so nothing is timed twice: not for the same operation and shape, on this
 * kind of device, with this version of the library. docs/gpu-autotune.md has more. */
#ifndef DINOFT_CUDA_AUTOTUNE_CACHE_H
#define DINOFT_CUDA_AUTOTUNE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct df_cuda_context;

#define DF_AUTOTUNE_KEY_MAX        16
#define DF_AUTOTUNE_ALGORITHMS_MAX 8
#define DF_AUTOTUNE_FOLDER_MAX     896 /* leaves space for a file's name in 1024 bytes */

/* The contents of one file. A key has key_length numbers; it maps to one of at most n_algorithms. */
struct df_autotune_cache {
    bool enabled, loaded; /* whether algorithms are timed at all; whether the file was read */
    char path[1024];
    size_t key_length;
    int n_algorithms;
    int64_t *entries; /* [n_entries, key_length + 1]: a key, then its algorithm */
    size_t n_entries, capacity;
};

/* The cache's folder, made if it is not there. False where nothing is timed and the first algorithm is always
 * used: as DINOFT_CUDA_ALGO=first asks, or because there is no such folder. */
bool df_autotune_folder(char folder[DF_AUTOTUNE_FOLDER_MAX]);

/* The file is that of `library` ("cublaslt") in this version, for the context's device. Reads nothing yet. */
void df_autotune_open(struct df_autotune_cache *cache, const struct df_cuda_context *context,
                      const char *library, size_t version, size_t key_length, int n_algorithms);
void df_autotune_close(struct df_autotune_cache *cache);

/* The cached algorithm of `key` [key_length], or -1 for a key that is not in the cache. */
int df_autotune_find(struct df_autotune_cache *cache, const int64_t *key, int *algorithm);

/* Adds an entry, to the file too. */
int df_autotune_store(struct df_autotune_cache *cache, const int64_t *key, int algorithm);

/* Enqueues the operation once with an algorithm; false if that fails. */
typedef bool df_autotune_run(void *user, int algorithm);

/* Times the algorithms 0 … n_algorithms - 1 on the context's stream, which must not be captured. Another than
 * 0 has to be faster by 3 % to be returned. -1 with the error set where the device failed. */
int df_autotune_fastest(struct df_cuda_context *context, int n_algorithms, df_autotune_run *run, void *user);

#endif

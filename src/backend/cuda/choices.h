/* Which of several ways to do the same work on the device is the fastest: timed once, then kept in a file.
 * Private to src/backend/cuda.
 *
 * Two ways may round differently, and timing may find another one the fastest on another day. The same seed
 * has to give the same bits, so that a choice is never made again: not for this kind of work, on this kind of
 * device, with this version of the library. docs/gpu-choices.md has more. */
#ifndef DINOFT_CUDA_CHOICES_H
#define DINOFT_CUDA_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct df_cuda_context;

#define DF_CHOICE_NUMBERS_MOST 16
#define DF_CHOICE_WAYS_MOST    8

/* The choices that one file holds. A kind of work is told by `numbers` numbers; there are at most `ways` ways
 * to do it. */
struct df_choices {
    bool timed, read; /* whether ways are timed at all; whether the file was read */
    char path[1024];
    size_t numbers;
    int ways;
    int64_t *known; /* [n_known, numbers + 1]: a kind of work, then the way that was taken */
    size_t n_known, capacity;
};

/* False where nothing is timed and the first way is taken always: as DINOFT_CUDA_ALGO=first asks, or because
 * there is no folder to keep choices in. */
bool df_choices_possible(void);

/* The file is that of `library` ("cublaslt") in this version, for the context's device. Reads nothing yet. */
void df_choices_open(struct df_choices *choices, const struct df_cuda_context *context, const char *library,
                     size_t version, size_t numbers, int ways);
void df_choices_close(struct df_choices *choices);

/* The way that was taken for `key` [numbers], or -1 for work that is new. */
int df_choices_find(struct df_choices *choices, const int64_t *key, int *way);

/* Remembers a way, in the file too. */
int df_choices_keep(struct df_choices *choices, const int64_t *key, int way);

/* Enqueues the work once, done in a way; false if it refuses. */
typedef bool df_choice_run(void *user, int way);

/* Times the ways 0 … n_ways - 1 on the context's stream, which must not be captured. Another than 0 has to be
 * faster by 3 % to be taken. -1 with the error set where the device failed. */
int df_choices_fastest(struct df_cuda_context *context, int n_ways, df_choice_run *run, void *user);

#endif

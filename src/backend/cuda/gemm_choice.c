/* Which of cuBLASLt's algorithms a product takes. The candidates are timed once for each kind of product, on
 * the matrices of its first call.
 *
 * Another algorithm may round differently, and timing may find another one the fastest on another day. The
 * same seed has to give the same bits, so choices are kept in a file and never made again: by the product,
 * for this device and this version of the library, whose lists of candidates have a fixed order. Where there
 * is no place for the file nothing is timed and the list's first is taken. docs/gemm-choice.md has more. */
#include "gemm.h"

#include "dinoft/error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 4
#define RUNS   3     /* of a candidate in a round */
#define GAIN   0.97f /* of the first one's time: a smaller gain may be noise */

#define KEY_NUMBERS    (sizeof(struct df_gemm_key) / sizeof(int64_t))
#define LINE_MAX_BYTES 512

/* $XDG_CACHE_HOME/dinoft or ~/.cache/dinoft, made if it is not there. */
static bool cache_folder(char *folder, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length;

    if (cache && cache[0] == '/') {
        length = snprintf(folder, size, "%s", cache);
    } else if (home && home[0] == '/') {
        length = snprintf(folder, size, "%s/.cache", home);
    } else {
        return false;
    }
    if (length < 0 || (size_t)length + sizeof "/dinoft" > size)
        return false;
    (void)mkdir(folder, 0777); /* usually there */
    strcat(folder, "/dinoft");
    return (mkdir(folder, 0777) == 0 || errno == EEXIST) && access(folder, R_OK | W_OK | X_OK) == 0;
}

void df_gemm_choices_open(struct df_gemm_choices *choices, const struct df_cuda_context *context)
{
    const char *wish = getenv("DINOFT_CUDA_ALGO");
    char folder[sizeof choices->path - 128], device[64];
    size_t i = 0;

    memset(choices, 0, sizeof *choices);
    if ((wish && strcmp(wish, "first") == 0) || !cache_folder(folder, sizeof folder))
        return;
    for (; context->device_name[i] && i + 1 < sizeof device; i++)
        device[i] = strchr(" /", context->device_name[i]) ? '_' : context->device_name[i];
    device[i] = '\0';
    snprintf(choices->path, sizeof choices->path, "%s/cublaslt-%zu-%s-sm%d.txt", folder,
             context->lt.cublasLtGetVersion(), device, context->capability);
    choices->timed = true;
}

void df_gemm_choices_close(struct df_gemm_choices *choices)
{
    free(choices->choices);
    memset(choices, 0, sizeof *choices);
}

static int remember(struct df_gemm_choices *choices, const struct df_gemm_key *key, int candidate)
{
    if (choices->n_choices == choices->capacity) {
        const size_t capacity = choices->capacity ? 2 * choices->capacity : 64;
        struct df_gemm_choice *more = realloc(choices->choices, capacity * sizeof *more);
        if (!more)
            return df_error_memory("choices of algorithms", capacity * sizeof *more);
        choices->choices = more;
        choices->capacity = capacity;
    }
    choices->choices[choices->n_choices++] = (struct df_gemm_choice){*key, candidate};
    return 0;
}

/* The numbers of a line, the key's and the candidate; false for a line of anything else. */
static bool parse_line(const char *line, struct df_gemm_key *key, int *candidate)
{
    int64_t numbers[KEY_NUMBERS + 1];

    for (size_t i = 0; i <= KEY_NUMBERS; i++) {
        char *end;
        errno = 0;
        numbers[i] = strtoll(line, &end, 10);
        if (end == line || errno != 0 || *end != (i < KEY_NUMBERS ? ' ' : '\n'))
            return false;
        line = end + 1;
    }
    memcpy(key, numbers, sizeof *key);
    *candidate = numbers[KEY_NUMBERS] >= 0 && numbers[KEY_NUMBERS] < DF_GEMM_CANDIDATES
                     ? (int)numbers[KEY_NUMBERS]
                     : -1;
    return *candidate >= 0;
}

/* Lines that cannot be read are passed over: their products are timed again. */
static int read_choices(struct df_gemm_choices *choices)
{
    char line[LINE_MAX_BYTES];
    struct df_gemm_key key;
    int candidate, status = 0;
    FILE *file = choices->read ? NULL : fopen(choices->path, "r");

    choices->read = true;
    while (file && status == 0 && fgets(line, sizeof line, file)) {
        if (parse_line(line, &key, &candidate))
            status = remember(choices, &key, candidate);
    }
    if (file)
        fclose(file);
    return status;
}

/* One write: lines of two processes do not mix. Of two lines for one product the first counts. */
static void append_choice(const struct df_gemm_choices *choices, const struct df_gemm_key *key, int candidate)
{
    int64_t numbers[KEY_NUMBERS];
    char line[LINE_MAX_BYTES];
    size_t used = 0;

    memcpy(numbers, key, sizeof *key);
    for (size_t i = 0; i < KEY_NUMBERS; i++)
        used += (size_t)snprintf(line + used, sizeof line - used, "%" PRId64 " ", numbers[i]);
    used += (size_t)snprintf(line + used, sizeof line - used, "%d\n", candidate);
    const int file = open(choices->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return;
    const ssize_t written = write(file, line, used);
    (void)written; /* a full disk costs no more than timing again */
    (void)close(file);
}

static const struct df_gemm_choice *find_choice(const struct df_gemm_choices *choices,
                                                const struct df_gemm_key *key)
{
    for (size_t i = 0; i < choices->n_choices; i++) {
        if (memcmp(&choices->choices[i].key, key, sizeof *key) == 0)
            return &choices->choices[i];
    }
    return NULL;
}

struct stopwatch {
    cudaEvent_t begin, end;
};

/* Milliseconds of RUNS runs; INFINITY for a candidate that the library then refuses. */
static int time_candidate(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                          const struct df_gemm *gemm, const cublasLtMatmulAlgo_t *algorithm, void *c,
                          const struct stopwatch *watch, float *milliseconds)
{
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;

    DF_TRY(DF_CUDA(cudaEventRecord(watch->begin, context->stream)));
    for (int run = 0; run < RUNS && status == CUBLAS_STATUS_SUCCESS; run++)
        status = df_gemm_multiply(context, plan, algorithm, gemm, c);
    DF_TRY(DF_CUDA(cudaEventRecord(watch->end, context->stream)));
    DF_TRY(DF_CUDA(cudaEventSynchronize(watch->end)));
    DF_TRY(DF_CUDA(cudaEventElapsedTime(milliseconds, watch->begin, watch->end)));
    if (status != CUBLAS_STATUS_SUCCESS)
        *milliseconds = INFINITY;
    return 0;
}

/* In rounds, of which each candidate's best counts: the device's clock rises during the first. */
static int time_candidates(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                           const struct df_gemm *gemm, const cublasLtMatmulHeuristicResult_t *candidates,
                           int n_candidates, void *c, const struct stopwatch *watch)
{
    float best[DF_GEMM_CANDIDATES];
    int fastest = 0;

    for (int i = 0; i < n_candidates; i++)
        best[i] = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < n_candidates; i++) {
            float milliseconds;
            DF_TRY(time_candidate(context, plan, gemm, &candidates[i].algo, c, watch, &milliseconds));
            best[i] = milliseconds < best[i] ? milliseconds : best[i];
        }
    }
    for (int i = 1; i < n_candidates; i++) {
        if (best[i] < best[fastest])
            fastest = i;
    }
    return best[fastest] < GAIN * best[0] ? fastest : 0;
}

/* The products of the timing go where they will go anyway; where they are added to what is there, to memory
 * that is given back. Without that memory the first candidate it is. */
static int find_fastest(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                        const struct df_gemm *gemm, const cublasLtMatmulHeuristicResult_t *candidates,
                        int n_candidates)
{
    const struct df_gemm_key *key = &gemm->key;
    struct stopwatch watch = {NULL, NULL};
    void *room = NULL;
    int choice = -1;

    if (key->accumulate &&
        cudaMalloc(&room, (size_t)key->n * (size_t)key->ldc * df_dtype_size((enum df_dtype)key->out_type)) !=
            cudaSuccess) {
        (void)cudaGetLastError();
        return 0;
    }
    if (DF_CUDA(cudaEventCreate(&watch.begin)) == 0 && DF_CUDA(cudaEventCreate(&watch.end)) == 0)
        choice =
            time_candidates(context, plan, gemm, candidates, n_candidates, room ? room : gemm->c, &watch);
    if (watch.begin)
        (void)cudaEventDestroy(watch.begin);
    if (watch.end)
        (void)cudaEventDestroy(watch.end);
    (void)cudaFree(room);
    return choice;
}

int df_gemm_choose(struct df_cuda_context *context, const struct df_gemm_plan *plan,
                   const struct df_gemm *gemm, const cublasLtMatmulHeuristicResult_t *candidates,
                   int n_candidates)
{
    struct df_gemm_choices *choices = &context->gemms->choices;

    if (!choices->timed || n_candidates == 1)
        return 0;
    DF_TRY(read_choices(choices));
    const struct df_gemm_choice *known = find_choice(choices, &gemm->key);
    if (known && known->candidate < n_candidates)
        return known->candidate;
    if (context->capturing)
        return df_error_set("a recorded product is not known");
    const int choice = find_fastest(context, plan, gemm, candidates, n_candidates);
    if (choice < 0)
        return -1;
    append_choice(choices, &gemm->key, choice);
    DF_TRY(remember(choices, &gemm->key, choice));
    return choice;
}

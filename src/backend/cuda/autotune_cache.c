#include "autotune_cache.h"

#include "cuda_context.h"

#include "dinoft/error.h"

#include <assert.h>
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
#define RUNS   3     /* of an algorithm in a round */
#define GAIN   0.97f /* of the first one's time: a smaller gain may be noise */

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

bool df_autotune_folder(char folder[DF_AUTOTUNE_FOLDER_MAX])
{
    const char *mode = getenv("DINOFT_CUDA_ALGO");

    return !(mode && strcmp(mode, "first") == 0) && cache_folder(folder, DF_AUTOTUNE_FOLDER_MAX);
}

void df_autotune_open(struct df_autotune_cache *cache, const struct df_cuda_context *context,
                      const char *library, size_t version, size_t key_length, int n_algorithms)
{
    char folder[DF_AUTOTUNE_FOLDER_MAX], device[64];
    size_t i = 0;

    assert(key_length <= DF_AUTOTUNE_KEY_MAX && n_algorithms <= DF_AUTOTUNE_ALGORITHMS_MAX);
    memset(cache, 0, sizeof *cache);
    cache->key_length = key_length;
    cache->n_algorithms = n_algorithms;
    cache->enabled = df_autotune_folder(folder);
    if (!cache->enabled)
        return;
    for (; context->device_name[i] && i + 1 < sizeof device; i++)
        device[i] = strchr(" /", context->device_name[i]) ? '_' : context->device_name[i];
    device[i] = '\0';
    snprintf(cache->path, sizeof cache->path, "%s/%s-%zu-%s-sm%d.txt", folder, library, version, device,
             context->capability);
}

void df_autotune_close(struct df_autotune_cache *cache)
{
    free(cache->entries);
    memset(cache, 0, sizeof *cache);
}

/* entry [key_length + 1] */
static int add_entry(struct df_autotune_cache *cache, const int64_t *entry)
{
    const size_t length = cache->key_length + 1;

    if (cache->n_entries == cache->capacity) {
        const size_t capacity = cache->capacity ? 2 * cache->capacity : 64;
        int64_t *more = realloc(cache->entries, capacity * length * sizeof *more);
        if (!more)
            return df_error_memory("the autotune cache", capacity * length * sizeof *more);
        cache->entries = more;
        cache->capacity = capacity;
    }
    memcpy(cache->entries + cache->n_entries++ * length, entry, length * sizeof *entry);
    return 0;
}

/* The numbers of a line, the key's and the algorithm; false for a line of anything else. */
static bool parse_line(const struct df_autotune_cache *cache, const char *text, int64_t *entry)
{
    for (size_t i = 0; i <= cache->key_length; i++) {
        char *end;
        errno = 0;
        entry[i] = strtoll(text, &end, 10);
        if (end == text || errno != 0 || *end != (i < cache->key_length ? ' ' : '\n'))
            return false;
        text = end + 1;
    }
    return entry[cache->key_length] >= 0 && entry[cache->key_length] < cache->n_algorithms;
}

/* Lines that cannot be read are skipped: their keys are timed again. */
static int read_file(struct df_autotune_cache *cache)
{
    char text[LINE_MAX_BYTES];
    int64_t entry[DF_AUTOTUNE_KEY_MAX + 1];
    int status = 0;
    FILE *file = cache->loaded ? NULL : fopen(cache->path, "r");

    cache->loaded = true;
    while (file && status == 0 && fgets(text, sizeof text, file)) {
        if (parse_line(cache, text, entry))
            status = add_entry(cache, entry);
    }
    if (file)
        fclose(file);
    return status;
}

/* One write: lines of two processes do not mix. Of two lines with the same key the first counts. */
static void append_entry(const struct df_autotune_cache *cache, const int64_t *entry)
{
    char text[LINE_MAX_BYTES];
    size_t used = 0;

    for (size_t i = 0; i <= cache->key_length; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%" PRId64 "%c", entry[i],
                                 i < cache->key_length ? ' ' : '\n');
    const int file = open(cache->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return;
    const ssize_t written = write(file, text, used);
    (void)written; /* on a full disk the next process times again */
    (void)close(file);
}

int df_autotune_find(struct df_autotune_cache *cache, const int64_t *key, int *algorithm)
{
    const size_t length = cache->key_length + 1;

    *algorithm = -1;
    DF_TRY(read_file(cache));
    for (size_t i = 0; i < cache->n_entries && *algorithm < 0; i++) {
        const int64_t *entry = cache->entries + i * length;
        if (memcmp(entry, key, cache->key_length * sizeof *key) == 0)
            *algorithm = (int)entry[cache->key_length];
    }
    return 0;
}

int df_autotune_store(struct df_autotune_cache *cache, const int64_t *key, int algorithm)
{
    int64_t entry[DF_AUTOTUNE_KEY_MAX + 1];

    memcpy(entry, key, cache->key_length * sizeof *key);
    entry[cache->key_length] = algorithm;
    append_entry(cache, entry);
    return add_entry(cache, entry);
}

struct timer {
    cudaEvent_t begin, end;
};

/* Milliseconds of RUNS runs; INFINITY if one fails. */
static int time_algorithm(struct df_cuda_context *context, const struct timer *timer, int algorithm,
                          df_autotune_run *run, void *user, float *milliseconds)
{
    bool runs = true;

    DF_TRY(DF_CUDA(cudaEventRecord(timer->begin, context->stream)));
    for (int i = 0; i < RUNS && runs; i++)
        runs = run(user, algorithm);
    DF_TRY(DF_CUDA(cudaEventRecord(timer->end, context->stream)));
    DF_TRY(DF_CUDA(cudaEventSynchronize(timer->end)));
    DF_TRY(DF_CUDA(cudaEventElapsedTime(milliseconds, timer->begin, timer->end)));
    if (!runs)
        *milliseconds = INFINITY;
    return 0;
}

/* In rounds, of which each algorithm's best counts: the device's clock rises during the first. */
static int find_fastest(struct df_cuda_context *context, const struct timer *timer, int n_algorithms,
                        df_autotune_run *run, void *user)
{
    float best[DF_AUTOTUNE_ALGORITHMS_MAX];
    int fastest = 0;

    for (int i = 0; i < n_algorithms; i++)
        best[i] = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < n_algorithms; i++) {
            float milliseconds;
            DF_TRY(time_algorithm(context, timer, i, run, user, &milliseconds));
            best[i] = milliseconds < best[i] ? milliseconds : best[i];
        }
    }
    for (int i = 1; i < n_algorithms; i++) {
        if (best[i] < best[fastest])
            fastest = i;
    }
    return best[fastest] < GAIN * best[0] ? fastest : 0;
}

int df_autotune_fastest(struct df_cuda_context *context, int n_algorithms, df_autotune_run *run, void *user)
{
    struct timer timer = {NULL, NULL};
    int algorithm = -1;

    assert(n_algorithms >= 1 && n_algorithms <= DF_AUTOTUNE_ALGORITHMS_MAX);
    if (DF_CUDA(cudaEventCreate(&timer.begin)) == 0 && DF_CUDA(cudaEventCreate(&timer.end)) == 0)
        algorithm = find_fastest(context, &timer, n_algorithms, run, user);
    if (timer.begin)
        (void)cudaEventDestroy(timer.begin);
    if (timer.end)
        (void)cudaEventDestroy(timer.end);
    return algorithm;
}

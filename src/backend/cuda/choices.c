#include "choices.h"

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
#define RUNS   3     /* of a way in a round */
#define GAIN   0.97f /* of the first one's time: a smaller gain may be noise */

#define LINE_MAX_BYTES 512
#define FOLDER_MAX     ((size_t)896) /* leaves room for the file's name in choices->path */

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

static bool find_folder(char *folder, size_t size)
{
    const char *wish = getenv("DINOFT_CUDA_ALGO");

    return !(wish && strcmp(wish, "first") == 0) && cache_folder(folder, size);
}

bool df_choices_possible(void)
{
    char folder[FOLDER_MAX];

    return find_folder(folder, sizeof folder);
}

void df_choices_open(struct df_choices *choices, const struct df_cuda_context *context, const char *library,
                     size_t version, size_t numbers, int ways)
{
    char folder[FOLDER_MAX], device[64];
    size_t i = 0;

    assert(numbers <= DF_CHOICE_NUMBERS_MOST && ways <= DF_CHOICE_WAYS_MOST);
    memset(choices, 0, sizeof *choices);
    choices->numbers = numbers;
    choices->ways = ways;
    choices->timed = find_folder(folder, sizeof folder);
    if (!choices->timed)
        return;
    for (; context->device_name[i] && i + 1 < sizeof device; i++)
        device[i] = strchr(" /", context->device_name[i]) ? '_' : context->device_name[i];
    device[i] = '\0';
    snprintf(choices->path, sizeof choices->path, "%s/%s-%zu-%s-sm%d.txt", folder, library, version, device,
             context->capability);
}

void df_choices_close(struct df_choices *choices)
{
    free(choices->known);
    memset(choices, 0, sizeof *choices);
}

/* line [numbers + 1] */
static int remember(struct df_choices *choices, const int64_t *line)
{
    const size_t length = choices->numbers + 1;

    if (choices->n_known == choices->capacity) {
        const size_t capacity = choices->capacity ? 2 * choices->capacity : 64;
        int64_t *more = realloc(choices->known, capacity * length * sizeof *more);
        if (!more)
            return df_error_memory("choices of algorithms", capacity * length * sizeof *more);
        choices->known = more;
        choices->capacity = capacity;
    }
    memcpy(choices->known + choices->n_known++ * length, line, length * sizeof *line);
    return 0;
}

/* The numbers of a line, the key's and the way; false for a line of anything else. */
static bool parse_line(const struct df_choices *choices, const char *text, int64_t *line)
{
    for (size_t i = 0; i <= choices->numbers; i++) {
        char *end;
        errno = 0;
        line[i] = strtoll(text, &end, 10);
        if (end == text || errno != 0 || *end != (i < choices->numbers ? ' ' : '\n'))
            return false;
        text = end + 1;
    }
    return line[choices->numbers] >= 0 && line[choices->numbers] < choices->ways;
}

/* Lines that cannot be read are passed over: their work is timed again. */
static int read_file(struct df_choices *choices)
{
    char text[LINE_MAX_BYTES];
    int64_t line[DF_CHOICE_NUMBERS_MOST + 1];
    int status = 0;
    FILE *file = choices->read ? NULL : fopen(choices->path, "r");

    choices->read = true;
    while (file && status == 0 && fgets(text, sizeof text, file)) {
        if (parse_line(choices, text, line))
            status = remember(choices, line);
    }
    if (file)
        fclose(file);
    return status;
}

/* One write: lines of two processes do not mix. Of two lines for the same work the first counts. */
static void append_line(const struct df_choices *choices, const int64_t *line)
{
    char text[LINE_MAX_BYTES];
    size_t used = 0;

    for (size_t i = 0; i <= choices->numbers; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%" PRId64 "%c", line[i],
                                 i < choices->numbers ? ' ' : '\n');
    const int file = open(choices->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return;
    const ssize_t written = write(file, text, used);
    (void)written; /* a full disk costs no more than timing again */
    (void)close(file);
}

int df_choices_find(struct df_choices *choices, const int64_t *key, int *way)
{
    const size_t length = choices->numbers + 1;

    *way = -1;
    DF_TRY(read_file(choices));
    for (size_t i = 0; i < choices->n_known && *way < 0; i++) {
        const int64_t *line = choices->known + i * length;
        if (memcmp(line, key, choices->numbers * sizeof *key) == 0)
            *way = (int)line[choices->numbers];
    }
    return 0;
}

int df_choices_keep(struct df_choices *choices, const int64_t *key, int way)
{
    int64_t line[DF_CHOICE_NUMBERS_MOST + 1];

    memcpy(line, key, choices->numbers * sizeof *key);
    line[choices->numbers] = way;
    append_line(choices, line);
    return remember(choices, line);
}

struct stopwatch {
    cudaEvent_t begin, end;
};

/* Milliseconds of RUNS runs; INFINITY for a way that then refuses. */
static int time_way(struct df_cuda_context *context, const struct stopwatch *watch, int way,
                    df_choice_run *run, void *user, float *milliseconds)
{
    bool runs = true;

    DF_TRY(DF_CUDA(cudaEventRecord(watch->begin, context->stream)));
    for (int i = 0; i < RUNS && runs; i++)
        runs = run(user, way);
    DF_TRY(DF_CUDA(cudaEventRecord(watch->end, context->stream)));
    DF_TRY(DF_CUDA(cudaEventSynchronize(watch->end)));
    DF_TRY(DF_CUDA(cudaEventElapsedTime(milliseconds, watch->begin, watch->end)));
    if (!runs)
        *milliseconds = INFINITY;
    return 0;
}

/* In rounds, of which each way's best counts: the device's clock rises during the first. */
static int time_ways(struct df_cuda_context *context, const struct stopwatch *watch, int n_ways,
                     df_choice_run *run, void *user)
{
    float best[DF_CHOICE_WAYS_MOST];
    int fastest = 0;

    for (int i = 0; i < n_ways; i++)
        best[i] = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < n_ways; i++) {
            float milliseconds;
            DF_TRY(time_way(context, watch, i, run, user, &milliseconds));
            best[i] = milliseconds < best[i] ? milliseconds : best[i];
        }
    }
    for (int i = 1; i < n_ways; i++) {
        if (best[i] < best[fastest])
            fastest = i;
    }
    return best[fastest] < GAIN * best[0] ? fastest : 0;
}

int df_choices_fastest(struct df_cuda_context *context, int n_ways, df_choice_run *run, void *user)
{
    struct stopwatch watch = {NULL, NULL};
    int way = -1;

    assert(n_ways >= 1 && n_ways <= DF_CHOICE_WAYS_MOST);
    if (DF_CUDA(cudaEventCreate(&watch.begin)) == 0 && DF_CUDA(cudaEventCreate(&watch.end)) == 0)
        way = time_ways(context, &watch, n_ways, run, user);
    if (watch.begin)
        (void)cudaEventDestroy(watch.begin);
    if (watch.end)
        (void)cudaEventDestroy(watch.end);
    return way;
}

/* An epoch that --max_steps cuts off ends with a validation as any other, which may be the best one. Where
 * the run goes on later, with more steps, that validation was none of its: what was the best before, and its
 * file, are kept in NAME.state until then. */
#include "cut_epoch.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/file_bytes.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEST        "best_before"
#define FILE_BEFORE BEST "_file"

enum { SCORE, EPOCH, SINCE, NUMBERS };

static int take_bytes(struct df_training *training, const void *bytes, size_t size)
{
    struct cut_epoch *cut = &training->cut;

    cut->bytes = malloc(size + 1);
    if (!cut->bytes)
        return df_error_memory("the best checkpoint", size);
    memcpy(cut->bytes, bytes, size);
    cut->size = size;
    return 0;
}

int cut_epoch_remember(struct df_training *training)
{
    struct df_file_bytes file;
    struct cut_epoch *cut = &training->cut;

    cut_epoch_free(cut);
    cut->is = true;
    cut->best = training->best;
    if (cut->best.epoch < 0 || access(training->best_path, F_OK) != 0)
        return 0;
    DF_TRY(df_file_bytes_read(training->best_path, &file));
    const int status = take_bytes(training, file.bytes, file.size);
    df_file_bytes_free(&file);
    return status;
}

void cut_epoch_free(struct cut_epoch *cut)
{
    free(cut->bytes);
    *cut = (struct cut_epoch){0};
}

int cut_epoch_add(const struct df_training *training, struct df_state *state)
{
    const struct cut_epoch *cut = &training->cut;
    const double numbers[NUMBERS] = {cut->best.score, (double)cut->best.epoch, (double)cut->best.since};
    const int64_t count = NUMBERS, size = (int64_t)cut->size;

    if (!cut->is)
        return 0;
    return df_state_copy(state, BEST, DF_F64, 1, &count, numbers) &&
                   df_state_copy(state, FILE_BEFORE, DF_U8, 1, &size, cut->bytes)
               ? 0
               : -1;
}

static bool makes_sense(const struct df_training *training, const double numbers[NUMBERS])
{
    const int64_t now = training->place.epoch;

    return numbers[EPOCH] >= -1.0 && numbers[EPOCH] < (double)now && numbers[SINCE] >= 0.0 &&
           numbers[SINCE] <= (double)now && isnan(numbers[SCORE]) == (numbers[EPOCH] < 0.0);
}

int cut_epoch_read(struct df_training *training, const struct df_state *state)
{
    const struct df_entry *best = df_state_find(state, BEST), *file = df_state_find(state, FILE_BEFORE);
    double numbers[NUMBERS];

    if (!best)
        return 0;
    if (best->tensor.dtype != DF_F64 || best->tensor.count != NUMBERS || !file || file->tensor.dtype != DF_U8)
        return df_error_set("it is damaged: " BEST " makes no sense");
    memcpy(numbers, best->tensor.data, sizeof numbers);
    if (!makes_sense(training, numbers))
        return df_error_set("it is damaged: " BEST " makes no sense");
    training->cut = (struct cut_epoch){
        .is = true, .best = {numbers[SCORE], (int64_t)numbers[EPOCH], (int64_t)numbers[SINCE]}};
    return file->tensor.count > 0 ? take_bytes(training, file->tensor.data, file->tensor.count) : 0;
}

int cut_epoch_go_on(struct df_training *training)
{
    struct cut_epoch *cut = &training->cut;
    const bool was_best = training->best.epoch == training->place.epoch;
    int status = 0;

    if (!cut->is || training_out_of_steps(training))
        return 0;
    if (was_best && cut->size > 0)
        status = df_atomic_write(training->best_path, cut->bytes, cut->size);
    else if (was_best && unlink(training->best_path) != 0 && errno != ENOENT)
        status = df_error_set("cannot remove %s, of the epoch that goes on: %s", training->best_path,
                              strerror(errno));
    training->best = cut->best;
    cut_epoch_free(cut);
    return status;
}

#include "run_state.h"

#include "cut_epoch.h"
#include "run_settings.h"
#include "run_state_format.h"

#include "dinoft/error.h"
#include "dinoft/version.h"
#include "dinoft/weight_file.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int damaged(const char *name)
{
    return df_error_set("it is damaged, or no state of a run: %s is missing or makes no sense", name);
}

static int read_number(const struct df_state *state, const char *name, int64_t least, int64_t most,
                       int64_t *number)
{
    const struct df_entry *entry = df_state_find(state, name);
    char *end;

    if (!entry || !entry->text || !*entry->text)
        return damaged(name);
    errno = 0;
    *number = strtoll(entry->text, &end, 10);
    return errno == 0 && !*end && *number >= least && *number <= most ? 0 : damaged(name);
}

static int read_bits(const struct df_state *state, const char *name, uint64_t *bits)
{
    const struct df_entry *entry = df_state_find(state, name);
    char *end;

    if (!entry || !entry->text || strlen(entry->text) != 16)
        return damaged(name);
    *bits = strtoull(entry->text, &end, 16);
    return *end ? damaged(name) : 0;
}

static int check_format(const struct df_state *state)
{
    const struct df_entry *format = df_state_find(state, FORMAT_KEY);
    const struct df_entry *version = df_state_find(state, "version");

    if (!format || !format->text)
        return df_error_set("it is no state of a run");
    if (strcmp(format->text, FORMAT) != 0)
        return df_error_set(
            "it is a state of format %s, which dinoft %s wrote; this is dinoft %s, which reads "
            "format " FORMAT,
            format->text, version && version->text ? version->text : "(unknown)", DINOFT_VERSION);
    return 0;
}

static int check_content(const struct df_state *state)
{
    uint64_t content = 0;

    DF_TRY(read_bits(state, CONTENT_KEY, &content));
    return content == df_state_digest(state, CONTENT_KEY)
               ? 0
               : df_error_set("it is damaged: its content is not what was written");
}

static int read_place(struct df_training *training, const struct df_state *state)
{
    struct df_place *place = &training->place;
    uint64_t loss_bits = 0;

    DF_TRY(read_number(state, "epoch", 0, INT32_MAX, &place->epoch));
    DF_TRY(read_number(state, "epoch_step", 0, training->epoch_steps, &place->done));
    DF_TRY(read_number(state, "step", 1, INT64_MAX, &training->step));
    if (training->step / training->epoch_steps > INT32_MAX ||
        training->step != place->epoch * training->epoch_steps + place->done)
        return damaged("step");
    DF_TRY(read_bits(state, "epoch_loss_sum", &loss_bits));
    DF_TRY(read_number(state, "epoch_losses", 0, place->done, &place->losses));
    DF_TRY(read_number(state, "schedule_origin", 0, training->step, &training->schedule_origin));
    DF_TRY(read_bits(state, "rope_rescale_rng", &training->rng.state));
    memcpy(&place->loss_sum, &loss_bits, sizeof loss_bits);
    training->finished = training->step;
    return 0;
}

static int read_numbers(const struct df_state *state, int64_t most, struct kept_checkpoints *kept)
{
    const struct df_entry *entry = df_state_find(state, "kept_checkpoints");

    if (!entry || entry->tensor.dtype != DF_I64 || entry->tensor.ndim != 1)
        return damaged("kept_checkpoints");
    const size_t bytes = entry->tensor.count * sizeof(int64_t);
    int64_t *numbers = malloc(bytes + sizeof *numbers);
    if (!numbers)
        return df_error_memory("the list of checkpoints", bytes);
    if (bytes > 0)
        memcpy(numbers, entry->tensor.data, bytes);
    *kept = (struct kept_checkpoints){numbers, (int64_t)entry->tensor.count};
    for (int64_t i = 0; i < kept->count; i++) {
        if (numbers[i] < (i > 0 ? numbers[i - 1] + 1 : 0) || numbers[i] > most)
            return damaged("kept_checkpoints");
    }
    return 0;
}

static int read_kept(struct df_training *training, const struct df_state *state)
{
    struct df_best_so_far *best = &training->best;
    uint64_t bits = 0;

    DF_TRY(read_bits(state, "best_score", &bits));
    memcpy(&best->score, &bits, sizeof bits);
    DF_TRY(read_number(state, "best_epoch", -1, training->place.epoch, &best->epoch));
    DF_TRY(read_number(state, "validations_since_best", 0, INT32_MAX, &best->since));
    if (best->epoch >= 0 && isnan(best->score))
        return damaged("best_score");
    DF_TRY(read_numbers(state, training_file_epoch(training, training->place.epoch), &training->kept));
    return cut_epoch_read(training, state);
}

/* Epochs whose loss the log has from here on: not that of an epoch which --max_steps had ended and that goes
 * on now. -1: the state's log makes no sense. */
static int64_t logged_epochs(const struct df_training *training, const struct df_entry *losses)
{
    const struct df_place *place = &training->place;
    const bool ended = training_epoch_is_whole(training);

    if (!losses || losses->tensor.dtype != DF_F64 || losses->tensor.ndim != 1)
        return -1;
    const int64_t count = (int64_t)losses->tensor.count;
    if (count < place->epoch + ended || count > place->epoch + (place->done > 0))
        return -1;
    return ended || training_out_of_steps(training) ? count : place->epoch;
}

static int read_validations(struct df_training *training, const struct df_state *state, int64_t epochs)
{
    const struct df_entry *rows = df_state_find(state, "validations");

    if (!rows || rows->tensor.dtype != DF_F64 || rows->tensor.ndim != 2 ||
        rows->tensor.shape[1] != VALIDATION_ROW + training->log.n_classes)
        return damaged("validations");
    const size_t row_bytes = (size_t)rows->tensor.shape[1] * sizeof(double);
    for (int64_t i = 0; i < rows->tensor.shape[0]; i++) {
        double row[VALIDATION_ROW + DF_MAX_CLASSES];
        memcpy(row, (const char *)rows->tensor.data + (size_t)i * row_bytes, row_bytes);
        if (!(row[0] >= 1.0 && row[0] <= (double)training->place.epoch + 1.0))
            return damaged("validations");
        const struct run_validation validation = {(int64_t)row[0],     row[1], row[2], row[3], row[4], row[5],
                                                  row + VALIDATION_ROW};
        if (validation.epoch <= epochs)
            DF_TRY(run_log_add_validation(&training->log, &validation));
    }
    return 0;
}

static int read_log(struct df_training *training, const struct df_state *state)
{
    const struct df_entry *losses = df_state_find(state, "train_loss");
    const int64_t epochs = logged_epochs(training, losses);

    if (epochs < 0)
        return damaged("train_loss");
    DF_TRY(read_number(state, "steps_bytes", 0, INT64_MAX, &training->log.earlier_bytes));
    DF_TRY(read_validations(training, state, epochs));
    for (int64_t i = 0; i < epochs; i++) {
        double loss;
        memcpy(&loss, (const char *)losses->tensor.data + (size_t)i * sizeof loss, sizeof loss);
        DF_TRY(run_log_add_epoch(&training->log, loss));
    }
    return 0;
}

/* NAME.pt has to be the file that was written with the state, or the one before; or none. */
static int check_pair(struct df_training *training, const struct df_state *state)
{
    uint64_t now = 0, before = 0;

    DF_TRY(read_bits(state, "checkpoint", &now));
    DF_TRY(read_bits(state, "checkpoint_before", &before));
    training->checkpoint_content = before;
    training->pair_is_whole = false;
    if (access(training->checkpoint_path, F_OK) != 0)
        return 0;
    struct df_state *checkpoint = df_weight_file_read(training->checkpoint_path, NULL);
    if (!checkpoint)
        return -1;
    training->checkpoint_content = df_state_digest(checkpoint, NULL);
    df_state_free(checkpoint);
    training->pair_is_whole = training->checkpoint_content == now;
    if (training->pair_is_whole || training->checkpoint_content == before)
        return 0;
    return df_error_set(
        "%s is not the checkpoint that this state was written with: one of the two is of another "
        "run, or was replaced (without the checkpoint, the state is enough)",
        training->checkpoint_path);
}

/* The schedule begins with the epoch or step that comes next, over what is left. */
static int restart_schedule(struct df_training *training)
{
    const struct df_schedule *schedule = &training->options.schedule;
    const int64_t next =
        schedule->by_epoch ? training->place.epoch + training_epoch_is_whole(training) : training->step;

    if (schedule->warmup > 0 && schedule->warmup >= schedule->length - next)
        return df_error_set(
            "--restart_schedule: a warm-up of %" PRId64 " does not end in the %" PRId64 " %s that are left",
            schedule->warmup, schedule->length - next, schedule->by_epoch ? "epochs" : "steps");
    training->schedule_origin = next;
    return 0;
}

/* A run that is asked for less than it has done would seem to be as long as that. */
static int check_length(const struct df_training *training)
{
    const int64_t most = training->options.max_steps, epochs = training->options.epochs,
                  begun = training->place.epoch + (training->place.done > 0);

    if (most > 0 && most < training->step)
        return df_error_set("the run has done %" PRId64 " steps, --max_steps is %" PRId64, training->step,
                            most);
    if (epochs < begun)
        return df_error_set("the run has begun %" PRId64 " epochs, --epochs is %" PRId64, begun, epochs);
    return 0;
}

static int read_course(struct df_training *training, const struct df_state *state)
{
    DF_TRY(check_format(state));
    DF_TRY(check_content(state));
    DF_TRY(run_settings_compare(training, state));
    DF_TRY(check_pair(training, state));
    DF_TRY(read_place(training, state));
    DF_TRY(check_length(training));
    DF_TRY(read_kept(training, state));
    run_settings_warn(training, state);
    return read_log(training, state);
}

static int read_state(struct df_training *training, const struct df_state *state)
{
    DF_TRY(read_course(training, state));
    if (training->options.restart_schedule)
        DF_TRY(restart_schedule(training));
    training->options.schedule.length -= training->schedule_origin;
    return df_segmenter_restore(training->segmenter, state, training->step);
}

/* The state that `read` takes into the training. */
static int read_file(struct df_training *training,
                     int (*read)(struct df_training *training, const struct df_state *state))
{
    char *path = df_run_file(training->files, ".state");
    int status = -1;

    training->state = path ? df_weight_file_read(path, NULL) : NULL;
    if (training->state && (status = read(training, training->state)) != 0)
        df_error_context("%s", path);
    free(path);
    return status;
}

int run_state_read(struct df_training *training)
{
    return read_file(training, read_state);
}

int run_state_read_course(struct df_training *training)
{
    return read_file(training, read_course);
}

int run_state_fits(const struct df_training *training, const char *path)
{
    struct df_state *state = df_weight_file_read(path, NULL);
    int status = -1;

    if (state && check_format(state) == 0)
        status = run_settings_compare(training, state) == 0 ? 0 : 1;
    if (state && status != 0)
        df_error_context("%s", path);
    df_state_free(state);
    return status;
}

int run_state_kept(const struct df_training *training, struct kept_checkpoints *kept)
{
    char *path = df_run_file(training->files, ".state");
    struct df_state *state = path && access(path, F_OK) == 0 ? df_weight_file_read(path, NULL) : NULL;

    /* One that is damaged, or none, names no file. */
    if (state && check_format(state) == 0 && check_content(state) == 0)
        read_numbers(state, INT64_MAX, kept);
    df_state_free(state);
    const int status = path ? 0 : -1;
    free(path);
    return status;
}

#include "run_state.h"

#include "cut_epoch.h"
#include "run_settings.h"
#include "run_state_format.h"

#include "dinoft/error.h"
#include "dinoft/version.h"
#include "dinoft/weight_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add_number(struct df_state *state, const char *name, int64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, number);
    return df_state_add_text(state, name, text) ? 0 : -1;
}

static int add_bits(struct df_state *state, const char *name, uint64_t bits)
{
    char text[32];

    snprintf(text, sizeof text, "%016" PRIx64, bits);
    return df_state_add_text(state, name, text) ? 0 : -1;
}

static int add_place(const struct df_training *training, struct df_state *state)
{
    const struct df_place *place = &training->place;
    uint64_t loss_bits = 0;

    memcpy(&loss_bits, &place->loss_sum, sizeof loss_bits);
    DF_TRY(add_number(state, "step", training->step));
    DF_TRY(add_number(state, "epoch", place->epoch));
    DF_TRY(add_number(state, "epoch_step", place->done));
    DF_TRY(add_bits(state, "epoch_loss_sum", loss_bits));
    DF_TRY(add_number(state, "epoch_losses", place->losses));
    DF_TRY(add_number(state, "schedule_origin", training->schedule_origin));
    return add_bits(state, "rope_rescale_rng", training->rng.state);
}

/* What was the best so far, and which checkpoints of epochs this run has written. */
static int add_kept(const struct df_training *training, struct df_state *state)
{
    const struct df_best_so_far *best = &training->best;
    uint64_t bits;

    memcpy(&bits, &best->score, sizeof bits);
    DF_TRY(add_bits(state, "best_score", bits));
    DF_TRY(add_number(state, "best_epoch", best->epoch));
    DF_TRY(add_number(state, "validations_since_best", best->since));
    if (!df_state_copy(state, "kept_checkpoints", DF_I64, 1, &training->kept.count, training->kept.numbers))
        return -1;
    return cut_epoch_add(training, state);
}

static int add_log(const struct run_log *log, struct df_state *state)
{
    const int64_t shape[2] = {log->n_validations, VALIDATION_ROW + log->n_classes};
    const size_t classes_bytes = (size_t)log->n_classes * sizeof(double);
    double *rows = malloc((size_t)(shape[0] * shape[1] + 1) * sizeof *rows);
    int status = -1;

    if (!rows)
        return df_error_memory("the run's log", (size_t)(shape[0] * shape[1]) * sizeof *rows);
    for (int64_t i = 0; i < log->n_validations; i++) {
        const struct run_validation *v = &log->validations[i];
        const double row[VALIDATION_ROW] = {(double)v->epoch,  v->loss,          v->miou,
                                            v->pixel_accuracy, v->reference_iou, v->reference_miou};
        memcpy(rows + i * shape[1], row, sizeof row);
        memcpy(rows + i * shape[1] + VALIDATION_ROW, v->class_iou, classes_bytes);
    }
    if (df_state_copy(state, "train_loss", DF_F64, 1, &log->n_epochs, log->train_loss) &&
        df_state_copy(state, "validations", DF_F64, 2, shape, rows))
        status = add_number(state, "steps_bytes", run_log_steps_bytes(log));
    free(rows);
    return status;
}

int run_state_write(struct df_training *training, uint64_t pair)
{
    struct df_state *state = df_state_new();
    char *path = df_run_file(training->files, ".state");
    int status = -1;

    if (state && path && df_state_add_text(state, FORMAT_KEY, FORMAT) &&
        df_state_add_text(state, "version", DINOFT_VERSION) &&
        df_segmenter_store(training->segmenter, state) == 0 && add_place(training, state) == 0 &&
        add_kept(training, state) == 0 && run_log_sync(&training->log) == 0 &&
        add_log(&training->log, state) == 0 && add_bits(state, "checkpoint", pair) == 0 &&
        add_bits(state, "checkpoint_before", training->checkpoint_content) == 0 &&
        run_settings_add(training, state) == 0) {
        observers_store(&training->observers, state);
        if (add_bits(state, CONTENT_KEY, df_state_digest(state, NULL)) == 0)
            status = df_safetensors_write(path, state);
    }
    free(path);
    df_state_free(state);
    return status;
}

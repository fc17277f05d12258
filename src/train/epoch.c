/* The steps of an epoch. A device that works on what it is told is told of the next step before the result of
 * the one before is awaited. */
#include "run_state.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/log.h"

#include <inttypes.h>
#include <math.h>

struct epoch {
    struct df_training *training;
    int64_t shown; /* the sample that the model's first image is of; -1: none was loaded */
    double ended;  /* when the last result was there */
    /* of the step whose result is not there */
    bool waiting;
    struct step_images waiting_images;
    double waiting_lr;
};

/* The result of the step that is waited for, if one is, and its line in the CSV. */
static int finish_step(struct epoch *epoch)
{
    struct df_training *training = epoch->training;
    struct df_place *place = &training->place;
    struct df_step_result result;

    if (!epoch->waiting)
        return 0;
    epoch->waiting = false;
    DF_TRY(df_segmenter_step_result(training->segmenter, &result));
    const double now = df_seconds(), rate = (double)epoch->waiting_images.count / (now - epoch->ended);
    const struct df_step_seen step = {.epoch = place->epoch + 1,
                                      .step = ++training->finished,
                                      .images = epoch->waiting_images.count,
                                      .loss = result.loss,
                                      .lr = epoch->waiting_lr,
                                      .gradient_norm = result.gradient_norm,
                                      .images_per_second = rate};
    DF_TRY(run_log_step(&training->log, &step));
    if ((!isfinite(result.loss) && result.counted > 0) || !isfinite(result.gradient_norm))
        return training_diverged(training, &step, &epoch->waiting_images);
    if (result.counted > 0) {
        place->loss_sum += result.loss;
        place->losses++;
    }
    epoch->ended = now;
    place->done++;
    observers_step(&training->observers, &step);
    return 0;
}

static void add_images(struct step_images *images, const struct df_batch *batch)
{
    for (int64_t i = 0; i < batch->count; i++, images->count++) {
        if (images->count < STEP_IMAGES_SHOWN)
            images->first[images->count] = batch->samples[i];
    }
}

/* Forward and backward passes of the batches that make up the next step. *images: of these; none at the
 * epoch's end. */
static int train_parts(struct epoch *epoch, struct step_images *images)
{
    struct df_training *training = epoch->training;
    struct df_batch batch;
    int more = 1;

    images->count = 0;
    for (int64_t part = 0; part < training->options.accumulate; part++) {
        more = df_feed_next(training->train_feed, training->segmenter, &batch);
        if (more != 1)
            break;
        epoch->shown = batch.samples[0];
        training->last_count = batch.count;
        DF_TRY(df_segmenter_train_part(training->segmenter, batch.count, &training->rng));
        add_images(images, &batch);
    }
    return more < 0 ? -1 : 0;
}

static double learning_rate(const struct df_training *training)
{
    const struct df_schedule *schedule = &training->options.schedule;
    const int64_t at = schedule->by_epoch ? training->place.epoch : training->step;

    return df_schedule_lr(schedule, at - training->schedule_origin);
}

/* *begun: false at the epoch's end. */
static int begin_step(struct epoch *epoch, bool *begun)
{
    struct df_training *training = epoch->training;
    struct step_images images;

    DF_TRY(train_parts(epoch, &images));
    *begun = images.count > 0;
    if (!*begun)
        return 0;
    const double lr = learning_rate(training);
    if (training->step == 0)
        DF_TRY(training_retire_older(training));
    DF_TRY(df_segmenter_update(training->segmenter, lr));
    training->step++;
    DF_TRY(finish_step(epoch));
    epoch->waiting = true;
    epoch->waiting_images = images;
    epoch->waiting_lr = lr;
    /* Where a step was done when it was told of, its result is there. */
    return training->setup->backend->enqueues ? 0 : finish_step(epoch);
}

static int no_labels(struct df_training *training)
{
    training->worthless = true;
    return df_error_set("no pixel of the training masks has a label%s at %" PRId64 " x %" PRId64
                        ", the size that they are resized to: there is nothing to train",
                        training->setup->model.loss.weighted ? " whose class weighs more than 0" : "",
                        training->setup->model.height, training->setup->model.width);
}

/* What a power cut may cost is bounded. That it cannot be saved now is no reason to stop. */
static int save_in_between(struct epoch *epoch)
{
    struct df_training *training = epoch->training;

    if (training->options.save_every <= 0.0 ||
        df_seconds() - training->saved_at < training->options.save_every)
        return 0;
    DF_TRY(finish_step(epoch));
    if (training_epoch_is_over(training))
        return 0; /* at its end, its loss goes into the log first */
    if (training_save(training) != 0) {
        if (training->worthless)
            return -1;
        df_log("warning: what was trained until step %" PRId64 " is not saved: %s", training->step,
               df_error_text());
    }
    training->saved_at = df_seconds();
    DF_TRY(df_segmenter_use_average(training->segmenter, false));
    epoch->ended = df_seconds();
    return 0;
}

/* What failed is told when the step before, which may be under way, is in the books. If that one diverged,
 * this is told instead: the images are not to blame. */
static int fail_later(struct epoch *epoch)
{
    struct df_error reason;

    df_error_keep(&reason);
    if (finish_step(epoch) != 0 && epoch->training->diverged)
        return -1;
    df_error_again(&reason);
    return -1;
}

/* NaN where no step had a loss. */
static double mean_loss(const struct df_place *place)
{
    return place->losses > 0 ? place->loss_sum / (double)place->losses : NAN;
}

static int train_steps(struct epoch *epoch)
{
    struct df_training *training = epoch->training;
    const struct df_place *place = &training->place;
    bool more = true;

    DF_TRY(df_feed_start(training->train_feed, place->epoch, place->done * training->options.accumulate));
    while (more && !*training->stop && !training_out_of_steps(training)) {
        if (begin_step(epoch, &more) != 0)
            return fail_later(epoch);
        if (more)
            DF_TRY(save_in_between(epoch));
    }
    DF_TRY(finish_step(epoch));
    if (!training_epoch_is_over(training))
        return 0; /* interrupted: the epoch goes on in another run */
    if (place->losses == 0 && training_epoch_is_whole(training))
        return no_labels(training);
    if (training->options.reference_picture && training_saves(training, place->epoch) && epoch->shown >= 0)
        DF_TRY(training_write_picture(training, place->epoch, epoch->shown));
    return run_log_epoch(&training->log, mean_loss(place));
}

/* The place of now, as observers see it. */
static struct df_epoch_seen seen(const struct df_training *training)
{
    const struct df_place *place = &training->place;
    const bool is_over = training_epoch_is_over(training);

    return (struct df_epoch_seen){
        .epoch = place->epoch + 1,
        .step = training->finished,
        .done = place->done,
        .train_loss = mean_loss(place),
        .is_over = is_over,
        .is_saved = is_over && training_saves(training, place->epoch),
        .is_validated = is_over && training_validates(training, place->epoch),
    };
}

int training_epoch(struct df_training *training)
{
    struct epoch epoch = {.training = training, .shown = -1, .ended = df_seconds()};
    struct df_epoch_seen now = seen(training);

    training->masks_seen |= training->place.done == 0;
    observers_enter_epoch(&training->observers, &now);
    const int status = train_steps(&epoch);
    now = seen(training);
    now.is_over &= status == 0;
    observers_leave_epoch(&training->observers, &now);
    return status;
}

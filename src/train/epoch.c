/* The steps of an epoch. A device that works on what it is told is told of the next step before the result of
 * the one before is awaited. */
#include "training.h"

#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/progress.h"

#include <inttypes.h>
#include <math.h>

struct epoch {
    struct df_training *training;
    int64_t number, steps; /* steps: of a whole epoch */
    struct df_progress *progress;
    struct df_batch batch; /* the one that was loaded last */
    /* of the steps whose results are there */
    int64_t done, images;
    double loss_sum;
    int64_t losses; /* that loss_sum has: steps with a labelled pixel */
    double ended;   /* when the last result was there */
    /* of the step whose result is not there */
    bool waiting;
    struct step_images waiting_images;
    double waiting_lr;
};

/* The result of the step that is waited for, if one is, and its line in the CSV. */
static int finish_step(struct epoch *epoch)
{
    struct df_training *training = epoch->training;
    struct df_step_result result;

    if (!epoch->waiting)
        return 0;
    epoch->waiting = false;
    DF_TRY(df_segmenter_step_result(training->segmenter, &result));
    const double now = df_seconds(), rate = (double)epoch->waiting_images.count / (now - epoch->ended);
    const struct run_step step = {epoch->number, ++training->finished, result.loss, epoch->waiting_lr,
                                  rate,          result.gradient_norm};
    DF_TRY(run_log_step(&training->log, &step));
    if ((!isfinite(result.loss) && result.counted > 0) || !isfinite(result.gradient_norm))
        return training_diverged(training, &step, &epoch->waiting_images);
    if (result.counted > 0) {
        epoch->loss_sum += result.loss;
        epoch->losses++;
    }
    epoch->ended = now;
    epoch->images += epoch->waiting_images.count;
    df_progress_update(epoch->progress, ++epoch->done, epoch->images, result.loss);
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
        epoch->batch = batch;
        DF_TRY(df_segmenter_train_part(training->segmenter, batch.count, &training->rng));
        add_images(images, &batch);
    }
    return more < 0 ? -1 : 0;
}

/* *begun: false at the epoch's end. */
static int begin_step(struct epoch *epoch, bool *begun)
{
    struct df_training *training = epoch->training;
    const struct df_schedule *schedule = &training->options.schedule;
    const double lr = df_schedule_lr(schedule, schedule->by_epoch ? epoch->number : training->step);
    struct step_images images;

    DF_TRY(train_parts(epoch, &images));
    *begun = images.count > 0;
    if (!*begun)
        return 0;
    DF_TRY(df_segmenter_update(training->segmenter, lr));
    training->step++;
    training->last_count = epoch->batch.count;
    if (epoch->waiting)
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
    return df_error_set("no pixel of the training masks has a label at %" PRId64 " x %" PRId64
                        ", the size that they are resized to: there is nothing to train",
                        training->setup->model.height, training->setup->model.width);
}

static int train_steps(struct epoch *epoch)
{
    struct df_training *training = epoch->training;
    bool more = true;

    DF_TRY(df_feed_start(training->train_feed, epoch->number));
    while (more && !*training->stop && !training_out_of_steps(training))
        DF_TRY(begin_step(epoch, &more));
    DF_TRY(finish_step(epoch));
    if (epoch->losses == 0 && epoch->done == epoch->steps)
        return no_labels(training);
    if (!*training->stop && training->options.debug && training_validates(training, epoch->number))
        DF_TRY(training_write_picture(training, epoch->number, &epoch->batch));
    if (*training->stop && epoch->done < epoch->steps && !training_out_of_steps(training))
        return training->step > 0 ? run_log_write(&training->log) : 0;
    return run_log_epoch(&training->log, epoch->losses > 0 ? epoch->loss_sum / (double)epoch->losses : NAN);
}

/* Of the steps of a run, those behind an epoch that begins. */
static int64_t later_steps(const struct df_training *training, int64_t steps_of_epoch)
{
    const int64_t all = training->options.epochs * steps_of_epoch, most = training->options.max_steps;

    return (most > 0 && most < all ? most : all) - training->step - steps_of_epoch;
}

int training_epoch(struct df_training *training, int64_t number)
{
    char label[64];
    const int64_t batches = df_feed_batches(training->train_feed);
    struct epoch epoch = {.training = training,
                          .number = number,
                          .steps = (batches - 1) / training->options.accumulate + 1,
                          .ended = df_seconds()};

    snprintf(label, sizeof label, "epoch %" PRId64 "/%" PRId64, number + 1, training->options.epochs);
    epoch.progress = df_progress_open(stderr, label, epoch.steps);
    df_progress_expect(epoch.progress, later_steps(training, epoch.steps));
    const int status = train_steps(&epoch);
    df_progress_close(epoch.progress);
    return status;
}

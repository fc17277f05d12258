#include "dinoft/training_screen.h"

#include "dinoft/best_score.h"
#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct screen {
    bool reference_numbers;
    struct df_run_start run;
    struct df_progress *bar; /* of the epoch or the validation that is under way */
    int64_t validated;       /* validations that are done */
    double best;             /* their best score; NaN: none has one */
    int64_t epoch;           /* that the bar is of */
    int64_t step;            /* of the run: those that are done */
    int64_t images, entered; /* of this visit of an epoch: images so far, and the steps before it */
    double entered_at;       /* df_seconds() */
    double step_seconds, validation_seconds; /* of late; 0: not known */
};

static void show_best(struct screen *screen)
{
    char score[DF_BEST_SCORE_TEXT];

    if (!isnan(screen->best))
        df_progress_field(screen->bar, 0, "best %s",
                          df_best_score_text(screen->run.best_metric, screen->best, score));
}

static void open_bar(struct screen *screen, const char *what, int64_t total)
{
    char label[64];

    snprintf(label, sizeof label, "%s %" PRId64 "/%" PRId64, what, screen->epoch, screen->run.epochs);
    df_progress_close(screen->bar);
    screen->bar = df_progress_open(stderr, label, total);
    show_best(screen);
}

static void close_bar(struct screen *screen)
{
    df_progress_close(screen->bar);
    screen->bar = NULL;
}

/* The line of an epoch, on the screen and in the log file. scores: NULL without a validation. A reader that
 * went away is no reason to say more: the run goes on. */
static void print_line(const struct screen *screen, int64_t epoch, double train_loss,
                       const struct df_scores *scores)
{
    char line[512];
    int used = snprintf(line, sizeof line, "epoch %" PRId64 "/%" PRId64 ": train loss %.4f", epoch,
                        screen->run.epochs, train_loss);

    if (scores)
        used += snprintf(line + used, sizeof line - (size_t)used,
                         ", val loss %.4f, mIoU %.2f %%, pixel accuracy %.2f %%", scores->loss,
                         100.0 * scores->miou, 100.0 * scores->pixel_accuracy);
    if (scores && screen->reference_numbers)
        snprintf(line + used, sizeof line - (size_t)used,
                 ", reference IoU (August 2025) %.2f %%, reference mIoU (October 2025) %.2f %%",
                 100.0 * scores->reference_iou, 100.0 * scores->reference_miou);
    puts(line);
    fflush(stdout);
    df_log_to_file("%s", line);
}

/* Validations that are to come when so many are done. */
static double later_validations(const struct screen *screen, int64_t done)
{
    const int64_t left = screen->run.validations - done;

    return left > 0 ? (double)left * screen->validation_seconds : 0.0;
}

static int start(void *context, const struct df_run_start *run)
{
    struct screen *screen = context;

    screen->run = *run;
    screen->step = run->done;
    screen->validated = run->validated;
    screen->best = run->best;
    return 0;
}

static int enter_epoch(void *context, const struct df_epoch_seen *epoch)
{
    struct screen *screen = context;

    screen->epoch = epoch->epoch;
    screen->images = 0;
    screen->step = screen->entered = epoch->step;
    screen->entered_at = df_seconds();
    open_bar(screen, "epoch", screen->run.epoch_steps);
    df_progress_expect(screen->bar, screen->run.steps - epoch->epoch * screen->run.epoch_steps);
    df_progress_expect_seconds(screen->bar, later_validations(screen, screen->validated));
    df_progress_begin(screen->bar, epoch->done);
    return 0;
}

static int step(void *context, const struct df_step_seen *step)
{
    struct screen *screen = context;
    const int64_t before = (step->epoch - 1) * screen->run.epoch_steps;

    screen->step = step->step;
    screen->images += step->images;
    df_progress_field(screen->bar, 1, "lr %.3g", step->lr);
    df_progress_update(screen->bar, step->step - before, screen->images, step->loss);
    return 0;
}

static int leave_epoch(void *context, const struct df_epoch_seen *epoch)
{
    struct screen *screen = context;
    const int64_t steps = screen->step - screen->entered;

    if (steps > 0)
        screen->step_seconds = (df_seconds() - screen->entered_at) / (double)steps;
    close_bar(screen);
    if (!epoch->is_over || epoch->is_validated)
        return 0;
    print_line(screen, epoch->epoch, epoch->train_loss, NULL);
    return 0;
}

/* The rest of the run's steps is known by the time that those of late took. */
static int validating(void *context, int64_t done, int64_t batches, int64_t images)
{
    struct screen *screen = context;
    const double steps = (double)(screen->run.steps - screen->step) * screen->step_seconds;

    if (done == 0) {
        open_bar(screen, "validation", batches);
        df_progress_expect_seconds(screen->bar, steps + later_validations(screen, screen->validated + 1));
    } else {
        df_progress_update(screen->bar, done, images, NAN);
    }
    return 0;
}

static int validation(void *context, const struct df_validation_seen *seen)
{
    struct screen *screen = context;

    close_bar(screen);
    screen->validated++;
    screen->validation_seconds = seen->seconds;
    screen->best = seen->best;
    print_line(screen, seen->epoch, seen->train_loss, seen->scores);
    return 0;
}

static void close_screen(void *context)
{
    struct screen *screen = context;

    close_bar(screen);
    free(screen);
}

int df_training_screen_open(struct df_training_observer *observer, bool reference_numbers)
{
    struct screen *screen = calloc(1, sizeof *screen);

    if (!screen)
        return df_error_memory("the screen's numbers", sizeof *screen);
    screen->reference_numbers = reference_numbers;
    *observer = (struct df_training_observer){
        .name = "the screen",
        .context = screen,
        .start = start,
        .enter_epoch = enter_epoch,
        .leave_epoch = leave_epoch,
        .step = step,
        .validating = validating,
        .validation = validation,
        .close = close_screen,
    };
    return 0;
}

#include "observers.h"

#include "dinoft/error.h"
#include "dinoft/log.h"

/* The error of somebody else that may be on its way is not touched. */
static void drop(struct observers *observers, int i)
{
    observers->dropped |= UINT32_C(1) << i;
    df_log("warning: %s does not go on: %s", observers->items[i].name, df_error_text());
}

#define TELL(event, ...)                                                                                     \
    do {                                                                                                     \
        struct df_error before;                                                                              \
        df_error_keep(&before);                                                                              \
        for (int i = 0; i < observers->count; i++) {                                                         \
            const struct df_training_observer *observer = &observers->items[i];                              \
            if (!(observers->dropped >> i & 1) && observer->event &&                                         \
                observer->event(observer->context, __VA_ARGS__) != 0)                                        \
                drop(observers, i);                                                                          \
        }                                                                                                    \
        df_error_again(&before);                                                                             \
    } while (0)

void observers_start(struct observers *observers, const struct df_run_start *run)
{
    TELL(start, run);
}

void observers_enter_epoch(struct observers *observers, const struct df_epoch_seen *epoch)
{
    TELL(enter_epoch, epoch);
}

void observers_leave_epoch(struct observers *observers, const struct df_epoch_seen *epoch)
{
    TELL(leave_epoch, epoch);
}

void observers_step(struct observers *observers, const struct df_step_seen *step)
{
    TELL(step, step);
}

void observers_validating(struct observers *observers, int64_t done, int64_t batches, int64_t images)
{
    TELL(validating, done, batches, images);
}

void observers_sample(struct observers *observers, const struct df_prediction *prediction)
{
    TELL(sample, prediction);
}

void observers_validation(struct observers *observers, const struct df_validation_seen *validation)
{
    TELL(validation, validation);
}

void observers_store(struct observers *observers, struct df_state *state)
{
    TELL(store, state);
}

bool observers_want_samples(const struct observers *observers)
{
    for (int i = 0; i < observers->count; i++) {
        if (observers->items[i].sample && !(observers->dropped >> i & 1))
            return true;
    }
    return false;
}

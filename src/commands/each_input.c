#include "each_input.h"

#include "commands.h"
#include "interrupt.h"

#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/progress.h"

#include <math.h>

struct run {
    struct inputs *inputs;
    struct decode_ahead *ahead;
    size_t begun, taken, done; /* images */
};

void each_input_tell_left(const struct inputs *inputs, size_t done, const char *advice)
{
    if (done < inputs->count)
        df_log("%zu of %zu images are left, the first is %s%s", inputs->count - done, inputs->count,
               inputs->items[done].path, advice);
}

static void read_ahead(struct run *run)
{
    for (; run->begun < run->inputs->count && decode_ahead_has_room(run->ahead); run->begun++)
        decode_ahead_add(run->ahead, run->inputs->items[run->begun].path, NULL);
}

static int do_next(struct run *run, each_input_work *work, void *context)
{
    const size_t i = run->taken++;
    struct decoded decoded;
    int status = 0;

    read_ahead(run);
    decode_ahead_take(run->ahead, &decoded);
    if (decoded.status == 0) {
        status = work(context, &decoded, i, run->done);
        run->done++;
    } else {
        df_error_again(&decoded.error);
        inputs_note_failure(run->inputs, i);
    }
    decoded_free(&decoded);
    return status;
}

static int do_all(struct run *run, const char *label, each_input_work *work, void *context)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    const int64_t count = (int64_t)run->inputs->count;
    struct df_progress *progress = df_progress_open(stderr, label, count);
    int status = 0;

    while (run->taken < run->inputs->count && status == 0) {
        if (*stop)
            status = EXIT_INTERRUPTED;
        else if (do_next(run, work, context) != 0)
            status = 1;
        else
            df_progress_update(progress, (int64_t)run->taken, (int64_t)run->done, NAN);
    }
    df_progress_close(progress);
    if (status == EXIT_INTERRUPTED)
        each_input_tell_left(run->inputs, run->taken, "");
    if (status == 0 && run->done == 0)
        status = inputs_status(run->inputs);
    return status;
}

int each_input_in_order(struct inputs *inputs, const struct decode_options *options, int64_t workers,
                        const char *label, each_input_work *work, void *context)
{
    struct df_worker_pool *pool = decode_pool_open(workers);
    struct run run = {.inputs = inputs, .ahead = pool ? decode_ahead_open(pool, options) : NULL};
    const int status = run.ahead ? do_all(&run, label, work, context) : 1;

    decode_ahead_close(run.ahead);
    df_worker_pool_close(pool);
    return status;
}

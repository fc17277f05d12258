#include "predict_run.h"

#include "commands.h"
#include "each_input.h"
#include "interrupt.h"
#include "predict_lines.h"

#include "dinoft/log.h"
#include "dinoft/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST       64                  /* images that are being written */
#define MOST_BYTES ((size_t)512 << 20) /* of all of them, but for a single one */
#define WAIT       100                 /* milliseconds, after which Ctrl-C is looked for */

/* An image that was taken from those that are read ahead. */
struct place {
    const struct predict_job *job;
    struct predicted predicted;
    bool computed; /* its results are written; else it could not be read, or need not be */
    size_t bytes;
    struct df_job_set set;
};

struct run {
    struct predict_job *job;
    struct df_worker_pool *pool;
    struct decode_ahead *ahead;
    struct decoded *batch;      /* [most]: what the model takes next */
    struct predicted **results; /* [most]: where it goes */
    int64_t most;
    struct place *places; /* a ring: [first .. first + count - 1], modulo n_places */
    size_t n_places, first, count;
    size_t bytes; /* of all that is written */
    struct line_reader lines;
    struct predict_line *asked;   /* those that are not answered */
    struct predict_line *waiting; /* of these the one that nothing was begun for; NULL: none */
    bool ended;                   /* no more images come */
    bool failed;                  /* the run goes no further, for error */
    struct df_error error;
    size_t begun;    /* images of the list that were begun to be read */
    size_t reported; /* images */
    size_t refused;  /* of lines: so many could not be done */
    size_t large;    /* images of which the model sees little */
    struct df_progress *progress;
};

static void fail(struct run *run)
{
    if (!run->failed)
        df_error_keep(&run->error);
    run->failed = run->ended = true;
}

/* --- what comes in --- */

/* Whether the same files are being written for an earlier line, which is to end first. */
static bool is_under_way(const struct run *run, const struct predict_line *line)
{
    for (const struct predict_line *other = run->asked; other; other = other->next) {
        if (other != line && strcmp(other->input.name, line->input.name) == 0)
            return true;
    }
    return false;
}

/* Begins with the line that waits, if it may; what is wrong with it is answered when it is its turn. */
static void begin_line(struct run *run)
{
    const struct predict_job *job = run->job;
    struct predict_line *line = run->waiting;

    if (is_under_way(run, line))
        return;
    run->waiting = NULL;
    if (predict_line_check(line, job->config, &job->setup, &job->writers) != 0 || line->is_there)
        decode_ahead_add_failed(run->ahead, line->input.path, line);
    else
        decode_ahead_add(run->ahead, line->input.path, line);
}

static void take_line(struct run *run, const char *path)
{
    run->waiting = predict_line_new(path, &run->asked);
    if (!run->waiting)
        fail(run);
}

/* Takes names as long as there are some and there is room; waits for one where there is nothing else to do.
 */
static void read_lines(struct run *run)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    const char *path;

    while (!*stop && decode_ahead_has_room(run->ahead)) {
        if (run->waiting)
            begin_line(run);
        if (run->waiting || run->ended)
            return;
        const bool idle = decode_ahead_count(run->ahead) == 0 && run->count == 0;
        const enum line_state state = line_reader_next(&run->lines, idle ? WAIT : 0, &path);
        if (state == LINE_READ)
            take_line(run, path);
        else if (state == LINE_FAILED)
            fail(run);
        else if (state == LINE_END)
            run->ended = true;
        else if (!idle)
            return;
    }
}

static void read_list(struct run *run)
{
    struct inputs *inputs = &run->job->inputs;

    for (; !run->ended && run->begun < inputs->count && decode_ahead_has_room(run->ahead); run->begun++)
        decode_ahead_add(run->ahead, inputs->items[run->begun].path, &inputs->items[run->begun]);
    run->ended = run->ended || run->begun == inputs->count;
}

static void read_more(struct run *run)
{
    if (run->job->config->json_lines)
        read_lines(run);
    else
        read_list(run);
}

/* --- what goes out --- */

static int write_job(void *context, int64_t number)
{
    struct place *place = context;
    struct predicted *predicted = &place->predicted;
    const struct predict_job *job = place->job;

    (void)number;
    if (predicted_complete(predicted, &job->look) != 0 ||
        predict_writers_run(&job->writers, &job->look, predicted) != 0) {
        predicted->failed = true;
        df_error_keep(&predicted->error);
    }
    return 0;
}

static void report_line(struct run *run, const struct predicted *predicted)
{
    struct predict_line *line = predict_line_of(predicted->input);

    if (predict_line_answer(line, &run->job->look, &run->job->writers, predicted) != 0)
        fail(run);
    run->refused += predicted->failed;
    predict_line_free(line, &run->asked);
}

/* What could not be read is left out; what could not be written ends the run. */
static void report_image(struct run *run, const struct place *place)
{
    struct predict_job *job = run->job;
    const struct predicted *predicted = &place->predicted;
    const struct df_prediction_row row = {predicted->input->path, predicted->height, predicted->width,
                                          predicted->mean_confidence, predicted->pixels};

    if (predicted->failed) {
        df_error_again(&predicted->error);
        if (place->computed)
            fail(run);
        else
            inputs_note_failure(&job->inputs, (size_t)(predicted->input - job->inputs.items));
    } else if (job->config->summary && df_prediction_csv_add(&job->csv, &row) != 0) {
        fail(run);
    }
}

/* Waits for the first image's files, and says what became of it. */
static void report_first(struct run *run)
{
    struct place *place = &run->places[run->first];

    df_worker_pool_wait(run->pool, &place->set);
    if (run->job->config->json_lines)
        report_line(run, &place->predicted);
    else
        report_image(run, place);
    predicted_free(&place->predicted);
    run->first = (run->first + 1) % run->n_places;
    run->count--;
    run->bytes -= place->bytes;
    run->reported++;
    if (!run->failed)
        df_progress_update(run->progress, (int64_t)run->reported, (int64_t)run->reported, NAN);
}

/* Reports what is written, and waits where too much is not. */
static void make_room(struct run *run)
{
    while (run->count > 0 && (run->count > MOST || run->bytes > MOST_BYTES ||
                              df_worker_pool_succeeded(run->pool, &run->places[run->first].set)))
        report_first(run);
}

/* A place at the end of the ring, with nothing to wait for. */
static struct place *new_place(struct run *run, const struct decoded *decoded)
{
    struct place *place = &run->places[(run->first + run->count++) % run->n_places];

    *place = (struct place){.job = run->job, .predicted = {.input = decoded->tag}};
    df_worker_pool_submit(run->pool, &place->set, write_job, place, 0);
    return place;
}

/* --- the model --- */

/* Tells it of the first one. */
static void look_at_size(struct run *run, const struct decoded *decoded)
{
    const struct predict_model *model = &run->job->model;
    const struct df_image *image = &decoded->image;
    char advice[200];

    if (!predict_model_shrinks_much(model, image->height, image->width) || run->large++ > 0)
        return;
    predict_model_advise(model, image->height, image->width, advice, sizeof advice);
    df_log("%s has %" PRId64 " x %" PRId64 " pixels, more than four times as many as the model sees of it: "
           "small things are lost; %s",
           decoded->path, image->height, image->width, advice);
}

static void take_failed(struct run *run, struct place *place, struct decoded *decoded)
{
    place->predicted.failed =
        !run->job->config->json_lines || !predict_line_of(place->predicted.input)->is_there;
    place->predicted.error = decoded->error;
    decoded_free(decoded);
}

static void take_readable(struct run *run, struct place *place, const struct decoded *decoded, int64_t i)
{
    struct predicted *predicted = &place->predicted;

    look_at_size(run, decoded);
    place->computed = true;
    predicted->height = decoded->image.height;
    predicted->width = decoded->image.width;
    run->results[i] = predicted;
}

/* The next images, as many as the model takes at once; of lines, only those that are there. How many can be
 * read. */
static int64_t gather(struct run *run)
{
    const bool waits = !run->job->config->json_lines;
    int64_t taken = 0, count = 0;

    while (taken < run->most && decode_ahead_count(run->ahead) > 0 &&
           (taken == 0 || waits || decode_ahead_is_ready(run->ahead))) {
        struct decoded *decoded = &run->batch[count];
        decode_ahead_take(run->ahead, decoded);
        struct place *place = new_place(run, decoded);
        if (decoded->status != 0)
            take_failed(run, place, decoded);
        else
            take_readable(run, place, decoded, count++);
        taken++;
        read_more(run);
    }
    return count;
}

/* Hands an image's results to the threads that write. */
static void hand_over(struct run *run, struct decoded *decoded, struct predicted *predicted)
{
    struct place *place = (struct place *)(void *)((char *)predicted - offsetof(struct place, predicted));

    if (run->failed) {
        predicted->failed = true;
        predicted->error = run->error;
    } else {
        predicted->image = decoded->image;
        decoded->image = (struct df_image){0};
        place->bytes = predicted_bytes(predicted);
        run->bytes += place->bytes;
        df_worker_pool_submit(run->pool, &place->set, write_job, place, 1);
    }
    decoded_free(decoded);
}

static void predict_next(struct run *run)
{
    make_room(run);
    const int64_t count = gather(run);
    if (count == 0)
        return;
    if (predict_model_run(&run->job->model, run->batch, run->results, count, run->job->look.needs) != 0) {
        if (count == 1)
            df_error_context("%s", run->batch[0].path);
        fail(run);
    }
    for (int64_t i = 0; i < count; i++)
        hand_over(run, &run->batch[i], run->results[i]);
}

/* --- the whole --- */

static void do_all(struct run *run)
{
    const volatile sig_atomic_t *stop = interrupt_flag();

    while (!*stop && !run->failed) {
        read_more(run);
        if (decode_ahead_count(run->ahead) > 0)
            predict_next(run);
        else if (run->count > 0)
            report_first(run);
        else if (run->ended)
            break;
    }
    while (run->count > 0)
        report_first(run);
}

static void tell_large(const struct run *run)
{
    if (run->large > 1)
        df_log("%zu of %zu images have more than four times as many pixels as the model sees of them (see "
               "--slide)",
               run->large, run->reported);
}

/* The exit status. */
static int finish(struct run *run)
{
    struct predict_job *job = run->job;
    const bool is_list = !job->config->json_lines;
    const bool interrupted = *interrupt_flag() && (!is_list || run->reported < job->inputs.count);

    tell_large(run);
    if (job->config->summary && df_prediction_csv_write(&job->csv, job->config->summary) != 0)
        fail(run);
    if (run->failed) {
        df_error_again(&run->error);
        return 1;
    }
    if (interrupted && is_list)
        each_input_tell_left(&job->inputs, run->reported, "; --skip_existing goes on with them");
    if (interrupted)
        return EXIT_INTERRUPTED;
    if (run->refused > 0) {
        df_error_set("%zu of %zu images could not be done, as was answered", run->refused, run->reported);
        return 1;
    }
    return inputs_status(&job->inputs);
}

static int open_run(struct run *run)
{
    const struct predict_job *job = run->job;
    const struct decode_options decoding = predict_model_decoding(&job->model, job->config, job->look.needs);

    run->most = job->model.most;
    run->n_places = MOST + 1 + (size_t)run->most;
    run->lines.descriptor = STDIN_FILENO;
    run->batch = calloc((size_t)run->most, sizeof *run->batch);
    run->results = calloc((size_t)run->most, sizeof(struct predicted *));
    run->places = calloc(run->n_places, sizeof *run->places);
    if (!run->batch || !run->results || !run->places)
        return df_error_memory("images that are being written", run->n_places * sizeof *run->places);
    run->pool = decode_pool_open(job->config->num_workers);
    run->ahead = run->pool ? decode_ahead_open(run->pool, &decoding) : NULL;
    return run->ahead ? 0 : -1;
}

static void close_run(struct run *run)
{
    decode_ahead_close(run->ahead);
    df_worker_pool_close(run->pool);
    while (run->asked)
        predict_line_free(run->asked, &run->asked);
    line_reader_free(&run->lines);
    free(run->batch);
    free(run->results);
    free(run->places);
}

int predict_run(struct predict_job *job)
{
    struct run run = {.job = job};
    int status = 1;

    if (open_run(&run) == 0) {
        if (!job->config->json_lines)
            run.progress = df_progress_open(stderr, "predict", (int64_t)job->inputs.count);
        do_all(&run);
        df_progress_close(run.progress);
        status = finish(&run);
    }
    close_run(&run);
    return status;
}

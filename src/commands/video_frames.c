#include "video_frames.h"

#include "commands.h"
#include "interrupt.h"

#include "dinoft/atomic_write.h"
#include "dinoft/clock.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/progress.h"
#include "dinoft/size.h"
#include "dinoft/text.h"
#include "dinoft/worker_pool.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* One frame is read and one is written while another one is computed. */
struct run {
    struct video_frames *video;
    struct df_video_reader *reader;
    struct df_video_writer *writer;
    struct df_worker_pool *pool;
    struct df_job_set reading, writing;
    struct df_image frames[2], drawn[2];
    int read_into; /* of frames */
    int written;   /* of drawn */
    bool ended;    /* the frame that was read last was none */
    int64_t shown; /* frames that the progress counts to */
};

int video_frames_open(struct video_frames *video, const struct df_config *config)
{
    const bool writes = config->command != DF_COMMAND_FEATURES;

    *video = (struct video_frames){
        .path = config->video, .output = writes ? config->output : NULL, .every = config->every};
    DF_TRY(df_video_probe(video->path, &video->info));
    video->frames = video->info.about_frames;
    DF_TRY(df_check_other_file(config->output, video->path));
    if (!config->overwrite && access(config->output, F_OK) == 0)
        return df_error_set("%s is there already: --overwrite replaces it", config->output);
    if (writes)
        DF_TRY(df_video_check_output(config->output));
    if (video->info.varies)
        df_log(
            "the frames of %s do not come at a constant rate: some are repeated or left out, so that there "
            "are %.4g a second",
            video->path, (double)video->info.rate / (double)video->info.per);
    return 0;
}

int video_frames_check_model(const struct df_config *config, const struct df_setup *setup)
{
    if (config->reading.range_text || config->reading.bands_text)
        return df_error_set("%s reads images with --%s: frames of --video come as RGB of 8 bits",
                            config->lora_weights, config->reading.range_text ? "image_range" : "bands");
    return df_setup_check_output(setup, config, config->output);
}

static int read_frame(void *context, int64_t number)
{
    struct run *run = context;
    const int got = df_video_read(run->reader, &run->frames[run->read_into]);

    (void)number;
    run->ended = got == 0;
    return got < 0 ? -1 : 0;
}

static int write_frame(void *context, int64_t number)
{
    struct run *run = context;

    (void)number;
    return df_video_write(run->writer, &run->drawn[run->written]);
}

/* Begins to read the next frame; the one that was read before it, NULL where there was none. */
static struct df_image *next_frame(struct run *run)
{
    struct df_image *frame = &run->frames[run->read_into];

    if (run->ended)
        return NULL;
    run->read_into = 1 - run->read_into;
    df_worker_pool_submit(run->pool, &run->reading, read_frame, run, 1);
    return frame;
}

static int do_frame(struct run *run, int64_t number, const struct df_image *frame, video_frames_work *work,
                    void *context)
{
    struct df_image *drawn = run->writer ? &run->drawn[1 - run->written] : NULL;

    DF_TRY(work(context, number, frame, drawn));
    if (!drawn)
        return 0;
    DF_TRY(df_worker_pool_wait(run->pool, &run->writing));
    run->written = 1 - run->written;
    df_worker_pool_submit(run->pool, &run->writing, write_frame, run, 1);
    return 0;
}

/* The exit status, and how many frames there were. */
static int go_through(struct run *run, bool computed_only, video_frames_work *work, void *context,
                      struct df_progress *progress, int64_t *count)
{
    const volatile sig_atomic_t *stop = interrupt_flag();
    const int64_t every = run->video->every;

    df_worker_pool_submit(run->pool, &run->writing, write_frame, run, 0);
    df_worker_pool_submit(run->pool, &run->reading, read_frame, run, 1);
    for (*count = 0;; ++*count) {
        if (df_worker_pool_wait(run->pool, &run->reading) != 0)
            return 1;
        if (*stop)
            return EXIT_INTERRUPTED;
        const struct df_image *frame = next_frame(run);
        if (!frame)
            return df_worker_pool_wait(run->pool, &run->writing) == 0 ? 0 : 1;
        if ((!computed_only || *count % every == 0) && do_frame(run, *count, frame, work, context) != 0)
            return 1;
        /* The file may have told fewer. */
        df_progress_update(progress, df_min_i64(*count + 1, run->shown), *count + 1, NAN);
    }
}

static void tell_complaint(const struct run *run)
{
    const char *text = df_video_complaint(run->reader);

    if (text[0])
        df_log("warning: ffmpeg could not decode all of %s: %s", run->video->path, text);
}

static int end(struct run *run, int status)
{
    /* What is under way uses the others. */
    df_worker_pool_close(run->pool);
    df_video_close(run->reader);
    if (status == 0 && run->writer)
        status = df_video_commit(run->writer) == 0 ? 0 : 1;
    else
        df_video_abort(run->writer);
    for (int i = 0; i < 2; i++) {
        df_image_free(&run->frames[i]);
        df_image_free(&run->drawn[i]);
    }
    return status;
}

int video_frames_each(struct video_frames *video, const char *label, bool writes, bool computed_only,
                      video_frames_work *work, void *context)
{
    const double begun = df_seconds();
    struct run run = {.video = video};
    struct df_progress *progress;
    int64_t count = 0;
    int status = 1;

    run.pool = df_worker_pool_open(2, 2);
    run.reader = run.pool ? df_video_open(video->path, &video->info) : NULL;
    if (run.reader && writes)
        run.writer = df_video_create(video->output, video->path, &video->info);
    run.shown = df_max_i64(video->frames, 1);
    progress = df_progress_open(stderr, label, run.shown);
    if (run.reader && (run.writer || !writes))
        status = go_through(&run, computed_only, work, context, progress, &count);
    df_progress_close(progress);
    /* Of several passes the first, which counts. */
    if (status == 0 && video->height == 0)
        tell_complaint(&run);
    status = end(&run, status);
    const double seconds = df_seconds() - begun;
    if (status == 0 && writes)
        df_log("%s: %" PRId64 " frames in %.1f s, %.1f a second", video->output, count, seconds,
               (double)count / seconds);
    return status;
}

struct counting {
    int64_t frames, height, width;
};

static int count_frame(void *context, int64_t number, const struct df_image *frame, struct df_image *drawn)
{
    struct counting *counting = context;

    (void)drawn;
    if (number > 0 && (frame->height != counting->height || frame->width != counting->width))
        return df_error_set("frame %" PRId64 " of the video is %" PRId64 " x %" PRId64
                            " pixels wide and high, those before it are %" PRId64 " x %" PRId64,
                            number, frame->width, frame->height, counting->width, counting->height);
    *counting = (struct counting){number + 1, frame->height, frame->width};
    return 0;
}

static int list_computed(const struct video_frames *video, struct inputs *computed)
{
    const size_t count = (size_t)((video->frames + video->every - 1) / video->every);

    computed->items = calloc(count, sizeof *computed->items);
    if (!computed->items)
        return df_error_memory("the list of frames", count * sizeof *computed->items);
    for (; computed->count < count; computed->count++) {
        char **name = &computed->items[computed->count].path;
        *name = df_text_format("%s:%" PRId64, video->path, (int64_t)computed->count * video->every);
        if (!*name)
            return -1;
    }
    return 0;
}

int video_frames_count(struct video_frames *video, struct inputs *computed)
{
    struct counting counting = {0};
    const int status = video_frames_each(video, "counting frames", false, false, count_frame, &counting);

    video->frames = counting.frames;
    video->height = counting.height;
    video->width = counting.width;
    return status != 0 ? status : list_computed(video, computed) == 0 ? 0 : 1;
}

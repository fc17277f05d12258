#include "dinoft/video.h"

#include "child_process.h"
#include "file_name.h"

#include "dinoft/atomic_write.h"
#include "dinoft/error.h"
#include "dinoft/log.h"
#include "dinoft/temporary.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MOST_WORDS 64

struct df_video_writer {
    struct child_process encoder; /* begun with the first frame */
    struct df_temporary temporary;
    bool has_temporary;
    char *path, *written, *source; /* the video, the temporary's and the sound's as ffmpeg takes them */
    struct df_video_info info;
    int64_t width, height, frames;
};

/* How ffmpeg calls the kind of file; NULL where the ending is another. */
static const char *container(const char *path)
{
    static const char *const endings[][2] = {{".mp4", "mp4"}, {".mov", "mov"}, {".mkv", "matroska"}};
    const char *ending = strrchr(path, '.');

    for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++) {
        if (strcasecmp(ending, endings[i][0]) == 0)
            return endings[i][1];
    }
    return NULL;
}

struct words {
    const char *items[MOST_WORDS];
    int count;
};

static void add(struct words *words, const char *const *items)
{
    for (; *items; items++)
        words->items[words->count++] = *items;
    words->items[words->count] = NULL;
}

#define ADD(WORDS, ...) add(WORDS, (const char *const[]){__VA_ARGS__, NULL})

/* written NULL: the encoder is tried alone. */
static int start_encoder(struct child_process *encoder, const char *size, const char *rate,
                         const char *source, bool copies_sound, const char *format, const char *written)
{
    struct words words = {0};

    ADD(&words, "ffmpeg", "-v", "error", "-nostdin", "-xerror", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-video_size", size, "-framerate", rate, "-i", "pipe:0");
    if (source)
        ADD(&words, "-i", source, "-map", "0:v", "-map", "1:a?", "-c:a", copies_sound ? "copy" : "aac");
    /* Players want even sides and these colours. */
    ADD(&words, "-vf",
        "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
        "-c:v", "libx264", "-preset", "veryfast", "-crf", "18");
    if (strcmp(format, "mp4") == 0 || strcmp(format, "mov") == 0)
        ADD(&words, "-movflags", "+faststart");
    ADD(&words, "-f", format, written);
    return child_start(encoder, words.items, CHILD_TAKES);
}

static int try_encoder(void)
{
    static const uint8_t black[64 * 64 * 3];
    struct child_process encoder;

    DF_TRY(start_encoder(&encoder, "64x64", "25/1", NULL, false, "null", "-"));
    /* Where it takes no frame it says why at its end. */
    (void)child_write(&encoder, black, sizeof black);
    return child_finish(&encoder) == 0 ? 0 : df_error_context("cannot write videos");
}

int df_video_check_output(const char *path)
{
    if (!container(path))
        return df_error_set("cannot write the video %s: its name must end with .mp4, .mov or .mkv", path);
    DF_TRY(df_check_writable_file(path));
    return try_encoder();
}

static int make_temporary(struct df_video_writer *writer)
{
    char *folder = df_path_folder(writer->path);

    if (!folder)
        return -1;
    if (df_temporary_create(&writer->temporary, folder) != 0) {
        df_error_set("cannot write %s: cannot create a file in %s: %s", writer->path, folder,
                     strerror(errno));
    } else {
        writer->has_temporary = true;
        writer->written = df_text_format("file:%s/%s", folder, writer->temporary.name);
    }
    free(folder);
    return writer->written ? 0 : -1;
}

struct df_video_writer *df_video_create(const char *path, const char *source,
                                        const struct df_video_info *info)
{
    struct df_video_writer *writer = calloc(1, sizeof *writer);

    if (!writer) {
        df_error_memory("a video", sizeof *writer);
        return NULL;
    }
    writer->info = *info;
    writer->path = df_text_copy(path);
    writer->source = info->has_sound ? video_file_name(source) : NULL;
    if (writer->path && (writer->source || !info->has_sound) && make_temporary(writer) == 0)
        return writer;
    df_video_abort(writer);
    return NULL;
}

static int start(struct df_video_writer *writer, const struct df_image *frame)
{
    const char *format = container(writer->path);
    const bool copies_sound = writer->info.sound_is_common || strcmp(format, "matroska") == 0;
    char size[48], rate[48];

    writer->width = frame->width;
    writer->height = frame->height;
    snprintf(size, sizeof size, "%" PRId64 "x%" PRId64, frame->width, frame->height);
    snprintf(rate, sizeof rate, "%" PRId64 "/%" PRId64, writer->info.rate, writer->info.per);
    return start_encoder(&writer->encoder, size, rate, writer->source, copies_sound, format, writer->written);
}

static int finish(struct df_video_writer *writer)
{
    if (child_finish(&writer->encoder) != 0)
        return df_error_context("cannot write the video %s", writer->path);
    if (writer->encoder.said[0])
        df_log("warning: writing %s ffmpeg said: %s", writer->path, writer->encoder.said);
    return 0;
}

int df_video_write(struct df_video_writer *writer, const struct df_image *frame)
{
    if (writer->frames == 0)
        DF_TRY(start(writer, frame));
    if (frame->width != writer->width || frame->height != writer->height)
        return df_error_set("cannot write the video %s: frame %" PRId64 " is %" PRId64 " x %" PRId64
                            " pixels wide and high, those before it are %" PRId64 " x %" PRId64,
                            writer->path, writer->frames, frame->width, frame->height, writer->width,
                            writer->height);
    if (child_write(&writer->encoder, frame->pixels, (size_t)(frame->width * frame->height * 3)) != 0) {
        const int reason = errno;
        return finish(writer) != 0
                   ? -1
                   : df_error_set("cannot write the video %s: ffmpeg takes no more frames: %s", writer->path,
                                  strerror(reason));
    }
    writer->frames++;
    return 0;
}

/* 0 where the file has its name. */
static int give_name(struct df_video_writer *writer)
{
    if (df_sync(writer->temporary.descriptor) != 0)
        return df_error_set("cannot write the video %s: %s", writer->path, strerror(errno));
    writer->has_temporary = false;
    if (df_temporary_rename(&writer->temporary, writer->path) != 0)
        return df_error_set("cannot write the video %s: %s", writer->path, strerror(errno));
    return 0;
}

int df_video_commit(struct df_video_writer *writer)
{
    int status = writer->frames > 0
                     ? finish(writer)
                     : df_error_set("cannot write the video %s: there are no frames", writer->path);

    if (status == 0)
        status = give_name(writer);
    df_video_abort(writer);
    return status;
}

void df_video_abort(struct df_video_writer *writer)
{
    if (!writer)
        return;
    child_kill(&writer->encoder);
    if (writer->has_temporary)
        df_temporary_remove(&writer->temporary);
    free(writer->path);
    free(writer->written);
    free(writer->source);
    free(writer);
}

/* Frames come as PPM, which says their size: nobody has to know beforehand how ffmpeg turns them. */
#include "dinoft/video.h"

#include "child_process.h"
#include "file_name.h"

#include "dinoft/error.h"
#include "dinoft/size.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct df_video_reader {
    struct child_process decoder;
    char *path;
    int64_t frames; /* so far */
};

static int start(struct df_video_reader *reader, const char *name, const struct df_video_info *info)
{
    char filter[160];

    snprintf(filter, sizeof filter,
             "fps=%" PRId64 "/%" PRId64 ":start_time=0,scale=w='max(1,trunc(iw*sar))':h=ih,setsar=1",
             info->rate, info->per);
    const char *const words[] = {"ffmpeg",   "-v",    "error", "-nostdin",   "-i",     name,
                                 "-map",     "0:V:0", "-vf",   filter,       "-c:v",   "ppm",
                                 "-pix_fmt", "rgb24", "-f",    "image2pipe", "pipe:1", NULL};
    return child_start(&reader->decoder, words, CHILD_GIVES);
}

struct df_video_reader *df_video_open(const char *path, const struct df_video_info *info)
{
    struct df_video_reader *reader = calloc(1, sizeof *reader);
    char *name = video_file_name(path);

    if (!reader)
        df_error_memory("a video", sizeof *reader);
    if (reader && name && (reader->path = df_text_copy(path)) && start(reader, name, info) == 0) {
        free(name);
        return reader;
    }
    if (reader)
        free(reader->path);
    free(reader);
    free(name);
    return NULL;
}

/* Behind the last frame, if the decoder says that it was the last. */
static int finish(struct df_video_reader *reader)
{
    if (child_finish(&reader->decoder) != 0)
        return df_error_context("cannot read the video %s", reader->path);
    return reader->frames > 0 ? 0 : df_error_set("cannot read the video %s: it has no frames", reader->path);
}

/* A number of the header and the white space behind it. */
static int read_number(struct df_video_reader *reader, int64_t *number)
{
    char digit;

    *number = 0;
    while (child_read(&reader->decoder, &digit, 1) == 1) {
        if (isspace((unsigned char)digit))
            return 0;
        if (!isdigit((unsigned char)digit) || *number > DF_IMAGE_MAX_SIDE)
            break;
        *number = 10 * *number + (digit - '0');
    }
    return df_error_set("cannot read the video %s: frame %" PRId64 " is not as ffmpeg writes PPM",
                        reader->path, reader->frames);
}

/* Pixels of that size, unless the image has such. */
static int fit(struct df_image *frame, int64_t width, int64_t height)
{
    if (frame->pixels && frame->channels == 3 && frame->width == width && frame->height == height)
        return 0;
    df_image_free(frame);
    DF_TRY(df_image_check_size(width, height));
    return df_image_alloc(frame, width, height, 3);
}

int df_video_read(struct df_video_reader *reader, struct df_image *frame)
{
    char magic[3];
    int64_t width, height, most;

    if (reader->decoder.id <= 0)
        return 0;
    const ssize_t got = child_read(&reader->decoder, magic, sizeof magic);
    if (got <= 0)
        return got < 0 ? -1 : finish(reader);
    if (got == sizeof magic && memcmp(magic, "P6\n", 3) != 0)
        return df_error_set("cannot read the video %s: frame %" PRId64 " does not begin as ffmpeg's PPM do",
                            reader->path, reader->frames);
    DF_TRY(read_number(reader, &width));
    DF_TRY(read_number(reader, &height));
    DF_TRY(read_number(reader, &most));
    if (fit(frame, width, height) != 0)
        return df_error_context("cannot read the video %s", reader->path);
    const size_t bytes = (size_t)(width * height * 3);
    const ssize_t filled = child_read(&reader->decoder, frame->pixels, bytes);
    if (filled < 0)
        return -1;
    if ((size_t)filled < bytes) {
        if (finish(reader) != 0)
            return -1;
        return df_error_set("cannot read the video %s: ffmpeg ended within frame %" PRId64, reader->path,
                            reader->frames);
    }
    reader->frames++;
    return 1;
}

const char *df_video_complaint(const struct df_video_reader *reader)
{
    return reader->decoder.said;
}

void df_video_close(struct df_video_reader *reader)
{
    if (!reader)
        return;
    child_kill(&reader->decoder);
    free(reader->path);
    free(reader);
}

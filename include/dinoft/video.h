/* Videos, through the programs ffmpeg and ffprobe: frames come and go through pipes. Nothing of a file is
 * looked at here. (video.c, video_read.c, video_write.c)
 *
 * A video is what a player shows: turned as it asks, of square pixels, and of a constant rate (frames are
 * repeated or left out where it varies), which begins when the sound does. */
#ifndef DINOFT_VIDEO_H
#define DINOFT_VIDEO_H

#include "dinoft/image.h"

#include <stdbool.h>

struct df_video_info {
    int64_t rate, per;    /* frames: `rate` of them in `per` seconds */
    bool varies;          /* the file's own rate is not constant */
    int64_t about_frames; /* what the file says or its duration tells; 0: nothing */
    bool has_sound;
    bool sound_is_common; /* of a kind that goes into an MP4 as it is */
};

/* Asks ffprobe. -1 with the error set: there is no ffprobe, the file cannot be read, or has no video. */
int df_video_probe(const char *path, struct df_video_info *info);

struct df_video_reader;

/* Begins to decode. NULL with the error set. */
struct df_video_reader *df_video_open(const char *path, const struct df_video_info *info);
/* The next frame, RGB, into an image that has no pixels or those of an earlier frame. 1; 0 behind the last;
 * -1 with the error set. */
int df_video_read(struct df_video_reader *reader, struct df_image *frame);
/* After the last frame: what ffmpeg said of what it could not decode, "" where there is nothing. */
const char *df_video_complaint(const struct df_video_reader *reader);
/* Ends the decoder if it runs. NULL is allowed. */
void df_video_close(struct df_video_reader *reader);

struct df_video_writer;

/* -1 with the error set where the file cannot become a video: its name must end with .mp4, .mov or .mkv, its
 * folder take files, and ffmpeg have the encoder, which is tried. */
int df_video_check_output(const char *path);

/* Begins a video (H.264) with the sound of another, which has this info, if it has some. The file appears
 * when it is whole. NULL with the error set. */
struct df_video_writer *df_video_create(const char *path, const char *source,
                                        const struct df_video_info *info);
/* The next frame, RGB; all are of the first one's size. -1 with the error set. */
int df_video_write(struct df_video_writer *writer, const struct df_image *frame);
/* Waits for the encoder and gives the file its name, in place of what had that. Frees. -1 with the error set:
 * there is no file then. */
int df_video_commit(struct df_video_writer *writer);
void df_video_abort(struct df_video_writer *writer); /* removes what there is; NULL is allowed */

#endif

/* A video's frames through a command's work: read ahead and written behind it by threads, in their order. */
#ifndef DINOFT_VIDEO_FRAMES_H
#define DINOFT_VIDEO_FRAMES_H

#include "inputs.h"

#include "dinoft/config.h"
#include "dinoft/video.h"

struct video_frames {
    const char *path;
    const char *output; /* the video that is written; NULL: none */
    struct df_video_info info;
    int64_t frames;        /* how many there are; before video_frames_count(): about */
    int64_t every;         /* frames 0, every, 2 every, … are computed */
    int64_t height, width; /* of the first frame, after video_frames_count() */
};

/* What --video and --every say, and --output, which is tried if it is a video. -1 with the error set. */
int video_frames_open(struct video_frames *video, const struct df_config *config);

/* Checks that --output is none of the model's files, and that the model reads images as frames come: RGB of 8
 * bits. */
int video_frames_check_model(const struct df_config *config, const struct df_setup *setup);

/* Decodes all frames to count them, and makes a list of those that are computed: "FILE:NUMBER". The exit
 * status. */
int video_frames_count(struct video_frames *video, struct inputs *computed);

/* What is done with a frame; drawn: what is written of it, which has no pixels or those of an earlier frame;
 * NULL where no video is written. -1 with the error set. */
typedef int video_frames_work(void *context, int64_t number, const struct df_image *frame,
                              struct df_image *drawn);

/* Does the work for each frame, in order, with progress under a label, and writes what is drawn if `writes`.
 * computed_only: the others are skipped. The exit status; after a failure or Ctrl-C there is no output. */
int video_frames_each(struct video_frames *video, const char *label, bool writes, bool computed_only,
                      video_frames_work *work, void *context);

#endif

/* Names as ffmpeg takes them. Private to src/data/video. */
#ifndef DINOFT_VIDEO_FILE_NAME_H
#define DINOFT_VIDEO_FILE_NAME_H

#include "dinoft/text.h"

/* So that a name that begins with a dash, or has a colon in it, is one of a file; to be freed. NULL with the
 * error set. */
static inline char *video_file_name(const char *path)
{
    return df_text_format("file:%s", path);
}

#endif

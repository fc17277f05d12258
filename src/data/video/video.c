/* What ffprobe says of a video. */
#include "dinoft/video.h"

#include "child_process.h"
#include "file_name.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_ANSWER ((size_t)1 << 20)
#define MOST_RATE   1000.0 /* frames a second: a clock that was taken for a rate is far more */

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

/* "30000/1001". False where it is no rate. */
static bool read_rate(const char *text, int64_t *rate, int64_t *per)
{
    if (sscanf(text, "%" SCNd64 "/%" SCNd64, rate, per) != 2 || *rate <= 0 || *per <= 0)
        return false;
    const double frames = (double)*rate / (double)*per;
    return frames > 1.0 / MOST_RATE && frames <= MOST_RATE;
}

static int read_video_stream(const cJSON *stream, const cJSON *format, struct df_video_info *info)
{
    int64_t rate, per;
    const bool average = read_rate(text_of(stream, "avg_frame_rate"), &info->rate, &info->per);

    if (read_rate(text_of(stream, "r_frame_rate"), &rate, &per)) {
        if (!average) {
            info->rate = rate;
            info->per = per;
        }
        info->varies =
            average && fabs((double)rate / (double)per * (double)info->per / (double)info->rate - 1.0) > 0.01;
    } else if (!average) {
        return df_error_set("ffprobe finds no frame rate");
    }
    const double seconds =
        atof(*text_of(stream, "duration") ? text_of(stream, "duration") : text_of(format, "duration"));
    const double frames = seconds * (double)info->rate / (double)info->per;
    info->about_frames = atoll(text_of(stream, "nb_frames"));
    if ((info->about_frames <= 0 || info->varies) && frames > 0.0 && frames < 1e12)
        info->about_frames = llrint(frames);
    return 0;
}

static void read_sound_stream(const cJSON *stream, struct df_video_info *info)
{
    static const char *const common[] = {"aac", "mp3", "ac3", "eac3", "alac"};
    bool found = false;

    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        found = found || strcmp(text_of(stream, "codec_name"), common[i]) == 0;
    info->sound_is_common = found && (!info->has_sound || info->sound_is_common);
    info->has_sound = true;
}

static int read_answer(const cJSON *answer, struct df_video_info *info)
{
    const cJSON *stream, *format = cJSON_GetObjectItemCaseSensitive(answer, "format");
    bool found = false;

    cJSON_ArrayForEach(stream, cJSON_GetObjectItemCaseSensitive(answer, "streams"))
    {
        const cJSON *disposition = cJSON_GetObjectItemCaseSensitive(stream, "disposition");
        const cJSON *cover = cJSON_GetObjectItemCaseSensitive(disposition, "attached_pic");
        const char *type = text_of(stream, "codec_type");
        if (strcmp(type, "audio") == 0)
            read_sound_stream(stream, info);
        if (strcmp(type, "video") != 0 || found || (cJSON_IsNumber(cover) && cover->valueint != 0))
            continue;
        found = true;
        DF_TRY(read_video_stream(stream, format, info));
    }
    return found ? 0 : df_error_set("there is no video in it");
}

/* What ffprobe prints, to be freed; NULL with the error set. */
static char *ask(const char *name)
{
    const char *const words[] = {
        "ffprobe",
        "-v",
        "error",
        "-show_entries",
        "stream=codec_type,codec_name,avg_frame_rate,r_frame_rate,nb_frames,duration:"
        "stream_disposition=attached_pic:format=duration",
        "-of",
        "json",
        "-i",
        name,
        NULL};
    struct child_process child;
    char *answer = malloc(MOST_ANSWER + 1);

    if (!answer) {
        df_error_memory("what ffprobe says", MOST_ANSWER);
        return NULL;
    }
    if (child_start(&child, words, CHILD_GIVES) != 0) {
        free(answer);
        return NULL;
    }
    const ssize_t length = child_read(&child, answer, MOST_ANSWER);
    if (length >= 0 && child_finish(&child) == 0) {
        answer[length] = '\0';
        return answer;
    }
    child_kill(&child);
    free(answer);
    return NULL;
}

int df_video_probe(const char *path, struct df_video_info *info)
{
    struct stat status;
    char *name = NULL, *answer = NULL;
    cJSON *tree = NULL;
    int result = -1;

    memset(info, 0, sizeof *info);
    if (stat(path, &status) != 0 || access(path, R_OK) != 0)
        return df_error_set("cannot read %s: %s", path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return df_error_set("cannot read %s: it is a folder, expected a video", path);
    name = video_file_name(path);
    answer = name ? ask(name) : NULL;
    tree = answer ? cJSON_Parse(answer) : NULL;
    if (answer && !tree)
        df_error_set("ffprobe answered what is no JSON");
    if (tree)
        result = read_answer(tree, info);
    cJSON_Delete(tree);
    free(answer);
    free(name);
    return result == 0 ? 0 : df_error_context("cannot read the video %s", path);
}

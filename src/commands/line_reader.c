#include "line_reader.h"

#include "dinoft/error.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STEP 4096

/* Ends the text that begins with the first byte left and is length long, and passes it and `more` bytes. */
static const char *hand_out(struct line_reader *reader, size_t length, size_t more)
{
    char *line = reader->bytes + reader->begin;

    reader->begin += length + more;
    reader->looked = 0;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    return line;
}

/* The next line of what has been read. NULL: there is none. */
static const char *take(struct line_reader *reader)
{
    while (reader->begin < reader->end) {
        const size_t left = reader->end - reader->begin;
        const char *from = reader->bytes + reader->begin;
        const char *newline = memchr(from + reader->looked, '\n', left - reader->looked);
        reader->looked = left;
        if (!newline && !reader->at_end)
            return NULL;
        const char *line = hand_out(reader, newline ? (size_t)(newline - from) : left, newline ? 1 : 0);
        if (*line)
            return line;
    }
    return NULL;
}

/* Room for STEP more bytes, and a '\0' behind them. */
static int make_room(struct line_reader *reader)
{
    const size_t left = reader->end - reader->begin;

    if (left > 0)
        memmove(reader->bytes, reader->bytes + reader->begin, left);
    reader->begin = 0;
    reader->end = left;
    if (reader->capacity - left > STEP)
        return 0;
    char *larger = realloc(reader->bytes, 2 * reader->capacity + STEP + 1);
    if (!larger)
        return df_error_memory("a line", 2 * reader->capacity + STEP + 1);
    reader->bytes = larger;
    reader->capacity = 2 * reader->capacity + STEP + 1;
    return 0;
}

enum line_state line_reader_next(struct line_reader *reader, int milliseconds, const char **line)
{
    struct pollfd waiting = {.fd = reader->descriptor, .events = POLLIN};

    while (!(*line = take(reader))) {
        if (reader->at_end)
            return LINE_END;
        const int ready = poll(&waiting, 1, milliseconds);
        if (ready == 0 || (ready < 0 && errno == EINTR))
            return LINE_NOT_YET;
        if (make_room(reader) != 0)
            return LINE_FAILED;
        const ssize_t got = read(reader->descriptor, reader->bytes + reader->end, STEP);
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            df_error_set("cannot read names of images: %s", strerror(errno));
            return LINE_FAILED;
        }
        reader->at_end = got == 0;
        reader->end += got > 0 ? (size_t)got : 0;
    }
    return LINE_READ;
}

void line_reader_free(struct line_reader *reader)
{
    free(reader->bytes);
    *reader = (struct line_reader){0};
}

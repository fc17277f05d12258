/* Lines of a file or pipe, as they arrive. */
#ifndef DINOFT_LINE_READER_H
#define DINOFT_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>

struct line_reader {
    int descriptor;
    char *bytes;
    size_t capacity, begin, end; /* bytes[begin .. end - 1] have not been handed out */
    size_t looked;               /* of these so many are known to have no newline */
    bool at_end;
};

enum line_state { LINE_READ, LINE_NOT_YET, LINE_END, LINE_FAILED };

/* The next line that is not empty, without its end ("\n" or "\r\n") and valid until the next call. At most
 * milliseconds (-1: any time) are waited for it. LINE_FAILED with the error set. */
enum line_state line_reader_next(struct line_reader *reader, int milliseconds, const char **line);

void line_reader_free(struct line_reader *reader);

#endif

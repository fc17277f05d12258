/* One part of a pattern, between slashes, and a name that it may match. */
#ifndef DINOFT_DATA_LAYOUTS_PATTERN_MATCH_H
#define DINOFT_DATA_LAYOUTS_PATTERN_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#define DF_PATTERN_NAME  "{name}"
#define DF_PATTERN_SPLIT "{split}"

/* A text that is kept; inside names that were listed, or of the matches above. */
struct df_kept {
    const char *text; /* NULL: nothing yet */
    size_t length;
};

struct df_captures {
    struct df_kept name, split;
};

/* Whether all of the text matches. What is kept already must be there again; what is new is added, where it
 * matches. */
bool df_pattern_match(const char *part, const char *text, struct df_captures *captures);

#endif

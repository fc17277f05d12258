#include "pattern_match.h"

#include "dinoft/text.h"

#include <string.h>

/* Takes a text that may be any, or is known: the shortest that lets the rest match, or the longest. */
static bool match_kept(const char *rest, const char *text, bool longest, struct df_kept *kept,
                       struct df_captures *captures)
{
    const struct df_captures before = *captures;
    const struct df_kept known = *kept;
    const size_t length = strlen(text);

    for (size_t i = 1; i <= length; i++) {
        const size_t taken = longest ? length + 1 - i : i;
        if (known.text && (taken != known.length || memcmp(text, known.text, taken) != 0))
            continue;
        *captures = before;
        *kept = (struct df_kept){text, taken};
        if (df_pattern_match(rest, text + taken, captures))
            return true;
    }
    *captures = before;
    return false;
}

static bool match_star(const char *rest, const char *text, struct df_captures *captures)
{
    for (;; text++) {
        if (df_pattern_match(rest, text, captures))
            return true;
        if (*text == '\0')
            return false;
    }
}

bool df_pattern_match(const char *part, const char *text, struct df_captures *captures)
{
    uint32_t code;

    for (; *part; part++) {
        if (df_text_starts_with(part, DF_PATTERN_NAME))
            return match_kept(part + strlen(DF_PATTERN_NAME), text, true, &captures->name, captures);
        if (df_text_starts_with(part, DF_PATTERN_SPLIT))
            return match_kept(part + strlen(DF_PATTERN_SPLIT), text, false, &captures->split, captures);
        if (*part == '*')
            return match_star(part + 1, text, captures);
        if (*part == '?') {
            const size_t bytes = df_text_code_point(text, strlen(text), &code);
            if (*text == '\0')
                return false;
            text += bytes ? bytes : 1;
        } else if (*part == *text) {
            text++;
        } else {
            return false;
        }
    }
    return *text == '\0';
}

/* Patterns of paths: '*' and '?' within the name of a file or folder, a part "**" for any folders or none,
 * "{name}" and "{split}" for text that is kept. Names that begin with '.' are not matched by what is no '.'.
 */
#ifndef DINOFT_DATA_LAYOUTS_PATTERN_H
#define DINOFT_DATA_LAYOUTS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

struct df_path_match {
    char *path;
    char *name, *split; /* what "{name}" and "{split}" stand for; NULL where the pattern has none */
    char *folders;      /* what "**" and other parts with '*' or '?' stand for, of folders: a line each */
};

struct df_path_matches {
    struct df_path_match *items; /* sorted by paths, none twice */
    size_t count;
};

/* Finds the files that match, from the current folder on where the pattern does not begin with '/'. -1 with
 * the error set: a pattern that is none, or a folder that cannot be read. Free the matches in either case. */
int df_pattern_find(const char *pattern, struct df_path_matches *matches);
void df_pattern_free(struct df_path_matches *matches);
/* The texts of one. */
void df_pattern_free_match(struct df_path_match *match);

/* Whether a pattern has "{name}" or another text in it. */
bool df_pattern_has(const char *pattern, const char *text);

#endif

/* A strict reader of the pages that the program writes. */
#ifndef TESTS_MARKUP_H
#define TESTS_MARKUP_H

#include <stddef.h>
#include <stdio.h>

/* Fails the test unless the page is UTF-8 without control characters, every element is closed in its order,
 * every attribute is quoted, every & starts an entity, nothing is a script or is fetched. */
void assert_well_formed(const char *page);

/* How often words occur in a page. */
size_t occurrences(const char *page, const char *words);

/* What was written to a stream of tmpfile(), or is in a file; the caller frees it. Closes the stream. */
char *page_text(FILE *stream);
char *page_of_file(const char *path);

#endif

/* Kinds of picture files that people have and that are not read: named, so that an error can say so. */
#ifndef DINOFT_DATA_FOREIGN_FORMATS_H
#define DINOFT_DATA_FOREIGN_FORMATS_H

#include <stddef.h>

/* The name of the kind ("TIFF"), by a file's ending or by its content; NULL: unknown. */
const char *df_foreign_format_of_name(const char *name);
const char *df_foreign_format_of_content(const unsigned char *bytes, size_t size);

#endif

/* Reading XML as tools write it: elements, attributes, text, comments. A document type, whose entities could
 * make much of little, and encodings other than UTF-8 are refused. */
#ifndef DINOFT_DATA_ANNOTATIONS_XML_READ_H
#define DINOFT_DATA_ANNOTATIONS_XML_READ_H

#include <stddef.h>

#define DF_XML_DEPTH_MAX      64
#define DF_XML_ATTRIBUTES_MAX 64

/* Each returns 0, or -1 with the error set, which ends the reading. The strings are there until the end. */
struct df_xml_handler {
    void *context;
    /* attributes: names and values in turn, then NULL */
    int (*begin)(void *context, const char *element, const char **attributes);
    int (*end)(void *context, const char *element);
    int (*text)(void *context, const char *text, size_t length); /* in one or several pieces */
};

/* Reads a text, which is changed on the way. -1 with the error set, with the line in front. */
int df_xml_read(char *text, size_t size, const struct df_xml_handler *handler);

#endif

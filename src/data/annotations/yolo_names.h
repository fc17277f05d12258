/* The classes' names in YOLO's data.yaml. */
#ifndef DINOFT_DATA_ANNOTATIONS_YOLO_NAMES_H
#define DINOFT_DATA_ANNOTATIONS_YOLO_NAMES_H

#include "annotations.h"

/* Adds a label for each name of the entry "names": a list or numbers from 0 on with names, in one line or in
 * several. A file called *.txt has a name a line. Of YAML no more is read: what is not understood is an
 * error. -1 with the error set, with file and line. */
int df_yolo_names_read(struct df_annotations *annotations, const char *path);

#endif

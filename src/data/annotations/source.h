/* A kind of annotations, and where they are. */
#ifndef DINOFT_DATA_ANNOTATIONS_SOURCE_H
#define DINOFT_DATA_ANNOTATIONS_SOURCE_H

enum df_annotation_format {
    DF_ANNOTATIONS_NONE, /* the folder has masks, or nothing that is known */
    DF_ANNOTATIONS_COCO,
    DF_ANNOTATIONS_LABELME,
    DF_ANNOTATIONS_YOLO,
    DF_ANNOTATIONS_CVAT
};

struct df_annotation_source {
    enum df_annotation_format format;
    char *path;   /* the file, or the folder with a file for each image */
    char *images; /* the folder */
    char *other;  /* labelme: the other split's folder of files, whose labels are classes too; may be NULL */
    char *names;  /* YOLO: the file with the classes' names */
};

#endif

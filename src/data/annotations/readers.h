/* Readers of annotation files: each fills what is empty but for its path, the source's. -1 with the error
 * set, with the file and the place in it. */
#ifndef DINOFT_DATA_ANNOTATIONS_READERS_H
#define DINOFT_DATA_ANNOTATIONS_READERS_H

#include "annotations.h"
#include "source.h"

struct cJSON;

/* COCO's JSON: instances (polygons and runs), or panoptic with the folder of pictures that is called as the
 * file without its ending. Objects of "iscrowd" are left out. (coco.c, coco_object.c, coco_panoptic.c) */
int df_coco_read(struct df_annotations *annotations, const struct df_annotation_source *source);

/* labelme's JSON of each image in the folder of images: NAME.json. Classes are the labels of both splits.
 * (labelme.c, labelme_mask.c) */
int df_labelme_read(struct df_annotations *annotations, const struct df_annotation_source *source);

/* YOLO's text of each image, NAME.txt, where an image without a file has no objects. (yolo.c, yolo_names.c)
 */
int df_yolo_read(struct df_annotations *annotations, const struct df_annotation_source *source);

/* CVAT's XML, version 1.1 for images; those in the folder of images. (cvat.c, cvat_shape.c) */
int df_cvat_read(struct df_annotations *annotations, const struct df_annotation_source *source);

/* What several use. Calls use() for each picture of the folder of images, in order: with its name, and the
 * path without an ending that its file of annotations has in the source's folder. (image_files.c) */
int df_each_picture(const struct df_annotation_source *source,
                    int (*use)(void *context, const char *name, const char *stem_path), void *context);

/* Tells the log which files of that ending in the source's folder are of none of the images, which
 * df_each_picture() gave. -1 with the error set where the folder cannot be read. */
int df_report_lonely(const struct df_annotations *annotations, const struct df_annotation_source *source,
                     const char *ending);

#endif

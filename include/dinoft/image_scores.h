/* The scores of each image by itself, to find those that a model fails on. */
#ifndef DINOFT_IMAGE_SCORES_H
#define DINOFT_IMAGE_SCORES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* NaN where a value does not exist. */
struct df_image_scores {
    char *name;
    double miou;           /* mean IoU over the classes that the label or the prediction has */
    double pixel_accuracy; /* right pixels / counted pixels */
    double reference_iou;  /* df_metrics_reference_iou() */
    double reference_miou; /* df_metrics_reference_miou() of the image as a batch */
    double loss;           /* as given */
    int64_t pixels;        /* counted: labelled with a class */
    int worst_class;       /* of the smallest IoU and, among equals, the most pixels; -1: nothing counted */
    double worst_iou;
};

/* Made by df_image_scores_init(). */
struct df_image_scores_list {
    struct df_image_scores *items; /* [count], in the order of adding until sorted */
    size_t count, capacity;
    int n_classes;
    bool void_is_background; /* as in struct df_metrics */
};

void df_image_scores_init(struct df_image_scores_list *list, int n_classes, bool void_is_background);
void df_image_scores_free(struct df_image_scores_list *list);

/* Adds an image: its confusion matrices as in df_metrics_add_image(); loss NaN where there is none. From one
 * thread at a time. -1 when out of memory; the list is as before then. */
int df_image_scores_add(struct df_image_scores_list *list, const char *name, const int64_t *confusion,
                        const int64_t *of_sigmoids, double loss);

/* The smallest mIoU first, NaN last, equal ones by name: the same order whatever order they were added in. */
void df_image_scores_sort(struct df_image_scores_list *list);

#endif

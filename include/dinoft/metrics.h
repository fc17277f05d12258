/* Segmentation metrics: one confusion matrix over a whole set, and the reference project's own number beside
 * it. */
#ifndef DINOFT_METRICS_H
#define DINOFT_METRICS_H

#include <stdbool.h>
#include <stdint.h>

struct df_metrics {
    int n_classes;
    int64_t *confusion; /* [n_classes, n_classes], rows = label, columns = prediction; labels of 255 are not
                           counted */
    bool void_is_background; /* VOC: the reference metric sees 255 as class 0 */
    double batch_iou;        /* reference_iou: sum over the current batch's images … */
    int64_t batch_images;
    double iou_sum; /* … and of the finished batches' means */
    int64_t batches;
    double loss_sum; /* sum of the batches' mean losses */
    int64_t loss_batches;
};

/* What is derived from it. NaN where a value does not exist. */
struct df_scores {
    double miou;           /* mean IoU over classes with a non-zero union */
    double pixel_accuracy; /* trace / sum */
    double mean_accuracy;  /* mean of TP / labelled pixels, over classes that are labelled anywhere */
    double dice;           /* mean of 2 TP / (2 TP + FP + FN), over classes with a non-zero union */
    double reference_iou;
    double loss;
};

struct df_class_scores {
    double iou, accuracy, dice; /* NaN where they do not exist */
    int64_t pixels;             /* labelled with this class */
};

/* -1 when out of memory. */
int df_metrics_init(struct df_metrics *metrics, int n_classes, bool void_is_background);
void df_metrics_free(struct df_metrics *metrics);

/* Adds the confusion matrix of one image [n_classes + 1, n_classes]: pixels of each label (row; the last one
 * is 255's) and prediction (column), as a device counts them (dinoft/operation_list.h). */
void df_metrics_add_image(struct df_metrics *metrics, const int64_t *confusion);

/* The reference project's compute_iou_metric of one image: bitwise on the class numbers. void_is_background
 * as in struct df_metrics. */
double df_metrics_reference_iou(const int64_t *confusion, int n_classes, bool void_is_background);

/* Ends a batch with its mean loss (NaN: it had no counted pixel and is left out, as a mean over nothing). */
void df_metrics_end_batch(struct df_metrics *metrics, double loss);

void df_metrics_scores(const struct df_metrics *metrics, struct df_scores *scores);
void df_metrics_class(const struct df_metrics *metrics, int class_index, struct df_class_scores *scores);

/* Writes miou, pixel_accuracy, mean_accuracy, dice, reference_iou, loss, per_class and confusion as JSON,
 * atomically; null for what does not exist. names [n_classes]. */
int df_metrics_write_json(const char *path, const struct df_metrics *metrics, char *const *names);

#endif

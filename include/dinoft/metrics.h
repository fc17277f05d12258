/* Segmentation metrics: one confusion matrix over a whole set, and the reference project's own numbers beside
 * it: the one that it reported until September 2025, and the one that it has reported since. */
#ifndef DINOFT_METRICS_H
#define DINOFT_METRICS_H

#include "dinoft/calibration.h"
#include "dinoft/prototypes.h"

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
    int64_t *batch_confusion; /* [n_classes + 1, n_classes]: reference_miou's, of the current batch */
    double batch_miou_sum;    /* of the finished batches that have one */
    int64_t miou_batches;
    double loss_sum; /* sum of the batches' mean losses */
    int64_t loss_batches;
    bool detailed; /* the two below have been counted */
    struct df_calibration_bin calibration[DF_CALIBRATION_BINS];
    int64_t
        *boundaries; /* [n_classes, 3]: pixels of the boundary of the prediction, of the labels, of both */
};

/* What is derived from it. NaN where a value does not exist. */
struct df_scores {
    double miou;           /* mean IoU over classes with a non-zero union */
    double pixel_accuracy; /* trace / sum */
    double mean_accuracy;  /* mean of TP / labelled pixels, over classes that are labelled anywhere */
    double dice;           /* mean of 2 TP / (2 TP + FP + FN), over classes with a non-zero union */
    double reference_iou;
    double reference_miou;
    double loss;
    double boundary_iou;      /* mean of the classes' */
    double calibration_error; /* df_calibration_error() */
};

struct df_class_scores {
    double iou, accuracy, dice; /* NaN where they do not exist */
    double boundary_iou;        /* of the boundaries' pixels, of all images together */
    int64_t pixels;             /* labelled with this class */
};

/* -1 when out of memory. */
int df_metrics_init(struct df_metrics *metrics, int n_classes, bool void_is_background);
void df_metrics_free(struct df_metrics *metrics);

/* Adds the confusion matrix of one image [n_classes + 1, n_classes]: pixels of each label (row; the last one
 * is 255's) and prediction (column), as a device counts them (dinoft/operation_list.h). of_sigmoids: the same
 * of the predictions that reference_miou looks at, the arg max of the logits' float32 sigmoids. */
void df_metrics_add_image(struct df_metrics *metrics, const int64_t *confusion, const int64_t *of_sigmoids);

/* Adds the details of one image's comparison: boundaries [n_classes, 3] as dinoft/operation_list.h has them.
 */
void df_metrics_add_details(struct df_metrics *metrics, const struct df_calibration_bin *calibration,
                            const int64_t *boundaries);

/* The reference project's compute_iou_metric of one image, as it was until September 2025: bitwise on the
 * class numbers. void_is_background as in struct df_metrics. */
double df_metrics_reference_iou(const int64_t *confusion, int n_classes, bool void_is_background);

/* The same since then, of a batch, whose images' matrices are summed: the mean IoU over the classes up to the
 * batch's largest label, 255 included, which the labels or the predictions have. NaN where no pixel counts.
 */
double df_metrics_reference_miou(const int64_t *of_sigmoids, int n_classes, bool void_is_background);

/* Ends a batch with its mean loss (NaN: it had no counted pixel and is left out, as a mean over nothing). */
void df_metrics_end_batch(struct df_metrics *metrics, double loss);

void df_metrics_scores(const struct df_metrics *metrics, struct df_scores *scores);
void df_metrics_class(const struct df_metrics *metrics, int class_index, struct df_class_scores *scores);

/* Writes miou, pixel_accuracy, mean_accuracy, dice, reference_iou, reference_miou, batch_size (of the batches
 * whose means these two are), loss, per_class and confusion as JSON, atomically; null for what does not
 * exist. names [n_classes]. Of prototypes also which images they are of (NULL, or no set: of none). */
int df_metrics_write_json(const char *path, const struct df_metrics *metrics, char *const *names,
                          int64_t batch_size, const struct df_prototype_source *prototypes);

#endif

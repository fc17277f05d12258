#include "dinoft/metrics.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE_EPS 1e-6

int df_metrics_init(struct df_metrics *metrics, int n_classes, bool void_is_background)
{
    *metrics = (struct df_metrics){.n_classes = n_classes, .void_is_background = void_is_background};
    metrics->confusion = calloc((size_t)n_classes * (size_t)n_classes, sizeof *metrics->confusion);
    metrics->batch_confusion = calloc(df_confusion_count(n_classes), sizeof *metrics->batch_confusion);
    metrics->boundaries = calloc(3 * (size_t)n_classes, sizeof *metrics->boundaries);
    if (metrics->confusion && metrics->batch_confusion && metrics->boundaries)
        return 0;
    df_metrics_free(metrics);
    return df_error_memory("the confusion matrices", 2 * df_confusion_count(n_classes) * sizeof(int64_t));
}

void df_metrics_free(struct df_metrics *metrics)
{
    free(metrics->confusion);
    free(metrics->batch_confusion);
    free(metrics->boundaries);
    memset(metrics, 0, sizeof *metrics);
}

/* Adds one label's row of a confusion matrix. */
static void add_bits(const int64_t *row, int n_classes, int label, int64_t *intersection, int64_t *union_sum)
{
    for (int prediction = 0; prediction < n_classes; prediction++) {
        *intersection += row[prediction] * (label & prediction);
        *union_sum += row[prediction] * (label | prediction);
    }
}

/* Pixels without a label count as class 0, and so does what is predicted there where void is no background.
 */
double df_metrics_reference_iou(const int64_t *confusion, int n_classes, bool void_is_background)
{
    int64_t intersection = 0, union_sum = 0;

    for (int label = 0; label < n_classes; label++)
        add_bits(confusion + (int64_t)label * n_classes, n_classes, label, &intersection, &union_sum);
    if (void_is_background)
        add_bits(confusion + (int64_t)n_classes * n_classes, n_classes, 0, &intersection, &union_sum);
    return ((double)intersection + REFERENCE_EPS) / ((double)union_sum + REFERENCE_EPS);
}

/* What the batch's labels and predictions have of a class, and how much of it is the same. */
struct overlap {
    int64_t labelled, predicted, both;
};

/* Pixels of label 255 count where void is background, as label 0. */
static void find_overlaps(const int64_t *confusion, int n, bool void_is_background, struct overlap *overlaps)
{
    memset(overlaps, 0, (size_t)n * sizeof *overlaps);
    for (int row = 0; row < (void_is_background ? n + 1 : n); row++) {
        const int label = row < n ? row : 0;
        for (int prediction = 0; prediction < n; prediction++) {
            const int64_t pixels = confusion[(int64_t)row * n + prediction];
            overlaps[label].labelled += pixels;
            overlaps[prediction].predicted += pixels;
            overlaps[label].both += label == prediction ? pixels : 0;
        }
    }
}

static bool has_ignored(const int64_t *confusion, int n)
{
    for (int prediction = 0; prediction < n; prediction++) {
        if (confusion[(int64_t)n * n + prediction] > 0)
            return true;
    }
    return false;
}

/* How many classes are looked at: those up to the largest label, of which 255 is one. */
static int classes_in_view(const int64_t *confusion, int n, bool void_is_background,
                           const struct overlap *overlaps)
{
    int count = n;

    if (!void_is_background && has_ignored(confusion, n))
        return n;
    while (count > 0 && overlaps[count - 1].labelled == 0)
        count--;
    return count;
}

double df_metrics_reference_miou(const int64_t *of_sigmoids, int n_classes, bool void_is_background)
{
    struct overlap overlaps[DF_MAX_CLASSES];
    double sum = 0.0;
    int present = 0;

    find_overlaps(of_sigmoids, n_classes, void_is_background, overlaps);
    const int count = classes_in_view(of_sigmoids, n_classes, void_is_background, overlaps);
    for (int c = 0; c < count; c++) {
        const int64_t united = overlaps[c].labelled + overlaps[c].predicted - overlaps[c].both;
        if (united == 0)
            continue;
        sum += ((double)overlaps[c].both + REFERENCE_EPS) / ((double)united + REFERENCE_EPS);
        present++;
    }
    return present > 0 ? sum / present : NAN;
}

void df_metrics_add_image(struct df_metrics *metrics, const int64_t *confusion, const int64_t *of_sigmoids)
{
    const int64_t labelled = (int64_t)metrics->n_classes * metrics->n_classes;

    for (int64_t i = 0; i < labelled; i++)
        metrics->confusion[i] += confusion[i];
    for (int64_t i = 0; i < labelled + metrics->n_classes; i++)
        metrics->batch_confusion[i] += of_sigmoids[i];
    metrics->batch_iou +=
        df_metrics_reference_iou(confusion, metrics->n_classes, metrics->void_is_background);
    metrics->batch_images++;
}

void df_metrics_add_details(struct df_metrics *metrics, const struct df_calibration_bin *calibration,
                            const int64_t *boundaries)
{
    metrics->detailed = true;
    df_calibration_add(metrics->calibration, calibration);
    for (int i = 0; i < 3 * metrics->n_classes; i++)
        metrics->boundaries[i] += boundaries[i];
}

static void end_miou_batch(struct df_metrics *metrics)
{
    const double miou =
        df_metrics_reference_miou(metrics->batch_confusion, metrics->n_classes, metrics->void_is_background);

    if (!isnan(miou)) {
        metrics->batch_miou_sum += miou;
        metrics->miou_batches++;
    }
    memset(metrics->batch_confusion, 0,
           df_confusion_count(metrics->n_classes) * sizeof *metrics->batch_confusion);
}

void df_metrics_end_batch(struct df_metrics *metrics, double loss)
{
    if (metrics->batch_images > 0) {
        metrics->iou_sum += metrics->batch_iou / (double)metrics->batch_images;
        metrics->batches++;
        end_miou_batch(metrics);
    }
    metrics->batch_iou = 0.0;
    metrics->batch_images = 0;
    if (!isnan(loss)) {
        metrics->loss_sum += loss;
        metrics->loss_batches++;
    }
}

static double ratio(double numerator, double denominator)
{
    return denominator > 0.0 ? numerator / denominator : NAN;
}

void df_metrics_class(const struct df_metrics *metrics, int class_index, struct df_class_scores *scores)
{
    int n = metrics->n_classes;
    int64_t labelled = 0, predicted = 0;
    int64_t true_positives = metrics->confusion[(int64_t)class_index * n + class_index];

    for (int i = 0; i < n; i++) {
        labelled += metrics->confusion[(int64_t)class_index * n + i];
        predicted += metrics->confusion[(int64_t)i * n + class_index];
    }
    scores->pixels = labelled;
    scores->accuracy = ratio((double)true_positives, (double)labelled);
    scores->iou = ratio((double)true_positives, (double)(labelled + predicted - true_positives));
    scores->dice = ratio(2.0 * (double)true_positives, (double)(labelled + predicted));
    const int64_t *boundary = metrics->boundaries + 3 * (int64_t)class_index;
    scores->boundary_iou = ratio((double)boundary[2], (double)(boundary[0] + boundary[1] - boundary[2]));
}

/* A mean that leaves out what does not exist. */
struct mean {
    double sum;
    int count;
};

static void mean_add(struct mean *mean, double value)
{
    if (!isnan(value)) {
        mean->sum += value;
        mean->count++;
    }
}

void df_metrics_scores(const struct df_metrics *metrics, struct df_scores *scores)
{
    struct mean iou = {0}, accuracy = {0}, dice = {0}, boundary_iou = {0};
    int64_t correct = 0, pixels = 0;

    for (int i = 0; i < metrics->n_classes; i++) {
        struct df_class_scores one;
        df_metrics_class(metrics, i, &one);
        mean_add(&iou, one.iou);
        mean_add(&accuracy, one.accuracy);
        mean_add(&dice, one.dice);
        mean_add(&boundary_iou, one.boundary_iou);
        correct += metrics->confusion[(int64_t)i * metrics->n_classes + i];
        pixels += one.pixels;
    }
    scores->miou = ratio(iou.sum, iou.count);
    scores->mean_accuracy = ratio(accuracy.sum, accuracy.count);
    scores->dice = ratio(dice.sum, dice.count);
    scores->pixel_accuracy = ratio((double)correct, (double)pixels);
    scores->reference_iou = ratio(metrics->iou_sum, (double)metrics->batches);
    scores->reference_miou = ratio(metrics->batch_miou_sum, (double)metrics->miou_batches);
    scores->loss = ratio(metrics->loss_sum, (double)metrics->loss_batches);
    scores->boundary_iou = ratio(boundary_iou.sum, boundary_iou.count);
    scores->calibration_error = df_calibration_error(metrics->calibration);
}

/* Measuring a model on a data set. */
#ifndef DINOFT_EVALUATE_H
#define DINOFT_EVALUATE_H

#include "dinoft/feed.h"
#include "dinoft/inference.h"
#include "dinoft/metrics.h"

#include <signal.h>

/* What was predicted for an image, at the size at which it is measured. */
struct df_prediction {
    int64_t sample; /* index into the data set */
    int64_t height, width;
    const int64_t *confusion, *of_sigmoids; /* the matrices of this image, see df_metrics_add_image() */
    const uint8_t *classes, *labels; /* [height, width]; labels: 255 = not counted; NULL where no maps are
                                        asked for */
    const struct df_image *image;    /* the original; NULL where the loader hands out none */
    double loss;                     /* mean over the counted pixels; NaN without any */
};

/* Called for one image after the other, in the feed's order. Not 0: the evaluation ends with that failure. */
typedef int df_prediction_observer(void *context, const struct df_prediction *prediction);

/* Called with the batches and images that are done, none at first, and how many batches there are. */
typedef void df_progress_observer(void *context, int64_t done, int64_t batches, int64_t images);

struct df_evaluation {
    bool original; /* at each label's own size, of images whose loader hands out originals; otherwise at
                      the network's input size */
    struct df_inference
        *inference;     /* how images become predictions; NULL: one pass over each as it was resized */
    bool detailed;      /* calibration and boundaries are counted too, which takes some time */
    int64_t batch_size; /* images of a batch of the metrics, whatever the feed's are; 0: as those */
    int64_t maps;   /* observers see classes and labels of every pixel, which have to be fetched, of so many
                       of the data set's images, the first one and others evenly apart, or of all where there
                       are not more; 0: of none */
    int64_t images; /* of the data set, where maps is not 0 */
    const char *label;    /* the progress bar's; NULL: there is none */
    int64_t later_steps;  /* what comes behind this evaluation, for the time left that the bar shows: */
    double later_seconds; /* see df_progress_expect() */
    const volatile sig_atomic_t *stop; /* set: ends early, after the current batch; NULL: never */
    df_prediction_observer *observe;   /* NULL: nobody looks */
    df_progress_observer *progress;    /* likewise */
    void *context;
};

/* Runs the feed's first epoch through the model and counts into metrics. With an inference the feed's loader
 * must hand out originals. */
int df_evaluate(struct df_segmenter *segmenter, struct df_feed *feed, const struct df_evaluation *evaluation,
                struct df_metrics *metrics);

#endif

/* What predict finds in one image, on the host. */
#ifndef DINOFT_PREDICT_RESULT_H
#define DINOFT_PREDICT_RESULT_H

#include "inputs.h"

#include "dinoft/error.h"
#include "dinoft/image.h"
#include "dinoft/labels.h"
#include "dinoft/model_classes.h"
#include "dinoft/overlay.h"
#include "dinoft/probabilities.h"

/* What is needed of an image beside its classes: bits. */
enum predict_needs {
    PREDICT_NEEDS_IMAGE = 1,         /* its pixels */
    PREDICT_NEEDS_CONFIDENCE = 2,    /* of the chosen class in each pixel */
    PREDICT_NEEDS_PROBABILITIES = 4, /* of all classes */
    PREDICT_NEEDS_LOGITS = 8,        /* at the size at which the model sees it */
};

/* What is the same for all images. */
struct predict_look {
    const struct df_config *config;
    struct df_model_classes classes;
    struct df_overlay_style style; /* with the classes' palette */
    unsigned needs;                /* of all that is written and told */
};

struct predicted {
    const struct input *input;
    int64_t height, width; /* the image's own, which all maps have */
    struct df_image image; /* RGB; no pixels where it is not needed */
    struct df_image
        classes; /* [height, width]: numbers of classes; DF_IGNORE_LABEL: unknown, with --threshold */
    struct df_probabilities probabilities; /* no values where nothing needs them */
    struct df_image confidence; /* uint8 [height, width]: 255 times the probability of the most probable
                                   class; no pixels where it is not needed */
    float *logits;              /* [classes, logits_height, logits_width]; NULL where they are not needed */
    int64_t logits_height, logits_width;
    int64_t pixels[256];    /* of each number in classes */
    double mean_confidence; /* over all pixels, also the unknown ones; NaN where it is not needed */
    bool failed;            /* error says why, and nothing else is there */
    struct df_error error;
};

/* From the classes and probabilities to the rest: confidence, what --threshold makes unknown, and how many
 * pixels each class has. -1 with the error set. */
int predicted_complete(struct predicted *predicted, const struct predict_look *look);

/* Bytes that its maps take, with those that writing them takes. */
size_t predicted_bytes(const struct predicted *predicted);

/* Frees what it holds. */
void predicted_free(struct predicted *predicted);

#endif

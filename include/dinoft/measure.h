/* What eval and corrupt share: a checkpoint's model or one of prototypes, the data set that it is measured
 * on, and how images go through it. */
#ifndef DINOFT_MEASURE_H
#define DINOFT_MEASURE_H

#include "dinoft/dataset.h"
#include "dinoft/facts.h"
#include "dinoft/inference.h"
#include "dinoft/loader.h"
#include "dinoft/model_parts.h"
#include "dinoft/prototypes.h"

/* How a model is measured. */
struct df_measure_options {
    const char *checkpoint; /* its file; NULL: none, of prototypes */
    const char *split;      /* of the data set */
    int64_t batch_size;     /* of the loader, and of the means in reference_iou, reference_miou and loss */
    int workers;            /* threads that read images; 0: one for each core, at most 8 */
    bool original;          /* labels are compared at their own size, otherwise at the network's input size */
    int64_t slide[2];       /* crop and stride of a sliding window, as they are asked for; 0: none */
    const char *scales;     /* views at these scales, mirrored too, as they are asked for; NULL: one view */
};

/* The caller opens setup, which has a checkpoint or is for prototypes, and dataset, and fills in options, how
 * and names; zero before. */
struct df_measure {
    struct df_setup setup;
    struct df_dataset *dataset;
    struct df_prototype_source prototypes; /* borrowed */
    char **class_names;                    /* [dataset->n_classes], borrowed */
    struct df_measure_options options;
    struct df_inference_options how; /* images go through the model, as the options ask for it */
    struct df_segmenter *segmenter;
    struct df_inference *inference; /* NULL: images are resized and go through the model in batches */
};

/* Makes the model. -1 with the error set; close it in either case. */
int df_measure_start(struct df_measure *measure);
void df_measure_close(struct df_measure *measure);

/* A loader of the data set for the model; `originals` of images and masks are handed out also where the model
 * does not need them. read may be NULL (dinoft/loader.h). */
struct df_loader *df_measure_loader(const struct df_measure *measure, bool originals, df_sample_reader *read,
                                    void *context);

/* When all masks have been read: -1 with the error set if what they hold together cannot be meant. */
int df_measure_check_labels(const struct df_measure *measure);

/* How images go through the model, in words, each behind a comma: ", ratio kept,
 * sliding window 490 / 320";
 * "" for the plain way. */
void df_measure_describe(const struct df_measure *measure, char *text, size_t size);

#define DF_MEASURE_FACTS 14

/* After df_measure_start: what reports say of the model, the data and the way of measuring. The texts live
 * here or in what measure holds. */
struct df_measure_facts {
    struct df_fact items[DF_MEASURE_FACTS];
    size_t count;
    char texts[DF_MEASURE_FACTS][256];
};

void df_measure_facts(const struct df_measure *measure, struct df_measure_facts *facts);
/* Adds one more, with a text of its own. */
__attribute__((format(printf, 3, 4))) void df_measure_add_fact(struct df_measure_facts *facts,
                                                               const char *name, const char *format, ...);

#endif

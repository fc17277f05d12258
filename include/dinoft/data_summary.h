/* What a survey of a data set found, as people are told it. */
#ifndef DINOFT_DATA_SUMMARY_H
#define DINOFT_DATA_SUMMARY_H

#include "dinoft/data_survey.h"

#define DF_SUMMARY_FORMATS 16

struct df_format_count {
    const char *name;
    int64_t images;
};

/* Of the images that can be read; all 0 where there are none. */
struct df_side_range {
    int64_t least, most;
    double median;
};

struct df_class_count {
    int64_t images, pixels; /* of the masks that can be read: those that have a pixel of it */
};

struct df_set_summary {
    const char *name;                                   /* "training", "validation" */
    const struct df_surveyed_set *surveyed;             /* NULL: there is no such set */
    int64_t pairs, faulty;                              /* those with a fault */
    int64_t images;                                     /* that can be read */
    struct df_format_count formats[DF_SUMMARY_FORMATS]; /* [n_formats], the most frequent first */
    int n_formats;
    struct df_side_range width, height;
    double mean[3], deviation[3]; /* of red, green and blue over all pixels, 0 to 1; NaN without images */
    int64_t labelled, ignored;    /* pixels */
    struct df_class_count classes[DF_MAX_CLASSES]; /* [n_classes] of the summary */
};

struct df_data_summary {
    const struct df_data_survey *survey;
    struct df_set_summary sets[DF_SURVEY_SETS]; /* training, validation */
    const struct df_dataset *classes; /* whose classes these are: the first set that is there; NULL: none */
    int n_classes;
    bool has_weights; /* some training pixel is labelled */
    float weights[DF_MAX_CLASSES];
    struct df_duplicates duplicates;
    char **warnings; /* [n_warnings] */
    size_t n_warnings;
    char *failure; /* why training would fail; NULL: it would not, for all that the data tell */
};

/* sets: those of the survey, which has ended, or NULL where there is none. list_failure: why the lists of one
 * could not be read; NULL: all could. -1 with the error set; free it in either case. */
int df_data_summary_make(struct df_data_summary *summary, const struct df_data_survey *survey,
                         const struct df_dataset *const sets[DF_SURVEY_SETS], const char *list_failure);
void df_data_summary_free(struct df_data_summary *summary);

/* Where a pair is: its set's name, and the path of its image. */
static inline const char *df_summary_set_name(const struct df_data_summary *summary, int set)
{
    const bool is_first = summary->sets[0].surveyed == &summary->survey->sets[set];
    return summary->sets[is_first ? 0 : 1].name;
}

static inline const char *df_summary_image(const struct df_data_summary *summary,
                                           const struct df_pair_place *place)
{
    return summary->survey->sets[place->set].set->samples[place->pair].image_path;
}

#endif

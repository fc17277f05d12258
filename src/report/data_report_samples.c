/* Samples of a data set as pictures. */
#include "comparison_picture.h"
#include "data_report_parts.h"

#include "dinoft/error.h"
#include "dinoft/loader.h"

#include <stdlib.h>

#define JPEG_QUALITY 85

/* Pictures of each set: all classes of most data sets, and still a page that a mail takes. */
static const int shown_most[DF_SURVEY_SETS] = {16, 8};
#define SHOWN_MOST 16

struct samples {
    const struct df_data_report *report;
    const struct df_surveyed_set *set;
    const char *name;
    bool has_faults; /* CutMix may draw one of these */
    struct df_overlay_style style;
    int64_t chosen[SHOWN_MOST]; /* [count] */
    int count;
};

/* As it is, or as training sees it. */
static int read_sample(const struct samples *samples, bool augmented, int64_t pair, struct df_image *image,
                       struct df_image *mask)
{
    return augmented ? df_loader_sample(samples->set->set, samples->report->shown, 0, pair, image, mask)
                     : df_dataset_read(samples->set->set, pair, image, mask);
}

static int write_strip(FILE *page, const char *name, const struct df_image *strip)
{
    size_t size;
    void *jpeg = df_jpeg_encode(strip, JPEG_QUALITY, &size);

    if (!jpeg)
        return -1;
    fputs("<figure>\n", page);
    df_html_picture(page, "image/jpeg", jpeg, size, strip->width, strip->height, name);
    fputs("<figcaption>", page);
    df_html_text(page, name);
    fputs("</figcaption>\n</figure>\n", page);
    free(jpeg);
    return 0;
}

static int write_sample(FILE *page, const struct samples *samples, bool augmented, int64_t pair)
{
    const char *name = samples->set->set->samples[pair].name;
    struct df_image image, mask, strip;

    if (read_sample(samples, augmented, pair, &image, &mask) != 0)
        return augmented && samples->has_faults && !df_error_is_memory() ? 0 : -1;
    const struct df_comparison_row row = {.caption = name, .image = &image, .label = &mask};
    int status = df_comparison_strip(&row, &samples->style, &strip);
    df_image_free(&image);
    df_image_free(&mask);
    if (status == 0)
        status = write_strip(page, name, &strip);
    df_image_free(&strip);
    return status;
}

/* Of the classes that the samples show at their own size. */
static void write_key(FILE *page, const struct samples *samples)
{
    const struct df_dataset *set = samples->set->set;
    struct df_legend legend = {
        .palette = &samples->style.palette, .names = set->class_names, .n_classes = set->n_classes};

    for (int i = 0; i < samples->count; i++) {
        uint64_t labels[DF_LABEL_VALUES / 64];
        df_label_census_labels(set->census, samples->chosen[i], labels);
        for (int label = 0; label < DF_LABEL_VALUES; label++)
            legend.shown[label] =
                legend.shown[label] || ((labels[label / 64] >> label % 64 & 1) &&
                                        (label == DF_IGNORE_LABEL || !legend.palette->shows_image[label]));
    }
    df_html_legend(page, &legend);
}

static int write_samples(FILE *page, const struct samples *samples, bool augmented)
{
    char heading[128];

    snprintf(heading, sizeof heading, "%s samples%s", samples->name,
             augmented ? " as training sees them" : "");
    heading[0] = (char)(heading[0] - 'a' + 'A');
    df_html_heading(page, heading);
    write_key(page, samples);
    fputs("<div class=\"panels\">\n", page);
    for (int i = 0; i < samples->count; i++)
        DF_TRY(write_sample(page, samples, augmented, samples->chosen[i]));
    fputs("</div>\n", page);
    return 0;
}

static int write_set(FILE *page, const struct df_data_report *report, int at)
{
    const struct df_set_summary *set = &report->summary->sets[at];
    struct samples samples = {
        .report = report, .set = set->surveyed, .name = set->name, .has_faults = set->faulty > 0};

    if (!set->surveyed)
        return 0;
    samples.style = df_overlay_style_of(set->surveyed->set);
    samples.style.opacity = report->opacity;
    samples.count = df_data_survey_choose(set->surveyed, shown_most[at], report->seed, samples.chosen);
    if (samples.count <= 0)
        return samples.count;
    DF_TRY(write_samples(page, &samples, false));
    return report->shown && at == 0 ? write_samples(page, &samples, true) : 0;
}

int data_report_samples(FILE *page, const struct df_data_report *report)
{
    for (int i = 0; i < DF_SURVEY_SETS; i++)
        DF_TRY(write_set(page, report, i));
    return 0;
}

#include "dinoft/data_report.h"

#include "data_report_parts.h"

#include "dinoft/error.h"

#include <inttypes.h>
#include <math.h>

#define LISTED_MOST  1000 /* faults and groups of equal images: a page of more is of no use to people */
#define IN_A_GROUP   20   /* of these images */
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void write_warnings(FILE *page, const struct df_data_summary *summary)
{
    if (summary->failure || summary->n_warnings > 0)
        fputs("<ul>\n", page);
    if (summary->failure) {
        fputs("<li><strong>Training would fail: ", page);
        df_html_text(page, summary->failure);
        fputs("</strong></li>\n", page);
    }
    for (size_t i = 0; i < summary->n_warnings; i++) {
        fputs("<li>", page);
        df_html_text(page, summary->warnings[i]);
        fputs("</li>\n", page);
    }
    if (summary->failure || summary->n_warnings > 0)
        fputs("</ul>\n", page);
}

/* --- the sets --- */

static void count_row(FILE *page, const struct df_data_summary *summary, const char *name,
                      const int64_t values[DF_SURVEY_SETS])
{
    df_html_row_begin(page, name);
    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        if (summary->sets[i].surveyed)
            df_html_count(page, values[i]);
        else
            df_html_number(page, NAN, 0);
    }
    df_html_row_end(page);
}

static void text_row(FILE *page, const char *name, const char texts[DF_SURVEY_SETS][512])
{
    df_html_row_begin(page, name);
    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        fputs("<td class=\"n\">", page);
        df_html_text(page, *texts[i] ? texts[i] : "\xe2\x80\x93");
        fputs("</td>", page);
    }
    df_html_row_end(page);
}

static void sides_row(FILE *page, const struct df_data_summary *summary, const char *name, bool height)
{
    char texts[DF_SURVEY_SETS][512] = {"", ""};

    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        const struct df_set_summary *set = &summary->sets[i];
        const struct df_side_range *range = height ? &set->height : &set->width;
        if (set->images > 0)
            snprintf(texts[i], sizeof texts[i], "%" PRId64 " to %" PRId64 ", median %g", range->least,
                     range->most, range->median);
    }
    text_row(page, name, (const char(*)[512])texts);
}

static void channels_row(FILE *page, const struct df_data_summary *summary, const char *name, bool deviation)
{
    char texts[DF_SURVEY_SETS][512] = {"", ""};

    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        const struct df_set_summary *set = &summary->sets[i];
        const double *values = deviation ? set->deviation : set->mean;
        if (set->images > 0)
            snprintf(texts[i], sizeof texts[i], "%.4f %.4f %.4f", values[0], values[1], values[2]);
    }
    text_row(page, name, (const char(*)[512])texts);
}

static void formats_row(FILE *page, const struct df_data_summary *summary)
{
    char texts[DF_SURVEY_SETS][512] = {"", ""};

    for (int i = 0; i < DF_SURVEY_SETS; i++) {
        const struct df_set_summary *set = &summary->sets[i];
        size_t used = 0;
        for (int k = 0; k < set->n_formats && used < sizeof texts[i]; k++)
            used += (size_t)snprintf(texts[i] + used, sizeof texts[i] - used, "%s%" PRId64 " %s",
                                     k > 0 ? ", " : "", set->formats[k].images, set->formats[k].name);
    }
    text_row(page, "formats", (const char(*)[512])texts);
}

static void write_sets(FILE *page, const struct df_data_summary *summary)
{
    static const struct df_html_column columns[] = {{"", false}, {"training", true}, {"validation", true}};
    const struct df_set_summary *t = &summary->sets[0], *v = &summary->sets[1];

    df_html_heading(page, "Images");
    df_html_table_begin(page, NULL, columns, COUNT(columns));
    count_row(page, summary, "pairs", (const int64_t[]){t->pairs, v->pairs});
    count_row(page, summary, "pairs with a fault", (const int64_t[]){t->faulty, v->faulty});
    formats_row(page, summary);
    sides_row(page, summary, "width", false);
    sides_row(page, summary, "height", true);
    channels_row(page, summary, "mean of red, green, blue", false);
    channels_row(page, summary, "standard deviation", true);
    count_row(page, summary, "labelled pixels", (const int64_t[]){t->labelled, v->labelled});
    count_row(page, summary, "ignored pixels", (const int64_t[]){t->ignored, v->ignored});
    df_html_table_end(page);
}

/* --- classes --- */

static void class_cells(FILE *page, const struct df_set_summary *set, int label)
{
    const struct df_class_count *count = &set->classes[label];

    df_html_count(page, count->images);
    df_html_count(page, count->pixels);
    df_html_number(page, set->labelled > 0 ? 100.0 * (double)count->pixels / (double)set->labelled : NAN, 2);
}

static void write_classes(FILE *page, const struct df_data_summary *summary)
{
    static const struct df_html_column columns[] = {
        {"class", false},   {"training images", true},   {"pixels", true},
        {"share, %", true}, {"validation images", true}, {"pixels", true},
        {"share, %", true}, {"weight of auto", true}};

    if (summary->n_classes == 0)
        return;
    df_html_heading(page, "Classes");
    df_html_table_begin(page, "Images that show the class, its pixels and their share of the labelled ones.",
                        columns, COUNT(columns));
    for (int i = 0; i < summary->n_classes; i++) {
        df_html_row_begin(page, summary->classes->class_names[i]);
        class_cells(page, &summary->sets[0], i);
        class_cells(page, &summary->sets[1], i);
        df_html_number(page, summary->has_weights ? (double)summary->weights[i] : NAN, 3);
        df_html_row_end(page);
    }
    df_html_table_end(page);
}

/* --- what is wrong --- */

static void write_rest(FILE *page, size_t count)
{
    if (count > LISTED_MOST)
        fprintf(page, "<p class=\"note\">And %zu more, which --json lists.</p>\n", count - LISTED_MOST);
}

static void write_faults(FILE *page, const struct df_data_summary *summary)
{
    const struct df_data_survey *survey = summary->survey;

    if (survey->n_faults == 0)
        return;
    df_html_heading(page, "Faults");
    fputs("<ul>\n", page);
    for (size_t i = 0; i < survey->n_faults && i < LISTED_MOST; i++) {
        fprintf(page, "<li>%s: ", df_summary_set_name(summary, survey->faults[i].set));
        df_html_text(page, survey->faults[i].text);
        fputs("</li>\n", page);
    }
    fputs("</ul>\n", page);
    write_rest(page, survey->n_faults);
}

static void write_duplicates(FILE *page, const struct df_data_summary *summary)
{
    const struct df_duplicates *duplicates = &summary->duplicates;

    if (duplicates->count == 0)
        return;
    df_html_heading(page, "Images of equal pixels");
    fputs("<ul>\n", page);
    for (size_t g = 0; g < duplicates->count && g < LISTED_MOST; g++) {
        const struct df_duplicate_group *group = &duplicates->groups[g];
        fputs("<li>", page);
        for (size_t i = 0; i < group->count && i < IN_A_GROUP; i++) {
            fputs(i > 0 ? ", " : "", page);
            df_html_text(page, df_summary_image(summary, &group->places[i]));
        }
        if (group->count > IN_A_GROUP)
            fprintf(page, " and %zu more", group->count - IN_A_GROUP);
        fputs(group->crosses ? " (in both sets)" : "", page);
        fputs(group->masks_differ ? " (with different masks)" : "", page);
        fputs("</li>\n", page);
    }
    fputs("</ul>\n", page);
    write_rest(page, duplicates->count);
}

static int write_sections(FILE *page, const void *content)
{
    const struct df_data_report *report = content;

    df_html_facts(page, report->facts, report->n_facts);
    write_warnings(page, report->summary);
    write_sets(page, report->summary);
    write_classes(page, report->summary);
    write_faults(page, report->summary);
    write_duplicates(page, report->summary);
    return data_report_samples(page, report);
}

int df_data_report_write(const char *path, const struct df_data_report *report)
{
    return df_html_write(path, report->title, write_sections, report);
}

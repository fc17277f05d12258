#include "data_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LISTED_MOST 10 /* faults, and groups of equal images */
#define NAME_MOST   32 /* columns for the name of a class */
#define CELL        96 /* bytes */

enum row { ROW_PAIRS, ROW_FAULTY, ROW_FORMATS, ROW_WIDTH, ROW_HEIGHT, ROW_MEAN, ROW_DEVIATION, ROW_COUNT };

static const char *const row_names[ROW_COUNT] = {"pairs",  "with a fault", "formats",  "width",
                                                 "height", "mean",         "deviation"};

static void formats_text(const struct df_set_summary *set, char text[CELL])
{
    size_t used = 0;

    for (int i = 0; i < set->n_formats && used < CELL; i++)
        used += (size_t)snprintf(text + used, CELL - used, "%s%" PRId64 " %s", i > 0 ? ", " : "",
                                 set->formats[i].images, set->formats[i].name);
}

static void range_text(const struct df_side_range *range, char text[CELL])
{
    snprintf(text, CELL, "%" PRId64 " to %" PRId64 ", median %g", range->least, range->most, range->median);
}

static void channels_text(const double values[3], char text[CELL])
{
    snprintf(text, CELL, "%.3f %.3f %.3f", values[0], values[1], values[2]);
}

/* "-" where there is nothing to say. */
static void cell_text(const struct df_set_summary *set, enum row row, char text[CELL])
{
    snprintf(text, CELL, "-");
    if (!set->surveyed || (set->images == 0 && row > ROW_FAULTY))
        return;
    switch (row) {
    case ROW_PAIRS:
        snprintf(text, CELL, "%" PRId64, set->pairs);
        break;
    case ROW_FAULTY:
        snprintf(text, CELL, "%" PRId64, set->faulty);
        break;
    case ROW_FORMATS:
        formats_text(set, text);
        break;
    case ROW_WIDTH:
        range_text(&set->width, text);
        break;
    case ROW_HEIGHT:
        range_text(&set->height, text);
        break;
    case ROW_MEAN:
        channels_text(set->mean, text);
        break;
    case ROW_DEVIATION:
        channels_text(set->deviation, text);
        break;
    case ROW_COUNT:
        break;
    }
}

static void print_sets(const struct df_data_summary *summary)
{
    char cells[ROW_COUNT][DF_SURVEY_SETS][CELL];
    int width = (int)strlen(summary->sets[0].name);

    for (int row = 0; row < ROW_COUNT; row++) {
        for (int i = 0; i < DF_SURVEY_SETS; i++)
            cell_text(&summary->sets[i], (enum row)row, cells[row][i]);
        width = (int)strlen(cells[row][0]) > width ? (int)strlen(cells[row][0]) : width;
    }
    printf("%-12s  %-*s  %s\n", "", width, summary->sets[0].name, summary->sets[1].name);
    for (int row = 0; row < ROW_COUNT; row++)
        printf("%-12s  %-*s  %s\n", row_names[row], width, cells[row][0], cells[row][1]);
}

static void print_class(const struct df_set_summary *set, int label)
{
    const struct df_class_count *count = &set->classes[label];

    if (set->labelled > 0)
        printf("  %10" PRId64 "  %13" PRId64 "  %7.2f", count->images, count->pixels,
               100.0 * (double)count->pixels / (double)set->labelled);
    else
        printf("  %10s  %13s  %7s", "-", "-", "-");
}

static void print_classes(const struct df_data_summary *summary)
{
    int width = 5;

    if (summary->n_classes == 0)
        return;
    for (int i = 0; i < summary->n_classes; i++) {
        const int length = (int)strlen(summary->classes->class_names[i]);
        width = length > width ? length : width;
    }
    width = width > NAME_MOST ? NAME_MOST : width;
    printf("\n%-*s  %10s  %13s  %7s  %10s  %13s  %7s  %6s\n", width, "", summary->sets[0].name, "", "",
           summary->sets[1].name, "", "", "weight");
    printf("%-*s  %10s  %13s  %7s  %10s  %13s  %7s  %6s\n", width, "class", "images", "pixels", "share %",
           "images", "pixels", "share %", "auto");
    for (int i = 0; i < summary->n_classes; i++) {
        printf("%-*.*s", width, width, summary->classes->class_names[i]);
        print_class(&summary->sets[0], i);
        print_class(&summary->sets[1], i);
        if (summary->has_weights)
            printf("  %6.3f\n", (double)summary->weights[i]);
        else
            printf("  %6s\n", "-");
    }
}

static void print_more(size_t count)
{
    if (count > LISTED_MOST)
        printf("  and %zu more (--json and --report_html list them)\n", count - LISTED_MOST);
}

static void print_faults(const struct df_data_survey *survey)
{
    if (survey->n_faults > 0)
        printf("\nfaults:\n");
    for (size_t i = 0; i < survey->n_faults && i < LISTED_MOST; i++)
        printf("  %s\n", survey->faults[i].text);
    print_more(survey->n_faults);
}

/* Names of files send nothing but text to a terminal. */
static void print_path(const char *before, const char *path)
{
    printf("%s", before);
    for (; *path; path++)
        putchar(iscntrl((unsigned char)*path) ? '?' : *path);
}

static void print_duplicates(const struct df_data_summary *summary)
{
    const struct df_duplicates *duplicates = &summary->duplicates;

    if (duplicates->count > 0)
        printf("\nimages of equal pixels:\n");
    for (size_t g = 0; g < duplicates->count && g < LISTED_MOST; g++) {
        const struct df_duplicate_group *group = &duplicates->groups[g];
        for (size_t i = 0; i < group->count && i < LISTED_MOST; i++)
            print_path(i > 0 ? ", " : "  ", df_summary_image(summary, &group->places[i]));
        printf("%s%s%s\n", group->count > LISTED_MOST ? ", ..." : "", group->crosses ? " (in both sets)" : "",
               group->masks_differ ? " (with different masks)" : "");
    }
    print_more(duplicates->count);
}

void data_text_print(const struct df_data_summary *summary)
{
    print_sets(summary);
    print_classes(summary);
    print_faults(summary->survey);
    print_duplicates(summary);
}

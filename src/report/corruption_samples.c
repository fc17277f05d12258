#include "corruption_samples.h"
#include "html.h"

#include "dinoft/error.h"

#include <assert.h>
#include <stdlib.h>

#define MOST_SIDE    256
#define JPEG_QUALITY 80

int df_corruption_samples_add(struct df_corruption_samples *samples, const char *name, int severity,
                              const struct df_image *image)
{
    const int i = samples->count;
    struct df_image small;

    assert(i < DF_CORRUPTIONS + 1);
    DF_TRY(df_shrink_within(image, MOST_SIDE, &small));
    samples->items[i].name = name;
    samples->items[i].severity = severity;
    samples->items[i].width = small.width;
    samples->items[i].height = small.height;
    samples->items[i].jpeg = df_jpeg_encode(&small, JPEG_QUALITY, &samples->items[i].jpeg_size);
    df_image_free(&small);
    if (!samples->items[i].jpeg)
        return -1;
    samples->count++;
    return 0;
}

void df_corruption_samples_free(struct df_corruption_samples *samples)
{
    for (int i = 0; i < samples->count; i++)
        free(samples->items[i].jpeg);
    samples->count = 0;
}

static void write_sample(FILE *page, const struct df_corruption_samples *samples, int i)
{
    const int severity = samples->items[i].severity;
    char caption[96];

    if (severity > 0)
        snprintf(caption, sizeof caption, "%s, severity %d", samples->items[i].name, severity);
    else
        snprintf(caption, sizeof caption, "%s", samples->items[i].name);
    df_html_figure(page, "image/jpeg", samples->items[i].jpeg, samples->items[i].jpeg_size,
                   samples->items[i].width, samples->items[i].height, caption);
}

void corruption_write_samples(FILE *page, const struct df_corruption_samples *samples)
{
    if (!samples || samples->count == 0)
        return;
    df_html_heading(page, "What the corruptions do");
    fputs("<p>The first validation image, ", page);
    df_html_text(page, samples->image);
    fputs(
        ", corrupted at its own size as it was for the scores. The pictures are made smaller, which hides a "
        "part of noise.</p>\n<div class=\"samples\">\n",
        page);
    for (int i = 0; i < samples->count; i++)
        write_sample(page, samples, i);
    fputs("</div>\n", page);
}

/* The boundaries of all classes of a map at once. A pixel is inside its class, and not of its boundary, if
 * the square of 2 * reach + 1 pixels around it lies in the image and has that one class. So each row is cut
 * into runs of equal pixels, and each column counts the rows, down to the present one, in which it is far
 * enough from the ends of a run and has the class of the row above: a square ends where that count has
 * reached its side. Nothing depends on the number of classes or on the reach. */
#include "cpu_backend.h"

#include "dinoft/error.h"
#include "dinoft/labels.h"
#include "dinoft/multiversion.h"
#include "dinoft/size.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64

struct boundary_work {
    const uint8_t *prediction, *labels; /* [height, width] */
    int64_t height, width, classes, reach;
};

/* Of a thread. */
struct rows {
    uint16_t *predicted,
        *labelled;    /* [width]: rows of the column that go on alike, at most the square's side */
    uint8_t *flat;    /* [width]: 1 where the run goes on for the reach on both sides */
    int64_t *overlap; /* [classes, 3] */
};

static void find_flat(const uint8_t *row, int64_t width, int64_t reach, uint8_t *flat)
{
    int64_t end;

    memset(flat, 0, (size_t)width);
    for (int64_t start = 0; start < width; start = end) {
        for (end = start + 1; end < width && row[end] == row[start]; end++)
            ;
        if (end - start > 2 * reach)
            memset(flat + start + reach, 1, (size_t)(end - start - 2 * reach));
    }
}

DF_MULTIVERSION static void lengthen(const uint8_t *restrict row, const uint8_t *restrict above,
                                     const uint8_t *restrict flat, int64_t width, uint16_t side,
                                     uint16_t *restrict rows)
{
    for (int64_t x = 0; x < width; x++) {
        const uint16_t longer = rows[x] < side ? (uint16_t)(rows[x] + 1) : side;
        const uint16_t alike = row[x] == above[x] ? longer : 1;
        rows[x] = flat[x] ? alike : 0;
    }
}

/* Counts row y, which may lie outside of the map: then no square goes on. */
static void take_row(const struct boundary_work *work, const uint8_t *map, int64_t y, uint8_t *flat,
                     uint16_t *rows)
{
    const uint8_t *row = map + y * work->width;

    if (y < 0 || y >= work->height) {
        memset(rows, 0, (size_t)work->width * sizeof *rows);
        return;
    }
    find_flat(row, work->width, work->reach, flat);
    lengthen(row, y > 0 ? row - work->width : row, flat, work->width, (uint16_t)(2 * work->reach + 1), rows);
}

static void count_row(const struct boundary_work *work, int64_t y, const struct rows *rows)
{
    const uint16_t side = (uint16_t)(2 * work->reach + 1);
    const uint8_t *prediction = work->prediction + y * work->width, *labels = work->labels + y * work->width;

    for (int64_t x = 0; x < work->width; x++) {
        const bool predicted = rows->predicted[x] < side, labelled = rows->labelled[x] < side;
        if ((!predicted && !labelled) || labels[x] >= work->classes || prediction[x] >= work->classes)
            continue;
        rows->overlap[3 * prediction[x]] += predicted;
        rows->overlap[3 * labels[x] + 1] += labelled;
        rows->overlap[3 * labels[x] + 2] += predicted && labelled && prediction[x] == labels[x];
    }
}

static void count_rows(const struct boundary_work *work, int64_t first, int64_t end, const struct rows *rows)
{
    const size_t line = (size_t)work->width * sizeof(uint16_t);

    memset(rows->overlap, 0, (size_t)(3 * work->classes) * sizeof *rows->overlap);
    memset(rows->predicted, 0, line);
    memset(rows->labelled, 0, line);
    for (int64_t y = first - work->reach; y < end + work->reach; y++) {
        take_row(work, work->prediction, y, rows->flat, rows->predicted);
        take_row(work, work->labels, y, rows->flat, rows->labelled);
        if (y - work->reach >= first)
            count_row(work, y - work->reach, rows);
    }
}

/* The thread's part of the memory. */
static struct rows rows_of(const struct boundary_work *work, char *memory)
{
    struct rows rows = {.overlap = (int64_t *)(void *)memory};

    rows.predicted = (uint16_t *)(void *)(rows.overlap + 3 * work->classes);
    rows.labelled = rows.predicted + work->width;
    rows.flat = (uint8_t *)(rows.labelled + work->width);
    return rows;
}

int df_cpu_boundary_overlap(struct df_backend *backend, const uint8_t *prediction, const uint8_t *labels,
                            int64_t height, int64_t width, int64_t classes, int64_t reach, int64_t *overlap)
{
    const struct boundary_work work = {prediction, labels, height, width, classes, reach};
    const int64_t chunks = df_max_i64(df_min_i64(backend->threads, height), 1);
    const size_t counts = (size_t)(3 * classes) * sizeof *overlap;
    const size_t part = (counts + 5 * (size_t)width + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;

    assert(classes >= 1 && classes <= DF_MAX_CLASSES && reach >= 1 && reach <= DF_BOUNDARY_REACH_MAX);
    char *memory = malloc((size_t)chunks * part);
    if (!memory)
        return df_error_memory("the boundaries of classes", (size_t)chunks * part);
#pragma omp parallel for num_threads(backend->threads)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        const struct rows rows = rows_of(&work, memory + (size_t)chunk * part);
        count_rows(&work, height * chunk / chunks, height * (chunk + 1) / chunks, &rows);
    }
    memset(overlap, 0, counts);
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        for (int64_t i = 0; i < 3 * classes; i++)
            overlap[i] += rows_of(&work, memory + (size_t)chunk * part).overlap[i];
    }
    free(memory);
    return 0;
}

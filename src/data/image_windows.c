/* Windows are put together of pieces, each a tile or a few strips, of which those used last are kept. */
#include "image_windows.h"

#include "codec.h"
#include "tiff_part.h"

#include "dinoft/error.h"
#include "dinoft/size.h"
#include "dinoft/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEPT_BYTES_MOST ((int64_t)1 << 28)
#define PIECES_MOST     ((int64_t)1 << 16)

struct piece {
    struct df_image image; /* no pixels: the slot is free */
    int64_t x, y;          /* in the file's image */
    int64_t used;          /* when, as the reader counts */
};

struct df_image_windows {
    char *path;
    int descriptor;
    struct df_tiff tiff;
    struct df_tiff_way way;
    const char *warning;
    int64_t piece_width, piece_height;
    struct piece *pieces; /* [n_pieces] */
    int64_t n_pieces, time;
};

/* Whether an orientation changes the sides, and from which ends of the file's image it counts. */
static bool changes_sides(int orientation)
{
    return orientation >= 5;
}

static bool from_the_right(int orientation)
{
    return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
}

static bool from_below(int orientation)
{
    return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

/* A descriptor of a regular file, and its size. */
static int open_regular(const char *path, size_t *size)
{
    struct stat status;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (descriptor < 0)
        return df_error_set("cannot open %s: %s", path, strerror(errno));
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
        *size = (size_t)status.st_size;
        return descriptor;
    }
    close(descriptor);
    return df_error_set("cannot open %s: it is no regular file", path);
}

/* Without it, libtiff takes anything for a damaged TIFF. */
static bool has_signature(int descriptor)
{
    unsigned char bytes[4];

    return pread(descriptor, bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes &&
           (memcmp(bytes, "II", 2) == 0 || memcmp(bytes, "MM", 2) == 0) &&
           (bytes[2] + bytes[3] == 42 || bytes[2] + bytes[3] == 43) && (bytes[2] == 0 || bytes[3] == 0);
}

bool df_image_windows_size_of(const char *path, int64_t *width, int64_t *height)
{
    struct df_tiff tiff = {0};
    size_t size = 0;
    const int descriptor = open_regular(path, &size);
    bool is_known = false;

    if (descriptor < 0)
        return false;
    if (has_signature(descriptor) && df_tiff_open_large(&tiff, descriptor, size) == 0) {
        *width = changes_sides(tiff.orientation) ? tiff.height : tiff.width;
        *height = changes_sides(tiff.orientation) ? tiff.width : tiff.height;
        is_known = true;
    }
    df_tiff_close(&tiff);
    close(descriptor);
    return is_known;
}

static struct df_image_part piece_at(const struct df_image_windows *windows, int64_t x, int64_t y)
{
    const struct df_tiff *tiff = &windows->tiff;
    const int64_t width = windows->piece_width, height = windows->piece_height;
    const int64_t left = x - x % width, top = y - y % height;

    return (struct df_image_part){left, top, df_min_i64(width, tiff->width - left),
                                  df_min_i64(height, tiff->height - top)};
}

/* From the smallest to the largest value of all pieces. */
static int find_range(struct df_image_windows *windows)
{
    struct df_image_reading *reading = &windows->way.reading;
    struct df_samples_range range = DF_SAMPLES_NO_RANGE;

    if (reading->range != DF_RANGE_OF_FILE)
        return 0;
    for (int64_t y = 0; y < windows->tiff.height; y += windows->piece_height) {
        for (int64_t x = 0; x < windows->tiff.width; x += windows->piece_width) {
            const struct df_image_part part = piece_at(windows, x, y);
            DF_TRY(df_tiff_extend_range(&windows->tiff, &windows->way, &part, &range));
        }
    }
    range = df_samples_range_end(range);
    reading->range = DF_RANGE_GIVEN;
    reading->black = range.black;
    reading->white = range.white;
    return 0;
}

/* Room for `rows` rows, and as many more as a row of pieces may stand out above and below. */
static int make_pieces(struct df_image_windows *windows, int64_t rows)
{
    const struct df_tiff *tiff = &windows->tiff;

    df_tiff_piece_size(tiff, &windows->piece_width, &windows->piece_height);
    if (!TIFFIsTiled(tiff->file))
        windows->piece_height = df_tiff_rows_together(tiff);
    const int64_t bytes = windows->piece_width * windows->piece_height * 3;
    const int64_t across = (tiff->width - 1) / windows->piece_width + 1;
    const int64_t down = (df_min_i64(rows, tiff->height) - 1) / windows->piece_height + 2;
    windows->n_pieces = df_min_i64(df_min_i64(across * down, KEPT_BYTES_MOST / bytes), PIECES_MOST);
    windows->n_pieces = df_max_i64(windows->n_pieces, 1);
    windows->pieces = calloc((size_t)windows->n_pieces, sizeof *windows->pieces);
    return windows->pieces ? 0 : df_error_memory("parts of a TIFF", (unsigned long long)windows->n_pieces);
}

/* The piece with a pixel in it, decoded; in place of the one whose use is longest ago. NULL with the error
 * set. */
static const struct piece *find_piece(struct df_image_windows *windows, int64_t x, int64_t y)
{
    const struct df_image_part part = piece_at(windows, x, y);
    struct piece *oldest = &windows->pieces[0];

    windows->time++;
    for (int64_t i = 0; i < windows->n_pieces; i++) {
        struct piece *piece = &windows->pieces[i];
        if (piece->image.pixels && piece->x == part.x && piece->y == part.y) {
            piece->used = windows->time;
            return piece;
        }
        if (piece->used < oldest->used)
            oldest = piece;
    }
    df_image_free(&oldest->image);
    oldest->used = 0;
    if (df_tiff_read_part(&windows->tiff, &windows->way, &part, &oldest->image) != 0)
        return NULL;
    oldest->x = part.x;
    oldest->y = part.y;
    oldest->used = windows->time;
    return oldest;
}

static int open_windows(struct df_image_windows *windows, const struct df_image_reading *reading,
                        int64_t rows)
{
    static const struct df_image_reading as_it_comes = {0};
    struct df_tiff *tiff = &windows->tiff;
    size_t size;

    windows->descriptor = open_regular(windows->path, &size);
    if (windows->descriptor < 0)
        return -1;
    if (!has_signature(windows->descriptor))
        return df_error_set("it is no TIFF, of which alone parts can be read");
    DF_TRY(df_tiff_open_large(tiff, windows->descriptor, size));
    windows->warning = df_tiff_find_warning(tiff);
    if (!TIFFSetDirectory(tiff->file, 0))
        return df_tiff_fail(tiff);
    DF_TRY(df_tiff_choose(tiff, reading ? reading : &as_it_comes, &windows->way));
    DF_TRY(make_pieces(windows, rows));
    DF_TRY(find_range(windows));
    return find_piece(windows, 0, 0) ? 0 : -1; /* what cannot be read at all is told now */
}

struct df_image_windows *df_image_windows_open(const char *path, const struct df_image_reading *reading,
                                               int64_t rows)
{
    struct df_image_windows *windows = calloc(1, sizeof *windows);

    if (!windows) {
        df_error_memory("the parts of an image", sizeof *windows);
        return NULL;
    }
    windows->descriptor = -1;
    windows->path = df_text_copy(path);
    if (windows->path && open_windows(windows, reading, rows) == 0)
        return windows;
    df_error_context("cannot read the image %s", path);
    df_image_windows_close(windows);
    return NULL;
}

void df_image_windows_close(struct df_image_windows *windows)
{
    if (!windows)
        return;
    for (int64_t i = 0; windows->pieces && i < windows->n_pieces; i++)
        df_image_free(&windows->pieces[i].image);
    free(windows->pieces);
    df_tiff_close(&windows->tiff);
    if (windows->descriptor >= 0)
        close(windows->descriptor);
    free(windows->path);
    free(windows);
}

int64_t df_image_windows_width(const struct df_image_windows *windows)
{
    const struct df_tiff *tiff = &windows->tiff;
    return changes_sides(tiff->orientation) ? tiff->height : tiff->width;
}

int64_t df_image_windows_height(const struct df_image_windows *windows)
{
    const struct df_tiff *tiff = &windows->tiff;
    return changes_sides(tiff->orientation) ? tiff->width : tiff->height;
}

const char *df_image_windows_warning(const struct df_image_windows *windows)
{
    return windows->warning;
}

/* Copies what a piece has of the part. */
static void take_piece(const struct piece *piece, const struct df_image_part *part, uint8_t *pixels)
{
    const struct df_image *image = &piece->image;
    const int64_t left = df_max_i64(piece->x, part->x), top = df_max_i64(piece->y, part->y);
    const int64_t right = df_min_i64(piece->x + image->width, part->x + part->width);
    const int64_t bottom = df_min_i64(piece->y + image->height, part->y + part->height);

    for (int64_t y = top; y < bottom; y++)
        memcpy(pixels + ((y - part->y) * part->width + left - part->x) * 3,
               image->pixels + ((y - piece->y) * image->width + left - piece->x) * 3,
               (size_t)(right - left) * 3);
}

/* Of the image as the file has it. */
static int read_stored(struct df_image_windows *windows, const struct df_image_part *part, uint8_t *pixels)
{
    const int64_t first_x = part->x - part->x % windows->piece_width,
                  first_y = part->y - part->y % windows->piece_height;

    for (int64_t y = first_y; y < part->y + part->height; y += windows->piece_height) {
        for (int64_t x = first_x; x < part->x + part->width; x += windows->piece_width) {
            const struct piece *piece = find_piece(windows, x, y);
            if (!piece)
                return -1;
            take_piece(piece, part, pixels);
        }
    }
    return 0;
}

/* Where a part of the turned image lies in the file's. */
static struct df_image_part stored_part(const struct df_tiff *tiff, const struct df_image_part *part)
{
    const int orientation = tiff->orientation;
    struct df_image_part stored = *part;

    if (changes_sides(orientation))
        stored = (struct df_image_part){part->y, part->x, part->height, part->width};
    if (from_the_right(orientation))
        stored.x = tiff->width - stored.x - stored.width;
    if (from_below(orientation))
        stored.y = tiff->height - stored.y - stored.height;
    return stored;
}

static int read_turned(struct df_image_windows *windows, const struct df_image_part *part, uint8_t *pixels)
{
    const struct df_image_part stored = stored_part(&windows->tiff, part);
    struct df_image image;
    int status = -1;

    DF_TRY(df_image_alloc(&image, stored.width, stored.height, 3));
    if (read_stored(windows, &stored, image.pixels) == 0 &&
        df_image_orient(&image, windows->tiff.orientation) == 0) {
        memcpy(pixels, image.pixels, (size_t)(part->width * part->height) * 3);
        status = 0;
    }
    df_image_free(&image);
    return status;
}

int df_image_windows_read(struct df_image_windows *windows, const struct df_image_part *part, uint8_t *pixels)
{
    assert(part->x >= 0 && part->y >= 0 && part->width >= 1 && part->height >= 1);
    assert(part->x + part->width <= df_image_windows_width(windows));
    assert(part->y + part->height <= df_image_windows_height(windows));
    const int status = windows->tiff.orientation == 1 ? read_stored(windows, part, pixels)
                                                      : read_turned(windows, part, pixels);
    return status == 0 ? 0 : df_error_context("cannot read the image %s", windows->path);
}

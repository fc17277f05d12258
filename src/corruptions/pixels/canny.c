#include "canny.h"

#include "dinoft/error.h"
#include "grey.h"

#include <stdbool.h>
#include <stdlib.h>

/* What is known of a pixel. */
enum { NO_EDGE, POSSIBLE_EDGE, EDGE };

/* Gradients, [height, width], their sizes, and the state of each pixel; sizes and states [height + 2, width +
 * 2] with a border of zeros. */
struct search {
    int64_t width, height;
    int16_t *dx, *dy, *size;
    uint8_t *state;
    int32_t *stack; /* indices in `state` that became EDGE and whose neighbours were not looked at */
    int64_t stack_count;
};

static int search_alloc(struct search *search, const struct df_image *grey)
{
    *search = (struct search){.width = grey->width, .height = grey->height};
    /* Both are below 2^30: the sides of an image are bounded. */
    const size_t inner = (size_t)(grey->width * grey->height);
    const size_t outer = (size_t)((grey->width + 2) * (grey->height + 2));
    search->dx = malloc(inner * sizeof *search->dx);
    search->dy = malloc(inner * sizeof *search->dy);
    search->size = calloc(outer, sizeof *search->size);
    search->state = calloc(outer, 1);
    search->stack = malloc(inner * sizeof *search->stack);
    if (search->dx && search->dy && search->size && search->state && search->stack)
        return 0;
    return df_error_memory("edges of an image", inner * 12);
}

static void search_free(struct search *search)
{
    free(search->dx);
    free(search->dy);
    free(search->size);
    free(search->state);
    free(search->stack);
}

/* Rows of a padded picture: [x + 1] is above, beside or below pixel x. */
static void sobel_row(const uint8_t *restrict above, const uint8_t *restrict row,
                      const uint8_t *restrict below, int64_t width, int16_t *restrict dx,
                      int16_t *restrict dy, int16_t *restrict size)
{
    for (int64_t x = 0; x < width; x++) {
        const int across = above[x + 2] - above[x] + 2 * (row[x + 2] - row[x]) + below[x + 2] - below[x];
        const int down =
            below[x] - above[x] + 2 * (below[x + 1] - above[x + 1]) + below[x + 2] - above[x + 2];
        dx[x] = (int16_t)across;
        dy[x] = (int16_t)down;
        size[x] = (int16_t)(abs(across) + abs(down));
    }
}

static int find_gradients(struct search *search, const struct df_image *grey)
{
    const int64_t stride = grey->width + 2;
    uint8_t *padded = grey_padded(grey, BORDER_NEAREST);

    if (!padded)
        return -1;
    for (int64_t y = 0; y < grey->height; y++) {
        const uint8_t *above = padded + y * stride;
        sobel_row(above, above + stride, above + 2 * stride, grey->width, search->dx + y * grey->width,
                  search->dy + y * grey->width, search->size + (y + 1) * stride + 1);
    }
    free(padded);
    return 0;
}

/* Whether the gradient is largest across the edge, whose direction is taken as one of four. size points into
 * the rows of `stride`. Of equal neighbours in a row or column the first counts. */
static bool is_peak(const int16_t *size, int64_t stride, int dx, int dy)
{
    const int tangent = 13573; /* of 22.5 degrees, in 15 bits; that of 67.5 degrees is larger by 2 */
    const int low = abs(dx) * tangent, high = low + (abs(dx) << 16), rise = abs(dy) << 15;

    if (rise < low)
        return size[0] > size[-1] && size[0] >= size[1];
    if (rise > high)
        return size[0] > size[-stride] && size[0] >= size[stride];
    const int64_t side = (dx < 0) == (dy < 0) ? 1 : -1;
    return size[0] > size[-stride - side] && size[0] > size[stride + side];
}

static void find_peaks(struct search *search, int low, int high)
{
    const int64_t stride = search->width + 2;

    for (int64_t y = 0; y < search->height; y++) {
        for (int64_t x = 0; x < search->width; x++) {
            const int64_t inner = y * search->width + x, outer = (y + 1) * stride + x + 1;
            const int size = search->size[outer];
            if (size <= low || !is_peak(search->size + outer, stride, search->dx[inner], search->dy[inner]))
                continue;
            search->state[outer] = size > high ? EDGE : POSSIBLE_EDGE;
            if (size > high)
                search->stack[search->stack_count++] = (int32_t)outer;
        }
    }
}

/* The border's state is NO_EDGE, so that every pixel has eight neighbours. */
static void grow_edges(struct search *search)
{
    const int64_t stride = search->width + 2;
    const int64_t neighbours[8] = {-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1};

    while (search->stack_count > 0) {
        const int64_t index = search->stack[--search->stack_count];
        for (int i = 0; i < 8; i++) {
            uint8_t *state = search->state + index + neighbours[i];
            if (*state != POSSIBLE_EDGE)
                continue;
            *state = EDGE;
            search->stack[search->stack_count++] = (int32_t)(index + neighbours[i]);
        }
    }
}

int canny(const struct df_image *grey, int low, int high, struct df_image *edges)
{
    struct search search;

    int status = search_alloc(&search, grey);
    if (status == 0)
        status = find_gradients(&search, grey);
    if (status == 0) {
        find_peaks(&search, low, high);
        grow_edges(&search);
        for (int64_t y = 0; y < grey->height; y++) {
            const uint8_t *state = search.state + (y + 1) * (grey->width + 2) + 1;
            for (int64_t x = 0; x < grey->width; x++)
                edges->pixels[y * grey->width + x] = state[x] == EDGE ? 255 : 0;
        }
    }
    search_free(&search);
    return status;
}

/* Windows of a file: where the whole image is read too, both have the same pixels. */
#include "images.h"

#include "src/data/image_windows.h"

#include <stdlib.h>
#include <string.h>

#define SIDE      40                 /* of a window, at most */
#define MOST_READ ((int64_t)1 << 20) /* pixels of an image of which parts are read */

/* A part at the end of the image and one from its middle. */
static void read_part(struct df_image_windows *windows, const struct df_image *whole, bool at_end)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    const int64_t width = df_image_windows_width(windows), height = df_image_windows_height(windows);
    struct df_image_part part = {.width = width < SIDE ? width : SIDE,
                                 .height = height < SIDE ? height : SIDE};

    part.x = at_end ? width - part.width : (width - part.width) / 2;
    part.y = at_end ? height - part.height : (height - part.height) / 2;
    fuzz_forget_error();
    if (df_image_windows_read(windows, &part, pixels) != 0) {
        fuzz_check(!whole->pixels, "a part of a whole image can be read");
        fuzz_check_error();
        return;
    }
    fuzz_touch(pixels, (size_t)(part.width * part.height * 3));
    for (int64_t y = 0; whole->pixels && y < part.height; y++)
        fuzz_check(memcmp(pixels + y * part.width * 3,
                          whole->pixels + ((part.y + y) * whole->width + part.x) * 3,
                          (size_t)part.width * 3) == 0,
                   "a part has the pixels of the whole image");
}

static void read_windows(const char *path, const struct df_image_reading *reading, const uint8_t *data,
                         size_t size)
{
    struct df_image whole;
    struct df_image_windows *windows;

    fuzz_forget_error();
    windows = df_image_windows_open(path, reading, 8);
    if (!windows) {
        fuzz_check_error();
        return;
    }
    const int64_t width = df_image_windows_width(windows), height = df_image_windows_height(windows);
    memset(&whole, 0, sizeof whole);
    if (width * height <= MOST_READ && df_tiff_decode(data, size, reading, &whole) == 0)
        fuzz_check(whole.width == width && whole.height == height, "windows and the whole agree on its size");
    read_part(windows, &whole, true);
    read_part(windows, &whole, false);
    df_image_free(&whole);
    df_image_windows_close(windows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct df_image_reading as_it_comes = {0},
                                         chosen = {.range = DF_RANGE_GIVEN,
                                                   .black = -1.0,
                                                   .white = 300.0,
                                                   .n_bands = 3,
                                                   .bands = {3, 2, 1}},
                                         of_file = {.range = DF_RANGE_OF_FILE, .n_bands = 1, .bands = {1}};
    char path[FUZZ_PATH_MAX];
    int64_t width = 0, height = 0;

    fuzz_path("file.tif", path);
    fuzz_write(path, data, size);
    if (df_image_windows_size_of(path, &width, &height))
        fuzz_check(width > 0 && height > 0, "an image has pixels");
    read_windows(path, &as_it_comes, data, size);
    read_windows(path, &chosen, data, size);
    read_windows(path, &of_file, data, size);
    return 0;
}

/* Windows of a file. */
#include "images.h"

#include "dinoft/image_windows.h"

#define SIDE      40                 /* of a window, at most */
#define MOST_READ ((int64_t)1 << 20) /* pixels of an image of which parts are read */

/* A part at the end of the image and one from its middle. */
static void read_part(struct df_image_windows *windows, bool at_end)
{
    static uint8_t pixels[SIDE * SIDE * 3];
    const int64_t width = df_image_windows_width(windows), height = df_image_windows_height(windows);
    struct df_image_part part = {.width = width < SIDE ? width : SIDE,
                                 .height = height < SIDE ? height : SIDE};

    part.x = at_end ? width - part.width : (width - part.width) / 2;
    part.y = at_end ? height - part.height : (height - part.height) / 2;
    fuzz_forget_error();
    if (df_image_windows_read(windows, &part, pixels) != 0)
        fuzz_check_error();
    else
        fuzz_touch(pixels, (size_t)(part.width * part.height * 3));
}

/* Where the whole image can be read too, both agree on its size. Its pixels are not compared: libtiff leaves
 * what a strip or tile that ends too early does not have as its buffer was. */
static void read_windows(const char *path, const struct df_image_reading *reading, const uint8_t *data,
                         size_t size)
{
    struct df_image whole;

    fuzz_forget_error();
    struct df_image_windows *windows = df_image_windows_open(path, reading, 8);
    if (!windows) {
        fuzz_check_error();
        return;
    }
    const int64_t width = df_image_windows_width(windows), height = df_image_windows_height(windows);
    if (width * height <= MOST_READ && df_tiff_decode(data, size, reading, &whole) == 0) {
        fuzz_check(whole.width == width && whole.height == height, "windows and the whole agree on its size");
        df_image_free(&whole);
    }
    read_part(windows, true);
    read_part(windows, false);
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

#include "color_scale.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

/* The ends of the scale; hues in degrees: yellowish green to blue, where sRGB has dark colours. */
#define LIGHTEST  0.985
#define DARKEST   0.340
#define HUE_LIGHT 110.0
#define HUE_DARK  265.0
#define CHROMA    0.10 /* of the dark end; the light end has none. More leaves sRGB half way. */

static const uint8_t no_value[3] = {0xe6, 0xe6, 0xe6};

static uint8_t srgb_byte(double linear)
{
    const double clamped = fmin(fmax(linear, 0.0), 1.0);
    const double encoded = clamped <= 0.0031308 ? 12.92 * clamped : 1.055 * pow(clamped, 1.0 / 2.4) - 0.055;
    return (uint8_t)lrint(255.0 * encoded);
}

static double cube(double x)
{
    return x * x * x;
}

static void oklab_to_srgb(double lightness, double a, double b, uint8_t rgb[3])
{
    const double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
    const double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
    const double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);

    rgb[0] = srgb_byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
    rgb[1] = srgb_byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
    rgb[2] = srgb_byte(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

void df_color_scale(double value, uint8_t rgb[3])
{
    if (isnan(value)) {
        memcpy(rgb, no_value, 3);
        return;
    }
    const double t = fmin(fmax(value, 0.0), 1.0);
    const double hue = (HUE_LIGHT + t * (HUE_DARK - HUE_LIGHT)) * PI / 180.0;
    const double chroma = CHROMA * (1.0 - (1.0 - t) * (1.0 - t));
    oklab_to_srgb(LIGHTEST + t * (DARKEST - LIGHTEST), chroma * cos(hue), chroma * sin(hue), rgb);
}

static double linear_value(uint8_t byte)
{
    const double value = byte / 255.0;
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

bool df_color_wants_white(const uint8_t rgb[3])
{
    const double luminance =
        0.2126 * linear_value(rgb[0]) + 0.7152 * linear_value(rgb[1]) + 0.0722 * linear_value(rgb[2]);
    return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05;
}

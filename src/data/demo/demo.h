/* The parts of the demonstration data. All arithmetic is integers and + - * / sqrt floor in double, which
 * IEEE 754 fixes to the bit, so that the pictures do not depend on a machine's mathematical library. */
#ifndef DINOFT_DATA_DEMO_H
#define DINOFT_DATA_DEMO_H

#include "dinoft/image.h"

struct df_demo_point {
    double x, y;
};

struct df_demo_color {
    double r, g, b; /* 0..1 */
};

/* Smooth noise in [0, 1) with a feature size of one. */
double df_demo_noise(double x, double y, uint64_t seed);
/* Three octaves of it. */
double df_demo_clouds(double x, double y, uint64_t seed);

double df_demo_clamp(double value); /* to 0..1 */
struct df_demo_color df_demo_mix(struct df_demo_color from, struct df_demo_color to,
                                 double amount);                                /* amount 0..1 */
struct df_demo_color df_demo_bright(struct df_demo_color color, double factor); /* times factor */

/* How one object differs from the others of its class. */
struct df_demo_look {
    uint64_t seed;
    struct df_demo_color tint; /* replaces white in the class's own colours */
    double scale;              /* pixels in one unit of the shape's coordinates */
};

/* A shape at one point. */
struct df_demo_fragment {
    double distance; /* to the outline, in units, negative inside */
    struct df_demo_color color;
};

/* Shapes live in about -1..1, x to the right, y down. */
struct df_demo_shape {
    int class_index; /* VOC's */
    double tilt;     /* how far it may be turned: tangent of half the angle */
    struct df_demo_fragment (*draw)(const struct df_demo_look *look, struct df_demo_point p);
};

#define DF_DEMO_SHAPES 7
extern const struct df_demo_shape df_demo_shapes[DF_DEMO_SHAPES];

/* Draws picture number index of a seed. */
int df_demo_draw(uint64_t seed, uint64_t index, struct df_image *image, struct df_image *mask);

#endif

/* One picture: a textured background and one to four objects, with an exact mask. */
#include "demo.h"

#include "dinoft/dataset.h"
#include "dinoft/error.h"
#include "dinoft/rng.h"

#include <math.h>
#include <string.h>

#define MAX_OBJECTS 4
#define MAX_TRIES   40   /* at a free position for an object */
#define HALF_BORDER 1.5  /* pixels on either side of an outline that the mask leaves open, as VOC's do */
#define REACH       1.25 /* how far from its centre a shape's drawing goes, in units, the border included */

struct background {
    int kind;
    uint64_t seed;
    double horizon, period;
    struct df_demo_color first, second;
};

struct object {
    const struct df_demo_shape *shape;
    struct df_demo_look look;
    struct df_demo_point centre;
    double cosine, sine;
    double mirror; /* 1 or -1 */
};

static struct df_demo_color random_color(struct df_rng *rng, double low, double high, double saturation)
{
    double grey = df_rng_uniform(rng, low, high);
    struct df_demo_color color;

    color.r = df_demo_clamp(grey + df_rng_uniform(rng, -saturation, saturation));
    color.g = df_demo_clamp(grey + df_rng_uniform(rng, -saturation, saturation));
    color.b = df_demo_clamp(grey + df_rng_uniform(rng, -saturation, saturation));
    return color;
}

static struct background random_background(struct df_rng *rng)
{
    struct background background;

    background.kind = (int)df_rng_below(rng, 4);
    background.seed = df_rng_u64(rng);
    background.horizon = df_rng_uniform(rng, 0.4, 0.75);
    background.period = df_rng_uniform(rng, 18.0, 44.0);
    background.first = random_color(rng, 0.3, 0.75, 0.12);
    background.second = random_color(rng, 0.3, 0.75, 0.12);
    return background;
}

/* 1 on one half of each period, 0 on the other, with soft changes. */
static double wave(double x, double period)
{
    double phase = x / period - floor(x / period);
    return df_demo_clamp((0.25 - fabs(phase - 0.5)) * period + 0.5);
}

static struct df_demo_color background_color(const struct background *b, double x, double y, double height)
{
    const double cloud = df_demo_clouds(x / 45.0, y / 45.0, b->seed);
    const double grain = 0.93 + 0.14 * df_demo_noise(x / 1.5, y / 1.5, b->seed + 9);
    const double down = y / height;
    struct df_demo_color color;

    switch (b->kind) {
    case 0: /* sky above ground */
        if (down < b->horizon)
            color =
                df_demo_mix((struct df_demo_color){0.42, 0.62, 0.88}, (struct df_demo_color){0.9, 0.93, 0.96},
                            df_demo_clamp(0.5 * down / b->horizon + 0.7 * cloud - 0.1));
        else
            color = df_demo_bright(df_demo_mix(b->first, (struct df_demo_color){0.35, 0.48, 0.2}, 0.6),
                                   0.7 + 0.5 * df_demo_clouds(x / 16.0, y / 5.0, b->seed + 5));
        break;
    case 1: /* striped wall */
        color = df_demo_mix(b->first, b->second, wave(x + 0.3 * y, b->period));
        color = df_demo_bright(color, 0.85 + 0.25 * cloud);
        break;
    case 2: /* tiles */
        color = df_demo_mix(b->first, b->second, fabs(wave(x, b->period) - wave(y, b->period)));
        color = df_demo_bright(color, 0.85 + 0.25 * cloud);
        break;
    default: /* blotches */
        color = df_demo_mix(b->first, b->second, df_demo_clamp(2.0 * cloud - 0.5));
        break;
    }
    return df_demo_bright(color, grain);
}

static struct object random_object(struct df_rng *rng, const struct df_demo_shape *shape, double width,
                                   double height)
{
    const double side = width < height ? width : height;
    const double t = df_rng_uniform(rng, -shape->tilt, shape->tilt);
    struct object object = {.shape = shape};

    object.look.scale = side * df_rng_uniform(rng, 0.17, 0.34);
    object.look.seed = df_rng_u64(rng);
    object.look.tint = random_color(rng, 0.85, 1.0, 0.1);
    /* Every angle between -90 and 90 degrees without a sine: t is the tangent of its half. */
    object.cosine = (1.0 - t * t) / (1.0 + t * t);
    object.sine = 2.0 * t / (1.0 + t * t);
    object.mirror = df_rng_below(rng, 2) ? 1.0 : -1.0;
    return object;
}

/* Finds a position where the object overlaps the others little at most. */
static int place_object(struct df_rng *rng, struct object *object, const struct object *others, int count,
                        double width, double height)
{
    const double reach = object->look.scale;

    for (int try = 0; try < MAX_TRIES; try++) {
        int clear = 1;
        object->centre.x = df_rng_uniform(rng, 0.7 * reach, width - 0.7 * reach);
        object->centre.y = df_rng_uniform(rng, 0.7 * reach, height - 0.7 * reach);
        for (int i = 0; i < count; i++) {
            double dx = object->centre.x - others[i].centre.x, dy = object->centre.y - others[i].centre.y;
            double wanted = 0.85 * (reach + others[i].look.scale);
            clear = clear && dx * dx + dy * dy > wanted * wanted;
        }
        if (clear)
            return 0;
    }
    return -1;
}

static struct df_demo_point to_object(const struct object *object, double x, double y)
{
    const double dx = (x - object->centre.x) / object->look.scale;
    const double dy = (y - object->centre.y) / object->look.scale;
    return (struct df_demo_point){object->mirror * (object->cosine * dx + object->sine * dy),
                                  object->cosine * dy - object->sine * dx};
}

static void blend(uint8_t *pixel, struct df_demo_color color, double amount)
{
    const double values[3] = {color.r, color.g, color.b};

    for (int c = 0; c < 3; c++) {
        double value = pixel[c] + (255.0 * df_demo_clamp(values[c]) - pixel[c]) * amount;
        pixel[c] = (uint8_t)(value + 0.5);
    }
}

static void draw_pixel(const struct object *object, double x, double y, uint8_t *pixel, uint8_t *label)
{
    const double scale = object->look.scale;
    const double drop = 0.07 * scale; /* of the shadow, down and to the right */
    const struct df_demo_color black = {0, 0, 0};
    struct df_demo_fragment shape = object->shape->draw(&object->look, to_object(object, x, y));
    struct df_demo_fragment caster =
        object->shape->draw(&object->look, to_object(object, x - drop, y - drop));
    const double distance = shape.distance * scale;
    const double light = 1.0 - 0.16 * ((x - object->centre.x) + (y - object->centre.y)) / scale;
    const double rim = 0.82 + 0.18 * df_demo_clamp(-distance / (0.12 * scale));

    blend(pixel, black, 0.4 * df_demo_clamp(0.5 - caster.distance * scale / 6.0));
    blend(pixel, df_demo_bright(shape.color, light * rim), df_demo_clamp(0.5 - distance));
    if (distance < -HALF_BORDER)
        *label = (uint8_t)object->shape->class_index;
    else if (distance < HALF_BORDER)
        *label = DF_IGNORE_LABEL;
}

static void draw_object(const struct object *object, struct df_image *image, struct df_image *mask)
{
    const double reach = REACH * object->look.scale + HALF_BORDER;
    const int64_t width = image->width, height = image->height;

    for (int64_t y = 0; y < height; y++) {
        if (fabs((double)y - object->centre.y) > reach)
            continue;
        for (int64_t x = 0; x < width; x++) {
            if (fabs((double)x - object->centre.x) <= reach)
                draw_pixel(object, (double)x + 0.5, (double)y + 0.5, image->pixels + 3 * (y * width + x),
                           mask->pixels + y * width + x);
        }
    }
}

static void draw_background(const struct background *background, struct df_image *image)
{
    uint8_t *pixel = image->pixels;

    for (int64_t y = 0; y < image->height; y++) {
        for (int64_t x = 0; x < image->width; x++, pixel += 3)
            blend(pixel, background_color(background, (double)x, (double)y, (double)image->height), 1.0);
    }
}

int df_demo_draw(uint64_t seed, uint64_t index, struct df_image *image, struct df_image *mask)
{
    struct object objects[MAX_OBJECTS];
    struct df_rng rng;
    int count = 0;

    df_rng_seed(&rng, seed, index);
    int64_t longer = 304 + (int64_t)df_rng_below(&rng, 33), shorter = 224 + (int64_t)df_rng_below(&rng, 33);
    int upright = df_rng_below(&rng, 3) == 0;
    memset(mask, 0, sizeof *mask);
    DF_TRY(df_image_alloc(image, upright ? shorter : longer, upright ? longer : shorter, 3));
    if (df_image_alloc(mask, image->width, image->height, 1) != 0) {
        df_image_free(image);
        return -1;
    }
    memset(image->pixels, 0, (size_t)(image->width * image->height) * 3);
    memset(mask->pixels, 0, (size_t)(mask->width * mask->height));

    struct background background = random_background(&rng);
    draw_background(&background, image);
    int wanted = 1 + (int)df_rng_below(&rng, MAX_OBJECTS);
    for (int i = 0; i < wanted; i++) {
        /* The first object's class goes round, so that a few pictures have them all. */
        uint64_t shape = i == 0 ? index / 2 % DF_DEMO_SHAPES : df_rng_below(&rng, DF_DEMO_SHAPES);
        double width = (double)image->width, height = (double)image->height;
        objects[count] = random_object(&rng, &df_demo_shapes[shape], width, height);
        if (place_object(&rng, &objects[count], objects, count, width, height) == 0)
            draw_object(&objects[count++], image, mask);
    }
    return 0;
}

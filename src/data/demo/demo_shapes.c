/* Seven of VOC's classes as stylised objects, built from parts that are signed distances with a colour. */
#include "demo.h"

#include <math.h>

static double disc(struct df_demo_point p, double x, double y, double radius)
{
    double dx = p.x - x, dy = p.y - y;
    return sqrt(dx * dx + dy * dy) - radius;
}

/* Exact on the outline, a good estimate near it. */
static double ellipse(struct df_demo_point p, double x, double y, double a, double b)
{
    double u = (p.x - x) / a, v = (p.y - y) / b;
    double k = sqrt(u * u + v * v);
    double slope = sqrt(u * u / (a * a) + v * v / (b * b));
    return slope > 0.0 ? k * (k - 1.0) / slope : -(a < b ? a : b);
}

static double box(struct df_demo_point p, double x, double y, double half_width, double half_height,
                  double rounding)
{
    double dx = fabs(p.x - x) - half_width + rounding, dy = fabs(p.y - y) - half_height + rounding;
    double ox = dx > 0.0 ? dx : 0.0, oy = dy > 0.0 ? dy : 0.0;
    double inside = dx > dy ? dx : dy;
    return sqrt(ox * ox + oy * oy) + (inside < 0.0 ? inside : 0.0) - rounding;
}

static double segment(struct df_demo_point p, struct df_demo_point a, struct df_demo_point b)
{
    double abx = b.x - a.x, aby = b.y - a.y, apx = p.x - a.x, apy = p.y - a.y;
    double t = df_demo_clamp((apx * abx + apy * aby) / (abx * abx + aby * aby));
    double dx = apx - abx * t, dy = apy - aby * t;
    return sqrt(dx * dx + dy * dy);
}

static double capsule(struct df_demo_point p, double ax, double ay, double bx, double by, double radius)
{
    return segment(p, (struct df_demo_point){ax, ay}, (struct df_demo_point){bx, by}) - radius;
}

static double polygon(struct df_demo_point p, const struct df_demo_point *corners, int count)
{
    double nearest = segment(p, corners[count - 1], corners[0]);
    int crossings = 0;

    for (int i = 0, j = count - 1; i < count; j = i++) {
        struct df_demo_point a = corners[i], b = corners[j];
        nearest = fmin(nearest, segment(p, a, b));
        if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x)
            crossings++;
    }
    return crossings % 2 ? -nearest : nearest;
}

#define POLYGON(p, ...)                                                                                      \
    polygon(p, (const struct df_demo_point[]){__VA_ARGS__},                                                  \
            (int)(sizeof((const struct df_demo_point[]){__VA_ARGS__}) / sizeof(struct df_demo_point)))

static const struct df_demo_fragment nothing = {.distance = 1e9};

static double coverage(double distance, double scale)
{
    return df_demo_clamp(0.5 - distance * scale);
}

/* Lays a part over the fragment. Its share of the colour is its share of what is covered at all, so that the
 * colour of a part below does not shine through along the outline. */
static void lay(struct df_demo_fragment *fragment, const struct df_demo_look *look, double distance,
                struct df_demo_color color)
{
    double whole = fmin(distance, fragment->distance);

    if (distance < fragment->distance && coverage(fragment->distance, look->scale) == 0.0)
        fragment->color = color;
    else if (coverage(whole, look->scale) > 0.0)
        fragment->color = df_demo_mix(fragment->color, color,
                                      coverage(distance, look->scale) / coverage(whole, look->scale));
    fragment->distance = whole;
}

static struct df_demo_color tinted(const struct df_demo_look *look, double r, double g, double b)
{
    return (struct df_demo_color){r * look->tint.r, g * look->tint.g, b * look->tint.b};
}

/* 0 or 1 in bands of equal width. */
static int band(double x, double period)
{
    double phase = x / period;
    return phase - floor(phase) < 0.5;
}

static struct df_demo_fragment aeroplane(const struct df_demo_look *look, struct df_demo_point p)
{
    struct df_demo_fragment out = nothing;
    struct df_demo_point m = {p.x, fabs(p.y)};
    struct df_demo_color metal = tinted(look, 0.86, 0.88, 0.93);
    struct df_demo_color panel = df_demo_bright(metal, band(p.x, 0.16) ? 0.88 : 1.0);
    struct df_demo_color paint = {0.75, 0.1, 0.15};

    lay(&out, look, POLYGON(m, {0.3, 0.0}, {-0.2, 0.95}, {-0.42, 0.95}, {-0.2, 0.0}), panel);
    lay(&out, look, POLYGON(m, {-0.62, 0.0}, {-0.9, 0.4}, {-1.02, 0.4}, {-0.92, 0.0}), paint);
    lay(&out, look, capsule(m, 0.02, 0.42, 0.14, 0.42, 0.07), df_demo_bright(metal, 0.55));
    lay(&out, look, capsule(p, -0.85, 0.0, 0.78, 0.0, 0.15), df_demo_bright(metal, 1.05 - 1.5 * m.y));
    lay(&out, look, box(m, -0.05, 0.09, 0.6, 0.02, 0.0),
        band(p.x, 0.1) ? (struct df_demo_color){0.15, 0.2, 0.35} : metal);
    lay(&out, look, ellipse(p, 0.78, 0.0, 0.09, 0.07), (struct df_demo_color){0.12, 0.16, 0.25});
    return out;
}

static struct df_demo_fragment bird(const struct df_demo_look *look, struct df_demo_point p)
{
    struct df_demo_fragment out = nothing;
    double down = df_demo_noise(p.x * 9.0, p.y * 18.0, look->seed);
    struct df_demo_color coat = df_demo_bright(tinted(look, 0.93, 0.36, 0.1), 0.8 + 0.3 * down);
    struct df_demo_color feather = df_demo_bright(coat, band(p.x + p.y * p.y * 2.0, 0.15) ? 0.45 : 0.7);

    lay(&out, look, POLYGON(p, {-0.4, -0.05}, {-1.0, -0.3}, {-0.88, 0.0}, {-1.0, 0.16}, {-0.4, 0.2}),
        feather);
    lay(&out, look, POLYGON(p, {0.66, -0.42}, {1.02, -0.28}, {0.66, -0.18}),
        (struct df_demo_color){0.98, 0.8, 0.15});
    lay(&out, look, capsule(p, 0.05, 0.3, 0.0, 0.7, 0.045), (struct df_demo_color){0.5, 0.3, 0.1});
    lay(&out, look, capsule(p, 0.2, 0.3, 0.2, 0.7, 0.045), (struct df_demo_color){0.5, 0.3, 0.1});
    lay(&out, look, ellipse(p, 0.0, 0.05, 0.62, 0.4), coat);
    lay(&out, look, disc(p, 0.5, -0.3, 0.26), coat);
    lay(&out, look, ellipse(p, 0.2, 0.24, 0.34, 0.18),
        df_demo_mix(coat, (struct df_demo_color){1, 0.9, 0.7}, 0.6));
    lay(&out, look, ellipse(p, -0.15, 0.0, 0.42, 0.2), feather);
    lay(&out, look, disc(p, 0.56, -0.35, 0.06), (struct df_demo_color){0.05, 0.05, 0.05});
    return out;
}

static struct df_demo_fragment boat(const struct df_demo_look *look, struct df_demo_point p)
{
    struct df_demo_fragment out = nothing;
    double grain = df_demo_noise(p.x * 5.0, p.y * 40.0, look->seed);
    struct df_demo_color wood =
        df_demo_bright((struct df_demo_color){0.5, 0.29, 0.14}, band(p.y, 0.13) ? 0.75 + 0.3 * grain : 1.0);
    struct df_demo_color sail = tinted(look, 0.98, 0.95, 0.84);

    lay(&out, look, box(p, 0.0, -0.25, 0.035, 0.72, 0.0), (struct df_demo_color){0.32, 0.2, 0.1});
    lay(&out, look, POLYGON(p, {0.07, -0.95}, {0.07, 0.25}, {0.78, 0.25}),
        df_demo_bright(sail, band(p.y, 0.24) ? 0.86 : 1.0));
    lay(&out, look, POLYGON(p, {-0.07, -0.75}, {-0.07, 0.25}, {-0.66, 0.25}),
        band(p.x, 0.26) ? sail : (struct df_demo_color){0.8, 0.25, 0.2});
    lay(&out, look, POLYGON(p, {-0.95, 0.36}, {0.95, 0.36}, {0.62, 0.82}, {-0.6, 0.82}), wood);
    lay(&out, look, box(p, 0.0, 0.37, 0.95, 0.05, 0.03), (struct df_demo_color){0.9, 0.88, 0.8});
    return out;
}

static struct df_demo_fragment bottle(const struct df_demo_look *look, struct df_demo_point p)
{
    struct df_demo_fragment out = nothing;
    double shine = 1.0 - df_demo_clamp(fabs(p.x + 0.14) * 14.0);
    struct df_demo_color glass = df_demo_bright(tinted(look, 0.1, 0.52, 0.22), 1.15 - 1.8 * fabs(p.x));
    struct df_demo_color lit = df_demo_mix(glass, (struct df_demo_color){0.9, 1.0, 0.92}, 0.75 * shine);
    struct df_demo_color print = band(p.y + 0.02 * band(p.x, 0.1), 0.11)
                                     ? (struct df_demo_color){0.55, 0.12, 0.1}
                                     : (struct df_demo_color){0.96, 0.92, 0.78};

    lay(&out, look, box(p, 0.0, 0.42, 0.33, 0.54, 0.08), lit);
    lay(&out, look, ellipse(p, 0.0, -0.06, 0.33, 0.32), lit);
    lay(&out, look, box(p, 0.0, -0.55, 0.12, 0.38, 0.03), lit);
    lay(&out, look, box(p, 0.0, 0.42, 0.33, 0.24, 0.0), df_demo_bright(print, 1.1 - fabs(p.x)));
    lay(&out, look, box(p, 0.0, -0.9, 0.14, 0.08, 0.02), (struct df_demo_color){0.85, 0.7, 0.2});
    return out;
}

static struct df_demo_fragment car(const struct df_demo_look *look, struct df_demo_point p)
{
    struct df_demo_fragment out = nothing;
    struct df_demo_point m = {fabs(p.x), p.y};
    struct df_demo_color paint =
        df_demo_bright(tinted(look, 0.16, 0.26, 0.85), 1.15 - 0.7 * df_demo_clamp(p.y + 0.3));
    struct df_demo_color window =
        df_demo_mix((struct df_demo_color){0.25, 0.32, 0.4}, (struct df_demo_color){0.85, 0.93, 0.98},
                    band(p.x + 0.5 * p.y, 0.4) ? 0.9 : 0.6);

    lay(&out, look, POLYGON(p, {-0.72, 0.06}, {-0.46, -0.45}, {0.3, -0.45}, {0.62, 0.06}), paint);
    lay(&out, look, box(p, 0.0, 0.2, 0.98, 0.23, 0.12), paint);
    lay(&out, look, POLYGON(p, {-0.58, 0.0}, {-0.4, -0.36}, {-0.1, -0.36}, {-0.1, 0.0}), window);
    lay(&out, look, POLYGON(p, {-0.02, 0.0}, {-0.02, -0.36}, {0.25, -0.36}, {0.48, 0.0}), window);
    lay(&out, look, box(p, 0.0, 0.24, 0.9, 0.02, 0.0), (struct df_demo_color){0.85, 0.87, 0.9});
    lay(&out, look, disc(p, 0.9, 0.14, 0.07), (struct df_demo_color){1.0, 0.95, 0.6});
    lay(&out, look, disc(p, -0.92, 0.14, 0.06), (struct df_demo_color){0.85, 0.1, 0.08});
    lay(&out, look, disc(m, 0.54, 0.42, 0.22), (struct df_demo_color){0.09, 0.09, 0.1});
    lay(&out, look, disc(m, 0.54, 0.42, 0.11), (struct df_demo_color){0.7, 0.72, 0.75});
    return out;
}

static struct df_demo_fragment sheep(const struct df_demo_look *look, struct df_demo_point p)
{
    static const struct df_demo_point curls[] = {{-0.52, -0.12}, {-0.5, 0.16}, {-0.28, -0.32}, {0.02, -0.36},
                                                 {0.32, -0.28},  {0.42, 0.0},  {-0.2, 0.3},    {0.2, 0.28}};
    struct df_demo_fragment out = nothing;
    double curl = df_demo_noise(p.x * 14.0, p.y * 14.0, look->seed);
    struct df_demo_color wool = df_demo_bright(tinted(look, 0.97, 0.94, 0.86), 0.66 + 0.44 * curl);
    struct df_demo_color dark = {0.15, 0.12, 0.11};

    for (int i = 0; i < 4; i++) {
        double x = -0.42 + 0.24 * i + (i > 1 ? 0.1 : 0.0);
        lay(&out, look, capsule(p, x, 0.2, x, 0.78, 0.06), df_demo_bright(dark, i % 2 ? 0.7 : 1.0));
    }
    lay(&out, look, ellipse(p, -0.02, 0.0, 0.58, 0.4), wool);
    for (int i = 0; i < 8; i++)
        lay(&out, look, disc(p, curls[i].x, curls[i].y, 0.22), wool);
    lay(&out, look, capsule(p, 0.46, -0.36, 0.6, -0.3, 0.07), dark);
    lay(&out, look, ellipse(p, 0.68, -0.16, 0.2, 0.28), dark);
    lay(&out, look, disc(p, 0.58, -0.42, 0.15), wool);
    lay(&out, look, disc(p, 0.74, -0.24, 0.04), (struct df_demo_color){0.95, 0.95, 0.9});
    return out;
}

static struct df_demo_fragment tvmonitor(const struct df_demo_look *look, struct df_demo_point p)
{
    struct df_demo_fragment out = nothing;
    double scene = df_demo_clouds(p.x * 2.0 + 7.0, p.y * 2.0, look->seed);
    struct df_demo_color frame = {0.13, 0.13, 0.15};
    struct df_demo_color glow =
        df_demo_mix((struct df_demo_color){0.05, 0.2, 0.4}, tinted(look, 0.3, 0.98, 0.95), scene);
    struct df_demo_color screen = df_demo_bright(glow, band(p.y, 0.07) ? 0.72 : 1.1);

    lay(&out, look, box(p, 0.0, 0.66, 0.1, 0.2, 0.0), df_demo_bright(frame, 0.8));
    lay(&out, look, box(p, 0.0, 0.84, 0.42, 0.06, 0.05), frame);
    lay(&out, look, box(p, 0.0, -0.05, 0.95, 0.64, 0.08), df_demo_bright(frame, 1.3));
    lay(&out, look, box(p, 0.0, -0.07, 0.84, 0.52, 0.02), screen);
    lay(&out, look, disc(p, 0.82, 0.53, 0.03), (struct df_demo_color){0.2, 1.0, 0.3});
    return out;
}

const struct df_demo_shape df_demo_shapes[DF_DEMO_SHAPES] = {
    {1, 0.9, aeroplane}, {3, 0.15, bird},  {4, 0.08, boat},       {5, 0.12, bottle},
    {7, 0.08, car},      {17, 0.1, sheep}, {20, 0.08, tvmonitor},
};

/* A font of strokes for printable ASCII. */
#ifndef DINOFT_REPORT_FONT_H
#define DINOFT_REPORT_FONT_H

#include <stdint.h>

#define FONT_UNITS 20 /* of the font's size: capitals are 14 units high, small letters 10 */

/* The strokes as moves (M), lines (L) and quadratic curves (Q, its control point first) between coordinates;
 * x to the right from the glyph's left edge, y up from the line. Strokes have round ends. */
struct font_glyph {
    double width; /* of the strokes' middles */
    const char *strokes;
};

#define FONT_SPACE 3.1 /* between one glyph's strokes and the next one's */

/* Of a code point; the empty box for those that have none. */
const struct font_glyph *font_glyph(uint32_t code);

#endif

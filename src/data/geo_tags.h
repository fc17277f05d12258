/* Tags of a TIFF that libtiff does not know: where an image lies on the earth among them. */
#ifndef DINOFT_DATA_GEO_TAGS_H
#define DINOFT_DATA_GEO_TAGS_H

#include <tiffio.h>

#define TIFFTAG_GDAL_METADATA 42112 /* GDAL's: names of bands among others, as XML */
#define TIFFTAG_GDAL_NODATA   42113 /* GDAL's: the value that means "none", as text */

struct df_geo_tags; /* see dinoft/tiff_write.h */

/* Makes a file know the tags; before any other of its own is set, and whether or not tags are written. */
void df_geo_tags_declare(TIFF *file);

/* Sets them in a file that is written; NULL: none. -1 where libtiff refuses. */
int df_geo_tags_write(const struct df_geo_tags *tags, TIFF *file);

#endif

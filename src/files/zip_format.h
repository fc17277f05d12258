/* What the reader and the writer of zip archives must agree on: PKWARE's APPNOTE names these records. */
#ifndef FILES_ZIP_FORMAT_H
#define FILES_ZIP_FORMAT_H

enum {
    /* the first four bytes of each record */
    DF_ZIP_LOCAL_SIGNATURE = 0x04034b50,
    DF_ZIP_DESCRIPTOR_SIGNATURE = 0x08074b50,
    DF_ZIP_CENTRAL_SIGNATURE = 0x02014b50,
    DF_ZIP_END_SIGNATURE = 0x06054b50,
    DF_ZIP_END64_SIGNATURE = 0x06064b50,
    DF_ZIP_LOCATOR64_SIGNATURE = 0x07064b50,
    /* bytes of each record, without the names, extra fields and comments that follow it */
    DF_ZIP_LOCAL_SIZE = 30,
    DF_ZIP_CENTRAL_SIZE = 46,
    DF_ZIP_END_SIZE = 22,
    DF_ZIP_END64_SIZE = 56,
    DF_ZIP_LOCATOR64_SIZE = 20,
    /* the extra field of sizes and offsets that 32 bits do not hold */
    DF_ZIP_ZIP64_EXTRA = 0x0001,
    DF_ZIP_EXTRA_HEADER_SIZE = 4 /* an extra field's identifier and length */
};

#endif

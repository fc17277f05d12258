#include "backend_facts.h"

#include "dinoft/error.h"
#include "dinoft/text.h"

#include <string.h>

const char *df_cuda_reason(void)
{
    static const char start[] = "device cuda: ";
    const char *text = df_error_text();

    return df_text_starts_with(text, start) ? text + strlen(start) : text;
}

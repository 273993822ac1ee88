/* Any text as a log, and as words of the command line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/doctor/explain.h"

static void print(const struct explain_hit *hit, void *ctx)
{
    explain_print(hit, ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *out;
    char *text = malloc(size + 1);

    if (!out)
        out = fopen("/dev/null", "w");
    if (!text || !out)
        abort();
    for (size_t i = 0; i < size; i++)
        text[i] = (char)data[i];
    text[size] = '\0';
    explain_log(text, size, print, out);
    struct explain_hit hit;
    if (explain_words(text, &hit))
        explain_print(&hit, out);
    free(text);
    return 0;
}

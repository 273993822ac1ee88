/* Any text as a log, and as words of the command line. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/doctor/explain.h"

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
    explain_log(text, size, out);
    explain_words(text, out);
    free(text);
    return 0;
}

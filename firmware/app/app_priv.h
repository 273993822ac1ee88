/* Between the files of the application. */
#ifndef FIRMWARE_APP_APP_PRIV_H
#define FIRMWARE_APP_APP_PRIV_H

#include "firmware/app/app.h"

/* Text for a person; nothing while the line is a raw SMP client's. */
void app_print(struct app *a, const char *text);
void app_print_number(struct app *a, uint32_t n);
void app_print_hex(struct app *a, uint32_t n);
/* A line of codes that the host has the words for (firmware/common/log.h). */
void app_log(struct app *a, const struct finding *f);

/* Confirms the running image, as MCUboot's library does. OK also if it needs none. */
int app_confirm(struct app *a) MUST_CHECK;

/* A byte typed; a whole line is carried out. */
void shell_type(struct app *a, uint8_t byte);

#endif

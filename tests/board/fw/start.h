/* What the check firmwares share: registers by address, a UART to print on, start-up in start.c. */
#ifndef TESTS_BOARD_FW_START_H
#define TESTS_BOARD_FW_START_H

#include <stdint.h>

#define REG(addr) (*(volatile uint32_t *)(addr))

typedef void handler(void);
extern handler *ram_vectors[64]; /* VTOR points here; a check puts its handlers in */

void print(const char *s);
void print_hex(uint32_t v);
int main(void);

#endif

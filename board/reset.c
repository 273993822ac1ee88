/* Resets: what each of them clears (product specification, "Reset behavior"). */
#include <string.h>

#include "board/board_priv.h"

/*
 * A soft reset and a lock-up leave the WDT running and GPREGRET; watchdog and pin clear both. RAM
 * keeps its content in all of them (its content after watchdog and pin reset is not guaranteed, but
 * survives in practice). Flash parts are on the same supply: they notice nothing.
 */
void board_reset(struct board *b, uint32_t reason)
{
    bool soft = reason & (RESET_SREQ | RESET_LOCKUP);
    if (reason)
        b->st.resets++;
    b->st.off = b->st.reset_pending = false;
    b->st.fault_since = 0;
    b->st.fault_again = 0;
    wait_reset(b);
    b->st.uart_flags = 0;
    if (reason & RESET_OFF)
        power_off_ram(b);
    periph_reset_all(b, soft);
    power_note_reset(b, reason);
    exc_reset(b);
    gpio_changed(b);
    b->st.next_event = 0; /* recomputed by the next round */
}

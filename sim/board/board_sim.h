/*
 * A whole board in one host process: two flash models, the boot core, and an application (or the
 * bootloader's recovery) with the SMP server. What runs is what the bytes of slot 0 say: the
 * application is built in, and reports the version of the image that lies there.
 *
 * Used by `slipway sim`, which gives it links, and by tests, which exchange single frames with it.
 *
 * Time is virtual: flash operations cost what the data sheets say; a wait for a client costs the
 * time it takes. One thread; nothing here is called from a signal handler.
 */
#ifndef SIM_BOARD_BOARD_SIM_H
#define SIM_BOARD_BOARD_SIM_H

#include "core/boot/boot.h"
#include "sim/flash/nor.h"

enum board_time {
    BOARD_TIME_VIRTUAL,
    BOARD_TIME_REAL, /* also sleeps it */
};

/* One boot, from reset until its server answers. */
struct board_boot {
    const struct boot_report *report;
    bool recovery; /* nothing was started */
    const char *reason; /* of the recovery: a code of core/base/reason.h, or "requested" */
    char running[40]; /* "1.2.3+4", or "none" */
    struct nor_counters internal; /* of this boot only */
    struct nor_counters external;
    uint64_t elapsed_us; /* what overlaps counts once */
};

struct board_config {
    const struct layout *layout;
    const struct image_keys *keys;
    const char *state_dir; /* NULL: in memory */
    uint64_t seed; /* of torn bits and weak readings; 0: another one each time */
    enum board_time time;
    uint8_t attempts; /* starts of an unconfirmed image; 0: 1 */
    bool other_layout; /* the application was built for another layout */
    bool self_confirm; /* the application confirms itself, as with MCUboot's library */
    void (*booted)(void *ctx, const struct board_boot *boot); /* after each boot; may be NULL */
    void (*cut)(void *ctx); /* power failed; may end the process or longjmp; may be NULL */
    bool (*hurry)(void *ctx); /* BOARD_TIME_REAL: true ends the sleeping; may be NULL */
    void *ctx;
};

struct board_sim;

/*
 * Opens the chips; nothing runs yet. NULL, with *rc and a text, if that fails: ERR_BUSY (another
 * process has the folder), ERR_FORMAT (a file does not fit the board), ERR_IO, ERR_NOSPACE.
 * What the configuration points to must outlive the board.
 */
struct board_sim *board_sim_open(const struct board_config *cfg, int *rc, char *text, size_t text_len);
/* Ends what is in flight, then closes the files. NULL is allowed. */
void board_sim_close(struct board_sim *b);

/* The models, for faults, counters, contents; the power supply, for cuts. */
struct nor *board_sim_chip(struct board_sim *b, unsigned chip); /* 0 internal, 1 external */
struct sim_power *board_sim_power(struct board_sim *b);
struct sim_clock *board_sim_clock(struct board_sim *b);

/* Puts an image there as a debug probe would. ERR_BADSTATE if the slot is not blank, ERR_NOSPACE. */
int board_sim_flash(struct board_sim *b, unsigned slot, const void *data, uint32_t len) MUST_CHECK;

/* Power on: weak cells get their readings, then reset. */
void board_sim_power_on(struct board_sim *b);
/* Boots and starts what can be started; `recovery`: stays in the bootloader. Calls cfg->booted. */
void board_sim_reset(struct board_sim *b, bool recovery);
/* The last boot. */
const struct board_boot *board_sim_last(const struct board_sim *b);

/* One link of each kind may be attached, once. ERR_NODEV with errno (0: no such host). */
int board_sim_attach_udp(struct board_sim *b, const char *host, const char *port) MUST_CHECK;
int board_sim_attach_pty(struct board_sim *b, const char *link) MUST_CHECK;
const char *board_sim_udp_address(const struct board_sim *b); /* NULL: not attached */
const char *board_sim_pty_path(const struct board_sim *b);

/* As when the board loses power; also removes the pty's symbolic link. */
void board_sim_drop_links(struct board_sim *b);

/* Serves what is there, including resets; waits for something to come at most so long. */
void board_sim_run(struct board_sim *b, unsigned timeout_ms);

/*
 * One SMP message in, its answer out, without links: the answer's length, or ERR_TIMEOUT (none came,
 * because the message asks for none or the server is at its end).
 */
int board_sim_exchange(struct board_sim *b, const void *msg, uint32_t len, void *answer,
    uint32_t cap) MUST_CHECK;
/* A reset that was asked for by board_sim_exchange() happens; false: none was. */
bool board_sim_reset_if_asked(struct board_sim *b);

#endif

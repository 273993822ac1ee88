/* Between the files of the simulated board. */
#ifndef SIM_BOARD_BOARD_PRIV_H
#define SIM_BOARD_BOARD_PRIV_H

#include "core/boot/service.h"
#include "core/smp/groups/os.h"
#include "core/smp/smp.h"
#include "sim/board/board_sim.h"
#include "sim/board/files.h"
#include "core/smp/framing/serial.h"
#include "sim/link/pty.h"
#include "sim/link/udp.h"

/* What tests get from board_sim_exchange(). */
struct board_mailbox {
    uint8_t *answer;
    uint32_t cap;
    int len; /* ERR_TIMEOUT until there is one */
};

enum { BOARD_GROUPS = 3 };

struct board_sim {
    struct board_config cfg;
    struct sim_clock clock;
    struct sim_power power;
    struct nor nor[SIM_CHIPS];
    struct board_files files;
    bool have_files;
    uint64_t sleep_debt_us;
    /* what bootloader and application are built from */
    struct flash_dev dev[SIM_CHIPS];
    struct store store;
    struct layout other; /* of an application built for another layout */
    struct store app_store;
    uint32_t buf[2][BOOT_UNIT_MAX / 4];
    struct boot_report report;
    struct board_boot boot;
    struct service service;
    struct smp_os os;
    struct smp_binding group[BOARD_GROUPS];
    struct smp_server server;
    /* links */
    struct link_udp udp;
    struct link_pty pty;
    struct serial_rx serial;
    struct smp_transport to_udp, to_pty, to_mailbox;
    struct board_mailbox mailbox;
};

uint32_t board_now_ms(void *ctx);
/* The application, or the recovery's server, begins. */
void board_app_start(struct board_sim *b);

#endif

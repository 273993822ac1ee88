/*
 * IEEE 754 single precision as FPv4-SP does it (ARM ARM A2.5), in integers: the result and the
 * cumulative flags do not depend on the host's compiler or FPU.
 *
 * `fpscr` points to the FPSCR whose AHP, DN, FZ and RMode apply and whose flags are accumulated.
 */
#ifndef BOARD_CPU_SOFTFP_H
#define BOARD_CPU_SOFTFP_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FPSCR_IOC = 1u << 0, FPSCR_DZC = 1u << 1, FPSCR_OFC = 1u << 2, FPSCR_UFC = 1u << 3,
    FPSCR_IXC = 1u << 4, FPSCR_IDC = 1u << 7, FPSCR_FZ = 1u << 24, FPSCR_DN = 1u << 25,
    FPSCR_AHP = 1u << 26,
};
enum { FP_NEAREST, FP_PLUS, FP_MINUS, FP_ZERO }; /* FPSCR.RMode */

uint32_t softfp_add(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t softfp_sub(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t softfp_mul(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t softfp_div(uint32_t a, uint32_t b, uint32_t *fpscr);
uint32_t softfp_sqrt(uint32_t a, uint32_t *fpscr);
uint32_t softfp_fma(uint32_t addend, uint32_t a, uint32_t b, uint32_t *fpscr); /* addend + a * b, rounded once */

/* NZCV in bits 3:0 as VCMP puts it into FPSCR[31:28]; `quiet_traps`: VCMPE. */
unsigned softfp_compare(uint32_t a, uint32_t b, bool quiet_traps, uint32_t *fpscr);

/* value * 2^-fbits as a float, in rounding mode `rmode`. */
uint32_t softfp_from_int(int64_t v, unsigned fbits, unsigned rmode, uint32_t *fpscr);
/* a * 2^fbits as an integer of `width` bits, saturated; sign-extended to 32 bits if signed. */
uint32_t softfp_to_int(uint32_t a, unsigned fbits, unsigned width, bool is_signed, unsigned rmode, uint32_t *fpscr);

uint32_t softfp_from_half(uint16_t h, uint32_t *fpscr);
uint16_t softfp_to_half(uint32_t a, uint32_t *fpscr);

#endif

/* Checksums of stored and sent data. Both are table-free: the device has no room to spare. */
#ifndef CORE_BASE_CRC_H
#define CORE_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32 (ISO-HDLC: reflected 0x04C11DB7, init and xorout 0xFFFFFFFF; "123456789" -> 0xCBF43926).
 * Start with crc = 0 and feed the result back in to go on: crc32(crc32(0, a), b) == crc32(0, a || b).
 */
uint32_t crc32(uint32_t crc, const void *data, size_t len);

/* CRC-16/XMODEM (0x1021, init 0; "123456789" -> 0x31C3), as SMP's console framing uses it. */
uint16_t crc16_xmodem(uint16_t crc, const void *data, size_t len);

#endif

/*
 * Group 64, "slipway": what the standard groups cannot say. All commands are READ (op 0) with an
 * empty map; answers are CBOR maps with text keys, definite or indefinite. A finding is a map
 *
 *     finding = { "r": uint reason (core/base/reason.h), ? "slot": uint,
 *                 "f": uint found, "e": uint expected, "w": uint where }
 *     image   = { "v": tstr version "1.2.3+4", "size": uint bytes, "hash": bstr 32,
 *                 "unit": uint, "ok": bool hash and signature were verified (in the last boot, or now) }
 *
 * id 0  report: { "action": tstr, "started": bool, "trial": bool, "stopped": bool, "starts": uint,
 *                 "attempts": uint, "gap": uint, "units": uint, "ms": { "state","verify","digest",
 *                 "slide","close","total": uint }, "running": tstr version or "",
 *                 "slots": [ { "slot": uint, ? "image": image, ? "why": finding } ],
 *                 "findings": [ finding ], "failures": [ finding ] (kept in flash, oldest first) }
 * id 1  flash:  { "chips": [ { "name": "internal"|"external", "size": uint, "erase": uint,
 *                 "jedec": uint found, "jedec_want": uint, "ok": bool, ? "why": finding } ] }
 *               The external chip is probed when asked.
 * id 2  layout: { "board": tstr, "hash": uint the application's, "boot": uint the bootloader's,
 *                 "unit": uint, "gap": uint, "max": uint largest image that can be swapped,
 *                 "parts": [ { "name": "boot"|"slot0"|"slot1"|"state", "chip": tstr, "off": uint,
 *                 "size": uint } ] }
 * id 3  upload: { "state": "none"|"running"|"done"|"refused"|"failed", "len": uint, "off": uint,
 *                 ? "why": finding, ? "hash": bstr 32 (of the image that is now in slot 1),
 *                 ? "version": tstr }
 *               The verdict of the last upload, kept until the next begins.
 * id 4  slots:  { "swap": "idle"|"trial"|"unfinished",
 *                 "slots": [ { "slot": uint, ? "image": image, ? "why": finding, "pending": bool,
 *                 "permanent": bool, "confirmed": bool, "active": bool } ],
 *                 ? "refused": finding }
 *               Read from flash when asked; says why a slot is unreadable, and of an image whose
 *               contents fail their hash or signature which (its "ok" is false then). An image with
 *               "ok" true and a "why" is sound, but cannot be started or swapped here. A slot whose
 *               upload was cut off says UPLOAD_RUNNING with what is there and the whole length.
 *               "refused": why the last test, confirm or erase since the reset was refused.
 */
#ifndef CORE_SMP_GROUPS_SLIPWAY_H
#define CORE_SMP_GROUPS_SLIPWAY_H

enum { SMP_GROUP_SLIPWAY = 64 };

enum slipway_cmd {
    SLIPWAY_REPORT = 0,
    SLIPWAY_FLASH = 1,
    SLIPWAY_LAYOUT = 2,
    SLIPWAY_UPLOAD = 3,
    SLIPWAY_SLOTS = 4,
};

/* The server's handlers, for an image's table of groups. Bind with a struct service. */
struct smp_group;
extern const struct smp_group smp_group_slipway;

#endif

/*
 * Errors of everything in core/ and of what is built on it.
 *
 * Negative, so that a value >= 0 may be a count. Append only: the numbers appear in boot reports on
 * flash and on the wire (SPEC.md). SMP return codes and exit codes are mapped from these at the edge.
 */
#ifndef CORE_BASE_ERR_H
#define CORE_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
/* Called from many places, small, and inlined all the same: each copy costs the bootloader a few bytes. */
#define NOT_INLINE __attribute__((noinline))

/* number, name, text */
#define ERR_TABLE(X)                                                                               \
    X(0, OK, "no error")                                                                           \
    X(-1, ERR_RANGE, "outside the device or the area")                                             \
    X(-2, ERR_ALIGN, "offset or length is not aligned to what the device can do")                  \
    X(-3, ERR_TIMEOUT, "the device stayed busy longer than its data sheet allows")                 \
    X(-4, ERR_NODEV, "the device does not answer")                                                 \
    X(-5, ERR_ID, "another device answers than the layout says")                                   \
    X(-6, ERR_IO, "the device reports an error")                                                   \
    X(-7, ERR_READBACK, "what was written does not read back")                                     \
    X(-8, ERR_BUSY, "an operation is still running")                                               \
    X(-9, ERR_FORMAT, "not in the expected format")                                                \
    X(-10, ERR_NOSPACE, "does not fit")                                                            \
    X(-11, ERR_BADSTATE, "not possible in the present state")                                         \
    X(-12, ERR_NOENT, "not found")                                                                 \
    X(-13, ERR_VERIFY, "hash or signature does not verify")                                        \
    X(-14, ERR_SOURCE, "a unit does not match the digest it had when the swap began")              \
    X(-15, ERR_UNSUPPORTED, "not supported")                                                       \
    X(-16, ERR_LAYOUT, "made for another layout")                                                  \
    X(-17, ERR_ARG, "bad argument")                                                                \
    X(-18, ERR_PROTECTED, "the device is write-protected")

#define ERR_ENUM(num, name, text) name = (num),
enum err { ERR_TABLE(ERR_ENUM) };
#undef ERR_ENUM

/* Text of an error; a fixed text for a number that is not in the table. Never NULL. */
const char *err_text(int err);

/* Name of an error, "ERR_RANGE" and the like, for logs and --json. Never NULL. */
const char *err_name(int err);

#endif

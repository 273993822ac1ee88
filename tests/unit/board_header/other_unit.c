/* Includes the header without using it: no warning may come of that. */
#include "slipway_board.h"

#if SLIPWAY_SLOT0_SIZE == 0 || SLIPWAY_UNIT != 4096 || SLIPWAY_GAP == 0
#error "the macros are not what the preprocessor can count with"
#endif

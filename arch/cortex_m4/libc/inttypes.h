/* zcbor's headers ask for it; the types are enough. */
#include <stdint.h>

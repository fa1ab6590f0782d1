/* SPDX-License-Identifier: Apache-2.0 */
#include "event/msgpack_head.h"

#define FIX1(i, t, n) [i] = {t, 0, n, 0}
#define FIX4(i, t, n) FIX1(i, t, n), FIX1(i + 1, t, n), FIX1(i + 2, t, n), FIX1(i + 3, t, n)
#define FIX16(i, t, n) FIX4(i, t, n), FIX4(i + 4, t, n), FIX4(i + 8, t, n), FIX4(i + 12, t, n)
#define UP1(i, t, n) FIX1(i, t, n)
#define UP4(i, t, n) UP1(i, t, n), UP1(i + 1, t, n + 1), UP1(i + 2, t, n + 2), UP1(i + 3, t, n + 3)
#define UP16(i, t, n) UP4(i, t, n), UP4(i + 4, t, n + 4), UP4(i + 8, t, n + 8), UP4(i + 12, t, n + 12)

const struct head_shape head_shapes[256] = {
    FIX16(0x00, V_INT, 0),       FIX16(0x10, V_INT, 0),        FIX16(0x20, V_INT, 0),       FIX16(0x30, V_INT, 0),
    FIX16(0x40, V_INT, 0),       FIX16(0x50, V_INT, 0),        FIX16(0x60, V_INT, 0),       FIX16(0x70, V_INT, 0),
    UP16(0x80, V_MAP, 0),        UP16(0x90, V_ARRAY, 0),       UP16(0xa0, V_STR, 0),        UP16(0xb0, V_STR, 16),
    [0xc0] = {V_NIL, 0, 0, 0},   [0xc1] = {HEAD_BAD, 0, 0, 0}, [0xc2] = {V_BOOL, 0, 0, 0},  [0xc3] = {V_BOOL, 0, 0, 0},
    [0xc4] = {V_BIN, 1, 0, 0},   [0xc5] = {V_BIN, 2, 0, 0},    [0xc6] = {V_BIN, 4, 0, 0},   [0xc7] = {V_EXT, 1, 0, 1},
    [0xc8] = {V_EXT, 2, 0, 1},   [0xc9] = {V_EXT, 4, 0, 1},    [0xca] = {V_FLOAT, 0, 4, 0}, [0xcb] = {V_FLOAT, 0, 8, 0},
    [0xcc] = {V_INT, 0, 1, 0},   [0xcd] = {V_INT, 0, 2, 0},    [0xce] = {V_INT, 0, 4, 0},   [0xcf] = {V_UINT, 0, 8, 0},
    [0xd0] = {V_INT, 0, 1, 0},   [0xd1] = {V_INT, 0, 2, 0},    [0xd2] = {V_INT, 0, 4, 0},   [0xd3] = {V_INT, 0, 8, 0},
    [0xd4] = {V_EXT, 0, 1, 1},   [0xd5] = {V_EXT, 0, 2, 1},    [0xd6] = {V_EXT, 0, 4, 1},   [0xd7] = {V_EXT, 0, 8, 1},
    [0xd8] = {V_EXT, 0, 16, 1},  [0xd9] = {V_STR, 1, 0, 0},    [0xda] = {V_STR, 2, 0, 0},   [0xdb] = {V_STR, 4, 0, 0},
    [0xdc] = {V_ARRAY, 2, 0, 0}, [0xdd] = {V_ARRAY, 4, 0, 0},  [0xde] = {V_MAP, 2, 0, 0},   [0xdf] = {V_MAP, 4, 0, 0},
    FIX16(0xe0, V_INT, 0),       FIX16(0xf0, V_INT, 0),
};

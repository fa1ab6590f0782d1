/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a cursor slot; integers little endian:
 *   "WEIRCUR\n" | u64 generation | u32 payload length | u32 crc32c of generation and payload | payload
 *   payload: u8 version | u64 lsn consumed delivered quarantined dropped | u8 open plan | id hi lo | u64 from to |
 *   u32 starts | u32 length, done | u32 length, output | u16 length, name of the output */
#pragma once
#include "store/cursor.h"

enum { CURSOR_SLOT = 4096, CURSOR_HEADER = 24 };

void cursor_encode(struct buf *slot, uint64_t generation, struct str output, const struct cursor_state *state);
/* False: not a slot, or damaged.  state may be NULL; output is borrowed from the slot. */
bool cursor_decode(struct str slot, uint64_t *generation, struct str *output, struct cursor_state *state);

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"
#include "store/log.h"
#include "store/segment.h"

#include <stdio.h>
#include <stdlib.h>

/* Inputs limit their requests far below; a frame that its length field cannot hold must never be written. */
enum { PAYLOAD_MAX = 1 << 30 };

void txn_open(struct txn *txn)
{
    txn->last = txn->bytes.n;
    memset(buf_room(&txn->bytes, FRAME_HEADER), 0, FRAME_HEADER);
    txn->bytes.n += FRAME_HEADER;
}

void txn_close(struct txn *txn, enum frame_type type, uint32_t records)
{
    size_t payload = txn->bytes.n - txn->last - FRAME_HEADER;
    size_t padding = frame_size(payload) - FRAME_HEADER - payload;
    struct frame_header h = {.type = (uint16_t)type, .payload_len = (uint32_t)payload, .records = records};

    if (payload > PAYLOAD_MAX || !records) {
        fprintf(stderr, "weir: a frame of %zu bytes and %u records\n", payload, records);
        abort();
    }
    h.payload_crc = crc32c(0, txn->bytes.p + txn->last + FRAME_HEADER, payload);
    memset(buf_room(&txn->bytes, padding), 0, padding);
    txn->bytes.n += padding;
    frame_header_write(txn->bytes.p + txn->last, &h, 0);
    txn->frames++;
    txn->records += records;
}

void txn_add(struct txn *txn, enum frame_type type, uint32_t records, struct str payload)
{
    txn_open(txn);
    buf_str(&txn->bytes, payload);
    txn_close(txn, type, records);
}

void txn_clear(struct txn *txn)
{
    buf_clear(&txn->bytes);
    txn->frames = txn->records = 0;
    txn->last = 0;
}

void txn_free(struct txn *txn)
{
    buf_free(&txn->bytes);
    txn_clear(txn);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* format NUL text; and text as RFC 3339, which must come back the same when it is written. */
#include "event/time.h"
#include "base/io.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str rest = {(const char *)data, n}, format = str_cut(&rest, 0);
    struct err e = {0};
    int64_t t, back;

    for (int strict = 0; strict < 2; strict++) {
        struct time_format *f = time_format_new(format, STR(""), strict ? STR("") : STR("Europe/Berlin"), strict, &e);
        if (!f && !e.text[0])
            abort();
        if (f && rest.p)
            time_parse(f, rest, 1700000000 * SECOND, &t);
        time_format_free(f);
    }
    struct buf out = {0};
    if (time_read_rfc3339(format, &t)) {
        time_write_rfc3339(&out, t, 9);
        if (!time_read_rfc3339(buf_view(&out), &back) || back != t)
            abort();
    }
    time_write(&out, n * INT64_C(1234567890123456), format);
    buf_free(&out);
    return 0;
}

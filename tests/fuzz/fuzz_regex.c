/* SPDX-License-Identifier: Apache-2.0 */
/* pattern NUL text: what is accepted must match within the limits and give captures that lie in the text. */
#include "event/regex.h"

#include <stdlib.h>

static struct str subject;

static void each(void *arg, struct str name, struct str value)
{
    (void)arg;
    if (!name.n || value.p < subject.p || value.p + value.n > subject.p + subject.n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str rest = {(const char *)data, n}, pattern = str_cut(&rest, 0);
    struct err e = {0};

    if (n > 2000)
        return 0;
    struct regex *r = regex_new(pattern, &e);
    if (!r) {
        if (!e.text[0])
            abort();
        return 0;
    }
    subject = rest.p ? rest : STR("");
    if (regex_match(r, subject)) {
        for (unsigned i = 0; i < regex_capture_count(r); i++)
            if (regex_capture(r, i).n > subject.n)
                abort();
        regex_named(r, each, NULL);
    }
    regex_free(r);
    return 0;
}

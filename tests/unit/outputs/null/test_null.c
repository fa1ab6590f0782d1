/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_machine.h"

extern const struct plugin output_null;

TEST(takes_everything)
{
    struct fake f;
    struct err e = {""};
    struct fake_event ev = {"t", 1, "{\"a\":1}", NULL};
    CHECK(fake_start(&f, &output_null, "format json\njson_date_key false", &e));
    CHECK_INT(fake_write(&f, &ev, 1, &e), DONE);
    CHECK_INT(fake_write(&f, NULL, 0, &e), DONE);
    fake_free(&f);
    output_bad(&output_null, "fromat json", "format");
}

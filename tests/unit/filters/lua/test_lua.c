/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_machine.h"

extern const struct plugin filter_lua;

TEST(smoke)
{
    filter_case(&filter_lua, "call f\ncode function f(tag, ts, r) r.b = r.a + 1 r.x = nil return 2, ts, r end",
                "{\"x\":1,\"a\":41,\"n\":null,\"e\":[],\"d\":1.0,\"big\":9007199254740993}",
                "{\"a\":41,\"n\":null,\"e\":[],\"d\":1.0,\"big\":9007199254740993,\"b\":42}");
}

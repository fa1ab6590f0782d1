/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_machine.h"

extern const struct plugin filter_nest;
#define CASE(props, json, want) filter_case(&filter_nest, props, json, want)
#define NEST "operation nest\nwildcard Mem.*\nnest_under Mem\n"
#define LIFT "operation lift\nnested_under m\n"

TEST(nest)
{
    CASE(NEST, "{\"Mem.used\":1,\"Mem.total\":2,\"cpu\":3}", "{\"cpu\":3,\"Mem\":{\"Mem.used\":1,\"Mem.total\":2}}");
    CASE(NEST "remove_prefix Mem.", "{\"Mem.used\":1,\"cpu\":3}", "{\"cpu\":3,\"Mem\":{\"used\":1}}");
    CASE(NEST "add_prefix x_", "{\"Mem.used\":1}", "{\"Mem\":{\"x_Mem.used\":1}}");
    CASE(NEST "wildcard cpu", "{\"Mem.used\":1,\"cpu\":3,\"cpux\":4}",
         "{\"cpux\":4,\"Mem\":{\"Mem.used\":1,\"cpu\":3}}");
    CASE(NEST, "{\"cpu\":3}", "{\"cpu\":3}");
    CASE("Operation nest\nWildcard *\nNest_under all", "{\"a\":{\"b\":[1]},\"c\":3}",
         "{\"all\":{\"a\":{\"b\":[1]},\"c\":3}}");
}

TEST(lift)
{
    CASE(LIFT, "{\"a\":1,\"m\":{\"x\":[1],\"y\":{}},\"b\":2}", "{\"a\":1,\"b\":2,\"x\":[1],\"y\":{}}");
    CASE(LIFT "add_prefix m_", "{\"m\":{\"x\":1}}", "{\"m_x\":1}");
    CASE(LIFT "remove_prefix x", "{\"m\":{\"xa\":1,\"b\":2}}", "{\"a\":1,\"b\":2}");
    CASE(LIFT, "{\"m\":5}", "{\"m\":5}");
    CASE(LIFT, "{\"a\":1}", "{\"a\":1}");
    CASE(LIFT, "{\"m\":{}}", "{}");
    CASE(LIFT, "{\"m\":{\"m\":{\"x\":1}}}", "{\"m\":{\"x\":1}}");
}

/* A map never has a key twice: what is moved wins. */
TEST(collisions)
{
    CASE(LIFT, "{\"a\":1,\"m\":{\"a\":2}}", "{\"a\":2}");
    CASE(NEST, "{\"Mem\":0,\"Mem.a\":1}", "{\"Mem\":{\"Mem.a\":1}}");
}

TEST(mistakes)
{
    filter_bad(&filter_nest, "wildcard a*\nnest_under x", "operation");
    filter_bad(&filter_nest, "operation nets\nwildcard a*\nnest_under x", "operation");
    filter_bad(&filter_nest, "operation nest\nnest_under x", "wildcard");
    filter_bad(&filter_nest, "operation nest\nwildcard a*", "nest_under");
    filter_bad(&filter_nest, "operation lift", "nested_under");
    filter_bad(&filter_nest, LIFT "add_prefix a\nremove_prefix b", "exclude each other");
}

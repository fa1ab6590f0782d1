/* SPDX-License-Identifier: Apache-2.0 */
/* What JSON is (y), what it is not (n), and what RFC 8259 leaves to the reader (i), with the msgpack that it gives and
 * the number of bad sequences that were replaced. */
#pragma once
#include "base/str.h"

#define ROW(kind, name, text, msgpack, replaced)                                       \
    {                                                                                  \
        kind, name, {text, sizeof(text) - 1}, {msgpack, sizeof(msgpack) - 1}, replaced \
    }

static const struct json_row {
    char kind;
    const char *name;
    struct str text, msgpack;
    unsigned replaced;
} json_rows[] = {
    ROW('y', "empty object", "{}", "\x80", 0),
    ROW('y', "empty array", "[]", "\x90", 0),
    ROW('y', "string", "\"a\"",
        "\xa1"
        "a",
        0),
    ROW('y', "empty string", "\"\"", "\xa0", 0),
    ROW('y', "number", "42", "*", 0),
    ROW('y', "null", "null", "\xc0", 0),
    ROW('y', "true", "true", "\xc3", 0),
    ROW('y', "false", "false", "\xc2", 0),
    ROW('y', "white space around", " \x09\x0d\x0a[ 1 , 2 ] \x0a", "\x92\x01\x02", 0),
    ROW('y', "white space in object",
        "{ \"a\" : 1 , \"b\" :\x09"
        "2 }",
        "\x82\xa1"
        "a\x01\xa1"
        "b\x02",
        0),
    ROW('y', "white space in empty ones", "[ [ ] , { } ]", "\x92\x90\x80", 0),
    ROW('y', "nested", "{\"a\":[{\"b\":[[]]}]}",
        "\x81\xa1"
        "a\x91\x81\xa1"
        "b\x91\x90",
        0),
    ROW('y', "one space array", "[ ]", "\x90", 0),
    ROW('y', "trailing newline", "[]\x0a", "\x90", 0),
    ROW('y', "tab before colon", "{\"a\"\x09:1}",
        "\x81\xa1"
        "a\x01",
        0),
    ROW('y', "cr and lf between",
        "[1\x0d\x0a,\x0d\x0a"
        "2]",
        "\x92\x01\x02", 0),
    ROW('y', "fixint edge 127", "[127]", "\x91\x7f", 0),
    ROW('y', "uint8 128", "[128]", "\x91\xcc\x80", 0),
    ROW('y', "uint8 255", "[255]", "\x91\xcc\xff", 0),
    ROW('y', "uint16 256", "[256]", "\x91\xcd\x01\x00", 0),
    ROW('y', "uint16 65535", "[65535]", "\x91\xcd\xff\xff", 0),
    ROW('y', "uint32 65536", "[65536]", "\x91\xce\x00\x01\x00\x00", 0),
    ROW('y', "uint32 max", "[4294967295]", "\x91\xce\xff\xff\xff\xff", 0),
    ROW('y', "uint64 2^32", "[4294967296]", "\x91\xcf\x00\x00\x00\x01\x00\x00\x00\x00", 0),
    ROW('y', "2^53", "[9007199254740992]", "\x91\xcf\x00 \x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "2^53+1", "[9007199254740993]", "\x91\xcf\x00 \x00\x00\x00\x00\x00\x01", 0),
    ROW('y', "INT64_MAX", "[9223372036854775807]", "\x91\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 0),
    ROW('y', "2^63", "[9223372036854775808]", "\x91\xcf\x80\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "UINT64_MAX", "[18446744073709551615]", "\x91\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 0),
    ROW('y', "18 digits", "[999999999999999999]",
        "\x91\xcf\x0d\xe0\xb6\xb3\xa7"
        "c\xff\xff",
        0),
    ROW('y', "19 digits", "[1000000000000000000]",
        "\x91\xcf\x0d\xe0\xb6\xb3\xa7"
        "d\x00\x00",
        0),
    ROW('y', "UINT64_MAX+1", "[18446744073709551616]",
        "\x91\xcb"
        "C\xf0\x00\x00\x00\x00\x00\x00",
        0),
    ROW('y', "20 digits beyond", "[99999999999999999999]",
        "\x91\xcb"
        "D\x15\xaf\x1dx\xb5\x8c@",
        0),
    ROW('y', "30 digits", "[123456789012345678901234567890]",
        "\x91\xcb"
        "E\xf8\xee\x90\xffl7>",
        0),
    ROW('y', "-1", "[-1]", "\x91\xff", 0),
    ROW('y', "-32", "[-32]", "\x91\xe0", 0),
    ROW('y', "-33", "[-33]", "\x91\xd0\xdf", 0),
    ROW('y', "-128", "[-128]", "\x91\xd0\x80", 0),
    ROW('y', "-129", "[-129]", "\x91\xd1\xff\x7f", 0),
    ROW('y', "-32768", "[-32768]", "\x91\xd1\x80\x00", 0),
    ROW('y', "-32769", "[-32769]", "\x91\xd2\xff\xff\x7f\xff", 0),
    ROW('y', "-2^31", "[-2147483648]", "\x91\xd2\x80\x00\x00\x00", 0),
    ROW('y', "-2^31-1", "[-2147483649]", "\x91\xd3\xff\xff\xff\xff\x7f\xff\xff\xff", 0),
    ROW('y', "INT64_MIN", "[-9223372036854775808]", "\x91\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "INT64_MIN-1", "[-9223372036854775809]", "\x91\xcb\xc3\xe0\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "zero", "0", "\x00", 0),
    ROW('y', "zero in array", "[0]", "\x91\x00", 0),
    ROW('y', "0.0", "[0.0]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "-0.0", "[-0.0]", "\x91\xcb\x80\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "0e1", "[0e1]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "0E+1", "[0e+1]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "1.5", "[1.5]", "\x91\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "-1.5", "[-1.5]", "\x91\xcb\xbf\xf8\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "0.1", "[0.1]", "\x91\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", 0),
    ROW('y', "1e2", "[1e2]", "\x91\xcb@Y\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "1E2", "[1E2]", "\x91\xcb@Y\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "1e+2", "[1e+2]", "\x91\xcb@Y\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "1e-2", "[1e-2]", "\x91\xcb\x3f\x84z\xe1G\xae\x14{", 0),
    ROW('y', "1.5e3", "[1.5e3]", "\x91\xcb@\x97p\x00\x00\x00\x00\x00", 0),
    ROW('y', "1.0", "[1.0]", "\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "123.456e-789 is 0", "[123.456e-789]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "leading zeros of an exponent", "[1e007]",
        "\x91\xcb"
        "Ac\x12\xd0\x00\x00\x00\x00",
        0),
    ROW('y', "min normal", "[2.2250738585072014e-308]", "\x91\xcb\x00\x10\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "min subnormal", "[5e-324]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x01", 0),
    ROW('y', "half of the least", "[2.4703282292062327e-324]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "more than half of the least", "[2.4703282292062328e-324]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x01", 0),
    ROW('y', "max", "[1.7976931348623157e308]", "\x91\xcb\x7f\xef\xff\xff\xff\xff\xff\xff", 0),
    ROW('y', "the last that rounds down to max", "[1.7976931348623158e308]", "\x91\xcb\x7f\xef\xff\xff\xff\xff\xff\xff",
        0),
    ROW('y', "0e400", "[0e400]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "0e99999999999999999999", "[0e99999999999999999999]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "1e-99999999999999999999", "[1e-99999999999999999999]", "\x91\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "1e22", "[1e22]",
        "\x91\xcb"
        "D\x80\xf0\xcf\x06M\xd5\x92",
        0),
    ROW('y', "1e23", "[1e23]",
        "\x91\xcb"
        "D\xb5-\x02\xc7\xe1J\xf6",
        0),
    ROW('y', "9007199254740993.0", "[9007199254740993.0]",
        "\x91\xcb"
        "C@\x00\x00\x00\x00\x00\x00",
        0),
    ROW('y', "halfway to even", "[9007199254740992.5]",
        "\x91\xcb"
        "C@\x00\x00\x00\x00\x00\x00",
        0),
    ROW('y', "17 digits", "[0.84442185152504812]", "\x91\xcb\x3f\xeb\x05\x80\xf9\x8a}\xbe", 0),
    ROW('y', "16 digits", "[0.8444218515250481]", "\x91\xcb\x3f\xeb\x05\x80\xf9\x8a}\xbe", 0),
    ROW('y', "long fraction", "[0.1000000000000000055511151231257827021181583404541015625]",
        "\x91\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", 0),
    ROW('y', "halfway with a tail", "[1.00000000000000011102230246251565404236316680908203125]",
        "\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "just above halfway", "[1.00000000000000011102230246251565404236316680908203126]",
        "\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x01", 0),
    ROW('y', "just below halfway", "[1.00000000000000011102230246251565404236316680908203124]",
        "\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "many zeros", "[0.00000000000000000000000000000000000000001]",
        "\x91\xcb"
        "7k\xe0=\x0b\xf2%\xc7",
        0),
    ROW('y', "many digits and exponent", "[1000000000000000000000000000000000000000000000000000000000000e-60]",
        "\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "900 digits",
        "[1."
        "33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
        "33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
        "33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
        "33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
        "33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
        "33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
        "33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
        "33333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333333"
        "33333333333333333333]",
        "\x91\xcb\x3f\xf5UUUUUU", 0),
    ROW('y', "3.14159", "[3.14159]", "\x91\xcb@\x09!\xf9\xf0\x1b\x86n", 0),
    ROW('y', "-123.123", "[-123.123]", "\x91\xcb\xc0^\xc7\xdf;dZ\x1d", 0),
    ROW('y', "1e10", "[1e10]",
        "\x91\xcb"
        "B\x02\xa0_ \x00\x00\x00",
        0),
    ROW('y', "0.1e1", "[0.1e1]", "\x91\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "1.0e-5", "[0.00001]", "\x91\xcb>\xe4\xf8\xb5\x88\xe3h\xf1", 0),
    ROW('y', "1e308", "[1e308]", "\x91\xcb\x7f\xe1\xcc\xf3\x85\xeb\xc8\xa0", 0),
    ROW('y', "123e65", "[123e65]",
        "\x91\xcbM\xdd"
        "2\xe9"
        "2\xacX\xbe",
        0),
    ROW('y', "-237462374673276894279832749832423479823246327846", "[-237462374673276894279832749832423479823246327846]",
        "\x91\xcb\xc9\xc4\xcc\x17/\xf3\x9c"
        "B",
        0),
    ROW('y', "escaped quote", "[\"\\\"\"]", "\x91\xa1\"", 0),
    ROW('y', "escaped backslash", "[\"\\\\\"]", "\x91\xa1\\", 0),
    ROW('y', "escaped slash", "[\"\\/\"]", "\x91\xa1/", 0),
    ROW('y', "b f n r t", "[\"\\b\\f\\n\\r\\t\"]", "\x91\xa5\x08\x0c\x0a\x0d\x09", 0),
    ROW('y', "\\u0041", "[\"\\u0041\"]",
        "\x91\xa1"
        "A",
        0),
    ROW('y', "\\u0000 is allowed", "[\"\\u0000\"]", "\x91\xa1\x00", 0),
    ROW('y', "\\u0000 in the middle", "[\"a\\u0000b\"]",
        "\x91\xa3"
        "a\x00"
        "b",
        0),
    ROW('y', "\\u00e9", "[\"\\u00e9\"]", "\x91\xa2\xc3\xa9", 0),
    ROW('y', "\\u20AC both cases", "[\"\\u20aC\\u20Ac\"]", "\x91\xa6\xe2\x82\xac\xe2\x82\xac", 0),
    ROW('y', "surrogate pair", "[\"\\ud83d\\ude00\"]", "\x91\xa4\xf0\x9f\x98\x80", 0),
    ROW('y', "surrogate pair, capitals", "[\"\\uD83D\\uDE00\"]", "\x91\xa4\xf0\x9f\x98\x80", 0),
    ROW('y', "U+10FFFF", "[\"\\uDBFF\\uDFFF\"]", "\x91\xa4\xf4\x8f\xbf\xbf", 0),
    ROW('y', "U+FFFF", "[\"\\uFFFF\"]", "\x91\xa3\xef\xbf\xbf", 0),
    ROW('y', "escape then u", "[\"\\\\u0041\"]", "\x91\xa6\\u0041", 0),
    ROW('y', "two byte", "[\"\xc3\xa9\"]", "\x91\xa2\xc3\xa9", 0),
    ROW('y', "three byte", "[\"\xe2\x82\xac\"]", "\x91\xa3\xe2\x82\xac", 0),
    ROW('y', "four byte", "[\"\xf0\x9f\x98\x80\"]", "\x91\xa4\xf0\x9f\x98\x80", 0),
    ROW('y', "last two byte", "[\"\xdf\xbf\"]", "\x91\xa2\xdf\xbf", 0),
    ROW('y', "last before surrogates", "[\"\xed\x9f\xbf\"]", "\x91\xa3\xed\x9f\xbf", 0),
    ROW('y', "first behind surrogates", "[\"\xee\x80\x80\"]", "\x91\xa3\xee\x80\x80", 0),
    ROW('y', "U+10FFFF itself", "[\"\xf4\x8f\xbf\xbf\"]", "\x91\xa4\xf4\x8f\xbf\xbf", 0),
    ROW('y', "U+FFFE", "[\"\xef\xbf\xbe\"]", "\x91\xa3\xef\xbf\xbe", 0),
    ROW('y', "DEL", "[\"\x7f\"]", "\x91\xa1\x7f", 0),
    ROW('y', "U+2028", "[\"\xe2\x80\xa8\"]", "\x91\xa3\xe2\x80\xa8", 0),
    ROW('y', "noncharacter U+FDD0", "[\"\xef\xb7\x90\"]", "\x91\xa3\xef\xb7\x90", 0),
    ROW('y', "15 bytes", "[\"xxxxxxxxxxxxxxx\"]", "\x91\xafxxxxxxxxxxxxxxx", 0),
    ROW('y', "16 bytes", "[\"xxxxxxxxxxxxxxxx\"]", "\x91\xb0xxxxxxxxxxxxxxxx", 0),
    ROW('y', "17 bytes", "[\"xxxxxxxxxxxxxxxxx\"]", "\x91\xb1xxxxxxxxxxxxxxxxx", 0),
    ROW('y', "31 bytes", "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]", "\x91\xbfxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0),
    ROW('y', "32 bytes", "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]", "\x91\xd9 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0),
    ROW('y', "33 bytes", "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]", "\x91\xd9!xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0),
    ROW('y', "63 bytes", "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]",
        "\x91\xd9\x3fxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0),
    ROW('y', "64 bytes", "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]",
        "\x91\xd9@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0),
    ROW('y', "255 bytes",
        "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]",
        "\x91\xd9\xffxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        0),
    ROW('y', "256 bytes",
        "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]",
        "\x91\xda\x01\x00xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        0),
    ROW('y', "escape at 15", "[\"xxxxxxxxxxxxxxx\\nyyyyyyyyyyyyyyyyyyyy\"]",
        "\x91\xd9$xxxxxxxxxxxxxxx\x0ayyyyyyyyyyyyyyyyyyyy", 0),
    ROW('y', "escape at 16", "[\"xxxxxxxxxxxxxxxx\\nyyyyyyyyyyyyyyyyyyyy\"]",
        "\x91\xd9%xxxxxxxxxxxxxxxx\x0ayyyyyyyyyyyyyyyyyyyy", 0),
    ROW('y', "escape at 31", "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\nyyyyyyyyyyyyyyyyyyyy\"]",
        "\x91\xd9"
        "4xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0ayyyyyyyyyyyyyyyyyyyy",
        0),
    ROW('y', "32 raw, 31 real", "[\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\n\"]", "\x91\xbfxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\x0a",
        0),
    ROW('y', "only escapes",
        "[\"\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\"
        "n\\n\\n\\n\\n\"]",
        "\x91\xd9("
        "\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a"
        "\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a",
        0),
    ROW('y', "two bytes across a block", "[\"xxxxxxxxxxxxxxx\xc3\xa9yyyyyyyyyyyyyyyyyyyy\"]",
        "\x91\xd9%xxxxxxxxxxxxxxx\xc3\xa9yyyyyyyyyyyyyyyyyyyy", 0),
    ROW('y', "cyrillic",
        "[\"\xd1\x81\xd0\xbe\xd0\xb1\xd1\x8b\xd1\x82\xd0\xb8\xd0\xb5 "
        "\xd0\xb7\xd0\xb0\xd0\xbf\xd0\xb8\xd1\x81\xd0\xb0\xd0\xbd\xd0\xbe\"]",
        "\x91\xbf\xd1\x81\xd0\xbe\xd0\xb1\xd1\x8b\xd1\x82\xd0\xb8\xd0\xb5 "
        "\xd0\xb7\xd0\xb0\xd0\xbf\xd0\xb8\xd1\x81\xd0\xb0\xd0\xbd\xd0\xbe",
        0),
    ROW('y', "japanese",
        "{\"\xe3\x82\xa4\xe3\x83\x99\xe3\x83\xb3\xe3\x83\x88\":"
        "\"\xe8\xa8\x98\xe9\x8c\xb2\xe3\x81\x95\xe3\x82\x8c\xe3\x81\x9f\xe5\x87\xba\xe6\x9d\xa5\xe4\xba\x8b\xe3\x81\xae"
        "\xe4\xb8\x80\xe8\xa6\xa7\"}",
        "\x81\xac\xe3\x82\xa4\xe3\x83\x99\xe3\x83\xb3\xe3\x83\x88\xd9!"
        "\xe8\xa8\x98\xe9\x8c\xb2\xe3\x81\x95\xe3\x82\x8c\xe3\x81\x9f\xe5\x87\xba\xe6\x9d\xa5\xe4\xba\x8b\xe3\x81\xae"
        "\xe4\xb8\x80\xe8\xa6\xa7",
        0),
    ROW('y', "15 members", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]",
        "\x9f\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e", 0),
    ROW('y', "16 members", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]",
        "\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 0),
    ROW('y', "17 keys",
        "{\"k0\": 0, \"k1\": 1, \"k2\": 2, \"k3\": 3, \"k4\": 4, \"k5\": 5, \"k6\": 6, \"k7\": 7, \"k8\": 8, \"k9\": "
        "9, \"k10\": 10, \"k11\": 11, \"k12\": 12, \"k13\": 13, \"k14\": 14, \"k15\": 15, \"k16\": 16}",
        "\xde\x00\x11\xa2k0\x00\xa2k1\x01\xa2k2\x02\xa2k3\x03\xa2k4\x04\xa2k5\x05\xa2k6\x06\xa2k7\x07\xa2k8\x08\xa2k9"
        "\x09\xa3k10\x0a\xa3k11\x0b\xa3k12\x0c\xa3k13\x0d\xa3k14\x0e\xa3k15\x0f\xa3k16\x10",
        0),
    ROW('y', "16 in 16",
        "[[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, "
        "15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "
        "14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "
        "13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "
        "12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "
        "11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, "
        "10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, "
        "9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [0, 1, 2, 3, 4, 5, 6, 7, "
        "8, 9, 10, 11, 12, 13, 14, 15]]",
        "\xdc\x00\x10\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01"
        "\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09"
        "\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00"
        "\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06"
        "\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e"
        "\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03"
        "\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
        "\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00"
        "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08"
        "\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc"
        "\x00\x10\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\xdc\x00\x10\x00\x01\x02\x03\x04\x05"
        "\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
        0),
    ROW('y', "16 keys in 16 keys",
        "{\"k0\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, "
        "\"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k1\": {\"j0\": 0, "
        "\"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": "
        "10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k2\": {\"j0\": 0, \"j1\": 1, \"j2\": "
        "2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": 11, "
        "\"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k3\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, "
        "\"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, "
        "\"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k4\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, "
        "\"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, "
        "\"j14\": 14, \"j15\": 15}, \"k5\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": "
        "6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": "
        "15}, \"k6\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": "
        "8, \"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k7\": {\"j0\": "
        "0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, "
        "\"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k8\": {\"j0\": 0, \"j1\": 1, "
        "\"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": "
        "11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k9\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, "
        "\"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, "
        "\"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k10\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, "
        "\"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, "
        "\"j14\": 14, \"j15\": 15}, \"k11\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, "
        "\"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, "
        "\"j15\": 15}, \"k12\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": "
        "7, \"j8\": 8, \"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, "
        "\"k13\": {\"j0\": 0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, "
        "\"j9\": 9, \"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k14\": {\"j0\": "
        "0, \"j1\": 1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, "
        "\"j10\": 10, \"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}, \"k15\": {\"j0\": 0, \"j1\": "
        "1, \"j2\": 2, \"j3\": 3, \"j4\": 4, \"j5\": 5, \"j6\": 6, \"j7\": 7, \"j8\": 8, \"j9\": 9, \"j10\": 10, "
        "\"j11\": 11, \"j12\": 12, \"j13\": 13, \"j14\": 14, \"j15\": 15}}",
        "\xde\x00\x10\xa2k0\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07"
        "\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa2k1\xde\x00\x10\xa2j0"
        "\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j"
        "11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa2k2\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03"
        "\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j1"
        "4\x0e\xa3j15\x0f\xa2k3\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7"
        "\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa2k4\xde\x00\x10"
        "\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10"
        "\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa2k5\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02"
        "\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13"
        "\x0d\xa3j14\x0e\xa3j15\x0f\xa2k6\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6"
        "\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa2k7\xde"
        "\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09"
        "\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa2k8\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2"
        "\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c"
        "\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa2k9\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5"
        "\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f"
        "\xa3k10\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08"
        "\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa3k11\xde\x00\x10\xa2j0\x00\xa2j"
        "1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b"
        "\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa3k12\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4"
        "\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e"
        "\xa3j15\x0f\xa3k13\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07"
        "\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa3k14\xde\x00\x10\xa2j"
        "0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3"
        "j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j14\x0e\xa3j15\x0f\xa3k15\xde\x00\x10\xa2j0\x00\xa2j1\x01\xa2j2\x02\xa2j3\x03"
        "\xa2j4\x04\xa2j5\x05\xa2j6\x06\xa2j7\x07\xa2j8\x08\xa2j9\x09\xa3j10\x0a\xa3j11\x0b\xa3j12\x0c\xa3j13\x0d\xa3j1"
        "4\x0e\xa3j15\x0f",
        0),
    ROW('y', "empty key", "{\"\":0}", "\x81\xa0\x00", 0),
    ROW('y', "key with escape", "{\"a\\nb\":1}",
        "\x81\xa3"
        "a\x0a"
        "b\x01",
        0),
    ROW('y', "long key", "{\"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\":1}",
        "\x81\xd9(kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\x01", 0),
    ROW('y', "same key in two objects", "{\"a\":{\"a\":1},\"b\":{\"a\":2}}",
        "\x82\xa1"
        "a\x81\xa1"
        "a\x01\xa1"
        "b\x81\xa1"
        "a\x02",
        0),
    ROW('y', "keys that share a prefix", "{\"a\":1,\"ab\":2,\"abc\":3,\"b\":4}",
        "\x84\xa1"
        "a\x01\xa2"
        "ab\x02\xa3"
        "abc\x03\xa1"
        "b\x04",
        0),
    ROW('y', "repeated key: the last wins", "{\"a\":1,\"b\":2,\"a\":3}",
        "\x82\xa1"
        "b\x02\xa1"
        "a\x03",
        0),
    ROW('y', "repeated at once", "{\"a\":1,\"a\":2}",
        "\x81\xa1"
        "a\x02",
        0),
    ROW('y', "three times", "{\"a\":1,\"a\":2,\"a\":3}",
        "\x81\xa1"
        "a\x03",
        0),
    ROW('y', "repeated, spelled differently", "{\"a\":1,\"\\u0061\":2}",
        "\x81\xa1"
        "a\x02",
        0),
    ROW('y', "repeated, with a container", "{\"a\":{\"x\":[1,2,3]},\"b\":[],\"a\":[{}]}",
        "\x82\xa1"
        "b\x90\xa1"
        "a\x91\x80",
        0),
    ROW('y', "repeated inside of repeated", "{\"a\":{\"b\":1,\"b\":2},\"a\":{\"c\":1,\"c\":2}}",
        "\x81\xa1"
        "a\x81\xa1"
        "c\x02",
        0),
    ROW('y', "repeated empty key", "{\"\":1,\"\":2}", "\x81\xa0\x02", 0),
    ROW('y', "a and a NUL differ", "{\"a\":1,\"a\\u0000\":2}",
        "\x82\xa1"
        "a\x01\xa2"
        "a\x00\x02",
        0),
    ROW('y', "repeated among 20",
        "{\"k0\":0,\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,\"k9\":9,\"k10\":10,\"k11\":"
        "11,\"k12\":12,\"k13\":13,\"k14\":14,\"k15\":15,\"k16\":16,\"k17\":17,\"k18\":18,\"k19\":19,\"k3\":-1}",
        "\xde\x00\x14\xa2k0\x00\xa2k1\x01\xa2k2\x02\xa2k4\x04\xa2k5\x05\xa2k6\x06\xa2k7\x07\xa2k8\x08\xa2k9\x09\xa3k10"
        "\x0a\xa3k11\x0b\xa3k12\x0c\xa3k13\x0d\xa3k14\x0e\xa3k15\x0f\xa3k16\x10\xa3k17\x11\xa3k18\x12\xa3k19\x13\xa2k3"
        "\xff",
        0),
    ROW('y', "repeated among 100",
        "{\"k0\":0,\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,\"k9\":9,\"k10\":10,\"k11\":"
        "11,\"k12\":12,\"k13\":13,\"k14\":14,\"k15\":15,\"k16\":16,\"k17\":17,\"k18\":18,\"k19\":19,\"k20\":20,\"k21\":"
        "21,\"k22\":22,\"k23\":23,\"k24\":24,\"k25\":25,\"k26\":26,\"k27\":27,\"k28\":28,\"k29\":29,\"k30\":30,\"k31\":"
        "31,\"k32\":32,\"k33\":33,\"k34\":34,\"k35\":35,\"k36\":36,\"k37\":37,\"k38\":38,\"k39\":39,\"k40\":40,\"k41\":"
        "41,\"k42\":42,\"k43\":43,\"k44\":44,\"k45\":45,\"k46\":46,\"k47\":47,\"k48\":48,\"k49\":49,\"k50\":50,\"k51\":"
        "51,\"k52\":52,\"k53\":53,\"k54\":54,\"k55\":55,\"k56\":56,\"k57\":57,\"k58\":58,\"k59\":59,\"k60\":60,\"k61\":"
        "61,\"k62\":62,\"k63\":63,\"k64\":64,\"k65\":65,\"k66\":66,\"k67\":67,\"k68\":68,\"k69\":69,\"k70\":70,\"k71\":"
        "71,\"k72\":72,\"k73\":73,\"k74\":74,\"k75\":75,\"k76\":76,\"k77\":77,\"k78\":78,\"k79\":79,\"k80\":80,\"k81\":"
        "81,\"k82\":82,\"k83\":83,\"k84\":84,\"k85\":85,\"k86\":86,\"k87\":87,\"k88\":88,\"k89\":89,\"k90\":90,\"k91\":"
        "91,\"k92\":92,\"k93\":93,\"k94\":94,\"k95\":95,\"k96\":96,\"k97\":97,\"k98\":98,\"k99\":99,\"k3\":-1,\"k99\":-"
        "2,\"k3\":-3}",
        "\xde\x00"
        "d\xa2k0\x00\xa2k1\x01\xa2k2\x02\xa2k4\x04\xa2k5\x05\xa2k6\x06\xa2k7\x07\xa2k8\x08\xa2k9\x09\xa3k10\x0a\xa3k11"
        "\x0b\xa3k12\x0c\xa3k13\x0d\xa3k14\x0e\xa3k15\x0f\xa3k16\x10\xa3k17\x11\xa3k18\x12\xa3k19\x13\xa3k20\x14\xa3k21"
        "\x15\xa3k22\x16\xa3k23\x17\xa3k24\x18\xa3k25\x19\xa3k26\x1a\xa3k27\x1b\xa3k28\x1c\xa3k29\x1d\xa3k30\x1e\xa3k31"
        "\x1f\xa3k32 "
        "\xa3k33!\xa3k34\"\xa3k35#\xa3k36$\xa3k37%\xa3k38&\xa3k39'\xa3k40(\xa3k41)\xa3k42*\xa3k43+\xa3k44,\xa3k45-"
        "\xa3k46.\xa3k47/"
        "\xa3k480\xa3k491\xa3k502\xa3k513\xa3k524\xa3k535\xa3k546\xa3k557\xa3k568\xa3k579\xa3k58:\xa3k59;\xa3k60<"
        "\xa3k61=\xa3k62>\xa3k63\x3f\xa3k64@"
        "\xa3k65A\xa3k66B\xa3k67C\xa3k68D\xa3k69E\xa3k70F\xa3k71G\xa3k72H\xa3k73I\xa3k74J\xa3k75K\xa3k76L\xa3k77M\xa3k7"
        "8N\xa3k79O\xa3k80P\xa3k81Q\xa3k82R\xa3k83S\xa3k84T\xa3k85U\xa3k86V\xa3k87W\xa3k88X\xa3k89Y\xa3k90Z\xa3k91["
        "\xa3k92\\\xa3k93]\xa3k94^\xa3k95_\xa3k96`\xa3k97a\xa3k98b\xa3k99\xfe\xa2k3\xfd",
        0),
    ROW('y', "a big array after a small",
        "[[1],[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19],[2]]",
        "\x93\x91\x01\xdc\x00\x14\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x91"
        "\x02",
        0),
    ROW('y', "literals", "[null,true,false]", "\x93\xc0\xc3\xc2", 0),
    ROW('y', "string at the end of text", "\"abc\"",
        "\xa3"
        "abc",
        0),
    ROW('y', "15 live of 17",
        "{\"k0\":0,\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5\":5,\"k6\":6,\"k7\":7,\"k8\":8,\"k9\":9,\"k10\":10,\"k11\":"
        "11,\"k12\":12,\"k13\":13,\"k14\":14,\"k1\":-1,\"k2\":-2}",
        "\x8f\xa2k0\x00\xa2k3\x03\xa2k4\x04\xa2k5\x05\xa2k6\x06\xa2k7\x07\xa2k8\x08\xa2k9\x09\xa3k10\x0a\xa3k11\x0b\xa3"
        "k12\x0c\xa3k13\x0d\xa3k14\x0e\xa2k1\xff\xa2k2\xfe",
        0),
    ROW('y', "-0 keeps its sign", "[-0]", "\x91\xcb\x80\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "-0 alone", "-0", "\xcb\x80\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "-0e0", "[-0e0]", "\x91\xcb\x80\x00\x00\x00\x00\x00\x00\x00", 0),
    ROW('y', "byte order mark", "\xef\xbb\xbf{\"a\":1}",
        "\x81\xa1"
        "a\x01",
        0),
    ROW('i', "lone high surrogate", "[\"\\ud800\"]", "\x91\xa3\xef\xbf\xbd", 1),
    ROW('i', "lone low surrogate", "[\"\\udc00\"]", "\x91\xa3\xef\xbf\xbd", 1),
    ROW('i', "high then text", "[\"\\ud800abc\"]",
        "\x91\xa6\xef\xbf\xbd"
        "abc",
        1),
    ROW('i', "high then escape", "[\"\\ud800\\n\"]", "\x91\xa4\xef\xbf\xbd\x0a", 1),
    ROW('i', "high, high", "[\"\\ud800\\ud800\"]", "\x91\xa6\xef\xbf\xbd\xef\xbf\xbd", 2),
    ROW('i', "high, high, low", "[\"\\ud83d\\ud83d\\ude00\"]", "\x91\xa7\xef\xbf\xbd\xf0\x9f\x98\x80", 1),
    ROW('i', "swapped pair", "[\"\\ude00\\ud83d\"]", "\x91\xa6\xef\xbf\xbd\xef\xbf\xbd", 2),
    ROW('i', "high then a letter's escape", "[\"\\ud800\\u0041\"]",
        "\x91\xa4\xef\xbf\xbd"
        "A",
        1),
    ROW('i', "lone continuation", "[\"\x80\"]", "\x91\xa3\xef\xbf\xbd", 1),
    ROW('i', "ff", "[\"\xff\"]", "\x91\xa3\xef\xbf\xbd", 1),
    ROW('i', "overlong slash", "[\"\xc0\xaf\"]", "\x91\xa6\xef\xbf\xbd\xef\xbf\xbd", 2),
    ROW('i', "overlong three", "[\"\xe0\x80\xaf\"]", "\x91\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3),
    ROW('i', "encoded surrogate", "[\"\xed\xa0\x80\"]", "\x91\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3),
    ROW('i', "above U+10FFFF", "[\"\xf4\x90\x80\x80\"]", "\x91\xac\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 4),
    ROW('i', "cut two byte", "[\"\xc3\"]", "\x91\xa3\xef\xbf\xbd", 1),
    ROW('i', "cut three byte", "[\"\xe2\x82\"]", "\x91\xa3\xef\xbf\xbd", 1),
    ROW('i', "cut four byte", "[\"\xf0\x9f\x98\"]", "\x91\xa3\xef\xbf\xbd", 1),
    ROW('i', "cut then text", "[\"\xe2\x82x\"]", "\x91\xa4\xef\xbf\xbdx", 1),
    ROW('i', "latin-1", "[\"caf\xe9 x\"]",
        "\x91\xa8"
        "caf\xef\xbf\xbd x",
        1),
    ROW('i', "bad in a key", "{\"\xff\":1}", "\x81\xa3\xef\xbf\xbd\x01", 1),
    ROW('i', "five byte form", "[\"\xf8\x88\x80\x80\x80\"]",
        "\x91\xaf\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 5),
    ROW('i', "valid then bad", "[\"\xc3\xa9\xff\xc3\xa9\"]", "\x91\xa7\xc3\xa9\xef\xbf\xbd\xc3\xa9", 1),
    ROW('i', "f5", "[\"\xf5\x80\"]", "\x91\xa6\xef\xbf\xbd\xef\xbf\xbd", 2),
    ROW('n', "nothing", "", "", 0),
    ROW('n', "only white space", " \x0a", "", 0),
    ROW('n', "only a byte order mark", "\xef\xbb\xbf", "", 0),
    ROW('n', "half a byte order mark", "\xef\xbb{}", "", 0),
    ROW('n', "two byte order marks",
        "\xef\xbb\xbf\xef\xbb\xbf"
        "1",
        "", 0),
    ROW('n', "utf-16", "\xff\xfe[\x00]\x00", "", 0),
    ROW('n', "NUL", "\x00", "", 0),
    ROW('n', "NUL behind", "[]\x00", "", 0),
    ROW('n', "NUL in string",
        "[\"a\x00"
        "b\"]",
        "", 0),
    ROW('n', "NUL between", "[1,\x00 2]", "", 0),
    ROW('n', "open array", "[", "", 0),
    ROW('n', "open object", "{", "", 0),
    ROW('n', "close array", "]", "", 0),
    ROW('n', "close object", "}", "", 0),
    ROW('n', "closed too often", "[]]", "", 0),
    ROW('n', "wrong close", "[}", "", 0),
    ROW('n', "wrong close of object", "{]", "", 0),
    ROW('n', "wrong close behind a value", "[1}", "", 0),
    ROW('n', "wrong close behind a pair", "{\"a\":1]", "", 0),
    ROW('n', "trailing comma", "[1,]", "", 0),
    ROW('n', "trailing comma in object", "{\"a\":1,}", "", 0),
    ROW('n', "two trailing commas", "[1,,]", "", 0),
    ROW('n', "double comma", "[1,,2]", "", 0),
    ROW('n', "leading comma", "[,1]", "", 0),
    ROW('n', "only a comma", "[,]", "", 0),
    ROW('n', "leading comma in object", "{,\"a\":1}", "", 0),
    ROW('n', "comma alone", ",", "", 0),
    ROW('n', "colon in array", "[1:2]", "", 0),
    ROW('n', "no comma", "[1 2]", "", 0),
    ROW('n', "no comma between strings", "[\"a\" \"b\"]", "", 0),
    ROW('n', "no comma between pairs", "{\"a\":1 \"b\":2}", "", 0),
    ROW('n', "no colon", "{\"a\" 1}", "", 0),
    ROW('n', "no value", "{\"a\":}", "", 0),
    ROW('n', "no key", "{:1}", "", 0),
    ROW('n', "two colons", "{\"a\"::1}", "", 0),
    ROW('n', "comma for colon", "{\"a\",1}", "", 0),
    ROW('n', "colon for comma", "{\"a\":1:\"b\":2}", "", 0),
    ROW('n', "only a key", "{\"a\"}", "", 0),
    ROW('n', "only key and colon", "{\"a\":", "", 0),
    ROW('n', "number as key", "{1:1}", "", 0),
    ROW('n', "bare key", "{a:1}", "", 0),
    ROW('n', "single quotes as key", "{'a':1}", "", 0),
    ROW('n', "null as key", "{null:1}", "", 0),
    ROW('n', "object as key", "{{}:1}", "", 0),
    ROW('n', "unfinished array", "[1", "", 0),
    ROW('n', "unfinished array, comma", "[1,", "", 0),
    ROW('n', "unfinished object", "{\"a\":1", "", 0),
    ROW('n', "unfinished object, comma", "{\"a\":1,", "", 0),
    ROW('n', "unfinished nested", "[[[1]]", "", 0),
    ROW('n', "unfinished string", "\"abc", "", 0),
    ROW('n', "only a quote", "\"", "", 0),
    ROW('n', "unfinished in array", "[\"abc]", "", 0),
    ROW('n', "unfinished, 16 bytes", "\"aaaaaaaaaaaaaaaa", "", 0),
    ROW('n', "unfinished, 40 bytes", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", 0),
    ROW('n', "unfinished escape", "\"abc\\", "", 0),
    ROW('n', "unfinished \\u", "\"\\u00", "", 0),
    ROW('n', "unfinished key", "{\"abc", "", 0),
    ROW('n', "escape x", "[\"\\x00\"]", "", 0),
    ROW('n', "escape a", "[\"\\a\"]", "", 0),
    ROW('n', "escape digit", "[\"\\0\"]", "", 0),
    ROW('n', "escape single quote", "[\"\\'\"]", "", 0),
    ROW('n', "escape blank", "[\"\\ \"]", "", 0),
    ROW('n', "escape newline", "[\"\\\x0a\"]", "", 0),
    ROW('n', "escape beyond ASCII", "[\"\\\xc3\xa9\"]", "", 0),
    ROW('n', "capital U", "[\"\\U0041\"]", "", 0),
    ROW('n', "three hex", "[\"\\u004\"]", "", 0),
    ROW('n', "hex with g", "[\"\\u00g0\"]", "", 0),
    ROW('n', "hex with quote", "[\"\\u00\"]", "", 0),
    ROW('n', "hex with blank", "[\"\\u 041\"]", "", 0),
    ROW('n', "hex with sign", "[\"\\u+041\"]", "", 0),
    ROW('n', "bad second half", "[\"\\ud83d\\u12\"]", "", 0),
    ROW('n', "tab in string", "[\"\x09\"]", "", 0),
    ROW('n', "newline in string", "[\"\x0a\"]", "", 0),
    ROW('n', "1f in string", "[\"\x1f\"]", "", 0),
    ROW('n', "newline at 20",
        "[\"aaaaaaaaaaaaaaaaaaaa\x0a"
        "aaaaaaaaaaaaaaaaaaaa\"]",
        "", 0),
    ROW('n', "single quotes", "['a']", "", 0),
    ROW('n', "newline in key",
        "{\"a\x0a"
        "b\":1}",
        "", 0),
    ROW('n', "plus", "[+1]", "", 0),
    ROW('n', "minus alone", "[-]", "", 0),
    ROW('n', "minus, minus", "[--1]", "", 0),
    ROW('n', "minus blank", "[- 1]", "", 0),
    ROW('n', "minus letter", "[-a]", "", 0),
    ROW('n', "leading zero", "[01]", "", 0),
    ROW('n', "leading zeros", "[00]", "", 0),
    ROW('n', "minus leading zero", "[-01]", "", 0),
    ROW('n', "leading zero with fraction", "[01.5]", "", 0),
    ROW('n', "minus leading zero with fraction", "[-012.5]", "", 0),
    ROW('n', "point alone", "[.]", "", 0),
    ROW('n', "point first", "[.5]", "", 0),
    ROW('n', "minus point", "[-.5]", "", 0),
    ROW('n', "point last", "[1.]", "", 0),
    ROW('n', "point then e", "[1.e1]", "", 0),
    ROW('n', "two points", "[1.2.3]", "", 0),
    ROW('n', "e alone", "[e1]", "", 0),
    ROW('n', "e last", "[1e]", "", 0),
    ROW('n', "e plus", "[1e+]", "", 0),
    ROW('n', "e minus", "[1e-]", "", 0),
    ROW('n', "e sign sign", "[1e+-2]", "", 0),
    ROW('n', "e fraction", "[1e1.5]", "", 0),
    ROW('n', "two e", "[1e2e3]", "", 0),
    ROW('n', "0e", "[0e]", "", 0),
    ROW('n', "0.e1", "[0.e1]", "", 0),
    ROW('n', "0e+", "[0e+]", "", 0),
    ROW('n', "hex", "[0x42]", "", 0),
    ROW('n', "hex float", "[0x1p3]", "", 0),
    ROW('n', "octal", "[0o7]", "", 0),
    ROW('n', "underscore", "[1_000]", "", 0),
    ROW('n', "blank inside", "[1 000]", "", 0),
    ROW('n', "comma inside", "[1,000.5.1]", "", 0),
    ROW('n', "NaN", "[NaN]", "", 0),
    ROW('n', "nan", "[nan]", "", 0),
    ROW('n', "Infinity", "[Infinity]", "", 0),
    ROW('n', "-Infinity", "[-Infinity]", "", 0),
    ROW('n', "inf", "[inf]", "", 0),
    ROW('n', "1a", "[1a]", "", 0),
    ROW('n', "1.5x", "[1.5x]", "", 0),
    ROW('n', "full width digit", "[\xef\xbc\x91]", "", 0),
    ROW('n', "-foo", "[-foo]", "", 0),
    ROW('n', "1 then minus", "[1-2]", "", 0),
    ROW('n', "expression", "[1+2]", "", 0),
    ROW('n', "1e400", "[1e400]", "", 0),
    ROW('n', "-1e400", "[-1e400]", "", 0),
    ROW('n', "1e309", "[1e309]", "", 0),
    ROW('n', "1e99999999999999999999", "[1e99999999999999999999]", "", 0),
    ROW('n', "400 digits",
        "[1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000000000000000000000000000000000000000000000000000000000000000000000000]",
        "", 0),
    ROW('n', "halfway above max", "[1.797693134862315808e308]", "", 0),
    ROW('n', "1.8e308", "[1.8e308]", "", 0),
    ROW('n', "minus alone, end", "-", "", 0),
    ROW('n', "1. end", "1.", "", 0),
    ROW('n', "1e end", "1e", "", 0),
    ROW('n', "1e+ end", "1e+", "", 0),
    ROW('n', "True", "[True]", "", 0),
    ROW('n', "TRUE", "[TRUE]", "", 0),
    ROW('n', "tru", "[tru]", "", 0),
    ROW('n', "tru end", "tru", "", 0),
    ROW('n', "nul end", "nul", "", 0),
    ROW('n', "fals end", "fals", "", 0),
    ROW('n', "nil", "[nil]", "", 0),
    ROW('n', "truex", "truex", "", 0),
    ROW('n', "nullnull", "nullnull", "", 0),
    ROW('n', "undefined", "[undefined]", "", 0),
    ROW('n', "None", "[None]", "", 0),
    ROW('n', "two values", "1 2", "", 0),
    ROW('n', "two objects", "{}{}", "", 0),
    ROW('n', "value then comma", "1,", "", 0),
    ROW('n', "value then text", "{\"a\":1} x", "", 0),
    ROW('n', "comment", "[1]/* c */", "", 0),
    ROW('n', "comment inside", "[1,/* c */2]", "", 0),
    ROW('n', "line comment", "[1]//c", "", 0),
    ROW('n', "hash comment", "[1]#c", "", 0),
    ROW('n', "comment first", "/**/1", "", 0),
    ROW('n', "star", "*", "", 0),
    ROW('n', "backslash", "\\", "", 0),
    ROW('n', "form feed",
        "[\x0c"
        "1]",
        "", 0),
    ROW('n', "vertical tab",
        "[\x0b"
        "1]",
        "", 0),
    ROW('n', "no-break space",
        "[\xc2\xa0"
        "1]",
        "", 0),
    ROW('n', "U+2060",
        "[\xe2\x81\xa0"
        "1]",
        "", 0),
    ROW('n', "U+2028 between",
        "[1,\xe2\x80\xa8"
        "2]",
        "", 0),
    ROW('n', "byte order mark inside",
        "[\xef\xbb\xbf"
        "1]",
        "", 0),
    ROW('n', "bare e acute", "[\xc3\xa9]", "", 0),
    ROW('n', "ff between", "[1,\xff]", "", 0),
    ROW('n', "semicolon", "{\"a\":1;\"b\":2}", "", 0),
    ROW('n', "equals", "{\"a\"=1}", "", 0),
    ROW('n', "angle bracket", "<.>", "", 0),
    ROW('n', "paren", "(1)", "", 0),
    ROW('n', "backquote", "[`a`]", "", 0),
    ROW('n', "string then colon", "\"a\":1", "", 0),
    ROW('n', "unopened array", "1]", "", 0),
    ROW('n', "unopened object", "\"a\":1}", "", 0),
    ROW('n', "quote behind", "[\"a\"b\"]", "", 0),
    ROW('n', "key cut by the end", "{\"a", "", 0),
    ROW('n', "array in the place of a key", "{[]:1}", "", 0),
};

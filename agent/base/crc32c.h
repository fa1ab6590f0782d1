/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): the processor's instruction where it has one, else tables. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Extends `crc` (0 to start) over n bytes; crc32c(crc32c(0, a), b) is the checksum of a followed by b. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n); /* for the test that compares both */

/* CRC-32 (IEEE 802.3, as zlib has it), bit by bit: small, and fast enough for a self-test. */
#ifndef BW_CRC32_H
#define BW_CRC32_H

#include "requantise.h"

BW_INLINE uint32_t bw_crc32(uint32_t crc, const void *data, size_t size) {
    const uint8_t *bytes = (const uint8_t *)data;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1u) ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
        }
    }
    return ~crc;
}

#endif

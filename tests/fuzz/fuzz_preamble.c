/*
 * tests/fuzz/fuzz_preamble.c - whatever bytes: reading them piece by piece
 * never changes its mind, and what is whole is what would be written.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/address.h"
#include "ledger/preamble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum preamble_reading before = PREAMBLE_MORE, reading;
    uint8_t again[PREAMBLE_SIZE_MAX];
    struct preamble preamble;
    struct address address;

    if (address_parse(bytes_of(data, size), &address))
        demand(strlen(address.host) + strlen(address.port) < size &&
               address.port_number >= 1);
    for (size_t i = 0; i <= size && i <= PREAMBLE_SIZE_MAX + 1; i++) {
        /* On the heap, so that a sanitizer sees who reads on. */
        uint8_t *copy = malloc(i > 0 ? i : 1);

        demand(copy != NULL);
        memcpy(copy, data, i);
        reading = preamble_decode(bytes_of(copy, i), &preamble);
        free(copy);
        demand(before == PREAMBLE_MORE || reading == PREAMBLE_FOREIGN);
        demand(reading != PREAMBLE_MORE || i < PREAMBLE_SIZE_MAX);
        if (reading == PREAMBLE_WHOLE) {
            demand(preamble_encode(&preamble, again) == i);
            demand(memcmp(again, data, i) == 0);
        }
        before = reading;
    }
    return 0;
}

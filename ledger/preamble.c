#include "ledger/preamble.h"

#include <assert.h>

#include "common/encoding.h"
#include "ledger/address.h"

static const char magic[] = "anchraft";

enum {
    AT_VERSION = sizeof magic - 1,
    AT_ID = AT_VERSION + 1,
    AT_SIZE = AT_ID + 8,
    AT_ADDRESS = AT_SIZE + 2
};
_Static_assert(AT_ADDRESS == PREAMBLE_HEAD_SIZE, "see preamble.h");
_Static_assert(ADDRESS_MAX <= UINT16_MAX, "its size has two bytes");

size_t preamble_encode(const struct preamble *preamble,
                       uint8_t out[PREAMBLE_SIZE_MAX])
{
    struct bytes text = bytes_of_string(preamble->address);
    struct address address;

    assert(preamble->id > 0 && address_parse(text, &address));
    memcpy(out, magic, AT_VERSION);
    out[AT_VERSION] = PREAMBLE_VERSION;
    put_be64(out + AT_ID, preamble->id);
    out[AT_SIZE] = (uint8_t)(text.size >> 8);
    out[AT_SIZE + 1] = (uint8_t)text.size;
    memcpy(out + AT_ADDRESS, text.data, text.size);
    return AT_ADDRESS + text.size;
}

enum preamble_reading preamble_decode(struct bytes data,
                                      struct preamble *preamble)
{
    size_t known = data.size < AT_VERSION ? data.size : AT_VERSION, size;
    struct address address;

    /* Refused at the first byte that is wrong: no stranger is waited for. */
    if (known > 0 && memcmp(data.data, magic, known) != 0)
        return PREAMBLE_FOREIGN;
    if (data.size > AT_VERSION && data.data[AT_VERSION] != PREAMBLE_VERSION)
        return PREAMBLE_FOREIGN;
    if (data.size < AT_ADDRESS)
        return PREAMBLE_MORE;
    preamble->id = get_be64(data.data + AT_ID);
    size = (size_t)data.data[AT_SIZE] << 8 | data.data[AT_SIZE + 1];
    if (preamble->id == 0 || size == 0 || size > ADDRESS_MAX ||
        data.size > AT_ADDRESS + size)
        return PREAMBLE_FOREIGN;
    if (data.size < AT_ADDRESS + size)
        return PREAMBLE_MORE;
    if (!address_parse(bytes_of(data.data + AT_ADDRESS, size), &address))
        return PREAMBLE_FOREIGN;
    memcpy(preamble->address, data.data + AT_ADDRESS, size);
    preamble->address[size] = '\0';
    return PREAMBLE_WHOLE;
}

#include "common/utf8.h"

#include <stdint.h>
#include <string.h>

/* The rows of RFC 3629, section 4: how long a character is that begins with
 * this byte, and where its second byte must lie.  Length 0: nothing begins
 * so. */
struct lead {
    size_t length;
    uint8_t second_min;
    uint8_t second_max;
};

static struct lead lead_of(uint8_t byte)
{
    if (byte < 0x80)
        return (struct lead){1, 0, 0};
    if (byte < 0xc2) /* a continuation, or an overlong form of ASCII */
        return (struct lead){0, 0, 0};
    if (byte < 0xe0)
        return (struct lead){2, 0x80, 0xbf};
    if (byte == 0xe0) /* below A0: overlong */
        return (struct lead){3, 0xa0, 0xbf};
    if (byte == 0xed) /* above 9F: surrogates */
        return (struct lead){3, 0x80, 0x9f};
    if (byte < 0xf0)
        return (struct lead){3, 0x80, 0xbf};
    if (byte == 0xf0) /* below 90: overlong */
        return (struct lead){4, 0x90, 0xbf};
    if (byte < 0xf4)
        return (struct lead){4, 0x80, 0xbf};
    if (byte == 0xf4) /* above 8F: beyond U+10FFFF */
        return (struct lead){4, 0x80, 0x8f};
    return (struct lead){0, 0, 0};
}

/* Length of the character at the front of `size` bytes, 0 if there is none;
 * *cut as in utf8_prefix. */
static size_t character_length(const uint8_t *data, size_t size, bool *cut)
{
    struct lead lead = lead_of(data[0]);

    for (size_t i = 1; i < lead.length; i++) {
        uint8_t min = i == 1 ? lead.second_min : 0x80;
        uint8_t max = i == 1 ? lead.second_max : 0xbf;

        if (i == size) {
            *cut = true;
            return 0;
        }
        if (data[i] < min || data[i] > max)
            return 0;
    }
    return lead.length;
}

size_t utf8_prefix(struct bytes text, bool *cut)
{
    size_t at = 0;

    *cut = false;
    while (at < text.size) {
        uint64_t eight;
        size_t length;

        /* ASCII is the rule even in texts of other scripts: tables have
         * numbers and delimiters. */
        if (text.size - at >= sizeof eight) {
            memcpy(&eight, text.data + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        length = character_length(text.data + at, text.size - at, cut);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

#include "ledger/address.h"

/* Of a DNS name or of an IPv4 address; locales have no say. */
static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

static bool is_ipv6_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
           (c >= '0' && c <= '9') || c == '.' || c == ':';
}

static bool copy_host(struct bytes host, bool (*is_allowed)(uint8_t),
                      struct address *address)
{
    if (host.size == 0 || host.size > ADDRESS_HOST_MAX)
        return false;
    for (size_t i = 0; i < host.size; i++)
        if (!is_allowed(host.data[i]))
            return false;
    memcpy(address->host, host.data, host.size);
    address->host[host.size] = '\0';
    return true;
}

static bool copy_port(struct bytes port, struct address *address)
{
    int number = 0;

    if (port.size == 0 || port.size >= sizeof address->port ||
        port.data[0] == '0')
        return false;
    for (size_t i = 0; i < port.size; i++) {
        if (port.data[i] < '0' || port.data[i] > '9')
            return false;
        number = number * 10 + (port.data[i] - '0');
    }
    memcpy(address->port, port.data, port.size);
    address->port[port.size] = '\0';
    address->port_number = number;
    return number <= 65535;
}

bool address_parse(struct bytes text, struct address *address)
{
    size_t colon = text.size;
    struct bytes host;

    if (text.size == 0 || text.size > ADDRESS_MAX)
        return false;
    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    host = bytes_of(text.data, colon - 1);
    if (!copy_port(bytes_of(text.data + colon, text.size - colon), address))
        return false;
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        return copy_host(bytes_of(host.data + 1, host.size - 2), is_ipv6_byte,
                         address);
    return copy_host(host, is_name_byte, address);
}

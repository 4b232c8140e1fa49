#include "common/bus_internal.h"
#include "common/clock.h"

enum status bus_greeting_make(struct bus *bus, struct message *greeting,
                              struct curve_binding *binding, struct text *pem,
                              uint8_t signature[SIGNATURE_SIZE_MAX],
                              struct error *err)
{
    bool is_welcome = binding->by_listener;
    size_t size = 0;
    enum status status;

    binding->expiry_ms = clock_now_ms() + BUS_GREETING_MS;
    status = certificate_append_pem(bus->settings.certificate, pem, err);
    if (status == OK)
        status = curve_binding_sign(binding, bus->settings.key, signature,
                                    &size, err);
    if (status != OK)
        return error_wrap(err, "greeting");
    message_set_bytes(greeting,
                      is_welcome ? WELCOME_CERTIFICATE : HELLO_CERTIFICATE,
                      text_bytes(pem));
    message_set_number(greeting, is_welcome ? WELCOME_EXPIRY : HELLO_EXPIRY,
                       binding->expiry_ms);
    message_set_bytes(greeting,
                      is_welcome ? WELCOME_SIGNATURE : HELLO_SIGNATURE,
                      bytes_of(signature, size));
    return OK;
}

enum status bus_greeting_check(struct bus *bus, const struct message *greeting,
                               struct curve_binding *binding,
                               const char *service,
                               struct certificate **certificate,
                               struct error *err)
{
    bool is_welcome = binding->by_listener;
    uint64_t now = clock_now_ms();
    int64_t not_before, not_after;
    enum status status;

    binding->expiry_ms =
        message_number(greeting, is_welcome ? WELCOME_EXPIRY : HELLO_EXPIRY);
    if (binding->expiry_ms <= now ||
        binding->expiry_ms > now + BUS_GREETING_MS + BUS_CLOCK_SKEW_MS)
        return error_set(err, E_REFUSED,
                         "%s: expires at a time that is past or too far away: "
                         "do both clocks agree?",
                         message_name(greeting->type));
    status = certificate_parse_pem(
        certificate,
        message_bytes(greeting,
                      is_welcome ? WELCOME_CERTIFICATE : HELLO_CERTIFICATE),
        err);
    if (status == OK)
        status = curve_binding_verify(
            binding, certificate_key(*certificate),
            message_bytes(greeting,
                          is_welcome ? WELCOME_SIGNATURE : HELLO_SIGNATURE),
            err);
    if (status == OK)
        status = bus->settings.admit(*certificate, service,
                                     bus->settings.context, err);
    if (status != OK) {
        certificate_destroy(certificate);
        return error_wrap(err, "%s", message_name(greeting->type));
    }
    certificate_validity(*certificate, &not_before, &not_after);
    if (not_after < (int64_t)binding->expiry_ms)
        binding->expiry_ms = not_after < 0 ? 0 : (uint64_t)not_after;
    return OK;
}

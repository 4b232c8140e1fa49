/*
 * tests/fuzz/fuzz_endorsement.c - whatever text: a policy that is accepted is
 * met by more signers if it is met by fewer; what is refused has its column.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/endorsement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* Every role in two organisations, one signer more each time. */
static void check_monotone(const struct endorsement *endorsement)
{
    static struct certificate_subject subject[2 * IDENTITY_ROLE_COUNT];
    const struct certificate_subject *signer[2 * IDENTITY_ROLE_COUNT];
    bool before = false;

    for (size_t i = 0; i < 2 * (size_t)IDENTITY_ROLE_COUNT; i++) {
        bool met;

        snprintf(subject[i].organisation, sizeof subject[i].organisation, "%s",
                 i % 2 == 0 ? "north" : "south");
        subject[i].role = (enum identity_role)(i / 2);
        signer[i] = &subject[i];
        met = endorsement_met(endorsement, signer, i + 1);
        demand(met || !before);
        before = met;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "endorsement policy: column ";
    struct endorsement *endorsement = NULL;
    struct error err;

    error_init(&err);
    if (endorsement_parse(&endorsement, bytes_of(data, size), &err) == OK) {
        demand(endorsement != NULL && err.text[0] == '\0');
        check_monotone(endorsement);
    } else {
        demand(endorsement == NULL && err.status == E_INPUT);
        demand(strncmp(err.text, head, sizeof head - 1) == 0);
    }
    endorsement_destroy(&endorsement);
    return 0;
}

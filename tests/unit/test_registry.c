#include "ledger/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/federation.h"
#include "tests/lib/scratch.h"
#include "tests/lib/suite.h"

void suite_registry(void);

static struct scratch scratch;
static struct network network;
static struct network_node node;
static struct registry *registry;
static struct network_identity person;
static struct error err;

static void begin(void)
{
    error_init(&err);
    scratch_open(&scratch);
    network_open(&network);
    network_node_open(&node, &network, scratch_path(&scratch, "state.db"), 0);
    network_person_make(
        &person, &network,
        (struct network_person){.role = IDENTITY_DOCTOR, .name = "newcomer"});
    CU_ASSERT_EQUAL_FATAL(
        registry_create(&registry, network.genesis, node.store, &err), OK);
}

static void end(void)
{
    registry_destroy(&registry);
    CU_ASSERT_PTR_NULL(registry);
    network_person_clear(&person);
    network_node_close(&node);
    network_close(&network);
    scratch_close(&scratch);
}

static const struct registered *find(const struct network_identity *identity)
{
    const struct registered *found = NULL;

    CU_ASSERT_EQUAL(registry_find(registry,
                                  certificate_id(identity->certificate), &found,
                                  &err),
                    OK);
    return found;
}

static void members_count_from_the_beginning(void)
{
    begin();
    for (unsigned role = 0; role < IDENTITY_ROLE_COUNT; role++)
        for (unsigned i = 0; i < NETWORK_ORGANISATIONS; i++) {
            const struct network_identity *member =
                network_who(&network, (enum network_organisation)i,
                            (enum identity_role)role);
            const struct registered *found = find(member);

            CU_ASSERT_PTR_NOT_NULL_FATAL(found);
            CU_ASSERT_FALSE(found->revoked);
            CU_ASSERT_EQUAL(found->validity.from_ms,
                            NETWORK_TIME - NETWORK_DAY);
            CU_ASSERT_PTR_EQUAL(found, find(member));
        }
    CU_ASSERT_PTR_NULL(find(&person));
    end();
}

static void enrolled_and_revoked_ones_survive_a_reset(void)
{
    const struct registered *found;

    begin();
    CU_ASSERT_EQUAL(registry_enrol(registry, person.certificate, 4, &err), OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(find(&person));
    CU_ASSERT_EQUAL(
        registry_revoke(registry, certificate_id(person.certificate), 7, &err),
        OK);
    for (int i = 0; i < 2; i++) {
        found = find(&person);
        CU_ASSERT_PTR_NOT_NULL_FATAL(found);
        CU_ASSERT(found->revoked);
        CU_ASSERT_EQUAL(found->revoked_at, 7);
        registry_reset(registry);
        registry_trim(registry);
    }
    end();
}

static void rolled_back_ones_are_forgotten(void)
{
    begin();
    CU_ASSERT_EQUAL(ledger_store_begin(node.store, &err), OK);
    CU_ASSERT_EQUAL(registry_enrol(registry, person.certificate, 4, &err), OK);
    CU_ASSERT_PTR_NOT_NULL(find(&person));
    ledger_store_rollback(node.store);
    registry_reset(registry);
    CU_ASSERT_PTR_NULL(find(&person));
    end();
}

static void expect_altered(struct bytes value)
{
    const struct registered *found = NULL;
    const char *id = certificate_id(person.certificate);
    char key[64];

    snprintf(key, sizeof key, "certificate/%s", id);
    CU_ASSERT_EQUAL(ledger_store_put(node.store, key, value, 1, &err), OK);
    CU_ASSERT_EQUAL(registry_find(registry, id, &found, &err), E_INPUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the database was altered"));
    CU_ASSERT_PTR_NULL(found);
}

static void altered_state_is_refused(void)
{
    struct text value;
    struct bytes der;

    begin();
    text_init(&value);
    expect_altered(bytes_of(NULL, 0));
    expect_altered(bytes_of("\1", 1));
    expect_altered(bytes_of("\1\60\0", 3));
    der = certificate_der(person.certificate);
    CU_ASSERT_EQUAL(text_append(&value, "\2", 1, &err), OK);
    CU_ASSERT_EQUAL(text_append(&value, der.data, der.size, &err), OK);
    expect_altered(text_bytes(&value)); /* neither enrolled nor revoked */
    value.data[0] = 1;
    value.data[value.size - 1] ^= 1;
    expect_altered(text_bytes(&value)); /* its signature */
    text_reset(&value);
    der = certificate_der(
        network_who(&network, NORTH, IDENTITY_NURSE)->certificate);
    CU_ASSERT_EQUAL(text_append(&value, "\1", 1, &err), OK);
    CU_ASSERT_EQUAL(text_append(&value, der.data, der.size, &err), OK);
    expect_altered(text_bytes(&value)); /* somebody else's */
    text_clear(&value);
    end();
}

void suite_registry(void)
{
    static const struct test tests[] = {
        {"members count from the beginning", members_count_from_the_beginning},
        {"enrolled and revoked ones survive a reset",
         enrolled_and_revoked_ones_survive_a_reset},
        {"rolled back ones are forgotten", rolled_back_ones_are_forgotten},
        {"altered state is refused", altered_state_is_refused},
    };

    suite_add("registry", tests, sizeof tests / sizeof tests[0]);
}

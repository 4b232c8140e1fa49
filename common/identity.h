/*
 * common/identity.h - who somebody is: X.509 certificates with an organisation
 * and a role.
 *
 *     root CA  ->  intermediate CA of an organisation  ->  certificate
 *
 * The holder makes the key and a certificate request (PKCS #10); the
 * intermediate signs it with subject and role as its own policy says, never as
 * the request asks, and only for its own organisation.
 *
 * A certificate is X.509 version 3 of this profile, and anything else is
 * refused:
 *
 *     subject           O = organisation, OU = role, CN = name, each once and
 *                       UTF8String; an authority has no OU
 *     key, signature    ECDSA P-256, SHA-256; the signature in its one spelling
 *                       (common/sign.h)
 *     basicConstraints  critical; root: CA, path length 1; intermediate: CA,
 *                       path length 0; others: no CA
 *     keyUsage          critical; authorities: keyCertSign and cRLSign; others:
 *                       digitalSignature
 *     extendedKeyUsage  others: serverAuth, clientAuth (nodes speak TLS)
 *     serial number     ours are 128 random bits
 *
 * Further extensions are passed over unless critical: those are refused.
 *
 * Whether a certificate counts at a given size of the log (enrolled, not
 * revoked) is for the ledger to say (ledger/rules.h); this file knows chains,
 * dates and names.
 */
#ifndef COMMON_IDENTITY_H
#define COMMON_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"
#include "common/sign.h"
#include "common/text.h"

/* Roles: name, enumerator. */
#define ROLE_TABLE(X)                                                          \
    X("patient", PATIENT)                                                      \
    X("doctor", DOCTOR)                                                        \
    X("nurse", NURSE)                                                          \
    X("pharmacist", PHARMACIST)                                                \
    X("dietitian", DIETITIAN)                                                  \
    X("radiographer", RADIOGRAPHER)                                            \
    X("hospital-manager", HOSPITAL_MANAGER)                                    \
    X("custodian", CUSTODIAN)                                                  \
    X("privacy-officer", PRIVACY_OFFICER)                                      \
    X("research-institute", RESEARCH_INSTITUTE)                                \
    X("insurer", INSURER)                                                      \
    X("governor", GOVERNOR)                                                    \
    X("auditor", AUDITOR)                                                      \
    X("broker", BROKER)                                                        \
    X("anonymizer", ANONYMIZER)                                                \
    X("node", NODE)                                                            \
    X("witness", WITNESS)

enum identity_role {
#define ROLE_ENUM(name, id) IDENTITY_##id,
    ROLE_TABLE(ROLE_ENUM)
#undef ROLE_ENUM
        IDENTITY_ROLE_COUNT
};

const char *identity_role_name(enum identity_role role);
MUST_USE bool identity_role_parse(struct bytes name, enum identity_role *role);

/* Letters, digits, dot, dash and underscore, a letter or digit first (a name
 * is no hidden file and no option); 1 to 64 bytes. */
#define IDENTITY_NAME_MAX 64
bool identity_name_valid(struct bytes name);

/* First 32 hex digits of SHA-256 of the certificate's DER. */
#define CERTIFICATE_ID_SIZE 33

struct certificate; /* decoded; immutable, shared by threads */

struct certificate_subject {
    char organisation[IDENTITY_NAME_MAX + 1];
    char name[IDENTITY_NAME_MAX + 1];
    enum identity_role role; /* meaningless for a CA */
    bool is_authority;
};

/* One certificate and nothing else: E_INPUT or E_LIMIT with the reason if it is
 * not of the profile.  Signatures are for certificate_check_chain. */
MUST_USE enum status certificate_decode(struct certificate **certificate,
                                        struct bytes der, struct error *err);
MUST_USE enum status certificate_load(struct certificate **certificate,
                                      const char *pem_path, struct error *err);
MUST_USE enum status certificate_parse_pem(struct certificate **certificate,
                                           struct bytes pem, struct error *err);
void certificate_destroy(struct certificate **certificate);

const struct certificate_subject *
certificate_subject(const struct certificate *certificate);
const struct certificate_subject *
certificate_issuer(const struct certificate *certificate);
const char *certificate_id(const struct certificate *certificate);
const struct public_key *certificate_key(const struct certificate *certificate);
struct bytes certificate_der(const struct certificate *certificate);
/* Unix milliseconds, first and last; a certificate counts in seconds, and the
 * last second belongs to it. */
void certificate_validity(const struct certificate *certificate,
                          int64_t *not_before_ms, int64_t *not_after_ms);
MUST_USE enum status
certificate_append_pem(const struct certificate *certificate, struct text *out,
                       struct error *err);

/* Is `certificate` signed by `intermediate`, that by `root`, each an authority
 * that may, of one organisation (the root has its own), and all valid at
 * `time_ms`?  E_REFUSED with the reason if not. */
MUST_USE enum status
certificate_check_chain(const struct certificate *certificate,
                        const struct certificate *intermediate,
                        const struct certificate *root, int64_t time_ms,
                        struct error *err);

/* ---- for authorities ---- */

struct certificate_terms {
    const struct certificate_subject *subject;
    int64_t not_before_ms, not_after_ms;
};

/* Self-signed; the subject is an authority.  E_INPUT for names, times or keys
 * that no certificate can have. */
MUST_USE enum status certificate_create_root(
    struct certificate **certificate, const struct private_key *key,
    const struct certificate_terms *terms, struct error *err);
/* `issuer` signs for `key`: a root for authorities, an intermediate for others
 * of its organisation, neither beyond its own end.  E_REFUSED if it must not,
 * E_INPUT as above or if `issuer_key` is not the issuer's. */
MUST_USE enum status certificate_issue(struct certificate **certificate,
                                       const struct public_key *key,
                                       const struct certificate_terms *terms,
                                       const struct certificate *issuer,
                                       const struct private_key *issuer_key,
                                       struct error *err);

/* A PKCS #10 request in PEM, appended to `out`: proves that the asker has the
 * key.  E_INPUT if the key is not P-256 or a name cannot be. */
MUST_USE enum status request_create(const struct private_key *key,
                                    const struct certificate_subject *subject,
                                    struct text *out, struct error *err);
/* The key and the subject asked for; what else is asked for is passed over.
 * E_INPUT if it is no request of this kind, E_REFUSED if its signature does not
 * hold: who asks has not shown to have the key. */
MUST_USE enum status request_open(struct bytes pem, struct public_key **key,
                                  struct certificate_subject *subject,
                                  struct error *err);

#endif

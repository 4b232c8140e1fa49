/*
 * anonymizer/attestation_internal.h - the parts of which a certificate's module
 * is put together.
 *
 *     attestation.c             the certificate as a whole: written and read
 *     attestation_statement.c   terms, permit and release statements
 *     attestation_verify.c      the chain, by a trust file
 *     attestation_recount.c     the file
 */
#ifndef ANONYMIZER_ATTESTATION_INTERNAL_H
#define ANONYMIZER_ATTESTATION_INTERNAL_H

#include "anonymizer/attestation.h"
#include "common/json_keys.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* So long may a permit be good; docs/protocol.md. */
#define PERMIT_LASTS_MS UINT64_C(86400000)

/* Lower-case hex of as many digits as key->size has room for, into a
 * char[size] at the offset. */
json_take attestation_take_hex;

/* Read the three statements, each in RFC 8785 form and of its kind. */
MUST_USE enum status attestation_read_statements(struct attestation *made,
                                                 struct error *err);

/* E_NO: "<name of the check>: <words>". */
MUST_USE enum status attestation_no(struct attestation_findings *findings,
                                    enum attestation_check check,
                                    struct error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* An error of another module about evidence, "<name of the check>: <where>: "
 * before it.  What is wrong with the evidence makes the answer no, what is
 * wrong with us does not. */
MUST_USE enum status attestation_doubt(struct attestation_findings *findings,
                                       enum attestation_check check,
                                       const char *where, struct error *err);

#endif

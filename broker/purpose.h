/*
 * broker/purpose.h - what data are wanted for, and what a patient allows.
 *
 * A request names purposes as codes of the GA4GH Data Use Ontology (DUO), a
 * consent as FHIR codings: DUO codes, or HRESCH of HL7's v3 ActReason.  Each
 * known code is one purpose, and a list of purposes is a set.
 *
 *     use           what the data may be used for: general research, ...
 *     restriction   on what terms: not for profit, publication, ...
 *     class         a heading of the ontology, never said of data
 *
 * Matching is asymmetric.  A rule that permits must cover everything that is
 * asked; a rule that denies needs to touch it only; and what cannot be decided
 * is no match in a permit and a match in a denial.
 *
 *     in the rule          permits                     denies
 *     HRESCH               every use in research, and  every request
 *                          restrictions
 *     use                  the equal code              the equal code, and each
 *                                                      use that it may overlap
 *     restriction          the equal code; besides,    every request
 *                          the request must name it
 *     another ActReason    nothing                     every request
 *     any other coding     nothing, nor do the others  every request
 *                          of its rule: it may be a
 *                          restriction
 *
 * Clinical care is no research: HRESCH does not permit it.  It and DUO's
 * parameters that a coding cannot hold (which disease, which country, how many
 * months) are told in docs/formats.md.
 *
 * Elsewhere: rules and how they nest (broker/consent.h), what follows from them
 * (broker/decision.h).
 */
#ifndef BROKER_PURPOSE_H
#define BROKER_PURPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

#define PURPOSE_DUO_SYSTEM "http://purl.obolibrary.org/obo/duo.owl"
#define PURPOSE_REASON_SYSTEM                                                  \
    "http://terminology.hl7.org/CodeSystem/v3-ActReason"

/* All of DUO: number, kind, name. */
#define PURPOSE_TABLE(X)                                                       \
    X(0000001, CLASS, "data use permission")                                   \
    X(0000004, USE, "no restriction")                                          \
    X(0000006, USE, "health, medical or biomedical research")                  \
    X(0000007, USE, "research on one disease")                                 \
    X(0000011, USE, "research on population origins or ancestry")              \
    X(0000012, RESTRICTION, "certain kinds of research only")                  \
    X(0000015, RESTRICTION, "no general research on methods")                  \
    X(0000016, RESTRICTION, "genetic studies only")                            \
    X(0000017, CLASS, "data use modifier")                                     \
    X(0000018, RESTRICTION,                                                    \
      "by organisations not for profit, for no commercial use")                \
    X(0000019, RESTRICTION, "results must be published")                       \
    X(0000020, RESTRICTION, "in collaboration with the investigators")         \
    X(0000021, RESTRICTION, "approval of an ethics board")                     \
    X(0000022, RESTRICTION, "within a region")                                 \
    X(0000024, RESTRICTION, "no publication before a date")                    \
    X(0000025, RESTRICTION, "for a limited time")                              \
    X(0000026, RESTRICTION, "by approved users")                               \
    X(0000027, RESTRICTION, "for an approved project")                         \
    X(0000028, RESTRICTION, "by an approved institution")                      \
    X(0000029, RESTRICTION, "derived data must be returned")                   \
    X(0000042, USE, "general research")                                        \
    X(0000043, USE, "clinical care")                                           \
    X(0000044, RESTRICTION, "no research on population origins or ancestry")   \
    X(0000045, RESTRICTION, "by organisations not for profit")                 \
    X(0000046, RESTRICTION, "for no commercial use")

enum purpose {
#define PURPOSE_ENUM(number, kind, name) PURPOSE_DUO_##number,
    PURPOSE_TABLE(PURPOSE_ENUM)
#undef PURPOSE_ENUM
        PURPOSE_HRESCH,
    PURPOSE_OTHER_REASON, /* another code of ActReason: not research */
    PURPOSE_UNDECIDED,    /* whatever else a coding says */
    PURPOSE_COUNT
};

/* "DUO:0000042", "HRESCH", "other-reason", "undecided". */
const char *purpose_code(enum purpose purpose);
const char *purpose_name(enum purpose purpose);

/* The purpose of that code.  False for those of DUO's classes, which are never
 * said, and for what is no code. */
MUST_USE bool purpose_find(struct bytes code, enum purpose *purpose);

/* What a FHIR coding says; either may be NULL.  Total: what is not known is
 * PURPOSE_UNDECIDED. */
enum purpose purpose_of_coding(const char *system, const char *code);

/* A set of purposes: purpose p is the bit 1 << p. */
struct purposes {
    uint32_t set;
};

static inline bool purposes_have(struct purposes purposes, enum purpose purpose)
{
    return (purposes.set >> purpose & 1) != 0;
}

void purposes_add(struct purposes *purposes, enum purpose purpose);

/* ---- of a request: DUO codes, a use among them ---- */

/* Add one code.  E_INPUT if it is not of DUO, a class, or there already. */
MUST_USE enum status purposes_add_requested(struct purposes *request,
                                            struct bytes code,
                                            struct error *err);

/* E_INPUT unless there is a use: restrictions say on what terms, not what
 * for. */
MUST_USE enum status purposes_check_request(struct purposes request,
                                            struct error *err);

/* ---- of a rule, which is not empty, against a checked request ---- */

bool purposes_permit(struct purposes rule, struct purposes request);
bool purposes_deny(struct purposes rule, struct purposes request);

#endif

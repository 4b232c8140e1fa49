/*
 * broker/fhir_consent.h - a FHIR R4 Consent resource, read and reduced.
 *
 * Each member of the resource is one of three things:
 *
 *     carried     stays in the resource, says nothing to us: id, meta, text,
 *                 language, identifier, category, dateTime, performer,
 *                 organization, sourceAttachment, sourceReference,
 *                 verification, policy; displays and texts of codes
 *     evaluated   status, scope, patient, policyRule, provision with type,
 *                 period, purpose, actor and further provisions
 *     refused     everything else, wherever it stands: who wrote it meant
 *                 something by it that we would pass over
 *
 * A modifierExtension or implicitRules inside of what is carried is refused,
 * too.  A refusal is E_REFUSED and names the field by its path, as
 * provision.provision[0].action; what is no FHIR at all is E_INPUT.
 *
 * What the evaluated fields may be:
 *
 *     scope        research, of HL7's consentscope, alone
 *     policyRule   OPTIN: base to permit; OPTOUT: base to deny; none: to deny.
 *                  Its codes are v3 ActCode's
 *     provision    the root rule.  Without a type it has the base's, and must
 *                  have no purpose and no actor: the standard's own examples
 *                  mean by such a provision now what the base is limited to,
 *                  now an exception from it
 *     provision.provision   exceptions of the other type; without a type they
 *                  have it.  One of the same type is refused: it may add to
 *                  what is above, repeat it or narrow it
 *     actor        a recipient if its role is PRCP or IRCP (v3
 *                  ParticipationType) and its reference has an identifier of
 *                  CONSENT_ORGANISATION_SYSTEM; any other is "other_actors"
 *
 * Dates and periods: broker/period.h.  Purposes: broker/purpose.h.  Why so:
 * docs/decisions/013-consent.md.
 */
#ifndef BROKER_FHIR_CONSENT_H
#define BROKER_FHIR_CONSENT_H

#include "broker/consent.h"
#include "common/bytes.h"
#include "common/error.h"

/* identifier.system of organisations; the value is the O of their
 * certificates. */
#define CONSENT_ORGANISATION_SYSTEM "urn:anchorite:organisation"

/* Whom the resource is about, as it says; what is not said is "". */
struct fhir_patient {
    const char *reference; /* as "Patient/f001" */
    const char *system;    /* of the identifier */
    const char *value;
};

/* Read a resource into `consent`, initialised before, all but its subject,
 * which the caller makes from the patient.  The strings of *patient are in the
 * consent's memory.  On failure the consent is empty. */
MUST_USE enum status fhir_consent_read(struct consent *consent,
                                       struct fhir_patient *patient,
                                       struct bytes text, struct error *err);

#endif

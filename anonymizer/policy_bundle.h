/*
 * anonymizer/policy_bundle.h - a policy with its hierarchies as one text, to be
 * sent.
 *
 *     {"bundle":1,"files":{"ages.csv":"39;30-39;*\n..."},"policy":"{...}"}
 *
 * policy is the text of the policy file, files has each file that it names,
 * under the name that it has there, and no other.  The whole is in canonical
 * form (RFC 8785), so that one policy and its files have one bundle, and at
 * most POLICY_BUNDLE_SIZE_MAX long.
 *
 * A bundle goes to a vault.  A policy with a "subset" has none: it names rows
 * by their places in a file, while a vault gives the permitted rows, which it
 * keeps by ids.
 *
 * Names are only names here: absolute ones, and those that climb out by "..",
 * too.  Nothing that comes from a bundle is looked up in the file system.
 */
#ifndef ANONYMIZER_POLICY_BUNDLE_H
#define ANONYMIZER_POLICY_BUNDLE_H

#include "anonymizer/policy.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/text.h"

/* Append the bundle of the policy file at `path` and the hierarchies that it
 * names, which policy_open must accept.  E_LIMIT if it would be too long.  On
 * failure `out` holds what it held. */
MUST_USE enum status policy_bundle_pack(const char *path, struct text *out,
                                        struct error *err);

/* The policy as policy_open gives it from the files, with the same digest;
 * paths in it and in errors are the bundle's names.  E_INPUT also for a file
 * that is missing or that the policy does not name. */
MUST_USE enum status policy_bundle_open(struct policy **policy,
                                        struct bytes bundle, struct error *err);

#endif

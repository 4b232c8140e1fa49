/*
 * tests/fault/job.h - a small policy and table for faults in whole jobs.
 *
 * Every model of the policy holds in the release, which is the one of
 * tests/golden/six-rows, worked out by hand there: its policy asks for less.
 */
#ifndef TESTS_FAULT_JOB_H
#define TESTS_FAULT_JOB_H

#define JOB_POLICY                                                             \
    "{\"policy\": 1, \"name\": \"six-rows\",\n"                                \
    " \"table\": {\"delimiter\": \",\", \"missing\": [\"\", \"NA\"]},\n"       \
    " \"attributes\": {\n"                                                     \
    "  \"age\": {\"role\": \"quasi-identifying\", \"type\": \"integer\",\n"    \
    "    \"hierarchy\": \"age.csv\", \"min_level\": 0},\n"                     \
    "  \"city\": {\"role\": \"quasi-identifying\"},\n"                         \
    "  \"disease\": {\"role\": \"sensitive\"}},\n"                             \
    " \"privacy\": [{\"model\": \"k-anonymity\", \"k\": 2},\n"                 \
    "  {\"model\": \"distinct-l-diversity\", \"attribute\": \"disease\",\n"    \
    "    \"l\": 2},\n"                                                         \
    "  {\"model\": \"entropy-l-diversity\", \"attribute\": \"disease\",\n"     \
    "    \"l\": 1.5, \"estimator\": \"shannon\"},\n"                           \
    "  {\"model\": \"recursive-cl-diversity\", \"attribute\": \"disease\",\n"  \
    "    \"c\": 3, \"l\": 2},\n"                                               \
    "  {\"model\": \"t-closeness-ordered\", \"attribute\": \"disease\",\n"     \
    "    \"t\": 0.2}],\n"                                                      \
    " \"suppression_limit\": 0.17,\n"                                          \
    " \"quality\": {\"metric\": \"loss\",\n"                                   \
    "   \"aggregate\": \"arithmetic-mean\"}}\n"

#define JOB_AGE                                                                \
    "20;20-29;*\n"                                                             \
    "21;20-29;*\n"                                                             \
    "30;30-39;*\n"                                                             \
    "31;30-39;*\n"

#define JOB_TABLE                                                              \
    "age,city,disease\n"                                                       \
    "20,A,flu\n"                                                               \
    "21,A,cold\n"                                                              \
    "20,A,flu\n"                                                               \
    "30,B,flu\n"                                                               \
    "31,B,cold\n"                                                              \
    "30,A,flu\n"

#define JOB_RELEASE                                                            \
    "age,city,disease\n"                                                       \
    "20-29,A,flu\n"                                                            \
    "20-29,A,cold\n"                                                           \
    "20-29,A,flu\n"                                                            \
    "30-39,B,flu\n"                                                            \
    "30-39,B,cold\n"                                                           \
    "*,*,flu\n"

#endif

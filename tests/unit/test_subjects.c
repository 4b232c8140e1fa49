#include "anonymizer/subjects.h"

#include <stdio.h>

#include "tests/lib/suite.h"

void suite_subjects(void);

static void add_all(struct subjects *subjects, const char *const *subject,
                    size_t count)
{
    struct error err;

    subjects_init(subjects);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(
            subjects_add(subjects, bytes_of_string(subject[i]), &err), OK);
}

/* The line of the first of them that is refused and the line it names. */
static uint64_t confirm_all(struct subjects *subjects,
                            const char *const *subject, size_t count,
                            uint64_t *first_line)
{
    struct error err;

    *first_line = 0;
    for (size_t i = 0; i < count; i++) {
        CU_ASSERT_EQUAL(subjects_confirm(subjects, bytes_of_string(subject[i]),
                                         i + 2, first_line, &err),
                        OK);
        if (*first_line != 0)
            return i + 2;
    }
    return 0;
}

static void different_subjects_are_not_suspicious(void)
{
    static const char *const three[] = {"P1", "P2", "P3"};
    struct subjects subjects;

    subjects_init(&subjects);
    CU_ASSERT_EQUAL(subjects_suspects(&subjects), 0);
    subjects_clear(&subjects);
    add_all(&subjects, three, 3);
    CU_ASSERT_EQUAL(subjects_suspects(&subjects), 0);
    subjects_clear(&subjects);
}

static void repeated_subject_is_found_with_both_lines(void)
{
    static const char *const seven[] = {"P1", "P2", "P3", "P2",
                                        "P1", "P2", "P2"};
    struct subjects subjects;
    uint64_t first_line;

    add_all(&subjects, seven, 7);
    CU_ASSERT_EQUAL(subjects_suspects(&subjects), 2);
    CU_ASSERT_EQUAL(confirm_all(&subjects, seven, 7, &first_line), 5);
    CU_ASSERT_EQUAL(first_line, 3);
    subjects_clear(&subjects);
}

/* As if P1 and P2 had one hash: it stands twice in the list, but the texts
 * differ. */
static void equal_hashes_of_different_subjects_are_innocent(void)
{
    static const char *const three[] = {"P1", "P2", "P3"};
    struct subjects subjects;
    uint64_t first_line, collision;

    add_all(&subjects, three, 3);
    collision = subjects.hash[0];
    subjects.hash[1] = collision;
    CU_ASSERT_EQUAL(subjects_suspects(&subjects), 1);
    CU_ASSERT_EQUAL(subjects.hash[0], collision);
    CU_ASSERT_EQUAL(confirm_all(&subjects, three, 3, &first_line), 0);
    subjects_clear(&subjects);
}

/* Each of 3,000 stands twice: lists grow, all are suspects. */
static void many_repeated_subjects_are_all_suspects(void)
{
    struct subjects subjects;
    struct error err;
    uint64_t first_line;
    unsigned wrong = 0;
    char text[16];

    subjects_init(&subjects);
    for (int i = 0; i < 6000; i++) {
        snprintf(text, sizeof text, "P%d", i % 3000);
        CU_ASSERT_EQUAL(subjects_add(&subjects, bytes_of_string(text), &err),
                        OK);
    }
    CU_ASSERT_EQUAL(subjects_suspects(&subjects), 3000);
    for (int i = 0; i < 6000; i++) {
        snprintf(text, sizeof text, "P%d", i % 3000);
        CU_ASSERT_EQUAL(subjects_confirm(&subjects, bytes_of_string(text),
                                         (uint64_t)i + 2, &first_line, &err),
                        OK);
        wrong += first_line != (i < 3000 ? 0 : (uint64_t)i - 3000 + 2);
    }
    CU_ASSERT_EQUAL(wrong, 0);
    subjects_clear(&subjects);
}

void suite_subjects(void)
{
    static const struct test tests[] = {
        {"different subjects are not suspicious",
         different_subjects_are_not_suspicious},
        {"a repeated subject is found, with both lines",
         repeated_subject_is_found_with_both_lines},
        {"equal hashes of different subjects are innocent",
         equal_hashes_of_different_subjects_are_innocent},
        {"many repeated subjects are all suspects",
         many_repeated_subjects_are_all_suspects},
    };

    suite_add("subjects", tests, sizeof tests / sizeof tests[0]);
}

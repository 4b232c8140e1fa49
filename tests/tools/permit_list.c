/*
 * tests/tools/permit_list.c - for end-to-end tests: what an auditor makes of
 * the list that a permit is for.
 *
 *     permit_list LIST SEED
 *
 * LIST is a file, common/permitted.h, SEED 64 hex digits.  Prints the root,
 * then a line for each subject, "subject position".
 */
#include <stdio.h>

#include "common/encoding.h"
#include "common/files.h"
#include "common/limits.h"
#include "common/permitted.h"

static void print(struct bytes list, const struct digest *root)
{
    char hex[DIGEST_HEX_SIZE];

    digest_hex(root, hex);
    puts(hex);
    for (size_t i = 0; i < list.size / PERMITTED_ITEM_SIZE; i++) {
        struct permitted item = permitted_item(list, i);

        subject_id_hex(&item.subject, hex);
        printf("%s %ju\n", hex, (uintmax_t)item.position);
    }
}

int main(int argc, char **argv)
{
    struct permitted_seed seed;
    struct digest root;
    struct text list;
    struct error err;
    enum status status = OK;

    error_init(&err);
    text_init(&list);
    if (argc != 3 ||
        !hex_decode(bytes_of_string(argv[2]), seed.byte, sizeof seed.byte))
        status = error_set(&err, E_USAGE, "see its source");
    if (status == OK)
        status = file_read(argv[1], UPLOAD_SIZE_MAX, &list, &err);
    if (status == OK)
        status = permitted_root(text_bytes(&list), &seed, &root, &err);
    if (status == OK)
        print(text_bytes(&list), &root);
    else
        fprintf(stderr, "permit_list: %s\n", err.text);
    text_clear(&list);
    return status_exit_code(status);
}

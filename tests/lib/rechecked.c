#include "tests/lib/rechecked.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anonymizer/hierarchy.h"

void rechecked_init(struct rechecked *rechecked)
{
    memset(rechecked, 0, sizeof *rechecked);
    rechecked->policy.path = "by hand";
    rechecked->policy.name = "";
    rechecked->policy.attribute = rechecked->attribute;
    rechecked->policy.criterion = rechecked->criterion;
    rechecked->policy.suppression_limit = 1;
    error_init(&rechecked->err);
}

void rechecked_clear(struct rechecked *rechecked)
{
    recheck_destroy(&rechecked->result);
    for (size_t i = 0; i < rechecked->policy.attribute_count; i++)
        hierarchy_close(&rechecked->attribute[i].hierarchy);
}

struct policy_attribute *rechecked_attribute(struct rechecked *rechecked,
                                             char *name, enum role role)
{
    struct policy_attribute *attribute =
        &rechecked->attribute[rechecked->policy.attribute_count++];

    attribute->name = name;
    attribute->role = role;
    attribute->level_max = LEVEL_UNLIMITED;
    attribute->weight = 1;
    return attribute;
}

void rechecked_k(struct rechecked *rechecked, uint32_t k)
{
    rechecked->criterion[rechecked->policy.criterion_count++] =
        (struct privacy_criterion){
            .model = MODEL_K_ANONYMITY, .attribute = NO_ATTRIBUTE, .k = k};
}

struct privacy_criterion *rechecked_l(struct rechecked *rechecked,
                                      enum privacy_model model,
                                      size_t attribute, double l)
{
    struct privacy_criterion *criterion =
        &rechecked->criterion[rechecked->policy.criterion_count++];

    criterion->model = model;
    criterion->attribute = attribute;
    criterion->l = l;
    return criterion;
}

int rechecked_open(struct bytes text)
{
    FILE *file = tmpfile();
    int fd;

    if (file == NULL || fwrite(text.data, 1, text.size, file) != text.size ||
        fflush(file) != 0)
        abort();
    fd = dup(fileno(file));
    fclose(file);
    if (fd < 0 || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return fd;
}

enum status rechecked_bytes(struct rechecked *rechecked, struct bytes text)
{
    int fd = rechecked_open(text);
    enum status status = recheck_table(&rechecked->result, &rechecked->policy,
                                       fd, "table.csv", NULL, &rechecked->err);

    close(fd);
    return status;
}

enum status rechecked_text(struct rechecked *rechecked, const char *text)
{
    return rechecked_bytes(rechecked, bytes_of_string(text));
}

bool rechecked_near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fmax(1, fabs(b));
}

void rechecked_illness(struct rechecked *rechecked)
{
    rechecked_init(rechecked);
    rechecked_attribute(rechecked, "zip", ROLE_QUASI_IDENTIFYING);
    rechecked_attribute(rechecked, "sex", ROLE_QUASI_IDENTIFYING);
    rechecked_attribute(rechecked, "illness", ROLE_SENSITIVE);
}

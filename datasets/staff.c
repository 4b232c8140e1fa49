#include "datasets/staff.h"

#include <assert.h>

static const struct department departments[] = {
#define DEPARTMENT(id, name, group) {name, group},
#include "datasets/staff.def"
#undef DEPARTMENT
};

static const struct doctor doctors[] = {
#define DOCTOR(name, department) {name, DEPARTMENT_##department},
#include "datasets/staff.def"
#undef DOCTOR
};

const struct department *department_at(enum department_id id)
{
    assert(id < DEPARTMENT_COUNT);
    return &departments[id];
}

size_t doctor_count(void)
{
    return sizeof doctors / sizeof doctors[0];
}

const struct doctor *doctor_at(size_t index)
{
    assert(index < doctor_count());
    return &doctors[index];
}

size_t department_doctors(enum department_id id, size_t *first)
{
    size_t begin = 0, end;

    while (begin < doctor_count() && doctors[begin].department != id)
        begin++;
    for (end = begin; end < doctor_count(); end++)
        if (doctors[end].department != id)
            break;
    assert(end > begin);
    *first = begin;
    return end - begin;
}

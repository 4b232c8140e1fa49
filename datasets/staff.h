/*
 * datasets/staff.h - the hospital's departments and doctors.
 *
 * The lists are in staff.def.  A doctor belongs to one department, a
 * department to one group.  The doctors of a department stand together.
 */
#ifndef DATASETS_STAFF_H
#define DATASETS_STAFF_H

#include <stddef.h>

enum department_id {
#define DEPARTMENT(id, name, group) DEPARTMENT_##id,
#include "datasets/staff.def"
#undef DEPARTMENT
    DEPARTMENT_COUNT
};

struct department {
    const char *name;
    const char *group;
};

struct doctor {
    const char *name;
    enum department_id department;
};

const struct department *department_at(enum department_id id);

size_t doctor_count(void);
const struct doctor *doctor_at(size_t index);

/* How many doctors a department has, at least one; *first is the first one's
 * index. */
size_t department_doctors(enum department_id id, size_t *first);

#endif

#include "datasets/hospital_hierarchies.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/text.h"
#include "datasets/calendar.h"
#include "datasets/city.h"
#include "datasets/disease.h"
#include "datasets/hospital.h"
#include "datasets/hospital_table.h"
#include "datasets/staff.h"

/* Whole bands of 5 years; the oldest patient has two birthdays behind the
 * first one in the period. */
enum { AGE_END = 105 };
_Static_assert(AGE_END > HOSPITAL_AGE_MAX + HOSPITAL_LAST_YEAR -
                             HOSPITAL_FIRST_YEAR + 1,
               "somebody is too old for the hierarchy of ages");

/* One row; returns a status as all writers here do. */
__attribute__((format(printf, 3, 4))) static enum status
put_row(struct output *output, struct error *err, const char *format, ...)
{
    va_list arguments;
    char *room;
    int size;

    if (output_room(output, OUTPUT_ROOM_MAX, &room, err) != OK)
        return err->status;
    va_start(arguments, format);
    size = vsnprintf(room, OUTPUT_ROOM_MAX, format, arguments);
    va_end(arguments);
    assert(size > 0 && size < OUTPUT_ROOM_MAX);
    output_advance(output, (size_t)size);
    return OK;
}

static enum status write_gender(struct output *output, struct error *err)
{
    enum status status = OK;

    for (enum sex sex = 0; status == OK && sex < SEX_COUNT; sex++)
        status = put_row(output, err, "%s;*\n", sex_name(sex));
    return status;
}

static enum status write_age(struct output *output, struct error *err)
{
    enum status status = OK;

    for (int age = 0; status == OK && age < AGE_END; age++) {
        int five = age - age % 5, ten = age - age % 10, twenty = age - age % 20;

        status = put_row(output, err, "%d;%d-%d;%d-%d;%d-%d;*\n", age, five,
                         five + 4, ten, ten + 9, twenty, twenty + 19);
    }
    return status;
}

/* Nobody is born before: HOSPITAL_AGE_MAX years old on the first day, and the
 * birthday as long ago as can be. */
static int32_t first_birth(void)
{
    return calendar_day(
        (struct date){HOSPITAL_FIRST_YEAR - HOSPITAL_AGE_MAX - 1, 1, 2});
}

static enum status write_birth_date(struct output *output, struct error *err)
{
    int32_t last = calendar_day((struct date){HOSPITAL_LAST_YEAR, 12, 31});
    enum status status = OK;

    for (int32_t day = first_birth(); status == OK && day <= last; day++) {
        struct date date = calendar_date(day);
        char text[CALENDAR_TEXT_SIZE];

        calendar_write(date, text);
        status = put_row(output, err, "%.10s;%.7s;%.4s;%.3s0s;*\n", text, text,
                         text, text);
    }
    return status;
}

static enum status write_date(struct output *output, struct error *err)
{
    int32_t first = calendar_day((struct date){HOSPITAL_FIRST_YEAR, 1, 1});
    enum status status = OK;

    for (int32_t i = 0; status == OK && i < HOSPITAL_DAYS; i++) {
        struct date date = calendar_date(first + i);
        char text[CALENDAR_TEXT_SIZE];

        calendar_write(date, text);
        status = put_row(output, err, "%.10s;%.7s;%.4s-Q%d;%.4s;*\n", text,
                         text, text, (date.month - 1) / 3 + 1, text);
    }
    return status;
}

static enum status write_city(struct output *output, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < city_count(); i++) {
        const struct city *city = city_at(i);

        status = put_row(output, err, "%s;%s;%s;*\n", city->name,
                         city->province, city->region);
    }
    return status;
}

static enum status write_department(struct output *output, struct error *err)
{
    enum status status = OK;

    for (enum department_id id = 0; status == OK && id < DEPARTMENT_COUNT;
         id++) {
        const struct department *department = department_at(id);

        status = put_row(output, err, "%s;%s;*\n", department->name,
                         department->group);
    }
    return status;
}

static enum status write_doctor(struct output *output, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < doctor_count(); i++) {
        const struct doctor *doctor = doctor_at(i);
        const struct department *department = department_at(doctor->department);

        status = put_row(output, err, "%s;%s;%s;*\n", doctor->name,
                         department->name, department->group);
    }
    return status;
}

/* From the code upward. */
static enum status put_disease(struct output *output,
                               const struct disease *disease, struct error *err)
{
    const struct icd_block *block = disease_block(disease);

    return put_row(output, err, "%s;%.*s;%s;%s;%s;*\n", disease->code,
                   DISEASE_CATEGORY_SIZE, disease->code, block->block,
                   block->group, block->chapter);
}

static enum status write_diagnosis(struct output *output, struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < disease_count(); i++) {
        const struct disease *disease = disease_at(i);

        status = put_row(output, err, "%s;", disease->diagnosis);
        if (status == OK)
            status = put_disease(output, disease, err);
    }
    return status;
}

static enum status write_disease_code(struct output *output, struct error *err)
{
    const char *before = "";
    enum status status = OK;

    /* Sorted by code: a code of several diagnoses stands there repeatedly. */
    for (size_t i = 0; status == OK && i < disease_count(); i++) {
        const struct disease *disease = disease_at(i);

        if (strcmp(disease->code, before) != 0)
            status = put_disease(output, disease, err);
        before = disease->code;
    }
    return status;
}

static const struct {
    const char *name;
    enum status (*write)(struct output *output, struct error *err);
} hierarchies[] = {
    {"gender", write_gender},
    {"age", write_age},
    {"birth_date", write_birth_date},
    {"city", write_city},
    {"date", write_date},
    {"department", write_department},
    {"doctor", write_doctor},
    {"diagnosis", write_diagnosis},
    {"disease_code", write_disease_code},
};

size_t hospital_hierarchy_count(void)
{
    return sizeof hierarchies / sizeof hierarchies[0];
}

const char *hospital_hierarchy_name(size_t index)
{
    assert(index < hospital_hierarchy_count());
    return hierarchies[index].name;
}

enum status hospital_hierarchy_write(size_t index, struct output *output,
                                     struct error *err)
{
    assert(index < hospital_hierarchy_count());
    return hierarchies[index].write(output, err);
}

static enum status write_file(const char *path, size_t index, struct error *err)
{
    struct output *output;

    if (output_open(&output, path, err) != OK)
        return err->status;
    if (hospital_hierarchy_write(index, output, err) != OK) {
        output_discard(&output);
        return err->status;
    }
    return output_publish(&output, err);
}

enum status hospital_hierarchies_write(const char *dir, struct error *err)
{
    struct text path;
    enum status status = OK;

    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return error_set_errno(err, E_INPUT, errno, "%s: cannot be made", dir);
    text_init(&path);
    for (size_t i = 0; status == OK && i < hospital_hierarchy_count(); i++) {
        text_reset(&path);
        status = text_printf(&path, err, "%s/%s.csv", dir,
                             hospital_hierarchy_name(i));
        if (status == OK)
            status = write_file(path.data, i, err);
    }
    text_clear(&path);
    return status;
}

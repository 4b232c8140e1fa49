#include "datasets/hospital_table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "datasets/city.h"
#include "datasets/staff.h"

static const char header[] =
    "psn,name,gender,birth_date,age,city,msn,date,department,doctor,"
    "diagnosis,disease_code\n";

/* A row is put together from pieces that are made once: everything but
 * numbers, name and birth date.  That makes it as fast as copying. */
enum { PIECE_MAX = 96, ROW_MAX = 1024 };

struct piece {
    size_t size;
    char text[PIECE_MAX];
};

struct pieces {
    struct piece *city;    /* ",Seoul,M" */
    struct piece *doctor;  /* ",Neurology,Dr. Eo," */
    struct piece *disease; /* "\"Gallstones\",K80.2\n" */
    char date[HOSPITAL_DAYS][CALENDAR_TEXT_SIZE];
    int32_t first_day;
};

void psn_write(uint32_t number, char psn[PSN_SIZE])
{
    for (size_t i = PSN_SIZE; i-- > 1;) {
        psn[i] = (char)('0' + number % 10);
        number /= 10;
    }
    assert(number == 0);
    psn[0] = 'P';
}

const char *sex_name(enum sex sex)
{
    return sex == SEX_FEMALE ? "female" : "male";
}

/* ---- fields ---- */

/* Append a field to `to`, quoted where CSV wants it; returns the new size.  No
 * text here holds a line break. */
static size_t put_field(char *to, size_t size, const char *field, size_t length)
{
    size_t quotes = 0;

    for (size_t i = 0; i < length; i++)
        quotes += field[i] == '"';
    if (quotes == 0 && memchr(field, ',', length) == NULL) {
        memcpy(to + size, field, length);
        return size + length;
    }
    to[size++] = '"';
    for (size_t i = 0; i < length; i++) {
        if (field[i] == '"')
            to[size++] = '"';
        to[size++] = field[i];
    }
    to[size++] = '"';
    return size;
}

static size_t put_text(char *to, size_t size, const char *text)
{
    struct bytes from = bytes_of_string(text);

    memcpy(to + size, from.data, from.size);
    return size + from.size;
}

static void piece_add(struct piece *piece, const char *text)
{
    assert(piece->size + strlen(text) <= PIECE_MAX);
    piece->size = put_text(piece->text, piece->size, text);
}

static void piece_add_field(struct piece *piece, const char *field)
{
    assert(piece->size + 2 * strlen(field) + 2 <= PIECE_MAX);
    piece->size = put_field(piece->text, piece->size, field, strlen(field));
}

/* ---- pieces ---- */

static void pieces_destroy(struct pieces **pieces)
{
    if (*pieces == NULL)
        return;
    free((*pieces)->city);
    free((*pieces)->doctor);
    free((*pieces)->disease);
    free(*pieces);
    *pieces = NULL;
}

static void pieces_fill(struct pieces *pieces)
{
    for (size_t i = 0; i < city_count(); i++) {
        piece_add(&pieces->city[i], ",");
        piece_add_field(&pieces->city[i], city_at(i)->name);
        piece_add(&pieces->city[i], ",M");
    }
    for (size_t i = 0; i < doctor_count(); i++) {
        const struct doctor *doctor = doctor_at(i);

        piece_add(&pieces->doctor[i], ",");
        piece_add_field(&pieces->doctor[i],
                        department_at(doctor->department)->name);
        piece_add(&pieces->doctor[i], ",");
        piece_add_field(&pieces->doctor[i], doctor->name);
        piece_add(&pieces->doctor[i], ",");
    }
    for (size_t i = 0; i < disease_count(); i++) {
        piece_add_field(&pieces->disease[i], disease_at(i)->diagnosis);
        piece_add(&pieces->disease[i], ",");
        piece_add_field(&pieces->disease[i], disease_at(i)->code);
        piece_add(&pieces->disease[i], "\n");
    }
    pieces->first_day = calendar_day((struct date){HOSPITAL_FIRST_YEAR, 1, 1});
    for (int32_t i = 0; i < HOSPITAL_DAYS; i++)
        calendar_write(calendar_date(pieces->first_day + i), pieces->date[i]);
}

static enum status pieces_create(struct pieces **pieces, struct error *err)
{
    struct pieces *new = calloc(1, sizeof *new);

    if (new == NULL)
        return error_memory(err, "the pieces of a row");
    new->city = calloc(city_count(), sizeof *new->city);
    new->doctor = calloc(doctor_count(), sizeof *new->doctor);
    new->disease = calloc(disease_count(), sizeof *new->disease);
    if (new->city == NULL || new->doctor == NULL || new->disease == NULL) {
        pieces_destroy(&new);
        return error_memory(err, "the pieces of a row");
    }
    pieces_fill(new);
    *pieces = new;
    return OK;
}

static size_t put_piece(char *to, size_t size, const struct piece *piece)
{
    memcpy(to + size, piece->text, piece->size);
    return size + piece->size;
}

/* ---- rows ---- */

/* "P000000001,Ha-rin Moon,female,1980-05-17,": the same in all visits. */
static size_t put_patient(char *row, const struct patient *patient)
{
    char name[PATIENT_NAME_MAX];
    size_t size = PSN_SIZE;

    psn_write(patient->number, row);
    row[size++] = ',';
    size = put_field(row, size, name, patient_name(patient, name));
    row[size++] = ',';
    size = put_text(row, size, sex_name(patient->sex));
    row[size++] = ',';
    calendar_write(patient->birth, row + size);
    size += CALENDAR_TEXT_SIZE;
    row[size++] = ',';
    return size;
}

static size_t put_two_digits(char *to, size_t size, uint32_t number)
{
    assert(number < 100);
    to[size++] = (char)('0' + number / 10);
    to[size++] = (char)('0' + number % 10);
    return size;
}

static size_t put_age(char *to, size_t size, int age)
{
    assert(age >= 0 && age < 200);
    if (age >= 100)
        to[size++] = '1';
    if (age >= 10)
        to[size++] = (char)('0' + age / 10 % 10);
    to[size++] = (char)('0' + age % 10);
    return size;
}

/* The rest of the row, behind the patient; `visit_number` is 1, 2, ... */
static size_t put_visit(char *row, size_t size, const struct pieces *pieces,
                        const struct patient *patient,
                        const struct visit *visit, uint32_t visit_number)
{
    size = put_age(row, size, visit->age);
    size = put_piece(row, size, &pieces->city[patient->city]);
    memcpy(row + size, row + 1, PSN_SIZE - 1); /* the digits of the psn */
    size += PSN_SIZE - 1;
    size = put_two_digits(row, size, visit_number);
    row[size++] = ',';
    memcpy(row + size, pieces->date[visit->day - pieces->first_day],
           CALENDAR_TEXT_SIZE);
    size += CALENDAR_TEXT_SIZE;
    size = put_piece(row, size, &pieces->doctor[visit->doctor]);
    return put_piece(row, size, &pieces->disease[visit->disease]);
}

static enum status write_patient(const struct hospital *hospital,
                                 const struct pieces *pieces, uint32_t number,
                                 struct output *output, struct error *err)
{
    struct visit visit[HOSPITAL_VISITS_MAX];
    char start[ROW_MAX];
    struct patient patient;
    uint32_t count;
    size_t start_size;

    hospital_patient(hospital, number, &patient);
    count = hospital_visits(hospital, &patient, visit);
    start_size = put_patient(start, &patient);
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        char *row;

        if (output_room(output, ROW_MAX, &row, err) != OK)
            return err->status;
        memcpy(row, start, start_size);
        size = put_visit(row, start_size, pieces, &patient, &visit[i], i + 1);
        assert(size <= ROW_MAX);
        output_advance(output, size);
    }
    return OK;
}

enum status hospital_table_write(const struct hospital *hospital,
                                 struct patient_range range,
                                 struct output *output, struct error *err)
{
    struct pieces *pieces = NULL;
    enum status status;

    assert(range.first >= 1 && range.count >= 1);
    assert(range.count <= HOSPITAL_PATIENTS_MAX - range.first + 1);

    status = pieces_create(&pieces, err);
    if (status == OK)
        status = output_append(output, header, sizeof header - 1, err);
    for (uint32_t i = 0; status == OK && i < range.count; i++)
        status = write_patient(hospital, pieces, range.first + i, output, err);
    pieces_destroy(&pieces);
    return status;
}

/*
 * tests/tools/survey.c - a large made-up survey, for measurements.
 *
 *     survey FOLDER ROWS SEED
 *
 * writes FOLDER/survey.csv, its hierarchies and FOLDER/policy.json (k = 5, 2 %
 * suppression).  Nobody stands behind a row: there are PROFILES made-up kinds
 * of people, common and rare ones; each row is one of them in which each cell
 * is drawn anew with a chance of one in JITTER.  Eight quasi-identifiers and
 * their domains are as large as those of the census extract that the field
 * measures with; about 80 bytes a row.  The same seed gives the same bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROFILES 18000
#define JITTER 20
#define ATTRIBUTES 9
#define BUFFER_SIZE (1u << 20)
#define LABEL_SIZE 24

struct attribute {
    const char *name;
    const char *label; /* before the number; "" for numbers alone */
    unsigned values;
    unsigned first;    /* the first number */
    double skew;       /* 1: all values alike; above it the first are common */
    unsigned group[4]; /* values of a group, level by level; 0 ends */
};

static const struct attribute attribute[ATTRIBUTES] = {
    {"sex", "sex-", 2, 1, 1.2, {0}},
    {"age", "", 74, 17, 1.6, {5, 10, 20, 0}},
    {"race", "race-", 5, 1, 3.0, {0}},
    {"marital-status", "marital-", 7, 1, 1.8, {3, 0}},
    {"education", "school-", 16, 1, 1.7, {4, 8, 0}},
    {"native-country", "country-", 41, 1, 6.0, {10, 0}},
    {"workclass", "workclass-", 8, 1, 2.2, {4, 0}},
    {"occupation", "trade-", 14, 1, 1.3, {7, 0}},
    {"salary-class", "salary-", 2, 1, 1.5, {0}},
};

static uint8_t profile[PROFILES][ATTRIBUTES];
static char label[ATTRIBUTES][80][LABEL_SIZE];
static uint64_t state;

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double power(double base, double exponent)
{
    return __builtin_pow(base, exponent);
}

static uint8_t draw_value(const struct attribute *of)
{
    double share = (double)(draw() >> 11) / 9007199254740992.0;

    return (uint8_t)(power(share, of->skew) * of->values);
}

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "w");
    if (file == NULL) {
        perror(path);
        exit(3);
    }
    return file;
}

static void finish(FILE *file)
{
    if (fclose(file) != 0) {
        perror("survey");
        exit(3);
    }
}

static void write_hierarchy(const char *folder, size_t a)
{
    const struct attribute *of = &attribute[a];
    char name[80];
    FILE *file;

    snprintf(name, sizeof name, "%s.csv", of->name);
    file = create(folder, name);
    for (unsigned v = 0; v < of->values; v++) {
        fputs(label[a][v], file);
        for (const unsigned *group = of->group; *group != 0; group++) {
            unsigned from = v / *group * *group;

            fprintf(file, ";%s%u to %u", of->label, of->first + from,
                    of->first + from + *group - 1);
        }
        fputs(";*\n", file);
    }
    finish(file);
}

static void write_policy(const char *folder)
{
    FILE *file = create(folder, "policy.json");

    fputs("{\n \"policy\": 1,\n \"name\": \"survey-k5\",\n"
          " \"attributes\": {\n",
          file);
    for (size_t a = 0; a + 1 < ATTRIBUTES; a++)
        fprintf(file,
                "  \"%s\": {\"role\": \"quasi-identifying\", "
                "\"hierarchy\": \"%s.csv\"},\n",
                attribute[a].name, attribute[a].name);
    fputs("  \"salary-class\": {\"role\": \"insensitive\"}\n },\n"
          " \"privacy\": [{\"model\": \"k-anonymity\", \"k\": 5}],\n"
          " \"suppression_limit\": 0.02,\n"
          " \"quality\": {\"metric\": \"loss\", "
          "\"aggregate\": \"arithmetic-mean\"}\n}\n",
          file);
    finish(file);
}

static void write_rows(FILE *file, uint64_t rows)
{
    char *buffer = malloc(BUFFER_SIZE + ATTRIBUTES * LABEL_SIZE);
    size_t used = 0;

    if (buffer == NULL)
        exit(3);
    for (uint64_t r = 0; r < rows; r++) {
        uint64_t bits = draw();
        double share = (double)(bits >> 11) / 9007199254740992.0;
        const uint8_t *kind = profile[(size_t)(share * share * PROFILES)];

        bits = draw();
        for (size_t a = 0; a < ATTRIBUTES; a++, bits >>= 7) {
            unsigned value = (bits & 127) < 128 / JITTER
                                 ? draw_value(&attribute[a])
                                 : kind[a];
            const char *text = label[a][value];
            size_t size = strlen(text);

            memcpy(buffer + used, text, size);
            used += size;
            buffer[used++] = a + 1 < ATTRIBUTES ? ';' : '\n';
        }
        if (used >= BUFFER_SIZE) {
            fwrite(buffer, 1, used, file);
            used = 0;
        }
    }
    fwrite(buffer, 1, used, file);
    free(buffer);
}

int main(int argc, char **argv)
{
    FILE *file;
    uint64_t rows;

    if (argc != 4) {
        fputs("usage: survey FOLDER ROWS SEED\n", stderr);
        return 2;
    }
    rows = strtoull(argv[2], NULL, 10);
    state = strtoull(argv[3], NULL, 10);
    for (size_t a = 0; a < ATTRIBUTES; a++)
        for (unsigned v = 0; v < attribute[a].values; v++)
            snprintf(label[a][v], LABEL_SIZE, "%s%u", attribute[a].label,
                     attribute[a].first + v);
    for (size_t p = 0; p < PROFILES; p++)
        for (size_t a = 0; a < ATTRIBUTES; a++)
            profile[p][a] = draw_value(&attribute[a]);
    for (size_t a = 0; a + 1 < ATTRIBUTES; a++)
        write_hierarchy(argv[1], a);
    write_policy(argv[1]);
    file = create(argv[1], "survey.csv");
    for (size_t a = 0; a < ATTRIBUTES; a++)
        fprintf(file, "%s%c", attribute[a].name,
                a + 1 < ATTRIBUTES ? ';' : '\n');
    write_rows(file, rows);
    finish(file);
    return 0;
}

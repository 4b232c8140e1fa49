/* How a sample is written down; errors here are out of memory alone. */
#include "tests/property/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct text *out, const char *string)
{
    struct error err;

    if (text_append_string(out, string, &err) != OK)
        abort();
}

static void put_char(struct text *out, char c)
{
    char string[] = {c, '\0'};

    put(out, string);
}

/* ---- CSV ---- */

static bool needs_quotes(const char *cell)
{
    size_t length = strlen(cell);

    return strpbrk(cell, ";,|\t\"\r\n") != NULL || length == 0 ||
           cell[0] == ' ' || cell[length - 1] == ' ';
}

static void put_cell(struct text *out, const char *cell, bool quote)
{
    if (!quote && !needs_quotes(cell)) {
        put(out, cell);
        return;
    }
    put_char(out, '"');
    for (; *cell != '\0'; cell++) {
        if (*cell == '"')
            put_char(out, '"');
        put_char(out, *cell);
    }
    put_char(out, '"');
}

void sample_hierarchy_name(size_t column, char name[32])
{
    snprintf(name, 32, "hierarchy-%zu.csv", column);
}

void sample_write_hierarchy(const struct sample *sample, size_t column,
                            struct text *out)
{
    const struct oracle_column *of = &sample->column[column];
    struct random dice;

    random_init(&dice, sample->quotes_seed + column + 1);
    for (size_t row = 0; row < of->domain_rows; row++) {
        for (size_t level = 0; level < of->levels; level++) {
            if (level > 0)
                put_char(out, sample->hierarchy_delimiter[column]);
            put_cell(out, of->domain[row * of->levels + level],
                     dice_chance(&dice, 5));
        }
        put(out, sample->newline);
    }
}

void sample_write_cells(const struct sample *sample,
                        const struct oracle_table *table, struct text *out)
{
    struct random dice;

    random_init(&dice, sample->quotes_seed);
    for (size_t i = 0; i < table->column_count; i++) {
        if (i > 0)
            put_char(out, sample->delimiter);
        put_cell(out, sample->column[table->column[i]].name,
                 dice_chance(&dice, 5));
    }
    for (size_t row = 0; row < table->row_count; row++) {
        put(out, sample->newline);
        for (size_t i = 0; i < table->column_count; i++) {
            if (i > 0)
                put_char(out, sample->delimiter);
            put_cell(out, table->cell[row * table->column_count + i],
                     dice_chance(&dice, 5));
        }
    }
    if (sample->last_newline)
        put(out, sample->newline);
}

/* All rows, in the order of the file. */
static void file_table(const struct sample *sample, struct oracle_table *table)
{
    struct oracle_task all = sample->task;
    size_t columns = all.column_count, inside = 0, outside = all.row_count;

    all.row_count += all.outside_count;
    oracle_input(&all, table);
    for (size_t row = 0; row < all.row_count; row++)
        memcpy(table->cell + row * columns,
               all.cell +
                   (sample->member[row] ? inside++ : outside++) * columns,
               columns * sizeof *table->cell);
}

void sample_write_table(const struct sample *sample, struct text *out)
{
    struct oracle_table table;

    if (sample->byte_order_mark)
        put(out, "\xef\xbb\xbf");
    file_table(sample, &table);
    sample_write_cells(sample, &table, out);
    oracle_table_clear(&table);
}

void sample_write_subset(const struct sample *sample, struct text *out)
{
    size_t rows = sample->task.row_count + sample->task.outside_count;
    char number[32];

    if (sample->subset_header) {
        put(out, "row");
        put(out, sample->newline);
    }
    for (size_t row = 0; row < rows; row++)
        if (sample->member[row]) {
            snprintf(number, sizeof number, "%zu", row);
            put(out, number);
            put(out, sample->newline);
        }
}

/* ---- JSON, by hand: the project's own printer is not to be trusted here -- */

static void put_json_string(struct text *out, const char *string)
{
    char escape[8];

    put_char(out, '"');
    for (; *string != '\0'; string++) {
        if (*string == '"' || *string == '\\') {
            put_char(out, '\\');
            put_char(out, *string);
        } else if ((unsigned char)*string < 0x20) {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)*string);
            put(out, escape);
        } else {
            put_char(out, *string);
        }
    }
    put_char(out, '"');
}

static void put_number(struct text *out, const char *key, double number)
{
    char text[64];

    snprintf(text, sizeof text, ", \"%s\": %.17g", key, number);
    put(out, text);
}

static const char *role_word(enum role role)
{
    switch (role) {
    case ROLE_SUBJECT:
        return "subject";
    case ROLE_IDENTIFYING:
        return "identifying";
    case ROLE_QUASI_IDENTIFYING:
        return "quasi-identifying";
    case ROLE_SENSITIVE:
        return "sensitive";
    case ROLE_INSENSITIVE:
        return "insensitive";
    }
    abort();
}

static void put_attribute(const struct sample *sample, size_t at,
                          struct text *out)
{
    static const char *const type[] = {[TYPE_ORDINAL] = "ordinal",
                                       [TYPE_INTEGER] = "integer",
                                       [TYPE_DECIMAL] = "decimal"};
    const struct oracle_column *column = &sample->column[at];
    char name[32];

    put(out, "    ");
    put_json_string(out, column->name);
    put(out, ": {\"role\": \"");
    put(out, role_word(column->role));
    put(out, "\"");
    if (column->type != TYPE_STRING) {
        put(out, ", \"type\": ");
        put_json_string(out, type[column->type]);
    }
    if (column->domain != NULL) {
        sample_hierarchy_name(at, name);
        put(out, ", \"hierarchy\": ");
        put_json_string(out, name);
    }
    if (column->role == ROLE_QUASI_IDENTIFYING) {
        if (column->level_min > 0)
            put_number(out, "min_level", (double)column->level_min);
        if (column->level_max < column->levels - 1)
            put_number(out, "max_level", (double)column->level_max);
        if (column->weight != 1)
            put_number(out, "weight", column->weight);
    }
    put(out, "}");
}

static void put_map(const struct oracle_model *model, struct text *out)
{
    put_number(out, "k", model->k);
    if (model->map == K_MAP_SUBSET)
        return;
    put(out, model->map == K_MAP_POISSON
                 ? ", \"estimator\": \"poisson\""
                 : ", \"estimator\": \"zero-truncated-poisson\"");
    put_number(out, "significance", model->significance);
    put_number(out, "population", model->population);
}

static void put_sample_model(const struct oracle_model *model, struct text *out)
{
    static const char *const estimator[] = {
        [POPULATION_PITMAN] = ", \"estimator\": \"pitman\"",
        [POPULATION_ZAYATZ] = ", \"estimator\": \"zayatz\"",
        [POPULATION_SNB] = ", \"estimator\": \"snb\"",
        [POPULATION_DANKAR] = ", \"estimator\": \"dankar\"",
    };

    put_number(out, "threshold", model->threshold);
    if (model->highest_risk > 0) {
        put_number(out, "highest_risk", model->highest_risk);
        put_number(out, "records_at_risk", model->records_at_risk);
    }
    if (model->model == MODEL_POPULATION_UNIQUENESS) {
        put(out, estimator[model->population_estimator]);
        put_number(out, "population", model->population);
    }
}

static void put_model(const struct sample *sample,
                      const struct oracle_model *model, struct text *out)
{
    static const char *const name[] = {
        [MODEL_K_ANONYMITY] = "k-anonymity",
        [MODEL_DISTINCT_L_DIVERSITY] = "distinct-l-diversity",
        [MODEL_ENTROPY_L_DIVERSITY] = "entropy-l-diversity",
        [MODEL_RECURSIVE_CL_DIVERSITY] = "recursive-cl-diversity",
        [MODEL_T_CLOSENESS_EQUAL] = "t-closeness-equal",
        [MODEL_T_CLOSENESS_ORDERED] = "t-closeness-ordered",
        [MODEL_T_CLOSENESS_HIERARCHICAL] = "t-closeness-hierarchical",
        [MODEL_DELTA_DISCLOSURE] = "delta-disclosure",
        [MODEL_BASIC_BETA_LIKENESS] = "basic-beta-likeness",
        [MODEL_ENHANCED_BETA_LIKENESS] = "enhanced-beta-likeness",
        [MODEL_DELTA_PRESENCE] = "delta-presence",
        [MODEL_K_MAP] = "k-map",
        [MODEL_AVERAGE_RISK] = "average-risk",
        [MODEL_SAMPLE_UNIQUENESS] = "sample-uniqueness",
        [MODEL_POPULATION_UNIQUENESS] = "population-uniqueness",
    };

    put(out, "    {\"model\": \"");
    put(out, name[model->model]);
    put(out, "\"");
    if (model->model == MODEL_K_ANONYMITY) {
        put_number(out, "k", model->k);
    } else if (model->model == MODEL_DELTA_PRESENCE) {
        put_number(out, "min", model->min);
        put_number(out, "max", model->max);
    } else if (model->model == MODEL_K_MAP) {
        put_map(model, out);
    } else if (privacy_model_is_of_sample(model->model)) {
        put_sample_model(model, out);
    } else {
        put(out, ", \"attribute\": ");
        put_json_string(out, sample->column[model->column].name);
        if (model->model == MODEL_DELTA_DISCLOSURE)
            put_number(out, "delta", model->delta);
        else if (model->model >= MODEL_BASIC_BETA_LIKENESS)
            put_number(out, "beta", model->beta);
        else if (privacy_model_compares(model->model))
            put_number(out, "t", model->t);
        else
            put_number(out, "l", model->l);
    }
    if (model->model == MODEL_RECURSIVE_CL_DIVERSITY)
        put_number(out, "c", model->c);
    if (model->model == MODEL_ENTROPY_L_DIVERSITY)
        put(out, model->estimator == ESTIMATOR_SHANNON
                     ? ", \"estimator\": \"shannon\""
                     : ", \"estimator\": \"grassberger\"");
    put(out, "}");
}

static void put_table_section(const struct sample *sample, struct text *out)
{
    char delimiter[] = {sample->delimiter, '\0'};

    put(out, "  \"table\": {\"missing\": [");
    for (size_t i = 0; i < sample->task.missing_count; i++) {
        if (i > 0)
            put(out, ", ");
        put_json_string(out, sample->missing[i]);
    }
    put(out, "], \"delimiter\": ");
    put_json_string(out, sample->delimiter_named ? delimiter : "auto");
    put(out, "},\n");
}

static void put_quality(const struct sample *sample, struct text *out)
{
    put(out, ",\n  \"quality\": {\"metric\": ");
    put_json_string(out, quality_metric_name(sample->task.metric));
    if (sample->aggregate_named) {
        put(out, ", \"aggregate\": ");
        put_json_string(out, aggregate_name(sample->task.aggregate));
    }
    if (sample->gs_factor_named)
        put_number(out, "gs_factor", sample->task.gs_factor);
    put(out, "}");
}

void sample_write_policy(const struct sample *sample, struct text *out)
{
    bool first = true;

    put(out, "{\n  \"policy\": 1,\n  \"name\": \"property\",\n");
    put_table_section(sample, out);
    if (sample->any_unlisted)
        put(out, "  \"unlisted\": \"remove\",\n");
    if (sample->task.drop_suppressed)
        put(out, "  \"suppressed_rows\": \"drop\",\n");
    put(out, "  \"attributes\": {\n");
    for (size_t i = 0; i < sample->task.column_count; i++) {
        if (sample->unlisted[sample->policy_order[i]])
            continue;
        put(out, first ? "" : ",\n");
        put_attribute(sample, sample->policy_order[i], out);
        first = false;
    }
    put(out, "\n  },\n  \"privacy\": [\n");
    for (size_t i = 0; i < sample->task.model_count; i++) {
        put(out, i > 0 ? ",\n" : "");
        put_model(sample, &sample->model[i], out);
    }
    put(out, "\n  ]");
    if (sample->has_subset && sample->subset == NULL)
        put(out, ",\n  \"subset\": {\"file\": \"rows.csv\"}");
    if (sample->subset != NULL) {
        put(out, ",\n  \"subset\": {\"rows\": ");
        put_json_string(out, sample->subset);
        put(out, "}");
    }
    put_number(out, "suppression_limit", sample->task.suppression_limit);
    put_quality(sample, out);
    put(out, "\n}\n");
}

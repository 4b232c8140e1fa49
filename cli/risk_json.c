#include "cli/risk_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "anonymizer/individual_risk.h"

/* What there is to print, for those who add a section. */
struct source {
    const struct policy *policy;
    const struct risk_table *table;
    const struct risk *risk;
};

static enum status add_count(struct json_value *parent, const char *key,
                             uint64_t count, struct error *err)
{
    return json_add_integer(parent, key, (int64_t)count, err);
}

/* Rows of numbers with their keys. */
struct figure {
    const char *key;
    double value;
};

static enum status add_figures(struct json_value *parent,
                               const struct figure *figure, size_t count,
                               struct error *err)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < count; i++)
        status = json_add_number(parent, figure[i].key, figure[i].value, err);
    return status;
}

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* An object of numbers. */
static enum status add_object(struct json_value *parent, const char *key,
                              const struct figure *figure, size_t count,
                              struct error *err)
{
    struct json_value *object = NULL;
    enum status status = json_add_object(parent, key, &object, err);

    return status == OK ? add_figures(object, figure, count, err) : status;
}

static const char *column_name(const struct source *source, size_t column)
{
    return source->policy->attribute[source->table->attribute[column]].name;
}

/* ---- classes and attackers ---- */

static enum status add_histogram(struct json_value *classes,
                                 const struct risk *risk, struct error *err)
{
    struct json_value *histogram = NULL, *pair = NULL;
    enum status status = json_add_array(classes, "histogram", &histogram, err);

    for (size_t i = 0; status == OK && i < risk->histogram_count; i++)
        if (json_add_array(histogram, NULL, &pair, err) != OK ||
            add_count(pair, NULL, risk->histogram[i].size, err) != OK ||
            add_count(pair, NULL, risk->histogram[i].number, err) != OK)
            status = err->status;
    return status;
}

static double share_of(uint64_t records, const struct risk *risk)
{
    return risk->records > 0 ? (double)records / (double)risk->records : NAN;
}

static double if_any(uint64_t value, const struct risk *risk)
{
    return risk->classes > 0 ? (double)value : NAN;
}

static enum status add_classes(struct json_value *root,
                               const struct source *source, struct error *err)
{
    const struct risk *risk = source->risk;
    struct json_value *names = NULL, *classes = NULL;
    const struct figure sizes[] = {{"count", (double)risk->classes},
                                   {"min", if_any(risk->min, risk)},
                                   {"max", if_any(risk->max, risk)},
                                   {"average", risk->average_size}};
    const struct figure uniques[] = {
        {"records", (double)risk->sample_uniques},
        {"share", share_of(risk->sample_uniques, risk)}};

    if (add_count(root, "rows", risk->rows, err) != OK ||
        add_count(root, "records", risk->records, err) != OK ||
        add_count(root, "suppressed", risk->suppressed, err) != OK ||
        json_add_array(root, "quasi_identifiers", &names, err) != OK)
        return err->status;
    for (size_t c = 0; c < source->table->keys.column_count; c++)
        if (json_add_string(names, NULL, column_name(source, c), err) != OK)
            return err->status;
    if (json_add_object(root, "classes", &classes, err) != OK ||
        add_figures(classes, sizes, COUNT_OF(sizes), err) != OK ||
        add_histogram(classes, risk, err) != OK)
        return err->status;
    return add_object(root, "sample_uniques", uniques, COUNT_OF(uniques), err);
}

static enum status add_attackers(struct json_value *root,
                                 const struct risk *risk, struct error *err)
{
    const struct figure prosecutor[] = {
        {"highest", risk->prosecutor.highest},
        {"lowest", risk->prosecutor.lowest},
        {"average", risk->prosecutor.average},
        {"records_at_highest", if_any(risk->at_highest, risk)},
        {"records_at_lowest", if_any(risk->at_lowest, risk)}};
    const struct figure journalist[] = {{"highest", risk->journalist.highest},
                                        {"lowest", risk->journalist.lowest},
                                        {"average", risk->journalist.average}};
    const struct figure marketer[] = {{"average", risk->marketer}};
    struct json_value *thresholds = NULL;

    if (add_object(root, "prosecutor", prosecutor, COUNT_OF(prosecutor), err) !=
            OK ||
        add_object(root, "journalist", journalist, COUNT_OF(journalist), err) !=
            OK ||
        add_object(root, "marketer", marketer, COUNT_OF(marketer), err) != OK ||
        json_add_array(root, "thresholds", &thresholds, err) != OK)
        return err->status;
    for (size_t i = 0; i < risk->threshold_count; i++) {
        const struct risk_threshold *at = &risk->threshold[i];
        const struct figure figures[] = {{"threshold", at->threshold},
                                         {"effective", at->effective},
                                         {"prosecutor", at->prosecutor},
                                         {"journalist", at->journalist}};

        if (add_object(thresholds, NULL, figures, COUNT_OF(figures), err) != OK)
            return err->status;
    }
    return OK;
}

/* ---- the population ---- */

/* What was solved for, if anything had to be. */
static enum status add_parameters(struct json_value *object,
                                  const struct population_estimate *estimate,
                                  const char *const *name, size_t count,
                                  struct error *err)
{
    struct json_value *parameters = NULL;

    if (isnan(estimate->parameter[0]))
        return json_add_null(object, "parameters", err);
    if (json_add_object(object, "parameters", &parameters, err) != OK)
        return err->status;
    for (size_t i = 0; i < count; i++)
        if (json_add_number(parameters, name[i], estimate->parameter[i], err) !=
            OK)
            return err->status;
    return OK;
}

static enum status add_estimate(struct json_value *parent, const char *key,
                                const struct population_estimate *estimate,
                                uint64_t people, struct json_value **object,
                                struct error *err)
{
    if (json_add_object(parent, key, object, err) != OK ||
        json_add_boolean(*object, "available",
                         estimate->state == POPULATION_KNOWN, err) != OK ||
        json_add_number(*object, "uniques", estimate->uniques, err) != OK ||
        json_add_number(*object, "share", estimate->uniques / (double)people,
                        err) != OK)
        return err->status;
    return estimate->state == POPULATION_KNOWN
               ? OK
               : json_add_string(*object, "reason",
                                 population_state_text(estimate->state), err);
}

static enum status add_population(struct json_value *array,
                                  const struct risk *risk,
                                  const struct risk_population *population,
                                  struct error *err)
{
    static const char *const of_pitman[] = {"theta", "alpha"};
    static const char *const of_snb[] = {"a", "b", "k"};
    uint64_t people = population->people;
    struct json_value *object = NULL, *estimate = NULL;

    if (json_add_object(array, NULL, &object, err) != OK ||
        add_count(object, "size", people, err) != OK ||
        json_add_number(object, "sampling_fraction",
                        (double)risk->records / (double)people, err) != OK ||
        add_estimate(object, "zayatz", &population->zayatz, people, &estimate,
                     err) != OK ||
        add_estimate(object, "pitman", &population->pitman, people, &estimate,
                     err) != OK ||
        add_parameters(estimate, &population->pitman, of_pitman, 2, err) !=
            OK ||
        add_estimate(object, "snb", &population->snb, people, &estimate, err) !=
            OK ||
        add_parameters(estimate, &population->snb, of_snb, 3, err) != OK ||
        add_estimate(object, "dankar", &population->dankar, people, &estimate,
                     err) != OK)
        return err->status;
    return json_add_string(estimate, "chosen",
                           population_estimator_name(population->dankar.used),
                           err);
}

static enum status add_populations(struct json_value *root,
                                   const struct risk *risk, struct error *err)
{
    struct json_value *array = NULL;
    enum status status = OK;

    if (risk->population_count == 0)
        return OK;
    status = json_add_array(root, "population", &array, err);
    for (size_t i = 0; status == OK && i < risk->population_count; i++)
        status = add_population(array, risk, &risk->population[i], err);
    return status;
}

/* ---- attributes ---- */

static enum status add_subset(struct json_value *subsets,
                              const struct source *source,
                              const struct attribute_subset *subset,
                              struct error *err)
{
    struct json_value *object = NULL, *names = NULL;
    const struct figure figures[] = {{"distinction", subset->distinction},
                                     {"separation", subset->separation}};

    if (json_add_object(subsets, NULL, &object, err) != OK ||
        json_add_array(object, "attributes", &names, err) != OK)
        return err->status;
    for (uint64_t left = subset->columns; left != 0; left &= left - 1)
        if (json_add_string(names, NULL,
                            column_name(source, (size_t)__builtin_ctzll(left)),
                            err) != OK)
            return err->status;
    return add_figures(object, figures, COUNT_OF(figures), err);
}

static enum status add_attributes(struct json_value *root,
                                  const struct source *source,
                                  struct error *err)
{
    const struct risk *risk = source->risk;
    struct json_value *attributes = NULL, *subsets = NULL;
    enum status status = OK;

    if (risk->subset == NULL)
        return OK;
    if (json_add_object(root, "attributes", &attributes, err) != OK ||
        add_count(attributes, "max_size", source->policy->risk.subset_size,
                  err) != OK ||
        json_add_array(attributes, "subsets", &subsets, err) != OK)
        return err->status;
    for (size_t i = 0; status == OK && i < risk->subset_count; i++)
        status = add_subset(subsets, source, &risk->subset[i], err);
    return status;
}

/* ---- records ---- */

static enum status add_violations(struct json_value *parent,
                                  const struct individual_figures *figures,
                                  struct error *err)
{
    static const char *const key[] = {
#define VIOLATION_KEY(k) #k,
        RISK_VIOLATIONS(VIOLATION_KEY)
#undef VIOLATION_KEY
    };
    struct json_value *violations = NULL;
    enum status status =
        json_add_object(parent, "k_violations", &violations, err);

    for (size_t i = 0; status == OK && i < COUNT_OF(key); i++)
        status = add_count(violations, key[i], figures->violations[i], err);
    return status;
}

static enum status add_individual(struct json_value *root,
                                  const struct source *source,
                                  struct error *err)
{
    const struct policy_risk *asked = &source->policy->risk;
    const struct individual_figures *figures = &source->risk->individual;
    const struct figure plain[] = {
        {"missing_match", asked->missing_match},
        {"sample_uniques", (double)figures->sample_uniques},
        {"frequency_sum", figures->frequency_sum},
        {"highest", figures->plain.highest},
        {"expected_reidentifications", figures->plain.expected},
        {"share", figures->plain.share}};
    const struct figure weighted[] = {
        {"weight_sum", figures->weight_sum},
        {"highest", figures->weighted.highest},
        {"expected_reidentifications", figures->weighted.expected},
        {"share", figures->weighted.share}};
    struct json_value *object = NULL, *by_weight = NULL;

    if (json_add_object(root, "individual", &object, err) != OK ||
        add_figures(object, plain, COUNT_OF(plain), err) != OK ||
        add_violations(object, figures, err) != OK)
        return err->status;
    if (asked->weight == NO_ATTRIBUTE)
        return OK;
    if (json_add_object(object, "weighted", &by_weight, err) != OK ||
        json_add_string(by_weight, "weight",
                        source->policy->attribute[asked->weight].name,
                        err) != OK)
        return err->status;
    return add_figures(by_weight, weighted, COUNT_OF(weighted), err);
}

static enum status add_household(struct json_value *root,
                                 const struct source *source, struct error *err)
{
    const struct policy_risk *asked = &source->policy->risk;
    const struct household_figures *figures = &source->risk->household;
    const struct figure plain[] = {
        {"expected_reidentifications", figures->plain.expected},
        {"share", figures->plain.share}};
    const struct figure weighted[] = {
        {"expected_reidentifications", figures->weighted.expected},
        {"share", figures->weighted.share}};
    struct json_value *object = NULL;

    if (asked->household == NO_ATTRIBUTE)
        return OK;
    if (json_add_object(root, "household", &object, err) != OK ||
        json_add_string(object, "column",
                        source->policy->attribute[asked->household].name,
                        err) != OK ||
        add_count(object, "households", figures->households, err) != OK ||
        add_figures(object, plain, COUNT_OF(plain), err) != OK)
        return err->status;
    return asked->weight == NO_ATTRIBUTE
               ? OK
               : add_object(object, "weighted", weighted, COUNT_OF(weighted),
                            err);
}

static enum status add_suda(struct json_value *root,
                            const struct source *source, struct error *err)
{
    const struct policy_risk *asked = &source->policy->risk;
    const struct suda *suda = source->risk->suda;
    struct json_value *object = NULL, *contributions = NULL;

    if (suda == NULL)
        return OK;
    if (json_add_object(root, "suda", &object, err) != OK ||
        json_add_number(object, "fraction", asked->suda_fraction, err) != OK ||
        json_add_string(object, "score",
                        asked->suda_form == SUDA_FACTORIAL ? "factorial"
                                                           : "normalised",
                        err) != OK ||
        add_count(object, "records", suda->records, err) != OK ||
        json_add_number(object, "score_sum", suda->score_sum, err) != OK ||
        json_add_number(object, "score_highest", suda->score_highest, err) !=
            OK ||
        json_add_number(object, "dis_sum", suda->dis_sum, err) != OK ||
        json_add_number(object, "dis_highest", suda->dis_highest, err) != OK ||
        json_add_object(object, "contributions", &contributions, err) != OK)
        return err->status;
    for (size_t c = 0; c < source->table->keys.column_count; c++)
        if (json_add_number(contributions, column_name(source, c),
                            suda->contribution[c], err) != OK)
            return err->status;
    return OK;
}

/* ---- sensitive attributes ---- */

static enum status add_sum(struct json_value *parent, const char *key,
                           const struct diversity_sum *sum, struct error *err)
{
    const struct figure figures[] = {{"min", sum->min}, {"sum", sum->sum}};

    return add_object(parent, key, figures, COUNT_OF(figures), err);
}

static enum status add_sensitive(struct json_value *root,
                                 const struct source *source, struct error *err)
{
    struct json_value *all = NULL, *object = NULL, *below = NULL;

    if (source->risk->sensitive_count == 0)
        return OK;
    if (json_add_object(root, "l_diversity", &all, err) != OK)
        return err->status;
    for (size_t i = 0; i < source->risk->sensitive_count; i++) {
        const struct sensitive_figures *figures = &source->risk->sensitive[i];
        const char *name = source->policy->attribute[figures->attribute].name;

        if (json_add_object(all, name, &object, err) != OK ||
            json_add_number(object, "recursive_c",
                            source->policy->risk.recursive_c, err) != OK ||
            add_sum(object, "distinct", &figures->distinct, err) != OK ||
            add_sum(object, "entropy", &figures->entropy, err) != OK ||
            add_sum(object, "recursive", &figures->recursive, err) != OK ||
            json_add_object(object, "records_below", &below, err) != OK ||
            add_count(below, "2", figures->below[0], err) != OK ||
            add_count(below, "3", figures->below[1], err) != OK)
            return err->status;
    }
    return OK;
}

/* ---- record by record ---- */

/* The figure of a record: of its row, and its class. */
typedef double record_figure(const struct source *source, uint64_t row,
                             uint32_t class);

static double row_number(const struct source *source, uint64_t row,
                         uint32_t class)
{
    (void)source, (void)class;
    return (double)row;
}

static double frequency(const struct source *source, uint64_t row,
                        uint32_t class)
{
    (void)row;
    return source->risk->frequency[class];
}

static double plain_risk(const struct source *source, uint64_t row,
                         uint32_t class)
{
    (void)row;
    return 1 / source->risk->frequency[class];
}

static double weighted_frequency(const struct source *source, uint64_t row,
                                 uint32_t class)
{
    (void)row;
    return source->risk->weighted_frequency[class];
}

static double weighted_risk(const struct source *source, uint64_t row,
                            uint32_t class)
{
    (void)row;
    return individual_risk(source->risk->frequency[class],
                           source->risk->weighted_frequency[class]);
}

static double household_risk(const struct source *source, uint64_t row,
                             uint32_t class)
{
    (void)class;
    return source->risk->household_risk[source->table->household[row]];
}

static double household_weighted(const struct source *source, uint64_t row,
                                 uint32_t class)
{
    (void)class;
    return source->risk->household_weighted[source->table->household[row]];
}

static double suda_score(const struct source *source, uint64_t row,
                         uint32_t class)
{
    (void)row;
    return source->risk->suda->score[class];
}

static double suda_dis(const struct source *source, uint64_t row,
                       uint32_t class)
{
    (void)row;
    return source->risk->suda->dis[class];
}

static enum status add_column(struct json_value *parent, const char *key,
                              const struct source *source,
                              record_figure *figure, struct error *err)
{
    const struct risk_table *table = source->table;
    struct json_value *array = NULL;
    enum status status = json_add_array(parent, key, &array, err);

    for (uint64_t row = 0; status == OK && row < table->table->population_rows;
         row++)
        if (table->class_of[row] != KEY_NO_CODE)
            status = json_add_number(
                array, NULL, figure(source, row, table->class_of[row]), err);
    return status;
}

static enum status add_class_column(struct json_value *parent, const char *key,
                                    const struct risk_table *table,
                                    const double *by_class, struct error *err)
{
    struct json_value *array = NULL;
    enum status status = json_add_array(parent, key, &array, err);

    for (uint64_t row = 0; status == OK && row < table->table->population_rows;
         row++)
        if (table->class_of[row] != KEY_NO_CODE)
            status = json_add_number(array, NULL,
                                     by_class[table->class_of[row]], err);
    return status;
}

static enum status add_diversity_detail(struct json_value *detail,
                                        const struct source *source,
                                        struct error *err)
{
    const struct risk *risk = source->risk;
    struct json_value *all = NULL, *object = NULL;

    if (risk->sensitive_count == 0)
        return OK;
    if (json_add_object(detail, "l_diversity", &all, err) != OK)
        return err->status;
    for (size_t i = 0; i < risk->sensitive_count; i++) {
        const struct sensitive_figures *figures = &risk->sensitive[i];
        const char *name = source->policy->attribute[figures->attribute].name;

        if (json_add_object(all, name, &object, err) != OK ||
            add_class_column(object, "distinct", source->table,
                             figures->class_distinct, err) != OK ||
            add_class_column(object, "entropy", source->table,
                             figures->class_entropy, err) != OK ||
            add_class_column(object, "recursive", source->table,
                             figures->class_recursive, err) != OK)
            return err->status;
    }
    return OK;
}

static enum status add_detail(struct json_value *root,
                              const struct source *source, struct error *err)
{
    const struct risk *risk = source->risk;
    const struct {
        const char *key;
        record_figure *figure;
        bool is_there;
    } column[] = {
        {"row", row_number, true},
        {"frequency", frequency, true},
        {"risk", plain_risk, true},
        {"weighted_frequency", weighted_frequency,
         risk->weighted_frequency != NULL},
        {"weighted_risk", weighted_risk, risk->weighted_frequency != NULL},
        {"household_risk", household_risk, risk->household_risk != NULL},
        {"weighted_household_risk", household_weighted,
         risk->household_weighted != NULL},
        {"suda_score", suda_score, risk->suda != NULL},
        {"dis", suda_dis, risk->suda != NULL},
    };
    struct json_value *detail = NULL;
    enum status status = json_add_object(root, "records_detail", &detail, err);

    for (size_t i = 0; status == OK && i < COUNT_OF(column); i++)
        if (column[i].is_there)
            status = add_column(detail, column[i].key, source, column[i].figure,
                                err);
    return status == OK ? add_diversity_detail(detail, source, err) : status;
}

enum status risk_json(const struct policy *policy,
                      const struct risk_table *table, const struct risk *risk,
                      bool records, struct json_value *root, struct error *err)
{
    const struct source source = {policy, table, risk};

    if (add_classes(root, &source, err) != OK ||
        add_attackers(root, risk, err) != OK ||
        add_populations(root, risk, err) != OK ||
        add_attributes(root, &source, err) != OK ||
        add_individual(root, &source, err) != OK ||
        add_household(root, &source, err) != OK ||
        add_suda(root, &source, err) != OK ||
        add_sensitive(root, &source, err) != OK)
        return err->status;
    return records ? add_detail(root, &source, err) : OK;
}

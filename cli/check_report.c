#include "cli/check_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/command.h"

/* ---- for programs ---- */

/* Rows are below 2^32, so that every count is an exact JSON number. */
static enum status add_count(struct json_value *parent, const char *key,
                             uint64_t count, struct error *err)
{
    return json_add_integer(parent, key, (int64_t)count, err);
}

static enum status add_presence(struct json_value *model,
                                const struct privacy_criterion *criterion,
                                struct error *err)
{
    if (json_add_number(model, "min", criterion->min, err) != OK)
        return err->status;
    return json_add_number(model, "max", criterion->max, err);
}

static enum status add_k_map(struct json_value *model,
                             const struct privacy_criterion *criterion,
                             struct error *err)
{
    if (add_count(model, "k", criterion->k, err) != OK)
        return err->status;
    if (criterion->map == K_MAP_SUBSET)
        return OK;
    if (json_add_string(model, "estimator",
                        k_map_population_name(criterion->map), err) != OK ||
        json_add_number(model, "significance", criterion->significance, err) !=
            OK)
        return err->status;
    return json_add_number(model, "population", criterion->population, err);
}

static enum status
add_sample_parameters(struct json_value *model,
                      const struct privacy_criterion *criterion,
                      struct error *err)
{
    const char *estimator =
        population_estimator_name(criterion->population_estimator);

    if (json_add_number(model, "threshold", criterion->threshold, err) != OK)
        return err->status;
    if (criterion->model == MODEL_AVERAGE_RISK && criterion->highest_risk > 0 &&
        (json_add_number(model, "highest_risk", criterion->highest_risk, err) !=
             OK ||
         json_add_number(model, "records_at_risk", criterion->records_at_risk,
                         err) != OK))
        return err->status;
    if (criterion->model == MODEL_POPULATION_UNIQUENESS &&
        (json_add_string(model, "estimator", estimator, err) != OK ||
         json_add_number(model, "population", criterion->population, err) !=
             OK))
        return err->status;
    return OK;
}

static enum status add_parameters(struct json_value *model,
                                  const struct privacy_criterion *criterion,
                                  struct error *err)
{
    bool grassberger = criterion->estimator == ESTIMATOR_GRASSBERGER;

    if (criterion->model == MODEL_K_ANONYMITY)
        return add_count(model, "k", criterion->k, err);
    if (criterion->model == MODEL_DELTA_PRESENCE)
        return add_presence(model, criterion, err);
    if (criterion->model == MODEL_K_MAP)
        return add_k_map(model, criterion, err);
    if (privacy_model_is_of_sample(criterion->model))
        return add_sample_parameters(model, criterion, err);
    if (criterion->model == MODEL_DELTA_DISCLOSURE)
        return json_add_number(model, "delta", criterion->delta, err);
    if (criterion->model == MODEL_BASIC_BETA_LIKENESS ||
        criterion->model == MODEL_ENHANCED_BETA_LIKENESS)
        return json_add_number(model, "beta", criterion->beta, err);
    if (privacy_model_compares(criterion->model))
        return json_add_number(model, "t", criterion->t, err);
    if (json_add_number(model, "l", criterion->l, err) != OK)
        return err->status;
    if (criterion->model == MODEL_RECURSIVE_CL_DIVERSITY)
        return json_add_number(model, "c", criterion->c, err);
    if (criterion->model == MODEL_ENTROPY_L_DIVERSITY)
        return json_add_string(model, "estimator",
                               grassberger ? "grassberger" : "shannon", err);
    return OK;
}

static enum status add_satisfied(struct json_value *model,
                                 const struct criterion_figures *figures,
                                 struct error *err)
{
    return figures->judged
               ? json_add_boolean(model, "satisfied", figures->satisfied, err)
               : json_add_null(model, "satisfied", err);
}

static enum status add_attribute(struct json_value *model,
                                 const struct policy *policy, size_t attribute,
                                 struct error *err)
{
    if (attribute == NO_ATTRIBUTE)
        return OK;
    return json_add_string(model, "attribute",
                           policy->attribute[attribute].name, err);
}

static enum status add_models(struct json_value *root,
                              const struct policy *policy,
                              const struct recheck_result *result,
                              struct error *err)
{
    struct json_value *models = NULL, *model = NULL;
    enum status status = json_add_array(root, "models", &models, err);

    for (size_t i = 0; status == OK && i < result->criterion_count; i++) {
        const struct privacy_criterion *criterion = &policy->criterion[i];
        const struct criterion_figures *figures = &result->criterion[i];

        if (json_add_object(models, NULL, &model, err) != OK ||
            json_add_string(model, "model",
                            privacy_model_name(criterion->model), err) != OK ||
            add_attribute(model, policy, criterion->attribute, err) != OK ||
            add_parameters(model, criterion, err) != OK ||
            add_satisfied(model, figures, err) != OK ||
            json_add_number(model, "value", figures->value, err) != OK ||
            add_count(model, "violating", figures->violating, err) != OK)
            status = err->status;
    }
    return status;
}

static enum status add_suppression(struct json_value *root,
                                   const struct recheck_result *result,
                                   struct error *err)
{
    struct json_value *suppression = NULL;
    uint64_t rows = result->classes.suppressed, limit = result->suppressed_max;

    if (json_add_object(root, "suppression", &suppression, err) != OK ||
        add_count(suppression, "rows", rows, err) != OK ||
        add_count(suppression, "limit", limit, err) != OK ||
        json_add_boolean(suppression, "satisfied", rows <= limit, err) != OK)
        return err->status;
    return OK;
}

static enum status add_unremoved(struct json_value *root,
                                 const struct recheck_result *result,
                                 struct error *err)
{
    struct json_value *columns = NULL;
    enum status status =
        json_add_array(root, "unremoved_columns", &columns, err);

    for (size_t i = 0; status == OK && i < result->unremoved_count; i++)
        status = json_add_string(columns, NULL, result->unremoved[i], err);
    return status;
}

static enum status add_classes(struct json_value *root,
                               const struct class_figures *figures,
                               struct error *err)
{
    struct json_value *classes = NULL;

    if (json_add_object(root, "classes", &classes, err) != OK ||
        add_count(classes, "count", figures->count, err) != OK ||
        add_count(classes, "min", figures->min, err) != OK ||
        add_count(classes, "max", figures->max, err) != OK ||
        json_add_number(classes, "average", figures->average, err) != OK)
        return err->status;
    return OK;
}

static enum status add_k(struct json_value *root,
                         const struct class_figures *figures, struct error *err)
{
    return figures->count == 0 ? json_add_null(root, "k", err)
                               : add_count(root, "k", figures->min, err);
}

/* One member of "alpha", "distinct_l", ...: the attribute and its figure. */
typedef enum status add_figure(struct json_value *object, const char *name,
                               const struct diversity_figures *figures,
                               struct error *err);

static enum status add_alpha(struct json_value *object, const char *name,
                             const struct diversity_figures *figures,
                             struct error *err)
{
    return json_add_number(object, name, figures->alpha, err);
}

static enum status add_distinct_l(struct json_value *object, const char *name,
                                  const struct diversity_figures *figures,
                                  struct error *err)
{
    return add_count(object, name, figures->distinct_l, err);
}

static enum status add_entropy_l(struct json_value *object, const char *name,
                                 const struct diversity_figures *figures,
                                 struct error *err)
{
    return json_add_number(object, name, figures->entropy_l, err);
}

static enum status add_recursive_c(struct json_value *object, const char *name,
                                   const struct diversity_figures *figures,
                                   struct error *err)
{
    struct json_value *by_l = NULL;
    enum status status = json_add_object(object, name, &by_l, err);
    char key[32];

    for (uint64_t l = 2; status == OK && l <= figures->distinct_l; l++) {
        snprintf(key, sizeof key, "%" PRIu64, l);
        status = json_add_number(by_l, key, figures->recursive_c[l], err);
    }
    return status;
}

/* A table without a class has no worst class: null. */
static enum status add_diversity(struct json_value *root, const char *key,
                                 const struct policy *policy,
                                 const struct recheck_result *result,
                                 add_figure *add, struct error *err)
{
    struct json_value *object = NULL;
    enum status status = json_add_object(root, key, &object, err);

    for (size_t i = 0; status == OK && i < result->diversity_count; i++) {
        const struct diversity_figures *figures = &result->diversity[i];
        const char *name = policy->attribute[figures->attribute].name;

        status = result->classes.count == 0 ? json_add_null(object, name, err)
                                            : add(object, name, figures, err);
    }
    return status;
}

static enum status add_known(struct json_value *object, const char *key,
                             double figure, struct error *err)
{
    return isnan(figure) ? OK : json_add_number(object, key, figure, err);
}

/* Those distances that are defined; null without a class. */
static enum status add_closeness(struct json_value *object, const char *name,
                                 const struct distance_figures *figures,
                                 struct error *err)
{
    struct json_value *by = NULL;

    if (isnan(figures->t_equal))
        return json_add_null(object, name, err);
    if (json_add_object(object, name, &by, err) != OK ||
        add_known(by, "equal", figures->t_equal, err) != OK ||
        add_known(by, "ordered", figures->t_ordered, err) != OK ||
        add_known(by, "hierarchical", figures->t_hierarchical, err) != OK)
        return err->status;
    return OK;
}

static enum status add_distances(struct json_value *root,
                                 const struct policy *policy,
                                 const struct recheck_result *result,
                                 struct error *err)
{
    struct json_value *t = NULL, *beta = NULL, *delta = NULL;

    if (json_add_object(root, "t", &t, err) != OK ||
        json_add_object(root, "beta", &beta, err) != OK ||
        json_add_object(root, "delta", &delta, err) != OK)
        return err->status;
    for (size_t i = 0; i < result->diversity_count; i++) {
        const struct distance_figures *figures = &result->distance[i];
        const char *name =
            policy->attribute[result->diversity[i].attribute].name;

        if (add_closeness(t, name, figures, err) != OK ||
            json_add_number(beta, name, figures->beta, err) != OK ||
            json_add_number(delta, name, figures->delta, err) != OK)
            return err->status;
    }
    return OK;
}

enum status check_report_json(const struct policy *policy,
                              const struct recheck_result *result,
                              struct json_value *root, struct error *err)
{
    static const struct {
        const char *key;
        add_figure *add;
    } diversity[] = {
        {"alpha", add_alpha},
        {"distinct_l", add_distinct_l},
        {"entropy_l", add_entropy_l},
        {"recursive_c", add_recursive_c},
    };
    const struct class_figures *classes = &result->classes;
    enum status status = OK;

    if (json_add_boolean(root, "satisfied", result->satisfied, err) != OK ||
        add_models(root, policy, result, err) != OK ||
        add_suppression(root, result, err) != OK ||
        add_unremoved(root, result, err) != OK ||
        add_count(root, "rows", classes->rows, err) != OK ||
        add_count(root, "suppressed", classes->suppressed, err) != OK ||
        add_classes(root, classes, err) != OK ||
        add_k(root, classes, err) != OK)
        return err->status;
    for (size_t i = 0;
         status == OK && i < sizeof diversity / sizeof diversity[0]; i++)
        status = add_diversity(root, diversity[i].key, policy, result,
                               diversity[i].add, err);
    return status == OK ? add_distances(root, policy, result, err) : status;
}

/* ---- for people ---- */

/* Room for the longest name of a model and of its parameters. */
#define MODEL_WIDTH 26
#define REQUIRED_WIDTH 24
#define FIGURE_WIDTH 13

/* A longer name of an attribute sticks out. */
#define NAME_WIDTH_MAX 32

/* Characters, which need not be bytes. */
static int name_width(const char *name)
{
    int width = 0;

    for (; *name != '\0'; name++)
        width += ((unsigned char)*name & 0xC0) != 0x80;
    return width;
}

/* A name out of a file, padded to `width` characters. */
static void print_name(FILE *out, const char *name, int width)
{
    int padding = width - name_width(name);

    command_print_harmless(out, name);
    fprintf(out, "%*s", padding > 0 ? padding : 0, "");
}

/* Widest name of a sensitive attribute, but a very long one may stick out. */
static int names_width(const struct policy *policy,
                       const struct recheck_result *result)
{
    int widest = (int)sizeof "attribute" - 1;

    for (size_t i = 0; i < result->diversity_count; i++) {
        size_t attribute = result->diversity[i].attribute;
        int width = name_width(policy->attribute[attribute].name);

        if (width > widest && width <= NAME_WIDTH_MAX)
            widest = width;
    }
    return widest;
}

static void required_format(const struct privacy_criterion *criterion,
                            char *out, size_t size)
{
    switch (criterion->model) {
    case MODEL_K_ANONYMITY:
        snprintf(out, size, "k = %" PRIu32, criterion->k);
        break;
    case MODEL_DISTINCT_L_DIVERSITY:
        snprintf(out, size, "l = %g", criterion->l);
        break;
    case MODEL_ENTROPY_L_DIVERSITY:
        snprintf(out, size, "l = %g%s", criterion->l,
                 criterion->estimator == ESTIMATOR_GRASSBERGER ? ", Grassberger"
                                                               : "");
        break;
    case MODEL_RECURSIVE_CL_DIVERSITY:
        snprintf(out, size, "c = %g, l = %g", criterion->c, criterion->l);
        break;
    case MODEL_T_CLOSENESS_EQUAL:
    case MODEL_T_CLOSENESS_ORDERED:
    case MODEL_T_CLOSENESS_HIERARCHICAL:
        snprintf(out, size, "t = %g", criterion->t);
        break;
    case MODEL_DELTA_DISCLOSURE:
        snprintf(out, size, "delta = %g", criterion->delta);
        break;
    case MODEL_BASIC_BETA_LIKENESS:
    case MODEL_ENHANCED_BETA_LIKENESS:
        snprintf(out, size, "beta = %g", criterion->beta);
        break;
    case MODEL_DELTA_PRESENCE:
        snprintf(out, size, "%g to %g", criterion->min, criterion->max);
        break;
    case MODEL_K_MAP:
        snprintf(out, size, "k = %" PRIu32 "%s", criterion->k,
                 criterion->map == K_MAP_SUBSET ? "" : ", estimated");
        break;
    case MODEL_AVERAGE_RISK:
        if (criterion->highest_risk > 0) {
            snprintf(out, size, "%g; %.3g above %.3g", criterion->threshold,
                     criterion->records_at_risk, criterion->highest_risk);
            break;
        }
        snprintf(out, size, "%g", criterion->threshold);
        break;
    case MODEL_SAMPLE_UNIQUENESS:
        snprintf(out, size, "%g", criterion->threshold);
        break;
    case MODEL_POPULATION_UNIQUENESS:
        snprintf(out, size, "%g, %s", criterion->threshold,
                 population_estimator_name(criterion->population_estimator));
        break;
    }
}

static void print_model(FILE *out, const struct policy *policy,
                        const struct privacy_criterion *criterion,
                        const struct criterion_figures *figures, int width)
{
    const char *name = criterion->attribute == NO_ATTRIBUTE
                           ? "-"
                           : policy->attribute[criterion->attribute].name;
    char required[64], value[32] = "-";

    required_format(criterion, required, sizeof required);
    if (!isnan(figures->value))
        snprintf(value, sizeof value, "%.6g", figures->value);
    fprintf(out, "  %-*s", MODEL_WIDTH, privacy_model_name(criterion->model));
    print_name(out, name, width);
    fprintf(out, "  %-*s%-*s", REQUIRED_WIDTH, required, FIGURE_WIDTH, value);
    if (!figures->judged)
        fputs("CANNOT BE JUDGED from this table\n", out);
    else if (figures->satisfied)
        fputs("holds\n", out);
    else if (privacy_model_is_of_sample(criterion->model))
        fputs("BROKEN by the classes together\n", out);
    else
        fprintf(out, "BROKEN by %" PRIu64 " class%s\n", figures->violating,
                figures->violating == 1 ? "" : "es");
}

static void print_models(FILE *out, const struct policy *policy,
                         const struct recheck_result *result)
{
    int width = names_width(policy, result);

    fprintf(out, "\n  %-*s%-*s  %-*s%s\n", MODEL_WIDTH, "model", width,
            "attribute", REQUIRED_WIDTH, "required", "worst class");
    for (size_t i = 0; i < result->criterion_count; i++)
        print_model(out, policy, &policy->criterion[i], &result->criterion[i],
                    width);
}

static void print_diversity(FILE *out, const struct policy *policy,
                            const struct recheck_result *result)
{
    int width = names_width(policy, result);

    if (result->diversity_count == 0 || result->classes.count == 0)
        return;
    fprintf(out, "\n  %-*s  %-*s%-*s%s\n", width, "sensitive", FIGURE_WIDTH,
            "distinct l", FIGURE_WIDTH, "entropy l", "alpha");
    for (size_t i = 0; i < result->diversity_count; i++) {
        const struct diversity_figures *figures = &result->diversity[i];

        fputs("  ", out);
        print_name(out, policy->attribute[figures->attribute].name, width);
        fprintf(out, "  %-*" PRIu64 "%-*.6g%.6g\n", FIGURE_WIDTH,
                figures->distinct_l, FIGURE_WIDTH, figures->entropy_l,
                figures->alpha);
    }
}

/* `width` 0: the last of its line. */
static void print_figure(FILE *out, double figure, int width)
{
    char value[32] = "-";

    if (!isnan(figure))
        snprintf(value, sizeof value, "%.6g", figure);
    fprintf(out, "%-*s", width, value);
}

static void print_distances(FILE *out, const struct policy *policy,
                            const struct recheck_result *result)
{
    int width = names_width(policy, result);

    if (result->diversity_count == 0 || result->classes.count == 0)
        return;
    fprintf(out, "\n  %-*s  %-*s%-*s%-*s%-*s%s\n", width, "sensitive",
            FIGURE_WIDTH, "t equal", FIGURE_WIDTH, "t ordered", FIGURE_WIDTH,
            "t by tree", FIGURE_WIDTH, "beta", "delta");
    for (size_t i = 0; i < result->diversity_count; i++) {
        const struct distance_figures *figures = &result->distance[i];

        fputs("  ", out);
        print_name(out, policy->attribute[result->diversity[i].attribute].name,
                   width);
        fputs("  ", out);
        print_figure(out, figures->t_equal, FIGURE_WIDTH);
        print_figure(out, figures->t_ordered, FIGURE_WIDTH);
        print_figure(out, figures->t_hierarchical, FIGURE_WIDTH);
        print_figure(out, figures->beta, FIGURE_WIDTH);
        print_figure(out, figures->delta, 0);
        fputc('\n', out);
    }
}

static void print_rows(FILE *out, const struct recheck_result *result)
{
    const struct class_figures *classes = &result->classes;
    bool within = classes->suppressed <= result->suppressed_max;

    fprintf(out, "  rows        %" PRIu64 "\n", classes->rows);
    fprintf(out, "  suppressed  %" PRIu64 ", %s %" PRIu64 "\n",
            classes->suppressed, within ? "limit" : "MORE THAN THE LIMIT OF",
            result->suppressed_max);
    if (classes->count == 0)
        fputs("  classes     none, every row is suppressed\n", out);
    else
        fprintf(out,
                "  classes     %" PRIu64 " of %" PRIu64 " to %" PRIu64
                " rows, %.1f on average\n",
                classes->count, classes->min, classes->max, classes->average);
    for (size_t i = 0; i < result->unremoved_count; i++) {
        fputs("  column      ", out);
        print_name(out, result->unremoved[i], 0);
        fputs(" IS THERE, the policy removes it\n", out);
    }
}

void check_report_figures(const struct policy *policy,
                          const struct recheck_result *result, FILE *out)
{
    print_rows(out, result);
    print_models(out, policy, result);
    print_diversity(out, policy, result);
    print_distances(out, policy, result);
}

void check_report_text(const struct policy *policy,
                       const struct recheck_result *result, const char *name,
                       FILE *out)
{
    print_name(out, name, 0);
    fputs(result->satisfied ? " satisfies the policy "
                            : " does NOT satisfy the policy ",
          out);
    print_name(out, policy->name[0] != '\0' ? policy->name : policy->path, 0);
    fputs("\n\n", out);
    check_report_figures(policy, result, out);
}

#include "anonymizer/subset_rule.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"

/* No result leaves -NUMBER_MAX .. NUMBER_MAX: sums and quotients of such
 * numbers fit into 64 bits, and products are checked. */
#define NUMBER_MAX (((int64_t)1 << 62) - 1)

enum operation {
    OP_NUMBER,
    OP_ROW,
    OP_NEGATE,
    OP_NOT,
    /* From here on of two operands. */
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_MODULO,
    OP_EQUAL,
    OP_UNEQUAL,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_AND,
    OP_OR
};

/* The rule in postfix order: operands, then what is done with them. */
struct instruction {
    enum operation operation;
    int64_t number; /* of OP_NUMBER */
};

struct subset_rule {
    struct instruction *code;
    size_t count;
};

/* ---- arithmetic ---- */

static int64_t divide(int64_t a, int64_t b)
{
    int64_t quotient;

    assert(b != 0); /* seen to when the rule was read */
    quotient = a / b;
    return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t modulo(int64_t a, int64_t b)
{
    int64_t rest;

    assert(b != 0);
    rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static int64_t apply(enum operation operation, int64_t a, int64_t b)
{
    switch (operation) {
    case OP_NUMBER:
    case OP_ROW:
    case OP_NEGATE:
    case OP_NOT:
        break;
    case OP_ADD:
        return a + b;
    case OP_SUBTRACT:
        return a - b;
    case OP_MULTIPLY:
        return a * b;
    case OP_DIVIDE:
        return divide(a, b);
    case OP_MODULO:
        return modulo(a, b);
    case OP_EQUAL:
        return a == b;
    case OP_UNEQUAL:
        return a != b;
    case OP_LESS:
        return a < b;
    case OP_LESS_EQUAL:
        return a <= b;
    case OP_GREATER:
        return a > b;
    case OP_GREATER_EQUAL:
        return a >= b;
    case OP_AND:
        return a != 0 && b != 0;
    case OP_OR:
        return a != 0 || b != 0;
    }
    assert(false && "an operation of two operands");
    return 0;
}

bool subset_rule_holds(const struct subset_rule *rule, uint64_t row)
{
    int64_t stack[SUBSET_RULE_DEPTH_MAX] = {0};
    size_t depth = 0;

    assert(row < TABLE_ROWS_MAX);
    for (size_t i = 0; i < rule->count; i++) {
        const struct instruction *instruction = &rule->code[i];

        switch (instruction->operation) {
        case OP_NUMBER:
            stack[depth++] = instruction->number;
            break;
        case OP_ROW:
            stack[depth++] = (int64_t)row;
            break;
        case OP_NEGATE:
            assert(depth >= 1);
            stack[depth - 1] = -stack[depth - 1];
            break;
        case OP_NOT:
            assert(depth >= 1);
            stack[depth - 1] = !stack[depth - 1];
            break;
        default:
            assert(depth >= 2);
            depth--;
            stack[depth - 1] =
                apply(instruction->operation, stack[depth - 1], stack[depth]);
        }
    }
    assert(depth == 1);
    return stack[0] != 0;
}

/* ---- what a part of a rule may be ---- */

/* A condition, or a number between min and max. */
struct part {
    bool condition;
    int64_t min;
    int64_t max;
};

struct reading {
    struct subset_rule *rule;
    const char *text;
    const char *at;
    size_t depth;   /* of the stack so far */
    size_t nesting; /* of parentheses and signs */
    struct error *err;
};

static enum status refuse(const struct reading *reading, const char *at,
                          const char *words)
{
    return error_set(reading->err, E_INPUT, "character %zu: %s",
                     (size_t)(at - reading->text) + 1, words);
}

static enum status emit(struct reading *reading, enum operation operation,
                        int64_t number)
{
    if (operation <= OP_ROW)
        reading->depth++;
    else if (operation >= OP_ADD)
        reading->depth--;
    if (reading->depth > SUBSET_RULE_DEPTH_MAX)
        return error_set(reading->err, E_LIMIT,
                         "more than %d operands at once, expected a shorter "
                         "rule",
                         SUBSET_RULE_DEPTH_MAX);
    reading->rule->code[reading->rule->count++] =
        (struct instruction){operation, number};
    return OK;
}

static bool is_in_range(int64_t number)
{
    return -NUMBER_MAX <= number && number <= NUMBER_MAX;
}

/* The least and the greatest of what the operation gives.  Each but the
 * modulo goes one way in each operand, a quotient where the divisor keeps its
 * sign, so that the corners say all. */
static enum status combine(const struct reading *reading, const char *at,
                           enum operation operation, struct part a,
                           struct part b, struct part *out)
{
    const int64_t x[] = {a.min, a.min, a.max, a.max};
    const int64_t y[] = {b.min, b.max, b.min, b.max};
    int64_t product;

    if ((operation == OP_DIVIDE || operation == OP_MODULO) && b.min <= 0 &&
        b.max >= 0)
        return refuse(reading, at, "the divisor may be 0");
    *out = (struct part){false, INT64_MAX, INT64_MIN};
    if (operation == OP_MODULO) {
        out->min = b.min > 0 ? 0 : b.min + 1;
        out->max = b.min > 0 ? b.max - 1 : 0;
        return OK;
    }
    for (size_t i = 0; i < 4; i++) {
        int64_t corner;

        if (operation == OP_MULTIPLY &&
            __builtin_mul_overflow(x[i], y[i], &product))
            return refuse(reading, at, "the result may reach 2^62");
        corner = apply(operation, x[i], y[i]);
        if (!is_in_range(corner))
            return refuse(reading, at, "the result may reach 2^62");
        out->min = corner < out->min ? corner : out->min;
        out->max = corner > out->max ? corner : out->max;
    }
    return OK;
}

/* ---- words ---- */

static void skip_blanks(struct reading *reading)
{
    while (*reading->at == ' ' || *reading->at == '\t')
        reading->at++;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

/* Is this what comes next?  Then it is behind us. */
static bool take(struct reading *reading, const char *word)
{
    size_t length = strlen(word);

    skip_blanks(reading);
    if (strncmp(reading->at, word, length) != 0 ||
        (is_word(word[0]) && is_word(reading->at[length])))
        return false;
    reading->at += length;
    return true;
}

static bool take_relation(struct reading *reading, enum operation *operation)
{
    /* The longer ones first. */
    static const struct {
        const char *sign;
        enum operation operation;
    } relations[] = {
        {"==", OP_EQUAL},         {"!=", OP_UNEQUAL}, {"<=", OP_LESS_EQUAL},
        {">=", OP_GREATER_EQUAL}, {"<", OP_LESS},     {">", OP_GREATER},
    };

    for (size_t i = 0; i < sizeof relations / sizeof relations[0]; i++)
        if (take(reading, relations[i].sign)) {
            *operation = relations[i].operation;
            return true;
        }
    return false;
}

/* ---- the grammar ---- */

static enum status read_rule(struct reading *reading, struct part *part);

static enum status need_number(const struct reading *reading, const char *at,
                               const struct part *part)
{
    return part->condition
               ? refuse(reading, at, "a condition, expected a number")
               : OK;
}

static enum status need_condition(const struct reading *reading, const char *at,
                                  const struct part *part)
{
    return part->condition
               ? OK
               : refuse(reading, at, "a number, expected a condition");
}

static enum status read_number(struct reading *reading, struct part *part)
{
    const char *begin = reading->at;
    int64_t number = 0;

    for (; *reading->at >= '0' && *reading->at <= '9'; reading->at++) {
        /* A leading 0 would be octal in some languages. */
        if (reading->at > begin && *begin == '0')
            return refuse(reading, begin, "a number that begins with 0");
        number = 10 * number + (*reading->at - '0');
        if (number > TABLE_ROWS_MAX)
            return refuse(reading, begin,
                          "a number beyond the rows that a table may have");
    }
    if (is_word(*reading->at))
        return refuse(reading, begin, "expected a whole number");
    *part = (struct part){false, number, number};
    return emit(reading, OP_NUMBER, number);
}

static enum status read_nested(struct reading *reading, const char *at,
                               struct part *part)
{
    enum status status = read_rule(reading, part);

    if (status != OK)
        return status;
    if (take(reading, ")"))
        return OK;
    return refuse(reading, at, "a parenthesis that is not closed");
}

static enum status read_factor(struct reading *reading, struct part *part)
{
    const char *at;
    enum status status;

    skip_blanks(reading);
    at = reading->at;
    if (*at >= '0' && *at <= '9')
        return read_number(reading, part);
    if (take(reading, "i")) {
        *part = (struct part){false, 0, (int64_t)TABLE_ROWS_MAX - 1};
        return emit(reading, OP_ROW, 0);
    }
    if (*at != '(' && *at != '-')
        return refuse(reading, at, "expected i, a number or a parenthesis");
    if (reading->nesting == SUBSET_RULE_NESTING_MAX)
        return error_set(
            reading->err, E_LIMIT, "character %zu: nested deeper than %d",
            (size_t)(at - reading->text) + 1, SUBSET_RULE_NESTING_MAX);
    reading->nesting++;
    reading->at++;
    if (*at == '(') {
        status = read_nested(reading, at, part);
    } else {
        status = read_factor(reading, part);
        if (status == OK)
            status = need_number(reading, at, part);
        if (status == OK) {
            *part = (struct part){false, -part->max, -part->min};
            status = emit(reading, OP_NEGATE, 0);
        }
    }
    reading->nesting--;
    return status;
}

/* Both operands are behind us; `at` is where the sign between them stands. */
static enum status join_numbers(struct reading *reading, const char *at,
                                enum operation operation, struct part *left,
                                const struct part *right)
{
    enum status status = need_number(reading, at, left);
    struct part joined;

    if (status == OK)
        status = need_number(reading, at, right);
    if (status == OK)
        status = combine(reading, at, operation, *left, *right, &joined);
    if (status != OK)
        return status;
    *left = joined;
    return emit(reading, operation, 0);
}

static enum status read_product(struct reading *reading, struct part *part)
{
    enum status status = read_factor(reading, part);

    while (status == OK) {
        enum operation operation;
        struct part right;
        const char *at;

        skip_blanks(reading);
        at = reading->at;
        if (take(reading, "*"))
            operation = OP_MULTIPLY;
        else if (take(reading, "/"))
            operation = OP_DIVIDE;
        else if (take(reading, "%"))
            operation = OP_MODULO;
        else
            break;
        status = read_factor(reading, &right);
        if (status == OK)
            status = join_numbers(reading, at, operation, part, &right);
    }
    return status;
}

static enum status read_sum(struct reading *reading, struct part *part)
{
    enum status status = read_product(reading, part);

    while (status == OK) {
        enum operation operation;
        struct part right;
        const char *at;

        skip_blanks(reading);
        at = reading->at;
        if (take(reading, "+"))
            operation = OP_ADD;
        else if (take(reading, "-"))
            operation = OP_SUBTRACT;
        else
            break;
        status = read_product(reading, &right);
        if (status == OK)
            status = join_numbers(reading, at, operation, part, &right);
    }
    return status;
}

static enum status read_comparison(struct reading *reading, struct part *part)
{
    enum operation operation, again;
    struct part right;
    const char *at;
    enum status status = read_sum(reading, part);

    if (status != OK)
        return status;
    skip_blanks(reading);
    at = reading->at;
    if (!take_relation(reading, &operation))
        return OK;
    status = read_sum(reading, &right);
    if (status == OK)
        status = need_number(reading, at, part);
    if (status == OK)
        status = need_number(reading, at, &right);
    if (status != OK)
        return status;
    *part = (struct part){.condition = true};
    skip_blanks(reading);
    at = reading->at;
    if (take_relation(reading, &again))
        return refuse(reading, at,
                      "a comparison of a comparison, expected \"and\" between "
                      "two of them");
    return emit(reading, operation, 0);
}

static enum status read_denial(struct reading *reading, struct part *part)
{
    size_t denials = 0;
    const char *at;
    enum status status;

    while (take(reading, "not"))
        denials++;
    skip_blanks(reading);
    at = reading->at;
    status = read_comparison(reading, part);
    if (status == OK && denials > 0)
        status = need_condition(reading, at, part);
    /* Two of them say nothing. */
    if (status == OK && denials % 2 == 1)
        status = emit(reading, OP_NOT, 0);
    return status;
}

static enum status read_both(struct reading *reading, struct part *part)
{
    enum status status = read_denial(reading, part);

    while (status == OK) {
        struct part right;
        const char *at;

        skip_blanks(reading);
        at = reading->at;
        if (!take(reading, "and"))
            break;
        status = read_denial(reading, &right);
        if (status == OK)
            status = need_condition(reading, at, part);
        if (status == OK)
            status = need_condition(reading, at, &right);
        if (status == OK)
            status = emit(reading, OP_AND, 0);
    }
    return status;
}

static enum status read_rule(struct reading *reading, struct part *part)
{
    enum status status = read_both(reading, part);

    while (status == OK) {
        struct part right;
        const char *at;

        skip_blanks(reading);
        at = reading->at;
        if (!take(reading, "or"))
            break;
        status = read_both(reading, &right);
        if (status == OK)
            status = need_condition(reading, at, part);
        if (status == OK)
            status = need_condition(reading, at, &right);
        if (status == OK)
            status = emit(reading, OP_OR, 0);
    }
    return status;
}

static enum status read_whole(struct reading *reading)
{
    struct part part;
    enum status status = read_rule(reading, &part);

    if (status != OK)
        return status;
    skip_blanks(reading);
    if (*reading->at != '\0')
        return refuse(reading, reading->at,
                      "expected an operator or the end of the rule");
    return need_condition(reading, reading->text, &part);
}

/* ---- from outside ---- */

enum status subset_rule_parse(struct subset_rule **out, const char *text,
                              struct error *err)
{
    struct subset_rule *rule = calloc(1, sizeof *rule);
    struct reading reading = {
        .rule = rule, .text = text, .at = text, .err = err};
    size_t size = strlen(text);
    enum status status;

    *out = NULL;
    if (rule == NULL)
        return error_memory(err, "the rule of a subset");
    if (size > SUBSET_RULE_SIZE_MAX) {
        status = error_set(err, E_LIMIT,
                           "a rule of %zu characters, expected at most %d",
                           size, SUBSET_RULE_SIZE_MAX);
        goto done;
    }
    /* Each instruction is written with one character at least. */
    rule->code = calloc(size + 1, sizeof *rule->code);
    status = rule->code == NULL ? error_memory(err, "the rule of a subset")
                                : read_whole(&reading);
done:
    if (status != OK)
        subset_rule_close(&rule);
    *out = rule;
    return status;
}

void subset_rule_close(struct subset_rule **rule)
{
    struct subset_rule *old = *rule;

    *rule = NULL;
    if (old == NULL)
        return;
    free(old->code);
    free(old);
}

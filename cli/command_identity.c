#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/options.h"
#include "common/clock.h"
#include "common/files.h"
#include "common/identity.h"
#include "common/limits.h"
#include "common/number.h"
#include "common/text.h"

#define DAY_MS 86400000
#define CERTIFICATE_DAYS 365
#define AUTHORITY_DAYS 1825
#define ROOT_DAYS 3650
/* A hundred years: nobody means more, and the year 9999 is far. */
#define DAYS_MAX 36525
/* Clocks of an organisation's machines differ: what is issued now counts an
 * hour ago. */
#define CLOCK_MARGIN_MS 3600000

static const char help[] =
    "usage: anchorite identity ACTION [OPTION]... [FILE]\n\n"
    "Keys are made by whoever holds them, and stay there.  A request carries "
    "the public\nhalf to an authority, which signs what it knows, not what the "
    "request says.\n\n"
    "  new-key --output KEY\n"
    "      a new private key, for its owner alone (mode 0600)\n"
    "  request --key KEY --organisation O [--role R] --name N --output "
    "REQUEST\n"
    "      a certificate request; without a role, for an organisation's "
    "authority\n"
    "  issue --ca CA --ca-key KEY --role R --name N [--days D] REQUEST\n"
    "        --output CERTIFICATE\n"
    "      a certificate for the key of the request, of the authority's "
    "organisation\n"
    "  new-authority --ca ROOT --ca-key KEY --organisation O --name N [--days "
    "D]\n"
    "        REQUEST --output CERTIFICATE\n"
    "      the same for an organisation's authority, signed by the root\n"
    "  new-root --organisation O [--name N] [--days D] --output DIR\n"
    "      a root authority: DIR/key.pem and DIR/ca.pem\n"
    "  show CERTIFICATE [--json]\n"
    "      what a certificate says\n\n"
    "  -k, --key FILE           private key of who asks\n"
    "  -c, --ca FILE            certificate of the authority that signs\n"
    "  -K, --ca-key FILE        its private key\n"
    "  -O, --organisation NAME  -r, --role NAME  -n, --name NAME\n"
    "  -d, --days N             days of validity: 365; an authority's 1825, a "
    "root's\n"
    "                           3650; unless given, not beyond the "
    "authority's own\n"
    "  -o, --output PATH        the new file or folder; nothing is "
    "overwritten\n"
    "  -j, --json               print one JSON object\n"
    "  -h, --help               this text\n\n"
    "Example:\n"
    "  anchorite identity new-root --organisation Region --output root\n"
    "  anchorite identity new-key --output ca-key.pem\n"
    "  anchorite identity request --key ca-key.pem --organisation H --name ca "
    "\\\n      --output ca-request.pem\n"
    "  anchorite identity new-authority --ca root/ca.pem --ca-key "
    "root/key.pem \\\n      --organisation H --name ca ca-request.pem --output "
    "ca.pem\n"
    "  anchorite identity new-key --output key.pem\n"
    "  anchorite identity request --key key.pem --organisation H --role "
    "custodian \\\n      --name kim --output request.pem\n"
    "  anchorite identity issue --ca ca.pem --ca-key ca-key.pem --role "
    "custodian \\\n      --name kim request.pem --output certificate.pem\n"
    "  anchorite identity show certificate.pem\n";

/* Options with a value, in the order of the rows below. */
enum value {
    VALUE_KEY,
    VALUE_CA,
    VALUE_CA_KEY,
    VALUE_ORGANISATION,
    VALUE_ROLE,
    VALUE_NAME,
    VALUE_DAYS,
    VALUE_OUTPUT,
    VALUE_COUNT
};

struct options {
    const char *value[VALUE_COUNT];
    const char *file;
    uint64_t days; /* 0: not given */
    bool json;
};

#define BIT(value) (1u << VALUE_##value)

struct action {
    const char *name;
    enum status (*run)(const struct options *options, struct error *err);
    unsigned needed; /* values, as bits */
    unsigned allowed;
    const char *file; /* what the file is; NULL: none */
};

/* ---- what actions share ---- */

/* A copy of a name as people type it. */
static enum status copy_name(char out[IDENTITY_NAME_MAX + 1], const char *name,
                             const char *option, struct error *err)
{
    struct bytes bytes = bytes_of_string(name);

    if (!identity_name_valid(bytes))
        return error_set(err, E_USAGE,
                         "--%s: 1 to %d letters, digits, dots, dashes and "
                         "underscores, a letter or digit first",
                         option, IDENTITY_NAME_MAX);
    memcpy(out, name, bytes.size + 1);
    return OK;
}

/* `organisation` of its own where no option gives it. */
static enum status read_subject(const struct options *options,
                                const char *organisation, const char *name,
                                struct certificate_subject *subject,
                                struct error *err)
{
    const char *role = options->value[VALUE_ROLE];
    enum status status;

    *subject = (struct certificate_subject){.is_authority = role == NULL};
    status =
        copy_name(subject->organisation, organisation, "organisation", err);
    if (status == OK)
        status = copy_name(subject->name, name, "name", err);
    if (status != OK || role == NULL ||
        identity_role_parse(bytes_of_string(role), &subject->role))
        return status;
    status = error_set(err, E_USAGE, "--role: none of");
    for (int i = 0; i < IDENTITY_ROLE_COUNT; i++) {
        size_t used = strlen(err->text);

        snprintf(err->text + used, sizeof err->text - used, "%s %s",
                 i == 0 ? "" : ",", identity_role_name((enum identity_role)i));
    }
    return status;
}

/* A new file that appears whole, where nothing stands. */
static enum status write_fresh(const char *path, const struct text *text,
                               struct error *err)
{
    struct new_file *file = NULL;
    enum status status = new_file_create(&file, path, 0644, err);

    if (status == OK)
        status = descriptor_write(new_file_descriptor(file), text_bytes(text),
                                  path, err);
    if (status == OK)
        status = new_file_publish_fresh(&file, err);
    new_file_discard(&file);
    return status;
}

static enum status write_certificate(const struct certificate *certificate,
                                     const char *path, struct error *err)
{
    struct text pem;
    enum status status;

    text_init(&pem);
    status = certificate_append_pem(certificate, &pem, err);
    if (status == OK)
        status = write_fresh(path, &pem, err);
    text_clear(&pem);
    return status;
}

/* From an hour ago on, for the days given; else for `days`, and no longer than
 * `issuer` (NULL: none) is valid. */
static void set_validity(const struct options *options, uint64_t days,
                         const struct certificate *issuer,
                         struct certificate_terms *terms)
{
    int64_t now = (int64_t)clock_now_ms();
    int64_t first = INT64_MIN, last = INT64_MAX;

    if (issuer != NULL)
        certificate_validity(issuer, &first, &last);
    if (options->days > 0)
        days = options->days;
    terms->not_before_ms = now - CLOCK_MARGIN_MS;
    if (terms->not_before_ms < first)
        terms->not_before_ms = first;
    terms->not_after_ms = now + (int64_t)days * DAY_MS;
    if (options->days == 0 && terms->not_after_ms > last)
        terms->not_after_ms = last;
}

/* ---- actions ---- */

static enum status new_key(const struct options *options, struct error *err)
{
    struct private_key *key = NULL;
    enum status status = private_key_generate(&key, KEY_P256, err);

    if (status == OK)
        status = private_key_save(key, options->value[VALUE_OUTPUT], err);
    private_key_destroy(&key);
    return status;
}

static enum status request(const struct options *options, struct error *err)
{
    struct certificate_subject subject;
    struct private_key *key = NULL;
    struct text pem;
    enum status status;

    text_init(&pem);
    status = read_subject(options, options->value[VALUE_ORGANISATION],
                          options->value[VALUE_NAME], &subject, err);
    if (status == OK)
        status = private_key_load(&key, options->value[VALUE_KEY], err);
    if (status == OK)
        status = request_create(key, &subject, &pem, err);
    if (status == OK)
        status = write_fresh(options->value[VALUE_OUTPUT], &pem, err);
    private_key_destroy(&key);
    text_clear(&pem);
    return status;
}

/* The key that a request asks for; its words do not count. */
static enum status take_request(struct bytes content, void *target,
                                struct error *err)
{
    struct certificate_subject asked;

    return request_open(content, target, &asked, err);
}

static enum status read_request(const char *path, struct public_key **key,
                                struct error *err)
{
    return file_load(path, CERTIFICATE_PEM_SIZE_MAX, take_request, key, err);
}

/* Certificates of people and services, and with --organisation those of
 * authorities. */
static enum status issue(const struct options *options, struct error *err)
{
    const char *organisation = options->value[VALUE_ORGANISATION];
    struct certificate_subject subject;
    struct certificate_terms terms = {.subject = &subject};
    struct certificate *issuer = NULL, *made = NULL;
    struct private_key *issuer_key = NULL;
    struct public_key *key = NULL;
    enum status status;

    status = certificate_load(&issuer, options->value[VALUE_CA], err);
    if (status != OK)
        goto done;
    if (organisation == NULL)
        organisation = certificate_subject(issuer)->organisation;
    status = read_subject(options, organisation, options->value[VALUE_NAME],
                          &subject, err);
    if (status == OK)
        status =
            private_key_load(&issuer_key, options->value[VALUE_CA_KEY], err);
    if (status == OK)
        status = read_request(options->file, &key, err);
    set_validity(options,
                 subject.is_authority ? AUTHORITY_DAYS : CERTIFICATE_DAYS,
                 issuer, &terms);
    if (status == OK)
        status = certificate_issue(&made, key, &terms, issuer, issuer_key, err);
    if (status == OK)
        status = write_certificate(made, options->value[VALUE_OUTPUT], err);
done:
    certificate_destroy(&made);
    certificate_destroy(&issuer);
    private_key_destroy(&issuer_key);
    public_key_destroy(&key);
    return status;
}

/* Both files or none: what a failure leaves is taken away again. */
static enum status write_root(const char *folder, const struct private_key *key,
                              const struct certificate *root, struct error *err)
{
    struct text key_path, certificate_path;
    enum status status;

    text_init(&key_path);
    text_init(&certificate_path);
    status = text_printf(&key_path, err, "%s/key.pem", folder);
    if (status == OK)
        status = text_printf(&certificate_path, err, "%s/ca.pem", folder);
    if (status != OK)
        goto done;
    if (mkdir(folder, 0700) != 0) {
        status = error_set_errno(
            err, errno == EIO || errno == ENOSPC ? E_IO : E_INPUT, errno,
            "%s: cannot be made", folder);
        goto done;
    }
    status = private_key_save(key, key_path.data, err);
    if (status == OK) {
        status = write_certificate(root, certificate_path.data, err);
        if (status != OK)
            unlink(key_path.data);
    }
    if (status != OK)
        rmdir(folder);
done:
    text_clear(&key_path);
    text_clear(&certificate_path);
    return status;
}

static enum status new_root(const struct options *options, struct error *err)
{
    const char *name = options->value[VALUE_NAME];
    struct certificate_subject subject;
    struct certificate_terms terms = {.subject = &subject};
    struct certificate *root = NULL;
    struct private_key *key = NULL;
    enum status status;

    status = read_subject(options, options->value[VALUE_ORGANISATION],
                          name == NULL ? "root" : name, &subject, err);
    set_validity(options, ROOT_DAYS, NULL, &terms);
    if (status == OK)
        status = private_key_generate(&key, KEY_P256, err);
    if (status == OK)
        status = certificate_create_root(&root, key, &terms, err);
    if (status == OK)
        status = write_root(options->value[VALUE_OUTPUT], key, root, err);
    certificate_destroy(&root);
    private_key_destroy(&key);
    return status;
}

/* ---- show ---- */

#define TIME_SIZE sizeof "9999-12-31T23:59:59.999Z"

/* RFC 3339 with milliseconds; a certificate's years have four digits. */
static void format_time(int64_t ms, char out[TIME_SIZE])
{
    int64_t rest = ms % 1000 < 0 ? ms % 1000 + 1000 : ms % 1000;
    time_t seconds = (time_t)((ms - rest) / 1000);
    struct tm tm = {0};
    bool done = gmtime_r(&seconds, &tm) != NULL;

    assert(done && tm.tm_year >= -1900 && tm.tm_year <= 9999 - 1900);
    snprintf(out, TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)(tm.tm_year + 1900) % 10000u,
             (unsigned)(tm.tm_mon + 1) % 100u, (unsigned)tm.tm_mday % 100u,
             (unsigned)tm.tm_hour % 100u, (unsigned)tm.tm_min % 100u,
             (unsigned)tm.tm_sec % 100u, (unsigned)rest % 1000u);
}

struct shown {
    const struct certificate_subject *subject, *issuer;
    const char *id;
    char first[TIME_SIZE], last[TIME_SIZE];
};

static enum status add_name(struct json_value *root, const char *key,
                            const struct certificate_subject *subject,
                            struct error *err)
{
    struct json_value *object;

    if (json_add_object(root, key, &object, err) != OK ||
        json_add_string(object, "organisation", subject->organisation, err) !=
            OK ||
        (!subject->is_authority &&
         json_add_string(object, "role", identity_role_name(subject->role),
                         err) != OK) ||
        json_add_string(object, "name", subject->name, err) != OK)
        return err->status;
    return OK;
}

static enum status show_json(const struct shown *shown, struct error *err)
{
    struct json *json = NULL;
    struct json_value *root;
    enum status status = json_create(&json, err);

    if (status != OK)
        return status;
    root = json_edit_root(json);
    if (json_add_string(root, "id", shown->id, err) != OK ||
        json_add_boolean(root, "authority", shown->subject->is_authority,
                         err) != OK ||
        add_name(root, "subject", shown->subject, err) != OK ||
        add_name(root, "issuer", shown->issuer, err) != OK ||
        json_add_string(root, "not_before", shown->first, err) != OK ||
        json_add_string(root, "not_after", shown->last, err) != OK)
        status = err->status;
    else
        status = command_print_json(json, err);
    json_destroy(&json);
    return status;
}

static enum status show_text(const struct shown *shown, struct error *err)
{
    printf("id            %s\n"
           "organisation  %s\n"
           "role          %s\n"
           "name          %s\n"
           "issuer        %s, %s\n"
           "not before    %s\n"
           "not after     %s\n",
           shown->id, shown->subject->organisation,
           shown->subject->is_authority
               ? "(authority)"
               : identity_role_name(shown->subject->role),
           shown->subject->name, shown->issuer->organisation,
           shown->issuer->name, shown->first, shown->last);
    return command_finish_output(err);
}

static enum status show(const struct options *options, struct error *err)
{
    const char *path =
        strcmp(options->file, "-") == 0 ? "/dev/stdin" : options->file;
    struct certificate *certificate = NULL;
    struct shown shown;
    int64_t first, last;
    enum status status = certificate_load(&certificate, path, err);

    if (status != OK)
        return status;
    shown.subject = certificate_subject(certificate);
    shown.issuer = certificate_issuer(certificate);
    shown.id = certificate_id(certificate);
    certificate_validity(certificate, &first, &last);
    format_time(first, shown.first);
    format_time(last, shown.last);
    status = options->json ? show_json(&shown, err) : show_text(&shown, err);
    certificate_destroy(&certificate);
    return status;
}

/* ---- the command ---- */

static const struct action actions[] = {
    {"new-key", new_key, BIT(OUTPUT), BIT(OUTPUT), NULL},
    {"request", request, BIT(KEY) | BIT(ORGANISATION) | BIT(NAME) | BIT(OUTPUT),
     BIT(KEY) | BIT(ORGANISATION) | BIT(ROLE) | BIT(NAME) | BIT(OUTPUT), NULL},
    {"issue", issue,
     BIT(CA) | BIT(CA_KEY) | BIT(ROLE) | BIT(NAME) | BIT(OUTPUT),
     BIT(CA) | BIT(CA_KEY) | BIT(ROLE) | BIT(NAME) | BIT(OUTPUT) | BIT(DAYS),
     "request"},
    {"new-authority", issue,
     BIT(CA) | BIT(CA_KEY) | BIT(ORGANISATION) | BIT(NAME) | BIT(OUTPUT),
     BIT(CA) | BIT(CA_KEY) | BIT(ORGANISATION) | BIT(NAME) | BIT(OUTPUT) |
         BIT(DAYS),
     "request"},
    {"new-root", new_root, BIT(ORGANISATION) | BIT(OUTPUT),
     BIT(ORGANISATION) | BIT(NAME) | BIT(OUTPUT) | BIT(DAYS), NULL},
    {"show", show, 0, 0, "certificate"},
};

#define VALUE_AT(id) OPTION_AT(TEXT, struct options, value[VALUE_##id])

static const struct option_row rows[] = {
    [VALUE_KEY] = {"key", 'k', VALUE_AT(KEY)},
    [VALUE_CA] = {"ca", 'c', VALUE_AT(CA)},
    [VALUE_CA_KEY] = {"ca-key", 'K', VALUE_AT(CA_KEY)},
    [VALUE_ORGANISATION] = {"organisation", 'O', VALUE_AT(ORGANISATION)},
    [VALUE_ROLE] = {"role", 'r', VALUE_AT(ROLE)},
    [VALUE_NAME] = {"name", 'n', VALUE_AT(NAME)},
    [VALUE_DAYS] = {"days", 'd', VALUE_AT(DAYS)},
    [VALUE_OUTPUT] = {"output", 'o', VALUE_AT(OUTPUT)},
    [VALUE_COUNT] = {"json", 'j', OPTION_AT(FLAG, struct options, json)},
};

static const struct options_table known = {help, rows,
                                           sizeof rows / sizeof *rows};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

/* 0, or the exit code of what was said. */
static int check_options(const char *command, const struct action *action,
                         struct options *options, int files)
{
    for (unsigned i = 0; i < VALUE_COUNT; i++) {
        bool given = options->value[i] != NULL;

        if (!given && (action->needed & 1u << i) != 0)
            return command_misuse(command, "%s: --%s is missing", action->name,
                                  rows[i].name);
        if (given && (action->allowed & 1u << i) == 0)
            return command_misuse(command, "%s: takes no --%s", action->name,
                                  rows[i].name);
    }
    if (options->json && action->run != show)
        return command_misuse(command, "%s: takes no --json", action->name);
    if (options->value[VALUE_DAYS] != NULL &&
        !number_parse_unsigned(bytes_of_string(options->value[VALUE_DAYS]), 1,
                               DAYS_MAX, &options->days))
        return command_misuse(command, "--days: a whole number from 1 to %ju",
                              (uintmax_t)DAYS_MAX);
    if (action->file == NULL && files > 0)
        return command_misuse(command, "%s: takes no file", action->name);
    if (action->file != NULL && files != 1)
        return command_misuse(command, "%s: one %s, not %d", action->name,
                              action->file, files);
    return 0;
}

/* The action, or NULL when all has been said and *exit_code is to be returned.
 */
static const struct action *
parse_options(int argc, char **argv, struct options *options, int *exit_code)
{
    const struct action *action;
    struct operands operands;

    *options = (struct options){.json = false};
    if (!options_parse(&known, argc, argv, options, &operands, exit_code))
        return NULL;
    if (operands.count == 0) {
        command_misuse(argv[0], "what to do is missing");
        return NULL;
    }
    action = find_action(operands.at[0]);
    if (action == NULL) {
        command_misuse(argv[0], "there is no action \"%s\"", operands.at[0]);
        return NULL;
    }
    options->file = operands.at[1];
    *exit_code = check_options(argv[0], action, options, operands.count - 1);
    return *exit_code == 0 ? action : NULL;
}

int command_identity(int argc, char **argv)
{
    struct options options;
    struct error err;
    int exit_code;
    const struct action *action =
        parse_options(argc, argv, &options, &exit_code);

    if (action == NULL)
        return exit_code;
    error_init(&err);
    if (action->run(&options, &err) != OK)
        return command_fail(&err);
    return status_exit_code(OK);
}

/*
 * tests/cluster/main.c - random schedules of faults over replicas in virtual
 * time.
 *
 *     cluster [--seed N] [--cases N] [--case N]
 *
 * --case replays that one alone.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/log.h"
#include "tests/cluster/schedule.h"

#define CASES_DEFAULT 2000

struct options {
    uint64_t seed, first, count;
};

static uint64_t number_of(const char *text)
{
    char *end;
    uint64_t number = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0') {
        fprintf(stderr, "cluster: not a number: %s\n", text);
        exit(2);
    }
    return number;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option names[] = {
        {"seed", required_argument, NULL, 's'},
        {"cases", required_argument, NULL, 'n'},
        {"case", required_argument, NULL, 'c'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {(uint64_t)time(NULL), 0, CASES_DEFAULT};
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 's') {
            options.seed = number_of(optarg);
        } else if (option == 'n') {
            options.count = number_of(optarg);
        } else if (option == 'c') {
            options.first = number_of(optarg);
            options.count = 1;
        } else {
            exit(2);
        }
    }
    return options;
}

int main(int argc, char **argv)
{
    static struct cluster cluster;
    struct options options = parse_options(argc, argv);
    uint64_t committed = 0, unknown = 0, refused = 0, elections = 0,
             snapshots = 0, installed = 0;

    log_open("cluster", LOG_LEVEL_ERROR);
    /* The fixture does not set all of its servers, either: a case would depend
     * on those before it. */
    replica_use_zeroed_memory();
    printf("cluster: seed %" PRIu64 "\n", options.seed);
    cluster_seed = options.seed;
    for (uint64_t i = 0; i < options.count; i++) {
        struct random random;

        cluster_case = options.first + i;
        random_init(&random, options.seed);
        random_init(&random, random_next(&random) + cluster_case);
        cluster_open(&cluster, cluster_case % 2 == 0 ? 3 : 5, &random);
        schedule_run(&cluster, &random);
        cluster_close(&cluster);
        committed += cluster.committed;
        unknown += cluster.unknown;
        refused += cluster.refused;
        elections += cluster.elections;
        snapshots += cluster.snapshots;
        installed += cluster.installed;
    }
    printf("cluster: %" PRIu64 " schedules, %" PRIu64 " leaders, %" PRIu64
           " batches committed, %" PRIu64 " in doubt, %" PRIu64
           " refused, %" PRIu64 " snapshots, %" PRIu64 " restored\n",
           options.count, elections, committed, unknown, refused, snapshots,
           installed);
    schedule_print();
    return 0;
}

#include "cli/network_site.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/process.h"

/* One `up` or `down` at a time: two would start a node twice. */
static enum status site_lock(struct site *site, const char *folder,
                             struct error *err)
{
    site->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (site->lock < 0)
        return error_set_errno(err, E_INPUT, errno, "%s", folder);
    if (flock(site->lock, LOCK_EX | LOCK_NB) == 0)
        return OK;
    if (errno == EWOULDBLOCK)
        return error_set(err, E_INPUT,
                         "%s: another `anchorite network` is at work on it",
                         folder);
    return error_set_errno(err, E_SYSTEM, errno, "%s", folder);
}

/* A node's folder has its name, a service's its role: there is one of each. */
static enum status add_seat(struct site *site, const char *folder,
                            const struct network_node *about, struct error *err)
{
    struct seat *seat = &site->seat[site->seat_count++];
    const char *name = about->role == IDENTITY_NODE
                           ? about->name
                           : identity_role_name(about->role);

    seat->about = about;
    return network_path(folder, name, &seat->folder, err);
}

enum status site_open(struct site *site, const char *folder, bool locks,
                      struct error *err)
{
    const struct network *network;
    enum status status;

    *site = (struct site){.lock = -1};
    for (size_t i = 0; i < SITE_SEATS_MAX; i++)
        text_init(&site->seat[i].folder);
    status = network_load(&site->network, folder, err);
    if (status == OK)
        status = process_check_folder(folder, err);
    if (status == OK && locks)
        status = site_lock(site, folder, err);
    network = site->network;
    for (size_t i = 0; status == OK && i < network->node_count; i++)
        status = add_seat(site, folder, &network->node[i], err);
    for (size_t i = 0; status == OK && i < network->service_count; i++)
        status = add_seat(site, folder, &network->service[i], err);
    return status;
}

void site_close(struct site *site)
{
    for (size_t i = 0; i < SITE_SEATS_MAX; i++)
        text_clear(&site->seat[i].folder);
    network_destroy(&site->network);
    if (site->lock >= 0)
        close(site->lock);
}

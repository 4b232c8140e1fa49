#include "datasets/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/files.h"

enum { BUFFER_SIZE = 1 << 18 };

struct output {
    struct new_file *file; /* NULL: the descriptor is not ours */
    const char *name;
    int fd;
    size_t size; /* bytes in the buffer */
    char buffer[BUFFER_SIZE];
};

enum status output_attach(struct output **output, int fd, const char *name,
                          struct error *err)
{
    struct output *new = malloc(sizeof *new);

    if (new == NULL)
        return error_memory(err, "the output's buffer");
    new->file = NULL;
    new->name = name;
    new->fd = fd;
    new->size = 0;
    *output = new;
    return OK;
}

enum status output_open(struct output **output, const char *path,
                        struct error *err)
{
    struct new_file *file;
    enum status status;

    if (path == NULL || strcmp(path, "-") == 0)
        return output_attach(output, STDOUT_FILENO, "standard output", err);
    if (new_file_create(&file, path, 0666, err) != OK)
        return err->status;
    status = output_attach(output, new_file_descriptor(file), path, err);
    if (status != OK)
        new_file_discard(&file);
    else
        (*output)->file = file;
    return status;
}

static enum status flush(struct output *output, struct error *err)
{
    struct bytes data = bytes_of(output->buffer, output->size);

    output->size = 0;
    return descriptor_write(output->fd, data, output->name, err);
}

enum status output_room(struct output *output, size_t size, char **room,
                        struct error *err)
{
    enum status status = OK;

    assert(size <= OUTPUT_ROOM_MAX);
    if (BUFFER_SIZE - output->size < size)
        status = flush(output, err);
    /* After a failure, too, so that nobody can be left with a wild pointer. */
    *room = output->buffer + output->size;
    return status;
}

void output_advance(struct output *output, size_t size)
{
    assert(size <= BUFFER_SIZE - output->size);
    output->size += size;
}

enum status output_append(struct output *output, const char *data, size_t size,
                          struct error *err)
{
    while (size > 0) {
        size_t part = size < OUTPUT_ROOM_MAX ? size : OUTPUT_ROOM_MAX;
        char *room;

        if (output_room(output, part, &room, err) != OK)
            return err->status;
        memcpy(room, data, part);
        output_advance(output, part);
        data += part;
        size -= part;
    }
    return OK;
}

enum status output_publish(struct output **output, struct error *err)
{
    enum status status = flush(*output, err);

    if (status == OK && (*output)->file != NULL)
        status = new_file_publish(&(*output)->file, err);
    output_discard(output);
    return status;
}

void output_discard(struct output **output)
{
    if (*output == NULL)
        return;
    new_file_discard(&(*output)->file);
    free(*output);
    *output = NULL;
}

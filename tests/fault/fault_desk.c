#include "common/desk.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "tests/fault/fault.h"
#include "tests/lib/desk_world.h"
#include "tests/lib/suite.h"

void suite_desk(void);

static const struct desk_row row = {
    .type = MESSAGE_SAID, .roles = DESK_ROLE(IDENTITY_CUSTODIAN), .ours = true};

static void run_to_its_end(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    CU_ASSERT_EQUAL(uv_loop_close(loop), 0);
}

static void open_with_faults(unsigned calls, int errno_value,
                             enum status expected)
{
    struct error err;

    desk_world_open(&row, 1);
    FAULT_LOOP(calls, errno_value)
    {
        struct desk *desk = NULL;
        uv_loop_t loop;
        enum status status;

        error_init(&err);
        CU_ASSERT_EQUAL_FATAL(uv_loop_init(&loop), 0);
        desks.settings.loop = &loop;
        fault_on();
        status = desk_open(&desk, &desks.settings, &err);
        fault_off();
        fault_expect(status, &err, expected);
        CU_ASSERT((desk == NULL) == (status != OK));
        desk_close(&desk, NULL, NULL);
        run_to_its_end(&loop);
    }
    desk_world_close();
}

static void a_desk_without_memory_is_none(void)
{
    open_with_faults(FAULT_MEMORY, ENOMEM, E_MEMORY);
}

static void a_desk_without_a_thread_is_none(void)
{
    open_with_faults(FAULT_THREAD, EAGAIN, E_SYSTEM);
}

void suite_desk(void)
{
    static const struct test tests[] = {
        {"a desk without memory is none", a_desk_without_memory_is_none},
        {"a desk without a thread is none", a_desk_without_a_thread_is_none},
    };

    suite_add("desk", tests, sizeof tests / sizeof *tests);
}

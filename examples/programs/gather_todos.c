/* SPDX-License-Identifier: MIT */
/*
 * The five programs of the article that stook comes from, which request /todos/1 to /todos/199,
 * and the tables that compare them. Without a base URL it starts a server on a thread.
 *
 *     gather_todos gather_ordered_limited          prints the bodies
 *     gather_todos --compare                       all five
 *     gather_todos --overload                      against a server with little room
 *     gather_todos --sweep                         which limit suits that server
 */
#include "server.h"
#include "todos.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBER 1000000

struct arguments {
    const struct todos_variant *variant;
    bool (*table)(const struct todos_plan *plan);
    int64_t delay_ms; /* this and the other numbers: negative if not given */
    int64_t limit;
    int64_t count;
    int64_t slots;
    int64_t attempt_timeout_ms;
    bool quiet;
    const char *base_url;
};

static const char help[] =
    "usage: gather_todos WHAT [OPTION...] [BASE_URL]\n"
    "\n"
    "WHAT is synchronous, awaited_in_a_loop, gather, gather_ordered, gather_ordered_limited,\n"
    "or --compare (all five), --overload (against a server with too few slots), --sweep (limits)\n"
    "\n"
    "  --delay-ms N            ask for responses after about N ms (50; with BASE_URL: no such "
    "request)\n"
    "  --limit N               in flight at once, for gather_ordered_limited (10)\n"
    "  --count N               number of URLs (199; --sweep: 100)\n"
    "  --slots N               requests that the server works on, for --overload and --sweep (10)\n"
    "  --attempt-timeout-ms N  time for one attempt, for --overload and --sweep (500)\n"
    "  --quiet                 no bodies, only the time\n"
    "\n"
    "BASE_URL is a server with /todos/N, such as http://127.0.0.1:8080. Default: one is started.\n";

static int usage_error(const char *what, const char *argument)
{
    fprintf(stderr, "gather_todos: %s%s%s; see gather_todos --help\n", what,
            argument != NULL ? ": " : "", argument != NULL ? argument : "");
    return 2;
}

/* ------------------------------------------------------------------ arguments */

static bool take_number(const char *value, int64_t *ret_number)
{
    char *rest;
    if (value == NULL || *value < '0' || *value > '9')
        return false;
    long long number = strtoll(value, &rest, 10);
    *ret_number = number;
    return *rest == '\0' && number <= MAX_NUMBER;
}

static int64_t *number_named(struct arguments *arguments, const char *option)
{
    if (strcmp(option, "--delay-ms") == 0)
        return &arguments->delay_ms;
    if (strcmp(option, "--limit") == 0)
        return &arguments->limit;
    if (strcmp(option, "--count") == 0)
        return &arguments->count;
    if (strcmp(option, "--slots") == 0)
        return &arguments->slots;
    if (strcmp(option, "--attempt-timeout-ms") == 0)
        return &arguments->attempt_timeout_ms;
    return NULL;
}

static bool take_table(struct arguments *arguments, const char *option)
{
    if (strcmp(option, "--compare") == 0)
        arguments->table = todos_compare;
    else if (strcmp(option, "--overload") == 0)
        arguments->table = todos_overload;
    else if (strcmp(option, "--sweep") == 0)
        arguments->table = todos_sweep;
    else
        return false;
    return true;
}

static int take_base_url(struct arguments *arguments, char *url)
{
    size_t size = strlen(url);
    if (size > TODOS_URL_MAX / 2)
        return usage_error("the URL is too long", NULL);
    if (url[size - 1] == '/')
        url[size - 1] = '\0';
    arguments->base_url = url;
    return 0;
}

static int take_word(struct arguments *arguments, char *word)
{
    if (strchr(word, ':') != NULL)
        return take_base_url(arguments, word);
    if (arguments->variant != NULL)
        return usage_error("one variant at a time", word);
    arguments->variant = todos_variant_named(word);
    return arguments->variant != NULL ? 0 : usage_error("neither a variant nor a URL", word);
}

/* argv ends with NULL, so argv[i + 1] may be read. */
static int read_arguments(struct arguments *arguments, char **argv)
{
    int error = 0;
    for (int i = 1; error == 0 && argv[i] != NULL; i++) {
        int64_t *number = number_named(arguments, argv[i]);
        if (number != NULL)
            error = take_number(argv[i + 1], number) ? 0 : usage_error("needs a number", argv[i]);
        else if (strcmp(argv[i], "--quiet") == 0)
            arguments->quiet = true;
        else if (argv[i][0] != '-')
            error = take_word(arguments, argv[i]);
        else if (!take_table(arguments, argv[i]))
            error = usage_error("no such option", argv[i]);
        i += number != NULL;
    }
    if (error == 0 && (arguments->variant == NULL) == (arguments->table == NULL))
        error = usage_error("name one variant or one table", NULL);
    if (error == 0 && (arguments->limit == 0 || arguments->count == 0 || arguments->slots == 0))
        error = usage_error("--limit, --count and --slots begin at 1", NULL);
    return error;
}

/* Fills in the numbers that were not given: those of the table or of the article. */
static struct todos_plan plan_of(const struct arguments *arguments, const char *base_url)
{
    bool is_scarce = arguments->table == todos_overload || arguments->table == todos_sweep;
    bool asks_delay = arguments->base_url == NULL || is_scarce;
    int64_t count = arguments->table == todos_sweep ? 100 : 199; /* a sweep runs many times */
    struct todos_plan plan = {
        .base_url = base_url,
        .count = arguments->count > 0 ? arguments->count : count,
        .limit = arguments->limit > 0 ? arguments->limit : 10,
        .delay_ms = arguments->delay_ms < 0 && asks_delay ? 50 : arguments->delay_ms,
        .bodies = arguments->quiet || arguments->table != NULL ? NULL : stdout,
    };
    if (is_scarce) {
        plan.slots = arguments->slots > 0 ? arguments->slots : 10;
        plan.attempt_timeout_ms =
            arguments->attempt_timeout_ms > 0 ? arguments->attempt_timeout_ms : 500;
        plan.overload_hangs = true;
    }
    return plan;
}

/* ------------------------------------------------------------------------ run */

/* If bodies go to stdout, the time goes to stderr, so that the bodies can be piped. */
static int run_variant(const struct todos_variant *variant, const struct todos_plan *plan)
{
    struct todos_run run;
    if (!todos_run(variant, plan, &run))
        return 1;
    fprintf(plan->bodies != NULL ? stderr : stdout, "%s: %.3f s\n", variant->name, run.seconds);
    if (run.failed > 0)
        fprintf(stderr, "gather_todos: %" PRId64 " of %" PRId64 " not answered\n", run.failed,
                run.taken);
    return run.failed > 0;
}

static int run_table(const struct arguments *arguments, const struct todos_plan *plan)
{
    if (arguments->table(plan))
        return 0;
    fprintf(stderr, "gather_todos: the table does not show what it should\n");
    return 1;
}

static int run(const struct arguments *arguments, const char *base_url)
{
    struct todos_plan plan = plan_of(arguments, base_url);
    curl_global_init(CURL_GLOBAL_DEFAULT); /* once, before any time is measured */
    int status = arguments->variant != NULL ? run_variant(arguments->variant, &plan)
                                            : run_table(arguments, &plan);
    curl_global_cleanup();
    return status;
}

int main(int argc, char **argv)
{
    struct todo_server_thread *server = NULL;
    struct todo_server_options options = {.delay_ms = 0};
    struct arguments arguments = {
        .delay_ms = -1,
        .limit = -1,
        .count = -1,
        .slots = -1,
        .attempt_timeout_ms = -1,
    };
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(help, stdout) < 0;
    int error = read_arguments(&arguments, argv);
    if (error != 0)
        return error;
    if (arguments.base_url != NULL)
        return run(&arguments, arguments.base_url);
    error = todo_server_start(&options, &server);
    if (error != 0) {
        fprintf(stderr, "gather_todos: no server: %s\n", uv_strerror(error));
        return 1;
    }
    int status = run(&arguments, todo_server_thread_url(server));
    todo_server_stop(server);
    return status;
}

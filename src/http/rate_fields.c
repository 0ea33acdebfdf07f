/* SPDX-License-Identifier: MIT */
/*
 * When an origin may be asked again; see rate_fields.h. The groups of fields are read one after the
 * other, the most exact and explicit one first. The first one that says something decides.
 */
#include "http/rate_fields.h"

#include <string.h>

#include "http/http_date.h"
#include "http/structured_fields.h"
#include "http/wait_value.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

struct section {
    const char *fields;
    size_t size;
    int status;
    int64_t now_ms; /* by the server's clock, if it has told the time */
};

static struct stook__field_lines lines_of(const struct section *section)
{
    return (struct stook__field_lines){section->fields, section->fields + section->size};
}

/* Of all that is said, the longest wait counts: the others have passed then too. */
static void say(struct stook__rate_hint *hint, int64_t wait_ms, const char *field)
{
    if (wait_ms > hint->wait_ms)
        *hint = (struct stook__rate_hint){wait_ms, field};
}

/* Within bounds in which a difference is a number too. */
static int64_t bound(int64_t ms)
{
    int64_t max = STOOK__RATE_WAIT_MAX;
    return ms > max ? max : ms < -max ? -max : ms;
}

/* The Date of the response (RFC 9110 6.6.1), or the given time. */
static int64_t read_now(const struct section *section, int64_t wall_ms)
{
    struct stook__field_lines lines = lines_of(section);
    struct stook__field_line line;
    int64_t date_ms, now_ms = bound(wall_ms);
    while (stook__field_lines_next(&lines, &line))
        if (stook__field_line_is(&line, "date") &&
            stook__http_date_parse(line.value, (size_t)(line.end - line.value), now_ms, &date_ms))
            return date_ms;
    return now_ms;
}

/* -------------------------------------------------------------------------------- Retry-After */

static int read_retry_after(const struct section *section, const struct stook__field_line *line,
                            int64_t *ret_ms)
{
    return stook__wait_number(line->value, line->end, STOOK__WAIT_SECOND, ret_ms) ||
           stook__wait_http_date(line->value, line->end, section->now_ms, ret_ms);
}

static int read_milliseconds(const struct section *section, const struct stook__field_line *line,
                             int64_t *ret_ms)
{
    (void)section;
    return stook__wait_number(line->value, line->end, STOOK__WAIT_MILLISECOND, ret_ms);
}

/* Invalid lines are as if they were not there: RFC 9110 10.2.3 does not say what they mean. */
static const struct retry_field {
    const char *name;
    int (*read)(const struct section *section, const struct stook__field_line *line,
                int64_t *ret_ms);
} retry_fields[] = {
    {"retry-after-ms", read_milliseconds}, /* Azure and OpenAI: the same, and more exact */
    {"retry-after", read_retry_after},     /* RFC 9110 10.2.3 */
    {"x-amz-retry-after", read_milliseconds},
};

static void take_retry_field(const struct section *section, const struct retry_field *field,
                             struct stook__rate_hint *hint)
{
    struct stook__field_lines lines = lines_of(section);
    struct stook__field_line line;
    int64_t ms;
    while (stook__field_lines_next(&lines, &line))
        if (stook__field_line_is(&line, field->name) && field->read(section, &line, &ms))
            say(hint, ms, field->name);
}

/* ---------------------------------------------------------------------------------- RateLimit */

/* draft-ietf-httpapi-ratelimit-headers-10 */
#define LIMIT_FIELD "ratelimit"
#define POLICY_FIELD "ratelimit-policy"

enum { UNTIMED_MAX = 16 }; /* A response that names more exhausted policies is not believable. */

enum { NOT_GIVEN = -1, INVALID = -2 };

/* The parameters of both fields that the draft defines. */
enum key { R, T, Q, W, QU, PK, KEYS };
enum { OF_LIMIT = 1 << R | 1 << T | 1 << PK, OF_POLICY = 1 << Q | 1 << W | 1 << QU | 1 << PK };

static const struct {
    const char *name;
    enum stook__sf_type type;
    int64_t least; /* of an Integer */
} keys[KEYS] = {
    [R] = {"r", STOOK__SF_INTEGER, 0},  [T] = {"t", STOOK__SF_INTEGER, 0},
    [Q] = {"q", STOOK__SF_INTEGER, 0},  [W] = {"w", STOOK__SF_INTEGER, 1},
    [QU] = {"qu", STOOK__SF_STRING, 0}, [PK] = {"pk", STOOK__SF_BYTES, 0},
};

/* An item of either field. */
struct quota {
    uint64_t policy; /* its name, as a hash */
    int64_t value[KEYS];
};

/* What a RateLimit field says. */
struct limits {
    size_t items, exhausted;
    int64_t wait_ms; /* of exhausted policies that say it; -1: none does */
    size_t n_untimed;
    uint64_t untimed[UNTIMED_MAX]; /* exhausted policies that do not say how long */
};

/* Parameters that the draft does not define for the field are comments (its sections 3.1, 4.1). */
static void take_parameter(struct quota *quota, unsigned defined,
                           const struct stook__sf_parameter *parameter)
{
    const struct stook__sf_value *value = &parameter->value;
    for (int i = 0; i < KEYS; i++)
        if ((defined >> i & 1) && strcmp(parameter->key, keys[i].name) == 0)
            quota->value[i] = value->type == keys[i].type && value->integer >= keys[i].least
                                  ? value->integer
                                  : INVALID;
}

/* Takes the next item of a field. 1; 0: the field has ended; -1: it is malformed. If a key comes
   twice the last one counts, so the values are judged at the end. */
static int next_quota(struct stook__sf_reader *reader, unsigned defined, enum key required,
                      struct quota *ret_quota)
{
    struct stook__sf_value name;
    struct stook__sf_parameter parameter;
    int more = stook__sf_next_member(reader, &name);
    if (more <= 0)
        return more;
    if (name.type != STOOK__SF_STRING && name.type != STOOK__SF_TOKEN)
        return -1;
    ret_quota->policy = name.hash;
    for (int i = 0; i < KEYS; i++)
        ret_quota->value[i] = NOT_GIVEN;
    while ((more = stook__sf_next_parameter(reader, &parameter)) > 0)
        take_parameter(ret_quota, defined, &parameter);
    for (int i = 0; i < KEYS; i++)
        if (ret_quota->value[i] == INVALID)
            return -1;
    return more < 0 || ret_quota->value[required] == NOT_GIVEN ? -1 : 1;
}

static int64_t seconds(int64_t number)
{
    return number > STOOK__RATE_WAIT_MAX / 1000 ? STOOK__RATE_WAIT_MAX : number * 1000;
}

static void take_limit(struct limits *limits, const struct quota *quota)
{
    int64_t t = quota->value[T];
    limits->items++;
    if (quota->value[R] > 0)
        return;
    limits->exhausted++;
    if (t == NOT_GIVEN && limits->n_untimed < UNTIMED_MAX)
        limits->untimed[limits->n_untimed++] = quota->policy;
    else if (t != NOT_GIVEN && seconds(t) > limits->wait_ms)
        limits->wait_ms = seconds(t);
}

/* Returns 0 for a field that is malformed, and is ignored whole then. */
static int read_limits(const struct section *section, struct limits *ret_limits)
{
    struct stook__sf_reader reader;
    struct quota quota;
    int more;
    *ret_limits = (struct limits){.wait_ms = -1};
    stook__sf_begin(&reader, section->fields, section->size, LIMIT_FIELD);
    while ((more = next_quota(&reader, OF_LIMIT, R, &quota)) > 0)
        take_limit(ret_limits, &quota);
    return more == 0;
}

/* Returns the longest window of the exhausted policies that do not say how long they are; -1: there
   is none, or the field is malformed. */
static int64_t read_window(const struct section *section, const struct limits *limits)
{
    struct stook__sf_reader reader;
    struct quota quota;
    int64_t window_ms = -1;
    int more;
    stook__sf_begin(&reader, section->fields, section->size, POLICY_FIELD);
    while ((more = next_quota(&reader, OF_POLICY, Q, &quota)) > 0)
        for (size_t i = 0; quota.value[W] != NOT_GIVEN && i < limits->n_untimed; i++)
            if (limits->untimed[i] == quota.policy && seconds(quota.value[W]) > window_ms)
                window_ms = seconds(quota.value[W]);
    return more == 0 ? window_ms : -1;
}

/* 1: the field has decided. If policies are named and each has something left, there is no hint. */
static int take_rate_limit(const struct section *section, struct stook__rate_hint *hint)
{
    struct limits limits;
    if (!read_limits(section, &limits) || limits.items == 0)
        return 0;
    say(hint, limits.wait_ms, LIMIT_FIELD);
    if (limits.n_untimed > 0)
        say(hint, read_window(section, &limits), POLICY_FIELD);
    return hint->wait_ms >= 0 || limits.exhausted == 0;
}

/* --------------------------------------------------------------------------------- older forms */

/* Quotas that are counted apart. */
enum pair {
    DRAFT,
    X,
    X_REQUESTS,
    X_TOKENS,
    ANTHROPIC_REQUESTS,
    ANTHROPIC_TOKENS,
    ANTHROPIC_INPUT,
    ANTHROPIC_OUTPUT,
    PAIRS
};

enum form { FORM_DRAFT, FORM_X, FORM_X_LLM, FORM_ANTHROPIC, FORMS };

static const enum form form_of[PAIRS] = {
    [DRAFT] = FORM_DRAFT,
    [X] = FORM_X,
    [X_REQUESTS] = FORM_X_LLM,
    [X_TOKENS] = FORM_X_LLM,
    [ANTHROPIC_REQUESTS] = FORM_ANTHROPIC,
    [ANTHROPIC_TOKENS] = FORM_ANTHROPIC,
    [ANTHROPIC_INPUT] = FORM_ANTHROPIC,
    [ANTHROPIC_OUTPUT] = FORM_ANTHROPIC,
};

static const struct pair_field {
    const char *name;
    enum pair pair;
    int is_reset;
} pair_fields[] = {
    {"ratelimit-remaining", DRAFT, 0}, /* the draft up to 06 */
    {"ratelimit-reset", DRAFT, 1},
    {"x-ratelimit-remaining", X, 0},
    {"x-ratelimit-reset", X, 1},
    {"x-rate-limit-remaining", X, 0},
    {"x-rate-limit-reset", X, 1},
    {"x-ratelimit-remaining-requests", X_REQUESTS, 0},
    {"x-ratelimit-reset-requests", X_REQUESTS, 1},
    {"x-ratelimit-remaining-tokens", X_TOKENS, 0},
    {"x-ratelimit-reset-tokens", X_TOKENS, 1},
    {"anthropic-ratelimit-requests-remaining", ANTHROPIC_REQUESTS, 0},
    {"anthropic-ratelimit-requests-reset", ANTHROPIC_REQUESTS, 1},
    {"anthropic-ratelimit-tokens-remaining", ANTHROPIC_TOKENS, 0},
    {"anthropic-ratelimit-tokens-reset", ANTHROPIC_TOKENS, 1},
    {"anthropic-ratelimit-input-tokens-remaining", ANTHROPIC_INPUT, 0},
    {"anthropic-ratelimit-input-tokens-reset", ANTHROPIC_INPUT, 1},
    {"anthropic-ratelimit-output-tokens-remaining", ANTHROPIC_OUTPUT, 0},
    {"anthropic-ratelimit-output-tokens-reset", ANTHROPIC_OUTPUT, 1},
};

struct pairs {
    int has_remaining[FORMS];
    int is_exhausted[PAIRS];
    struct stook__rate_hint reset[PAIRS];
};

static const struct pair_field *find_pair_field(const struct stook__field_line *line)
{
    for (size_t i = 0; i < LENGTH(pair_fields); i++)
        if (stook__field_line_is(line, pair_fields[i].name))
            return &pair_fields[i];
    return NULL;
}

/* A value that is no number, such as a negative one, is as if it were not there. */
static void take_pair_field(const struct section *section, struct pairs *pairs,
                            const struct pair_field *field, const struct stook__field_line *line)
{
    int64_t number;
    if (field->is_reset) {
        if (stook__wait_reset(line->value, line->end, section->now_ms, &number))
            say(&pairs->reset[field->pair], number, field->name);
    } else if (stook__wait_number(line->value, line->end, 1, &number)) {
        pairs->has_remaining[form_of[field->pair]] = 1;
        pairs->is_exhausted[field->pair] |= number == 0;
    }
}

/* The pairs that have nothing left. A 429 may also come without the numbers. */
static void take_pairs(const struct section *section, struct stook__rate_hint *hint)
{
    struct stook__field_lines lines = lines_of(section);
    struct stook__field_line line;
    struct pairs pairs = {0};
    for (int i = 0; i < PAIRS; i++)
        pairs.reset[i].wait_ms = -1;
    while (stook__field_lines_next(&lines, &line)) {
        const struct pair_field *field = find_pair_field(&line);
        if (field != NULL)
            take_pair_field(section, &pairs, field, &line);
    }
    for (int i = 0; i < PAIRS; i++)
        if (pairs.is_exhausted[i])
            say(hint, pairs.reset[i].wait_ms, pairs.reset[i].field);
    if (hint->wait_ms >= 0 || section->status != 429)
        return;
    for (int i = 0; i < PAIRS; i++)
        if (!pairs.has_remaining[form_of[i]])
            say(hint, pairs.reset[i].wait_ms, pairs.reset[i].field);
}

void stook__rate_fields_parse(const char *fields, size_t size, int status, int64_t wall_ms,
                              struct stook__rate_hint *ret_hint)
{
    struct section section = {fields, size, status, 0};
    *ret_hint = (struct stook__rate_hint){-1, NULL};
    if (size == 0)
        return;
    section.now_ms = read_now(&section, wall_ms);
    for (size_t i = 0; i < LENGTH(retry_fields) && ret_hint->wait_ms < 0; i++)
        take_retry_field(&section, &retry_fields[i], ret_hint);
    /* With other statuses the numbers are about the requests after this one. */
    if (ret_hint->wait_ms < 0 && (status == 429 || status == 503) &&
        !take_rate_limit(&section, ret_hint))
        take_pairs(&section, ret_hint);
}

/* SPDX-License-Identifier: MIT */
/* The rules of flow control of a client; see flow_rules.h. */
#include "core/flow_rules.h"

#include "request/validate.h"

static const int64_t UNITS_MAX = INT64_C(1000000000000), PERIOD_MAX = INT64_C(2678400000),
                     MS_MAX = INT64_C(1) << 53;

/* ---------------------------------------------------------------------------------------- rates */

static int read_rate(const struct stook_rate *theirs, struct stook__rate *ret_rate)
{
    struct stook_rate mine;
    int error = theirs != NULL ? stook__validate_struct(&mine, sizeof mine, theirs) : STOOK_EARG;
    if (error != 0)
        return error;
    *ret_rate = (struct stook__rate){0};
    if (mine.count < 1 || mine.count > UNITS_MAX ||
        stook__validate_number(mine.per_ms, 1000, 0, PERIOD_MAX, &ret_rate->per_ms) != 0 ||
        stook__validate_number(mine.of, STOOK_RATE_OF_REQUESTS, 0, STOOK_RATE_OF_COST,
                               &ret_rate->of) != 0 ||
        stook__validate_number(mine.by, STOOK_RATE_BY_ORIGIN, 0, STOOK_RATE_BY_KEY,
                               &ret_rate->by) != 0)
        return STOOK_EARG;
    ret_rate->count = mine.count;
    int64_t burst = ret_rate->of == STOOK_RATE_OF_COST ? mine.count : 1;
    return stook__validate_number(mine.burst, burst, 0, UNITS_MAX, &ret_rate->burst);
}

/* Sorted by `by`, because the buckets of each kind are in one array. */
static int read_rates(const struct stook_rate *const *theirs, struct stook__flow_rules *rules,
                      struct stook__rate rates[STOOK__RATES_MAX])
{
    size_t count = 0,
           *counts[] = {NULL, &rules->n_by_origin, &rules->n_by_client, &rules->n_by_key};
    for (int64_t by = STOOK_RATE_BY_ORIGIN; theirs != NULL && by <= STOOK_RATE_BY_KEY; by++)
        for (size_t i = 0; theirs[i] != NULL; i++) {
            struct stook__rate rate;
            int error = i < STOOK__RATES_MAX ? read_rate(theirs[i], &rate) : STOOK_EARG;
            if (error != 0)
                return error;
            if (rate.by != by)
                continue;
            rates[count++] = rate;
            ++*counts[by];
        }
    rules->rates = count > 0 ? rates : NULL;
    return 0;
}

/* -------------------------------------------------------------------------------------- retries */

static int read_statuses(const int64_t *statuses, struct stook__flow_rules *rules)
{
    static const int64_t defaults[] = {408, 425, 429, 500, 502, 503, 504, 0};
    for (statuses = statuses != NULL ? statuses : defaults; *statuses != 0; statuses++) {
        if (*statuses < 400 || *statuses > 599)
            return STOOK_EARG;
        rules->retry_statuses[*statuses / 64] |= (uint64_t)1 << *statuses % 64;
    }
    return 0;
}

int stook__flow_rules_from(const struct stook_client_options *options,
                           struct stook__flow_rules *ret_rules,
                           struct stook__rate rates[STOOK__RATES_MAX])
{
    struct stook__flow_rules rules = {.adaptive = options->origin_limit == STOOK_AUTO};
    const struct {
        int64_t value, inherited, max, *ret_value;
        int none;
    } numbers[] = {
        {options->max_cooldown_ms, 60000, MS_MAX, &rules.max_cooldown_ms, 1},
        {options->retry_delay_ms, 500, MS_MAX, &rules.retry_delay_ms, 0},
        {options->retry_max_delay_ms, 20000, MS_MAX, &rules.retry_max_delay_ms, 0},
        {options->retry_budget, 20, 1000, &rules.retry_budget, 1},
        {options->circuit_failures, STOOK_NONE, 1000, &rules.circuit_failures, 1},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (stook__validate_number(numbers[i].value, numbers[i].inherited, numbers[i].none,
                                   numbers[i].max, numbers[i].ret_value) != 0)
            return STOOK_EARG;
    /* A default adapts to the other one. */
    if (options->retry_max_delay_ms == 0 && rules.retry_max_delay_ms < rules.retry_delay_ms)
        rules.retry_max_delay_ms = rules.retry_delay_ms;
    if (options->retry_delay_ms == 0 && rules.retry_delay_ms > rules.retry_max_delay_ms)
        rules.retry_delay_ms = rules.retry_max_delay_ms;
    if (rules.retry_max_delay_ms < rules.retry_delay_ms)
        return STOOK_EARG;
    int error = read_statuses(options->retry_statuses, &rules);
    if (error == 0)
        error = read_rates(options->rates, &rules, rates);
    rules.keeps_origins = rules.n_by_origin > 0 || rules.circuit_failures > 0 || rules.adaptive ||
                          options->max_retries > 0;
    *ret_rules = rules;
    return error;
}

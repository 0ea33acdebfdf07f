/* SPDX-License-Identifier: MIT */
/* The limit that finds itself; see adaptive.h. */
#include "sched/adaptive.h"

#include <assert.h>

#include "sched/retry.h"
#include "util/trace.h"

enum {
    INITIAL = 8,
    HIGHEST = 1000000,
    ROUND = 16,         /* attempts of a round of STARTUP, at the least */
    SAMPLES = 32,       /* of a sample that is judged, at the least */
    SAMPLES_MAX = 1024, /* a larger one is halved, so that it forgets */
    CREDIT = 3,
    CREDIT_EVERY = 200
};
static const int64_t SECOND = 1000000, INTERVAL_MAX = 30000000;
/* How often `calm` is reviewed; not more often than so many times the length of a trial. */
static const int64_t REVIEW = 25000000;
static const double TRIALS_A_REVIEW = 40;
static const int64_t LONG_AGO = INT64_MIN / 4;

/* A trial is compared with what it would show at its best, 1, and if nothing changed, 0. The border
   leans to refusal: of two clients with half of the server each, neither takes more. */
static const double GAIN = 0.6, RISE = 0.4;
/* Standard deviations from the border at which a trial is decided. */
static const double SURE = 1.7, VERY_SURE = 2.5;
/* Steps, as a share of the limit. */
static const double STEP_LEAST = 0.125, STEP_MOST = 0.5;

static void move_phase(struct stook__adaptive *a, enum stook__adaptive_phase to)
{
    enum {
        STARTUP = 1u << STOOK__ADAPTIVE_STARTUP,
        HOLD = 1u << STOOK__ADAPTIVE_HOLD,
        UP = 1u << STOOK__ADAPTIVE_UP,
        DOWN = 1u << STOOK__ADAPTIVE_DOWN
    };
    static const unsigned char allowed[] = {
        [STOOK__ADAPTIVE_STARTUP] = HOLD,
        [STOOK__ADAPTIVE_HOLD] = STARTUP | UP | DOWN,
        [STOOK__ADAPTIVE_UP] = HOLD,
        [STOOK__ADAPTIVE_DOWN] = HOLD,
    };
    static const char *const names[] = {"STARTUP", "HOLD", "UP", "DOWN"};
    assert(allowed[a->phase] & 1u << to);
    STOOK__TRACE("sched", "adaptive %p: %s -> %s, limit %zu", (void *)a, names[a->phase], names[to],
                 a->limit);
    (void)allowed, (void)names; /* in release builds */
    a->phase = (uint8_t)to;
}

static double clamp(double x, double least, double most)
{
    return x < least ? least : x > most ? most : x;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* From 0.85 to 1, so that clients do not make their trials at the same time. splitmix64. */
static double jitter(struct stook__adaptive *a)
{
    return 0.85 + 0.15 * (double)(stook__random(&a->random) >> 11) / 9007199254740992.0;
}

static int64_t doubled(int64_t interval)
{
    return interval * 2 < INTERVAL_MAX ? interval * 2 : INTERVAL_MAX;
}

/* ---------------------------------------------------------------- samples */

static void renew_sample(struct stook__adaptive *a, int64_t now)
{
    a->sample = (struct stook__sample){0};
    a->is_open = a->is_round = 0;
    a->drops = 0;
    a->next_look = 0;
    a->changed_at = now;
    a->old = a->in_flight;
}

static void open_sample(struct stook__adaptive *a, int64_t now)
{
    a->is_open = 1;
    a->sample.opened_at = a->sample.last_at = now;
}

static int is_old(const struct stook__adaptive *a, int64_t now)
{
    const struct stook__sample *s = &a->sample;
    double age = (double)(now - s->opened_at);
    return s->n >= SAMPLES_MAX || (a->phase == STOOK__ADAPTIVE_HOLD && s->n >= 2 * SAMPLES &&
                                   age > 4 * (double)SECOND && age > 16 * s->whole / s->n);
}

/* A sample counts from the first end of an attempt that started at the present limit. After a
   decrease it also waits for those that started before: some may hang, and take places until
   they time out. */
static int may_open(const struct stook__adaptive *a, int64_t now, int64_t started_at)
{
    return started_at >= a->changed_at &&
           (a->phase != STOOK__ADAPTIVE_HOLD || a->old == 0 || now - a->changed_at > 5 * SECOND);
}

static void record(struct stook__adaptive *a, int64_t now, int64_t started_at,
                   int64_t first_byte_us)
{
    struct stook__sample *s = &a->sample;
    if (!a->is_open) {
        if (may_open(a, now, started_at))
            open_sample(a, now);
        return;
    }
    if (now == s->opened_at) /* the rest of the turn that opened it */
        return;
    if (started_at >= s->opened_at)
        a->is_round = 1;
    if (is_old(a, now)) {
        stook__sample_halve(s, now);
        a->next_look = 0;
    }
    stook__sample_add(s, now, (double)a->used, (double)first_byte_us, (double)(now - started_at));
}

/* Whether the sample is large enough to be judged. A trial is judged when it has grown by half
   since, because to look often is to find a chance result in the end. */
static int is_due(struct stook__adaptive *a)
{
    const struct stook__sample *s = &a->sample;
    if (!a->is_open || s->n < SAMPLES || s->n < a->next_look ||
        stook__sample_elapsed(s) < 2 * s->whole / s->n)
        return 0;
    double growth = a->phase == STOOK__ADAPTIVE_HOLD ? 1.05 : 1.5;
    a->next_look = smaller(s->n * growth, SAMPLES_MAX - 1);
    return 1;
}

/* Whether a trial has had its time. */
static int is_last(const struct stook__adaptive *a)
{
    const struct stook__sample *s = &a->sample;
    return s->n >= SAMPLES_MAX - 1 || (stook__sample_elapsed(s) > 2 * (double)SECOND &&
                                       stook__sample_elapsed(s) > 8 * s->whole / s->n);
}

/* ---------------------------------------------------------------- steps */

static void set_limit(struct stook__adaptive *a, double to, int64_t now)
{
    size_t limit = (size_t)clamp(to, 1, HIGHEST);
    if (limit < a->limit)
        a->decreased_at = now;
    a->limit = limit;
    renew_sample(a, now);
}

/* Chooses the smallest step whose effect stands out from the noise of two seconds. */
static void choose_step(struct stook__adaptive *a)
{
    const struct stook__sample *s = &a->sample;
    double n = clamp(stook__sample_rate(s) * 2 * (double)SECOND, SAMPLES, SAMPLES_MAX);
    a->step_share =
        5.6 *
        stook__root(smaller(stook__sample_gain_noise(s), stook__sample_rise_noise(s)) * s->n / n);
}

static size_t first_step(const struct stook__adaptive *a)
{
    double step = (double)a->limit * clamp(a->step_share, STEP_LEAST, STEP_MOST);
    return (size_t)(step + 0.999);
}

/* Compared with a sample this large, a step shows. */
static int is_sound(const struct stook__adaptive *a)
{
    const struct stook__sample *s = &a->sample;
    double least = 0.2 * (a->step_share > STEP_LEAST ? a->step_share : STEP_LEAST);
    return smaller(stook__sample_gain_noise(s), stook__sample_rise_noise(s)) < least * least ||
           stook__sample_elapsed(s) > 3 * (double)SECOND;
}

/* Whether the gap below the refused limit is too small to search. Drops show at the smallest
   step, and latency shows at steps above the noise. */
static int is_closed(const struct stook__adaptive *a)
{
    double gap = (double)(a->refused - a->limit), limit = (double)a->limit;
    if (gap <= 1)
        return 1;
    return a->by_loss ? gap <= limit / 32 : gap <= limit / 16 || gap < 1.5 * a->step_share * limit;
}

static void wait_up(struct stook__adaptive *a, int64_t now)
{
    a->next_up_at = now + (int64_t)((double)a->up_interval * jitter(a));
    a->up_interval = doubled(a->up_interval);
}

static void wait_down(struct stook__adaptive *a, int64_t now)
{
    a->next_down_at = now + (int64_t)((double)a->down_interval * jitter(a));
    a->down_interval = doubled(a->down_interval);
}

/* ---------------------------------------------------------------- trials above */

static void go_up(struct stook__adaptive *a, int64_t now)
{
    size_t step = a->step > first_step(a) ? a->step : first_step(a);
    a->again = 0;
    if (a->refused > a->limit) {
        size_t gap = a->refused - a->limit;
        a->again = (uint8_t)is_closed(a);
        step = !a->again ? (gap + 1) / 2 : a->by_loss ? gap : first_step(a);
    }
    a->base = a->sample;
    a->base_limit = a->raised_from = a->limit;
    a->raised_at = now;
    move_phase(a, STOOK__ADAPTIVE_UP);
    set_limit(a, (double)(a->limit + step), now);
}

static void keep_up(struct stook__adaptive *a, int64_t now)
{
    if (a->limit >= a->refused)
        a->refused = 0;
    size_t step = 2 * (a->limit - a->base_limit);
    a->step = step < a->limit / 2 ? step : a->limit / 2;
    a->retried = 0;
    a->next_look = 0; /* the sample goes on as that of the new limit */
    a->up_interval = SECOND;
    a->next_up_at = now;
    if (a->refused != 0 && is_closed(a))
        wait_up(a, now);
    move_phase(a, STOOK__ADAPTIVE_HOLD);
}

static void back_to_base(struct stook__adaptive *a, int64_t now)
{
    move_phase(a, STOOK__ADAPTIVE_HOLD);
    set_limit(a, (double)a->base_limit, now);
    a->step = first_step(a);
}

static void refuse(struct stook__adaptive *a, int64_t now, int is_sure)
{
    a->refused = a->limit;
    a->by_loss = 0;
    back_to_base(a, now);
    a->excused = a->in_flight > a->limit ? a->in_flight - a->limit + 1 : 1;
    a->next_up_at = now;
    if (!is_sure && !a->retried) {
        a->retried = 1;
        return;
    }
    a->retried = 0;
    if (is_closed(a) || a->again)
        wait_up(a, now);
}

/* Below a limit that met drops only drops count, unless the sample is sure. */
static void end_up(struct stook__adaptive *a, int64_t now, const struct stook__change *c)
{
    double border = a->refused > a->limit && a->by_loss ? -SURE : 0;
    if (c->rise_z < -SURE || stook__change_score(c) > border)
        keep_up(a, now);
    else
        refuse(a, now, 0);
}

static void judge_up(struct stook__adaptive *a, int64_t now)
{
    struct stook__change c = stook__sample_compare(&a->sample, &a->base, GAIN, RISE);
    double wanted = (double)a->limit / (double)a->base_limit - 1;
    if (c.share < wanted / 2) { /* it was not used */
        if (is_last(a)) {
            back_to_base(a, now);
            a->next_up_at = now + SECOND;
        }
    } else if (stook__change_score(&c) < -SURE || c.gain_z < -VERY_SURE) {
        refuse(a, now, stook__change_score(&c) < -VERY_SURE || c.gain_z < -VERY_SURE);
    } else if (stook__change_score(&c) > SURE && c.gain_z > -0.5) {
        keep_up(a, now);
    } else if (is_last(a)) {
        end_up(a, now, &c);
    }
}

/* ---------------------------------------------------------------- trials below */

/* `calm` above 0: the earliest first byte that a sound sample had; an upper bound, so that
   chance does not lower it. 0: not known, and the limit may be above the knee: go down until
   less is completed. Below 0: not known, and the next sample has it. */
static void set_calm(struct stook__adaptive *a)
{
    const struct stook__sample *s = &a->sample;
    double first = s->first / s->n * (1 + 2 * stook__root(stook__sample_rise_noise(s)));
    if (a->calm == 0 && a->limit > 1)
        return;
    if (a->calm <= 0 || first < a->calm)
        a->calm = first;
}

static int is_late(const struct stook__adaptive *a)
{
    const struct stook__sample *s = &a->sample;
    double first = s->first / s->n * (1 - 2 * stook__root(stook__sample_rise_noise(s)));
    double margin = a->step_share > STEP_LEAST ? 1.2 * a->step_share : 0.15;
    return first > (1 + margin) * a->calm;
}

/* All of the limit is in flight, and gets answers. */
static int is_used(const struct stook__adaptive *a)
{
    double in_flight = a->sample.in_flight / a->sample.n;
    return in_flight + 0.5 >= 0.9 * (double)a->limit &&
           stook__sample_answered(&a->sample) >= 0.93 * in_flight && 2 * a->used >= a->limit &&
           a->limit < HIGHEST;
}

static void review_later(struct stook__adaptive *a, int64_t now)
{
    const struct stook__sample *s = &a->sample;
    double trial = SAMPLES / stook__sample_rate(s) + 2 * s->whole / s->n, interval = (double)REVIEW;
    if (interval < TRIALS_A_REVIEW * trial)
        interval = TRIALS_A_REVIEW * trial;
    a->review_at = now + (int64_t)(interval * jitter(a));
}

/* Another client may have been there before: the first byte was late already when it was first
   measured, and what was taken for calm is the queue that both hold. So now and then a trial below
   asks whether as much is completed with less in flight. Where the limit met drops of late, they
   say where the knee is. */
static void review_calm(struct stook__adaptive *a, int64_t now)
{
    if (a->review_at == 0)
        review_later(a, now);
    if (now < a->review_at || a->calm <= 0 || a->limit < 4 || now - a->lost_at <= 60 * SECOND ||
        !is_used(a))
        return;
    review_later(a, now);
    a->reviewed = 1;
    a->calm = 0;
    a->next_down_at = now;
    a->down_interval = SECOND;
}

static void go_down(struct stook__adaptive *a, int64_t now)
{
    double share = a->calm > 0 ? clamp(a->calm * a->sample.n / a->sample.first, 0.65, 0.85) : 0.75;
    a->base = a->sample;
    a->base_limit = a->limit;
    move_phase(a, STOOK__ADAPTIVE_DOWN);
    set_limit(a, (double)a->limit * share, now);
}

static void keep_down(struct stook__adaptive *a, int64_t now)
{
    a->reviewed = 0;
    a->next_look = 0;
    a->refused = a->base_limit;
    a->by_loss = 0;
    a->step = first_step(a);
    if (a->base.first / a->base.n > 1.5 * a->calm)
        a->down_interval = SECOND; /* and the next one follows at once */
    else
        wait_down(a, now);
    a->up_interval = SECOND;
    wait_up(a, now);
    move_phase(a, STOOK__ADAPTIVE_HOLD);
}

/* The limit is not what makes the first byte late. It becomes calm in steps, because a trial
   may err and what is calm must not drift. */
static void give_up_down(struct stook__adaptive *a, int64_t now)
{
    double first = a->base.first / a->base.n;
    a->reviewed = 0;
    a->calm = a->calm == 0 ? first : smaller(first, 1.25 * a->calm);
    back_to_base(a, now);
    wait_down(a, now);
}

static void judge_down(struct stook__adaptive *a, int64_t now)
{
    struct stook__change c = stook__sample_compare(&a->sample, &a->base, 0.7, 0.3);
    double least = a->reviewed ? -SURE : 0; /* nothing but a review speaks for it */
    double wanted = (double)a->limit / (double)a->base_limit - 1;
    int freed = c.share <= wanted / 2;
    if (!freed && !is_last(a))
        return;
    if (!freed || stook__change_score(&c) > SURE || (is_last(a) && stook__change_score(&c) > least))
        give_up_down(a, now);
    else if (stook__change_score(&c) < -SURE || is_last(a))
        keep_down(a, now);
}

/* ---------------------------------------------------------------- between trials */

static void hold(struct stook__adaptive *a, int64_t now)
{
    choose_step(a);
    if (!is_sound(a) && a->sample.first / a->sample.n < 2 * a->calm)
        return;
    review_calm(a, now);
    set_calm(a);
    if (is_late(a) && now >= a->next_down_at && a->limit > 1) {
        if (a->alarmed || a->calm == 0)
            go_down(a, now);
        else
            renew_sample(a, now); /* chosen because it was late, it would compare badly */
        a->alarmed = !a->alarmed;
        return;
    }
    if (a->sample.n > 2 * SAMPLES)
        a->alarmed = 0;
    if (now >= a->next_up_at && is_used(a))
        go_up(a, now);
}

/* ---------------------------------------------------------------- startup */

static void end_startup(struct stook__adaptive *a, int64_t now)
{
    a->startup_ended_at = now;
    move_phase(a, STOOK__ADAPTIVE_HOLD);
}

/* More is in flight than in the round before, and not more is completed: the knee lies
   between. What was completed in one second, at the durations of the round before, is the
   height of the knee. */
static void find_knee(struct stook__adaptive *a, const struct stook__change *c, int64_t now)
{
    const struct stook__sample *s = &a->sample, *b = &a->base;
    double faster = stook__sample_rate(s) / stook__sample_rate(b);
    double unsure = faster * stook__root(stook__sample_gain_noise(s) + stook__sample_gain_noise(b));
    double to = stook__sample_rate(s) * b->whole / b->n * (1 + 2 * unsure),
           least = 0.7 * b->in_flight / b->n;
    double share = smaller(1.5 * unsure, 0.5) * (double)a->limit;
    if (least < share)
        least = share;
    a->calm = c->rise < RISE ? -1 : 0;
    end_startup(a, now);
    set_limit(a, clamp(to + 0.5, least, (double)a->limit), now);
    a->step = first_step(a);
}

static int is_flat(const struct stook__change *c)
{
    return c->share > 0.2 && (c->gain_z < -SURE || (c->gain_z < 0 && c->rise_z > 0 &&
                                                    stook__change_score(c) < -0.7 * SURE));
}

/* A round ends when an attempt of it has ended. It is compared with one that had about half in
   flight. */
static void judge_round(struct stook__adaptive *a, int64_t now)
{
    const struct stook__sample *s = &a->sample;
    if (!a->is_round || s->n < ROUND || stook__sample_elapsed(s) < s->whole / s->n)
        return;
    if (a->base.n > 0) {
        struct stook__change c = stook__sample_compare(&a->sample, &a->base, 0.5, 0.5);
        if (is_flat(&c)) {
            find_knee(a, &c, now);
            return;
        }
    }
    if (a->base.n <= 0 || s->in_flight / s->n > 1.7 * a->base.in_flight / a->base.n) {
        a->base = *s;
    }
    a->base_limit = a->limit;
    renew_sample(a, now);
    open_sample(a, now);
}

static void begin_startup(struct stook__adaptive *a, int64_t now)
{
    a->base = (struct stook__sample){0};
    a->base_limit = (a->limit + 1) / 2;
    renew_sample(a, now);
}

/* ---------------------------------------------------------------- drops */

/* Whether a drop may pass. A server that loses one attempt in 500 whatever the limit is must
   not bring it down, so each 200 attempts that are OK pay for one drop. A trial pays with 2 %
   of its sample, and STARTUP has nothing. Attempts that hang cost double. */
static int pay(struct stook__adaptive *a)
{
    const struct stook__sample *s = &a->sample;
    a->drops++;
    a->credit -= 1;
    if (a->phase == STOOK__ADAPTIVE_HOLD && s->n >= SAMPLES &&
        stook__sample_answered(s) < 0.95 * s->in_flight / s->n)
        a->credit -= 1;
    if (a->phase == STOOK__ADAPTIVE_UP)
        return a->drops < 2 || a->drops < 0.02 * s->n;
    return a->phase != STOOK__ADAPTIVE_STARTUP && a->credit >= 0;
}

/* A trial, or STARTUP, met its first drops. */
static void refuse_by_loss(struct stook__adaptive *a, int64_t now, int is_answered)
{
    if (a->phase == STOOK__ADAPTIVE_STARTUP) {
        /* A few are lost without a knee, and then the server may queue already. */
        a->calm = is_answered ? 0 : -1;
        a->next_down_at = now + SECOND;
        a->startup_ended_at = now;
        /* Who is told "no" at once was one too many. Who hears nothing may be one of many. */
        size_t least = is_answered ? a->limit * 7 / 8 : a->limit / 2;
        if (a->base_limit < least)
            a->base_limit = least;
    }
    a->refused = a->limit > a->base_limit ? a->limit : 0;
    a->by_loss = 1;
    back_to_base(a, now);
    a->next_up_at = now;
    a->retried = 0;
    if (a->refused == 0 || is_closed(a) || a->again)
        wait_up(a, now);
}

/* Returns where to go from a limit that was good before: to what is answered, if that was
   measured. */
static double lower(const struct stook__adaptive *a, int64_t now)
{
    int soon = now - a->decreased_at < SECOND;
    double limit = (double)a->limit;
    if (a->is_open && a->sample.n >= SAMPLES)
        return clamp(stook__sample_answered(&a->sample), (soon ? 0.5 : 0.7) * limit, 0.9 * limit);
    return (soon ? 0.7 : 0.9) * limit;
}

static void decrease(struct stook__adaptive *a, int64_t now, int64_t started_at)
{
    int undo = started_at >= a->raised_at && now - a->raised_at < 60 * SECOND &&
               a->raised_from > 0 && a->raised_from < a->limit;
    double to = undo ? (double)a->raised_from : lower(a, now);
    if (a->phase != STOOK__ADAPTIVE_HOLD)
        move_phase(a, STOOK__ADAPTIVE_HOLD);
    a->refused = a->limit;
    a->by_loss = 1;
    set_limit(a, to, now);
    a->decreased_at = now; /* also at 1 */
    a->raised_from = 0;
    a->step = first_step(a);
    if (!undo)
        a->up_interval = SECOND;
    wait_up(a, now);
    if (a->limit == 1 && now - a->startup_ended_at >= INTERVAL_MAX) {
        move_phase(a, STOOK__ADAPTIVE_STARTUP);
        begin_startup(a, now);
    }
}

static void drop(struct stook__adaptive *a, int64_t now, int64_t started_at, int is_answered)
{
    if (started_at <= a->decreased_at && a->excused > 0) {
        a->excused--;
        return;
    }
    if (pay(a) || (a->phase == STOOK__ADAPTIVE_STARTUP && a->limit == 1))
        return;
    a->credit = 0;
    a->lost_at = now;
    if (a->phase == STOOK__ADAPTIVE_STARTUP || a->phase == STOOK__ADAPTIVE_UP)
        refuse_by_loss(a, now, is_answered);
    else
        decrease(a, now, started_at);
    a->excused = SIZE_MAX; /* the others of this round trip */
}

/* ---------------------------------------------------------------- what the caller tells */

void stook__adaptive_init(struct stook__adaptive *a, uint64_t seed)
{
    *a = (struct stook__adaptive){.random = seed,
                                  .limit = INITIAL,
                                  .up_interval = SECOND,
                                  .down_interval = SECOND,
                                  .decreased_at = LONG_AGO,
                                  .lost_at = LONG_AGO};
    begin_startup(a, LONG_AGO);
}

void stook__adaptive_started(struct stook__adaptive *a, int64_t now, size_t in_flight)
{
    a->in_flight = in_flight;
    if (in_flight > a->used)
        a->used = in_flight;
    if (in_flight == 1 && a->limit > 1 && a->is_open && now > a->ended_at) {
        renew_sample(a, now); /* nothing was in flight: the time of the sample says nothing */
        a->old = 0;
    }
}

/* Many may end in one turn, with the same `now`, before the next starts. A sample is judged between
   turns, and what was in flight before the first end was in use. */
static void begin_turn(struct stook__adaptive *a, int64_t now)
{
    a->used = a->in_flight;
    a->ended_at = now;
    if (a->phase == STOOK__ADAPTIVE_STARTUP)
        judge_round(a, now);
    else if (!is_due(a))
        return;
    else if (a->phase == STOOK__ADAPTIVE_HOLD)
        hold(a, now);
    else if (a->phase == STOOK__ADAPTIVE_UP)
        judge_up(a, now);
    else
        judge_down(a, now);
}

void stook__adaptive_ended(struct stook__adaptive *a, int64_t now, size_t in_flight,
                           int64_t started_at, int64_t first_byte_us, enum stook__health health)
{
    a->in_flight = in_flight;
    if (now != a->ended_at)
        begin_turn(a, now);
    if (health == STOOK__HEALTH_DROP) {
        drop(a, now, started_at, first_byte_us > 0);
    } else if (health == STOOK__HEALTH_OK) {
        a->credit = smaller(a->credit + 1.0 / CREDIT_EVERY, CREDIT);
        record(a, now, started_at, first_byte_us);
        if (a->phase == STOOK__ADAPTIVE_STARTUP && 2 * a->used >= a->limit && a->limit < HIGHEST)
            a->limit++;
    }
    a->in_flight = in_flight - 1;
    if (started_at <= a->changed_at && a->old > 0)
        a->old--;
}

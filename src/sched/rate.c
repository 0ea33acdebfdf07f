/* SPDX-License-Identifier: MIT */
/*
 * How fast requests may start; see rate.h.
 *
 * Why late takes keep the rate. A timer of whole milliseconds wakes its caller up to two late. With
 * a burst of 1 that time is lost, because a full bucket does not fill further. So a late take
 * counts from when the bucket was full, at most L = 4 ms back, as if it had begun then.
 *
 * Take a span of t that begins with a take which was early by g <= L. Let I be the times in which
 * its costs flow back, and T that of the burst, less what the last take of the span needs of it.
 * Later takes may be late too, but they only recover what was lost inside the span. So for all
 * takes but the last the sum of I is at most t + T + g.
 *
 * It must be at most t + T. So takes cost I + p, with p = I / 250, until g is repaid; time for
 * which the bucket was full and that no take makes up for repays too. If g was repaid inside the
 * span, the sum of I is at most t + T + g - g. If not, each take paid p, and the sum of I * 251 /
 * 250 is at most t + T + g: that of I is at most t + T if 250 g <= t. As g is at most 4 ms, that
 * holds from 1 s on. The rates that a late caller reaches are slower by at most 1 / 251.
 *
 * What is to be repaid is the larger of what was left and g, not both: a span has only one first
 * take.
 *
 * How much can be given back. After the takes 1 to n at t[i] with the times c[i] a bucket is full
 * at f[n] = max(f[n-1], t[n]) + c[n]. If c[k] turns out to be smaller by d, all f from f[k] on are
 * smaller by d, up to a take before which the bucket was full: what had flowed back by then is
 * gone. So f[n] is smaller by d, or by the least f[i-1] - t[i] of all i above k if that is less.
 * These minima are the `lows`.
 */
#include "sched/rate.h"

#include <assert.h>
#include <string.h>

enum { NS_OF_US = 1000, NS_OF_MS = 1000000, REPAY = 250 };
static const int64_t LATE_NS = (int64_t)STOOK__RATE_LATE_US * NS_OF_US;
_Static_assert(STOOK__RATE_LATE_US <= 1000 / REPAY * STOOK__RATE_SPAN_MS,
               "what is made up for is repaid within the span");

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t divide_up(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

static int64_t in_ns(int64_t us)
{
    return larger(0, smaller(us, STOOK__RATE_MAX_NS / NS_OF_US)) * NS_OF_US;
}

/* The time in which `units` flow back: units * per / count, exactly, without an integer of 128
   bits. All numbers below are less than 2^62: count, and so `part` and `rest`, is less than 2^40.
   */
static int64_t flow_time(const struct stook__rate *rate, int64_t units, int round_up)
{
    int64_t count = rate->count, per = rate->per_ms * NS_OF_MS;
    int64_t whole = units / count, part = units % count; /* units = whole * count + part */
    int64_t base = per / count, rest = per % count;      /* per = base * count + rest */
    if (whole > STOOK__RATE_MAX_NS / per)
        return STOOK__RATE_MAX_NS;
    /* part * rest / count, as a long division whose digits have 20 bits. */
    int64_t high = (part >> 20) * rest;
    int64_t low = ((high % count) << 20) + (part & 0xfffff) * rest;
    int64_t time = whole * per + part * base + (high / count << 20) + low / count;
    return smaller(time + (round_up && low % count > 0), STOOK__RATE_MAX_NS);
}

int64_t stook__bucket_ready_at(const struct stook__bucket *bucket, const struct stook__rate *rate,
                               int64_t cost)
{
    if (cost <= 0)
        return 0;
    int64_t time = flow_time(rate, cost, 1);
    int64_t early = flow_time(rate, rate->burst, 0) - time;
    return divide_up(bucket->full_at_ns - larger(early, 0), NS_OF_US);
}

/* Moves a full bucket to `now`, or to when it was full if the take is late. */
static void catch_up(struct stook__bucket *bucket, int64_t now_ns, int late)
{
    int64_t lost = now_ns - bucket->full_at_ns;
    if (lost <= 0)
        return;
    int64_t made_up = late ? smaller(lost, LATE_NS) : 0;
    int64_t owed = larger(0, bucket->made_up_ns - (lost - made_up));
    bucket->made_up_ns = larger(owed, made_up);
    bucket->full_at_ns = now_ns - made_up;
}

static void add_time(struct stook__bucket *bucket, int64_t time)
{
    bucket->full_at_ns += smaller(time, INT64_MAX - bucket->full_at_ns);
}

static void add_cost(struct stook__bucket *bucket, const struct stook__rate *rate, int64_t cost)
{
    int64_t time = flow_time(rate, cost, 1);
    int64_t repaid = smaller(bucket->made_up_ns, divide_up(time, REPAY));
    bucket->made_up_ns -= repaid;
    add_time(bucket, time + repaid);
}

static void note_low(struct stook__bucket *bucket, int64_t at_ns, int64_t missing_ns)
{
    struct stook__bucket_low *lows = bucket->lows;
    size_t n = bucket->n_lows;
    while (n > 0 && lows[n - 1].missing_ns >= missing_ns)
        n--;
    if (n == STOOK__RATE_LOWS) {
        lows[1].missing_ns = lows[0].missing_ns;
        memmove(lows, lows + 1, --n * sizeof *lows);
    }
    lows[n] = (struct stook__bucket_low){at_ns, missing_ns};
    bucket->n_lows = n + 1;
}

void stook__bucket_take(struct stook__bucket *bucket, const struct stook__rate *rate, int64_t cost,
                        int64_t now, int late)
{
    assert(cost >= 0);
    int64_t now_ns = in_ns(now);
    catch_up(bucket, now_ns, late);
    note_low(bucket, now_ns, larger(0, bucket->full_at_ns - now_ns));
    add_cost(bucket, rate, cost);
}

void stook__bucket_give_back(struct stook__bucket *bucket, const struct stook__rate *rate,
                             int64_t cost, int64_t at)
{
    struct stook__bucket_low *lows = bucket->lows;
    int64_t at_ns = in_ns(at), time = flow_time(rate, cost, 0);
    size_t n_before = 0, n = bucket->n_lows;
    assert(cost >= 0);
    while (n_before < n && lows[n_before].at_ns <= at_ns)
        n_before++;
    if (n_before < n)
        time = smaller(time, lows[n_before].missing_ns);
    /* Rounded down: parts that are given back are never more than the whole. */
    bucket->full_at_ns = larger(0, bucket->full_at_ns - time);
    for (size_t i = n_before; i < n; i++)
        lows[i].missing_ns -= time;
    size_t kept = n_before;
    while (n_before < n && kept > 0 && lows[kept - 1].missing_ns >= lows[n_before].missing_ns)
        kept--;
    memmove(lows + kept, lows + n_before, (n - n_before) * sizeof *lows);
    bucket->n_lows = n - (n_before - kept);
}

void stook__bucket_charge(struct stook__bucket *bucket, const struct stook__rate *rate,
                          int64_t cost, int64_t at)
{
    if (cost < 0) {
        stook__bucket_give_back(bucket, rate, -cost, at);
        return;
    }
    bucket->full_at_ns = larger(bucket->full_at_ns, in_ns(at));
    add_cost(bucket, rate, cost);
}

int stook__bucket_is_full(const struct stook__bucket *bucket, int64_t now)
{
    return bucket->full_at_ns <= in_ns(now) - bucket->made_up_ns;
}

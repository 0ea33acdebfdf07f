/* SPDX-License-Identifier: MIT */
/* What attempts showed at one limit, and how two limits compare; see sample.h. */
#include "sched/sample.h"

/* Newton's method, because sqrt() would need libm. */
double stook__root(double square)
{
    double x = square > 1 ? square : 1;
    for (int i = 0; i < 60 && x * x > square * 1.0001; i++)
        x = (x + square / x) / 2;
    return square > 0 ? x : 0;
}

double stook__sample_elapsed(const struct stook__sample *s)
{
    return (double)(s->last_at - s->opened_at + 1);
}

double stook__sample_rate(const struct stook__sample *s)
{
    return s->n / stook__sample_elapsed(s);
}

double stook__sample_answered(const struct stook__sample *s)
{
    return stook__sample_rate(s) * s->whole / s->n;
}

/* The variance of the mean, as a share of its square. An attempt more or less is always
   possible. */
static double noise(double sum, double squares, double n)
{
    double mean = sum / n, variance = squares / n - mean * mean;
    return (variance > 0 && mean > 0 ? variance / (mean * mean) : 0) / n + 1 / (n * n);
}

double stook__sample_gain_noise(const struct stook__sample *s)
{
    return noise(s->whole, s->whole_squares, s->n);
}

double stook__sample_rise_noise(const struct stook__sample *s)
{
    return noise(s->first, s->first_squares, s->n);
}

void stook__sample_halve(struct stook__sample *s, int64_t now)
{
    s->n /= 2;
    s->in_flight /= 2;
    s->first /= 2, s->first_squares /= 2;
    s->whole /= 2, s->whole_squares /= 2;
    s->opened_at = now - (now - s->opened_at) / 2;
}

struct stook__change stook__sample_compare(const struct stook__sample *s,
                                           const struct stook__sample *b, double gain_border,
                                           double rise_border)
{
    struct stook__change c;
    c.share = s->in_flight / s->n / (b->in_flight / b->n) - 1;
    double share =
        c.share > 0 ? (c.share > 0.001 ? c.share : 0.001) : (c.share < -0.001 ? c.share : -0.001);
    double size = share > 0 ? share : -share;
    double faster = stook__sample_rate(s) / stook__sample_rate(b),
           later = s->first / s->n / (b->first / b->n);
    c.gain = (faster - 1) / share;
    c.rise = (later - 1) / share;
    c.gain_z =
        (c.gain - gain_border) /
        (faster * stook__root(stook__sample_gain_noise(s) + stook__sample_gain_noise(b)) / size);
    c.rise_z =
        (c.rise - rise_border) /
        (later * stook__root(stook__sample_rise_noise(s) + stook__sample_rise_noise(b)) / size);
    return c;
}

double stook__change_score(const struct stook__change *c)
{
    return (c->gain_z - c->rise_z) / 2;
}

void stook__sample_add(struct stook__sample *s, int64_t now, double in_flight, double first,
                       double whole)
{
    s->n++;
    s->in_flight += in_flight;
    s->first += first, s->first_squares += first * first;
    s->whole += whole, s->whole_squares += whole * whole;
    s->last_at = now;
}

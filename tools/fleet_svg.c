#include "fleet.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { WIDE = 720, HIGH = 360, LEFT = 70, RIGHT = 20, TOP = 40, BOTTOM = 50 };

struct box {
    double x_max, y_min, y_max;
};

static struct box box_of(const struct plot *p)
{
    struct box b = { 0, 0, 0 };

    for (size_t k = 0; k < p->curves_n; k++) {
        for (size_t i = 0; i < p->curves[k].n; i++) {
            double y = p->curves[k].y[i];

            b.y_max = isfinite(y) && y > b.y_max ? y : b.y_max;
            b.y_min = isfinite(y) && y < b.y_min ? y : b.y_min;
        }
        b.x_max = fmax(b.x_max, p->x_step * (double)p->curves[k].n);
    }
    if (p->mark >= 0)
        b.y_max = fmax(b.y_max, p->mark);
    /* Far below zero nothing is to be seen. */
    b.y_min = fmax(b.y_min, -b.y_max - 1);
    b.y_max = b.y_max > 0 ? b.y_max * 1.05 : 1;
    b.x_max = b.x_max > 0 ? b.x_max : 1;
    return b;
}

static double at_x(const struct box *b, double x)
{
    return LEFT + x / b->x_max * (WIDE - LEFT - RIGHT);
}

static double at_y(const struct box *b, double y)
{
    y = fmin(fmax(y, b->y_min), b->y_max);
    return HIGH - BOTTOM - (y - b->y_min) / (b->y_max - b->y_min) * (HIGH - TOP - BOTTOM);
}

static void axes(FILE *f, const struct plot *p, const struct box *b)
{
    for (int i = 0; i <= 5; i++) {
        double x = b->x_max * i / 5, y = b->y_min + (b->y_max - b->y_min) * i / 5;

        fprintf(f, "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' stroke='#ddd'/>\n", LEFT,
                WIDE - RIGHT, at_y(b, y), at_y(b, y));
        fprintf(f, "<text x='%d' y='%.1f' text-anchor='end'>%.3g</text>\n", LEFT - 6,
                at_y(b, y) + 4, y);
        fprintf(f, "<text x='%.1f' y='%d' text-anchor='middle'>%.3g</text>\n", at_x(b, x),
                HIGH - BOTTOM + 18, x);
    }
    fprintf(f, "<text x='%d' y='22' font-weight='bold'>%s</text>\n", LEFT, p->title);
    fprintf(f, "<text x='%d' y='%d' text-anchor='middle'>%s</text>\n", (LEFT + WIDE) / 2, HIGH - 12,
            p->x_name);
    fprintf(f, "<text transform='translate(16 %d) rotate(-90)' text-anchor='middle'>%s</text>\n",
            HIGH / 2, p->y_name);
    if (p->mark >= 0)
        fprintf(
            f, "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' stroke='#333' stroke-dasharray='6 4'/>\n",
            LEFT, WIDE - RIGHT, at_y(b, p->mark), at_y(b, p->mark));
}

/* At most so many points are drawn of a curve. */
enum { POINTS = 700 };

static void curve(FILE *f, const struct plot *p, const struct box *b, size_t k)
{
    const struct curve *c = &p->curves[k];
    size_t every = c->n / POINTS + 1;

    fprintf(f, "<polyline fill='none' stroke-width='2' stroke='%s' points='", c->colour);
    for (size_t i = 0; i < c->n; i += every)
        if (isfinite(c->y[i]))
            fprintf(f, "%.1f,%.1f ", at_x(b, p->x_step * (double)i), at_y(b, c->y[i]));
    fprintf(f, "'/>\n<text x='%d' y='%zu' fill='%s'>%s</text>\n", LEFT + 10, TOP + 14 + 16 * k,
            c->colour, c->name);
}

bool plot_write(const char *path, const struct plot *p)
{
    struct box b = box_of(p);
    FILE *f = fopen(path, "w");
    bool ok;

    if (f == NULL) {
        fprintf(stderr, "lapel-fleet: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(f,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' font-family='sans-serif' "
            "font-size='12'>\n<rect width='100%%' height='100%%' fill='#fff'/>\n",
            WIDE, HIGH);
    axes(f, p, &b);
    for (size_t k = 0; k < p->curves_n; k++)
        curve(f, p, &b, k);
    fprintf(f, "</svg>\n");
    ok = ferror(f) == 0;
    ok = fclose(f) == 0 && ok;
    if (!ok)
        fprintf(stderr, "lapel-fleet: %s: not written\n", path);
    return ok;
}

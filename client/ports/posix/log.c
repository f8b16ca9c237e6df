#include "log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "file.h"

/* The log is one for the process; everything else is handed around. */
static struct {
    bool json;
    bool journal; /* standard error is the journal: it wants the level in front */
    enum log_level least;
    int fd;
} out = { false, false, LOG_LEVEL_INFO, -1 };

bool log_open(bool json, const char *path)
{
    log_close();
    out.json = json;
    out.journal = getenv("JOURNAL_STREAM") != NULL;
    if (path[0] == '\0')
        return true;
    out.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    return out.fd >= 0;
}

void log_close(void)
{
    if (out.fd >= 0)
        close(out.fd);
    out.fd = -1;
}

void log_quiet(enum log_level level)
{
    out.least = level;
}

/* Texts come from manifests and the network: nothing in them may move a terminal's cursor. */
static void print_value(FILE *f, const json_t *v)
{
    const char *s = json_string_value(v);

    if (s == NULL) {
        char *dump = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
        fputs(dump != NULL ? dump : "?", f);
        free(dump);
        return;
    }
    bool quote = s[0] == '\0' || strpbrk(s, " \"=") != NULL;
    if (quote)
        fputc('"', f);
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c < 0x20 || c == 0x7f)
            fputc('?', f);
        else if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else
            fputc(c, f);
    }
    if (quote)
        fputc('"', f);
}

static void print_line(enum log_level level, const char *name, json_t *fields)
{
    char *line = NULL;
    size_t n = 0;
    const char *key = NULL;
    json_t *value = NULL;
    FILE *f = open_memstream(&line, &n);

    if (f == NULL)
        return;
    if (out.journal)
        fprintf(f, "<%d>", (int)level);
    fprintf(f, "lapel-agent: %s", name);
    json_object_foreach(fields, key, value)
    {
        fprintf(f, " %s=", key);
        print_value(f, value);
    }
    fputc('\n', f);
    if (fclose(f) == 0)
        (void)file_write_all(STDERR_FILENO, line, n);
    free(line);
}

static void write_json(int fd, json_t *line)
{
    char *dump = json_dumps(line, JSON_COMPACT);
    size_t n = 0;

    if (dump == NULL)
        return;
    n = strlen(dump);
    dump[n] = '\n'; /* the NUL's place: one write keeps lines of two writers apart */
    (void)file_write_all(fd, dump, n + 1);
    free(dump);
}

void log_event(enum log_level level, const char *name, json_t *fields)
{
    if (fields == NULL)
        fields = json_object();
    if (!out.json && level <= out.least)
        print_line(level, name, fields);
    if (out.fd >= 0 || (out.json && level <= out.least)) {
        json_t *line = json_object();

        json_object_set_new(line, "event", json_string(name));
        json_object_set_new(line, "time", json_integer((json_int_t)time(NULL)));
        json_object_update(line, fields);
        if (out.json && level <= out.least)
            write_json(STDERR_FILENO, line);
        if (out.fd >= 0)
            write_json(out.fd, line);
        json_decref(line);
    }
    json_decref(fields);
}

void log_text(enum log_level level, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    /* json_string refuses what is not UTF-8; a path may be that. */
    for (char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p >= 0x80 || (unsigned char)*p < 0x20)
            *p = '?';
    log_event(level,
              level == LOG_LEVEL_ERROR     ? "error"
              : level == LOG_LEVEL_WARNING ? "warning"
                                           : "note",
              json_pack("{s:s}", "text", text));
}

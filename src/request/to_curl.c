/* SPDX-License-Identifier: MIT */
/*
 * A request as a command line for sh with which curl sends the same bytes. It is made from what an
 * attempt would pass to libcurl, after the checks of an attempt. Every value is one quoted word
 * after an option that takes it as a value, so no value is read as an option or by the shell.
 */
#include "request/to_curl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "request/proxy.h"

enum { WORD_MAX = 100000 }; /* bytes of a word; the kernel accepts 128 KiB */

/* The line as written so far, cut where the buffer ends. */
struct line {
    char *at;
    size_t room;  /* bytes left in the buffer, the NUL included */
    int64_t size; /* bytes of the whole line, those that were cut included */
    size_t word;  /* bytes of the current word */
    int secrets;  /* 1: secrets are shown */
    int error;    /* STOOK_EUNSUPPORTED: curl has no option for it */
};

static void put(struct line *line, const char *bytes, size_t size)
{
    size_t fits = size < line->room ? size : line->room > 0 ? line->room - 1 : 0;
    if (fits > 0) { /* `at` may be NULL otherwise */
        memcpy(line->at, bytes, fits);
        line->at += fits;
    }
    line->room -= fits;
    line->size += (int64_t)size;
    if (fits < size)
        line->room = line->room > 0 ? 1 : 0;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Writes bytes inside a word in single quotes. A NUL cannot be passed to a program. */
static void quote_bytes(struct line *line, const char *bytes, size_t size)
{
    line->word += size;
    if (line->word > WORD_MAX || (size > 0 && memchr(bytes, '\0', size) != NULL))
        line->error = STOOK_EUNSUPPORTED;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '\'')
            put_text(line, "'\\''");
        else
            put(line, bytes + i, 1);
    }
}

static void quote(struct line *line, const char *text)
{
    quote_bytes(line, text, strlen(text));
}

/* Begins a word, after the name of an option or after "". */
static void begin(struct line *line, const char *name)
{
    put_text(line, name);
    put_text(line, " '");
    line->word = 0;
}

static void option(struct line *line, const char *name, const char *value)
{
    if (value == NULL)
        return;
    begin(line, name);
    quote(line, value);
    put_text(line, "'");
}

/* The prefix of a path that curl would otherwise read as its standard input, as an option or as a
   key in a PKCS #11 token. */
static const char *path_prefix(const char *path)
{
    return path[0] == '-' || strncasecmp(path, "pkcs11:", 7) == 0 ? "./" : "";
}

static void path_option(struct line *line, const char *name, const char *path)
{
    if (path == NULL)
        return;
    begin(line, name);
    quote(line, path_prefix(path));
    quote(line, path);
    put_text(line, "'");
}

/* ----------------------------------------------------------------------- headers */

static int is_secret(const char *field, size_t name_size)
{
    static const char *const parts[] = {"auth",    "cookie", "token",   "secret",     "passw",
                                        "api-key", "apikey", "session", "credential", "signature"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        for (size_t at = 0, size = strlen(parts[i]); at + size <= name_size; at++)
            if (strncasecmp(field + at, parts[i], size) == 0)
                return 1;
    return 0;
}

/* The scheme of an Authorization field is no secret: "Authorization: Basic REDACTED". */
static void header(struct line *line, const char *field)
{
    size_t name = strcspn(field, ":;"), shown = strlen(field);
    const char *value = field + name + (field[name] != '\0');
    value += strspn(value, " \t");
    int redacted = *value != '\0' && !line->secrets && is_secret(field, name);
    if (redacted) {
        shown = (size_t)(value - field);
        const char *blank =
            name == 13 && strncasecmp(field, "Authorization", 13) == 0 ? strchr(value, ' ') : NULL;
        shown += blank != NULL ? (size_t)(blank + 1 - value) : 0;
    }
    begin(line, " -H");
    quote_bytes(line, field, shown);
    put_text(line, redacted ? "REDACTED'" : "'");
}

/* Without "User-Agent:" curl would send its own User-Agent. */
static void headers(struct line *line, const char *fields)
{
    int has_agent = 0;
    for (; *fields != '\0'; fields += strlen(fields) + 1) {
        header(line, fields);
        has_agent |= strcspn(fields, ":;") == 10 && strncasecmp(fields, "User-Agent", 10) == 0;
    }
    if (!has_agent)
        put_text(line, " -H 'User-Agent:'");
}

/* ------------------------------------------------------------------------- bodies */

/* Bytes that no word can hold are piped to curl. printf knows octal escapes in every sh. */
static void printed(struct line *line, const char *bytes, size_t size)
{
    put_text(line, "printf '");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char octal[] = {'\\', (char)('0' + (c >> 6)), (char)('0' + (c >> 3 & 7)),
                        (char)('0' + (c & 7))};
        if (c < 0x20 || c >= 0x7f || c == '\'' || c == '\\' || c == '%' || (c == '-' && i == 0))
            put(line, octal, sizeof octal);
        else
            put(line, bytes + i, 1);
    }
    put_text(line, "' | ");
}

/* Inside the double quotes of -F, where curl reads a backslash as an escape. */
static void form_value(struct line *line, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            quote_bytes(line, "\\", 1);
        quote_bytes(line, bytes + i, 1);
    }
}

static void form_text(struct line *line, const char *before, const char *text)
{
    if (text == NULL)
        return;
    quote(line, before);
    form_value(line, text, strlen(text));
    quote(line, "\"");
}

/* -F ends a name at its first "=" and removes leading blanks of a type. */
static int is_expressible(const struct stook__part *part)
{
    return *part->name != '\0' && strchr(part->name, '=') == NULL &&
           (part->type == NULL || (*part->type != '\0' && *part->type != ' '));
}

/* --form-string takes any value literally; -F reads "@", "<" and ";". */
static void form_part(struct line *line, const struct stook__part *part)
{
    int plain = part->file == NULL && part->filename == NULL && part->type == NULL;
    if (!is_expressible(part))
        line->error = STOOK_EUNSUPPORTED;
    begin(line, plain ? " --form-string" : " -F");
    quote(line, part->name);
    if (plain) {
        quote(line, "=");
        quote_bytes(line, part->value, part->value_size);
    } else if (part->file != NULL) {
        quote(line, "=@\"");
        quote(line, path_prefix(part->file));
        form_text(line, "", part->file);
    } else {
        quote(line, "=\"");
        form_value(line, part->value, part->value_size);
        quote(line, "\"");
    }
    form_text(line, ";filename=\"", part->filename);
    form_text(line, ";headers=\"Content-Type: ", part->type);
    put_text(line, "'");
}

/* The body from memory, or NULL. A POST without a body has an empty one. */
static const char *body_in_memory(const struct stook__spec *spec)
{
    const char *method = stook__spec_method(spec);
    if (spec->body_size > 0)
        return spec->body;
    return method != NULL && strcmp(method, "POST") == 0 && !stook__spec_has_source(spec) ? ""
                                                                                          : NULL;
}

static int is_word(const struct stook__spec *spec)
{
    return spec->body_size <= WORD_MAX &&
           (spec->body_size == 0 || memchr(spec->body, '\0', spec->body_size) == NULL);
}

static void body_options(struct line *line, const struct stook__spec *spec)
{
    const struct stook__optional *optional = spec->optional;
    for (size_t i = 0; optional != NULL && i < optional->n_parts; i++)
        form_part(line, &optional->parts[i]);
    if (optional != NULL && optional->body_file != NULL) {
        begin(line, " --data-binary");
        quote(line, "@");
        quote(line, path_prefix(optional->body_file));
        quote(line, optional->body_file);
        put_text(line, "'");
    } else if (optional != NULL && optional->body_read != NULL) {
        put_text(line, optional->read_size > 0 ? " --data-binary @-" : " -T -");
    } else if (!is_word(spec)) {
        put_text(line, " --data-binary @-");
    } else if (body_in_memory(spec) != NULL) {
        begin(line, " --data-raw");
        quote_bytes(line, body_in_memory(spec), spec->body_size);
        put_text(line, "'");
    }
}

/* ------------------------------------------------------------------------ the line */

/* curl reads what follows a colon as the password of the key, unless the colon is escaped. */
static void certificate(struct line *line, const char *path)
{
    begin(line, " --cert");
    quote(line, path_prefix(path));
    for (; *path != '\0'; path++) {
        if (*path == ':' || *path == '\\')
            quote_bytes(line, "\\", 1);
        quote_bytes(line, path, 1);
    }
    put_text(line, "'");
}

/* The secret, or REDACTED. NULL: none is set. */
static const char *shown(const struct line *line, const char *secret)
{
    return secret == NULL || line->secrets ? secret : "REDACTED";
}

static void peer_options(struct line *line, const struct stook__settings *settings,
                         const struct stook__optional *optional, const char *place)
{
    path_option(line, " --cacert", settings->ca_file);
    if (settings->peer != NULL) {
        if (settings->peer->client_cert != NULL)
            certificate(line, settings->peer->client_cert);
        path_option(line, " --key", settings->peer->client_key);
        option(line, " --pass", shown(line, settings->peer->key_password));
        path_option(line, " --pinnedpubkey", settings->peer->pinned_key);
    }
    option(line, " --connect-to", *place != '\0' ? place : NULL);
    option(line, " --unix-socket", optional != NULL ? optional->unix_socket : NULL);
}

/* curl splits the user name from the password at the first colon. */
static void digest_options(struct line *line, const struct stook__optional *optional)
{
    if (optional == NULL || optional->username == NULL)
        return;
    if (strchr(optional->username, ':') != NULL)
        line->error = STOOK_EUNSUPPORTED;
    begin(line, " --digest -u");
    quote(line, optional->username);
    quote(line, ":");
    quote(line, shown(line, optional->password));
    put_text(line, "'");
}

/* An empty list: curl does not read the environment's. */
static void proxy_options(struct line *line, const struct stook__settings *settings,
                          const char *proxy)
{
    char redacted[STOOK__PROXY_MAX + 16];
    if (*proxy == '\0') {
        put_text(line, " --noproxy '*'");
        return;
    }
    put_text(line, " --noproxy ''");
    stook__proxy_redact(proxy, redacted, sizeof redacted);
    option(line, " --proxy", line->secrets ? proxy : redacted);
    if (stook__proxy_kind(proxy) <= STOOK__PROXY_HTTPS)
        put_text(line, " --proxy-header 'User-Agent:'"); /* else the CONNECT would have curl's */
    if (stook__proxy_kind(proxy) == STOOK__PROXY_HTTPS)
        path_option(line, " --proxy-cacert", settings->ca_file);
}

static void write_line(struct line *line, const struct stook__spec *spec,
                       const struct stook__settings *settings, const char *preview)
{
    static const char *const versions[] = {"", " --http1.1", " --http2", " --http3"};
    const char *url = preview, *place = url + strlen(url) + 1, *proxy = place + strlen(place) + 1,
               *method = stook__spec_method(spec);
    /* Over plain HTTP --http2 would send an Upgrade field. */
    int is_tls = strncasecmp(url, "https", 5) == 0;
    if (!is_word(spec))
        printed(line, spec->body, spec->body_size);
    put_text(line, "curl -q -g");
    proxy_options(line, settings, proxy);
    put_text(line, is_tls || settings->http_version == STOOK_HTTP_1_1
                       ? versions[settings->http_version]
                       : "");
    if (method != NULL && strcmp(method, "HEAD") == 0)
        put_text(line, " -I");
    else
        option(line, " -X",
               method == NULL && spec->optional != NULL && spec->optional->body_read != NULL
                   ? "POST"
                   : method);
    if (settings->max_redirects > 0) {
        char number[32];
        snprintf(number, sizeof number, "%d", (int)settings->max_redirects);
        option(line, " --location --proto-redir =http,https --max-redirs", number);
    }
    digest_options(line, spec->optional);
    peer_options(line, settings, spec->optional, place);
    headers(line, proxy + strlen(proxy) + 1);
    body_options(line, spec);
    option(line, "", url);
}

int64_t stook__to_curl(const struct stook__spec *spec, const struct stook__settings *settings,
                       const char *preview, int secrets, char *buffer, size_t size)
{
    struct line measured = {.secrets = secrets},
                line = {.at = buffer, .room = size, .secrets = secrets};
    write_line(&measured, spec, settings, preview);
    if (measured.error != 0)
        return measured.error;
    if (size > 0) {
        write_line(&line, spec, settings, preview);
        *line.at = '\0';
    }
    return measured.size;
}

/* SPDX-License-Identifier: MIT */
#include "certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/harness.h"
#include "process.h"

static FILE *open_file(const char *directory, const char *name, const char *kind, const char *mode)
{
    FILE *file = fopen(text("%s/%s.%s", directory, name, kind), mode);
    CHECK(file != NULL);
    return file;
}

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    CHECK(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *x509, X509 *issuer, const struct certificate *certificate)
{
    const char *alt_names = certificate->alt_names;
    add_extension(x509, issuer, NID_basic_constraints,
                  certificate->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(x509, issuer, NID_key_usage,
                  certificate->is_authority ? "critical,keyCertSign" : "critical,digitalSignature");
    add_extension(x509, issuer, NID_subject_key_identifier, "hash");
    if (certificate->padding) {
        char *comment = malloc((size_t)certificate->padding + 1);
        memset(comment, 'x', (size_t)certificate->padding);
        comment[certificate->padding] = '\0';
        add_extension(x509, issuer, NID_netscape_comment, comment);
        free(comment);
    }
    if (certificate->is_authority)
        return;
    add_extension(x509, issuer, NID_ext_key_usage,
                  certificate->usage ? certificate->usage : "serverAuth");
    if (!alt_names)
        alt_names = "IP:127.0.0.1,IP:127.0.0.3,IP:127.0.0.4,DNS:localhost,DNS:service.example";
    if (*alt_names)
        add_extension(x509, issuer, NID_subject_alt_name, alt_names);
}

static void fill(X509 *x509, EVP_PKEY *key, const struct certificate *certificate)
{
    static long serial = 1;
    const char *common = certificate->common ? certificate->common : certificate->name;
    long day = 24 * 60 * 60, from = certificate->from_days ? certificate->from_days : -1;
    X509_NAME *name = X509_get_subject_name(x509);
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x509), from * day);
    X509_gmtime_adj(X509_getm_notAfter(x509),
                    (from + (certificate->days ? certificate->days : 3)) * day);
    X509_set_pubkey(x509, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0);
}

void certificate_make(const char *directory, const struct certificate *certificate)
{
    EVP_PKEY *key = certificate->rsa_bits ? EVP_RSA_gen((unsigned)certificate->rsa_bits)
                                          : EVP_EC_gen("P-256"), *signer = key;
    X509 *x509 = X509_new(), *issuer = x509;
    const EVP_MD *digest = EVP_get_digestbyname(certificate->digest ? certificate->digest : "SHA256");
    FILE *file;
    CHECK(key != NULL && x509 != NULL && digest != NULL);
    if (certificate->issuer) {
        file = open_file(directory, certificate->issuer, "pem", "re");
        issuer = PEM_read_X509(file, NULL, NULL, NULL);
        fclose(file);
        file = open_file(directory, certificate->issuer, "key", "re");
        signer = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
        CHECK(issuer != NULL && signer != NULL);
    }
    fill(x509, key, certificate);
    X509_set_issuer_name(x509, X509_get_subject_name(issuer));
    add_extensions(x509, issuer, certificate);
    CHECK(X509_sign(x509, signer, digest) > 0);
    file = open_file(directory, certificate->name, "pem", "we");
    CHECK(PEM_write_X509(file, x509) == 1 && fclose(file) == 0);
    file = open_file(directory, certificate->name, "key", "we");
    CHECK(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(file) == 0);
    if (issuer != x509) {
        X509_free(issuer);
        EVP_PKEY_free(signer);
    }
    X509_free(x509);
    EVP_PKEY_free(key);
}

void certificates_standard(const char *directory)
{
    certificate_make(directory, &(struct certificate){.name = "authority", .is_authority = 1});
    certificate_make(directory, &(struct certificate){.name = "stranger", .is_authority = 1});
    certificate_make(directory, &(struct certificate){.name = "leaf", .issuer = "authority"});
}

void certificates_join(const char *directory, const char *name, const char *const *parts)
{
    FILE *whole = open_file(directory, name, "pem", "we");
    for (; *parts; parts++) {
        FILE *part = open_file(directory, *parts, "pem", "re");
        for (int c; (c = getc(part)) != EOF;)
            putc(c, whole);
        fclose(part);
    }
    CHECK_EQ_INT(fclose(whole), 0);
}

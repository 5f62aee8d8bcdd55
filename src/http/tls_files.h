// Reads certificates and keys from PEM files, and says what is wrong with them.
//
// Secrets that pass: the private key and its password. The file's bytes lie in locked memory and are wiped.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace cc::http {

struct FreeOpenSsl {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <class T>
using OpenSslPtr = std::unique_ptr<T, FreeOpenSsl>;

struct CertificateChain {
  OpenSslPtr<X509> leaf;
  std::vector<OpenSslPtr<X509>> rest;
};

// Errors of all: config_invalid naming the file.
Result<std::string> read_small_file(const std::string& path, std::string_view what);
Result<CertificateChain> read_certificates(const std::string& path, std::string_view what);
// `password` empty: an encrypted key is an error that says so.
Result<OpenSslPtr<EVP_PKEY>> read_private_key(const std::string& path, const SecretBytes& password);

std::string fingerprint_of(const X509* certificate);  // SHA-256, lower-case hexadecimal
std::string subject_of(const X509* certificate);      // one line, escaped
std::int64_t seconds_of(const ASN1_TIME* time);       // since 1970
std::vector<std::string> common_names(const X509* certificate);
// Common names and alternative names (DNS, mail, URI). Names with a NUL in them are left out.
std::vector<std::string> names_of(const X509* certificate);
// The first reason of OpenSSL's error queue, which is emptied.
std::string openssl_reason();

}  // namespace cc::http

// Certificates made on the fly: an authority, and what it signs. P-256 keys, valid from yesterday unless told
// otherwise.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "http/tls_files.h"

namespace cc::test {

struct Certificate {
  http::OpenSslPtr<X509> certificate;
  http::OpenSslPtr<EVP_PKEY> key;

  std::string pem() const {
    const http::OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(bio.get(), certificate.get());
    return text(bio.get());
  }
  // `password` null: in clear.
  std::string key_pem(const char* password = nullptr) const {
    const http::OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), password == nullptr ? nullptr : EVP_aes_256_cbc(), password,
                                  password == nullptr ? 0 : static_cast<int>(std::string(password).size()), nullptr,
                                  nullptr);
    return text(bio.get());
  }

 private:
  static std::string text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
  }
};

struct CertificateWish {
  std::string name = "signer";
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";
  const Certificate* issuer = nullptr;  // null: signs itself
  bool authority = false;
  long begins_in_seconds = -86'400;
  long ends_in_seconds = 30L * 86'400;
};

inline void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

inline Certificate make_certificate(const CertificateWish& wish) {
  static long serial = 1000;
  Certificate out{http::OpenSslPtr<X509>(X509_new()), http::OpenSslPtr<EVP_PKEY>(EVP_EC_gen("P-256"))};
  X509* const made = out.certificate.get();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made), wish.begins_in_seconds);
  X509_gmtime_adj(X509_getm_notAfter(made), wish.ends_in_seconds);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  const Certificate& issuer = wish.issuer == nullptr ? out : *wish.issuer;
  X509_set_issuer_name(made, X509_get_subject_name(issuer.certificate.get()));
  X509_set_pubkey(made, out.key.get());
  add_extension(made, NID_basic_constraints, wish.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!wish.alternative_names.empty() && !wish.authority) {
    add_extension(made, NID_subject_alt_name, wish.alternative_names);
  }
  X509_sign(made, issuer.key.get(), EVP_sha256());
  return out;
}

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  // As tools that renew certificates do it: a new file takes the place of the old one.
  const std::filesystem::path fresh = path.string() + ".new";
  {
    std::ofstream file(fresh, std::ios::binary);
    file << text;
  }
  std::filesystem::permissions(fresh, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  std::filesystem::rename(fresh, path);
}

}  // namespace cc::test

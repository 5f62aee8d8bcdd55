// What a TLS listener shows and asks for: its certificate and key, and which clients may connect.
//
// Files are PEM. load() takes a pair whole or not at all, so that a reload never leaves the listener without one: what
// cannot be used is an error and the pair in force stays. Connections keep the pair they began with.
//
// Settings: TLS 1.2 with forward-secret AEAD suites and TLS 1.3, X25519, P-256 and P-384, ALPN http/1.1, no
// renegotiation, no compression, no early data, and no session tickets: every connection is a full handshake, so that
// a client certificate is judged each time and no long-lived ticket key exists.
//
// Thread-safe. Secrets that pass: the private key. Its file is read into locked memory; OpenSSL's own copy lies on the
// ordinary heap for as long as the pair is in force.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace cc::http {

enum class ClientCertificates {
  none,      // not asked for
  optional,  // asked for; one that is shown has to be good
  required,
};

struct TlsOptions {
  std::string certificate_path;  // the certificate, then its chain
  std::string key_path;
  SecretBytes key_password;  // empty: the key is not encrypted
  bool only_tls13 = false;
  ClientCertificates clients = ClientCertificates::none;
  std::string client_ca_path;      // who may vouch for clients
  std::string known_clients_path;  // lines "NAME FINGERPRINT": clients trusted by themselves, as Web3Signer has it
  std::vector<std::string>
      allowed_clients;  // of those the CA vouches for: common names or alternative names; empty: all
};

// What can be told of the pair in force.
struct TlsFacts {
  std::string subject;
  std::string fingerprint;                     // SHA-256 of the certificate, lower-case hexadecimal
  std::int64_t not_before = 0, not_after = 0;  // seconds since 1970
  std::string key_path_warning;                // others may read the key file; empty when they may not
};

class TlsIdentity {
 public:
  // Errors: config_invalid naming the file and what to do.
  static Result<std::shared_ptr<TlsIdentity>> load(TlsOptions options);
  ~TlsIdentity();
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  // The files are others than those in force, by their inode, size and times.
  bool files_changed() const;
  // Takes the files as they are now. On error the pair in force stays; so it does when the new certificate is not valid
  // at `now` (seconds since 1970) while the present one is.
  Result<void> reload(std::int64_t now);
  TlsFacts facts() const;
  // A new connection's state over the pair in force; null when out of memory.
  SSL* new_session() const;

 private:
  struct Pair;
  explicit TlsIdentity(TlsOptions options) : options_(std::move(options)) {}
  Result<std::shared_ptr<const Pair>> read() const;
  std::string stamps() const;

  TlsOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Pair> pair_;
  std::string tried_;  // stamps of the files last read, good or bad
};

}  // namespace cc::http

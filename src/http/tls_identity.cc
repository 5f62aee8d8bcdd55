#include "http/tls_identity.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <set>

#include "http/known_clients.h"
#include "http/tls_files.h"

namespace cc::http {
namespace {

constexpr const char* kSuites12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::string_view kAlpn = "http/1.1";

tl::unexpected<Error> refused_by_openssl(std::string_view what) {
  return fail(ErrorKind::config_invalid, std::string(what) + ": " + openssl_reason());
}

std::string stamp_of(const std::string& path) {
  struct stat status{};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) {
    return "-;";
  }
  std::string out;
  for (const std::uint64_t part :
       {std::uint64_t{status.st_dev}, std::uint64_t{status.st_ino}, static_cast<std::uint64_t>(status.st_size),
        static_cast<std::uint64_t>(status.st_mtim.tv_sec), static_cast<std::uint64_t>(status.st_mtim.tv_nsec),
        static_cast<std::uint64_t>(status.st_ctim.tv_sec), static_cast<std::uint64_t>(status.st_ctim.tv_nsec)}) {
    out += std::to_string(part) + ",";
  }
  return out + ";";
}

std::string key_file_warning(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) {
    return {};
  }
  return "other users may read or change the TLS key " + path + "; run `chmod 600` on it";
}

// Takes the first protocol we speak; a client that offers others only is told so, as RFC 7301 has it.
int choose_protocol(SSL* /*session*/, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void* /*context*/) noexcept {
  for (unsigned at = 0; at < offered_size;) {
    const unsigned length = offered[at];
    if (length > offered_size - at - 1) {
      break;
    }
    if (std::string_view(reinterpret_cast<const char*>(offered + at + 1), length) == kAlpn) {
      *chosen = offered + at + 1;
      *size = static_cast<unsigned char>(length);
      return SSL_TLSEXT_ERR_OK;
    }
    at += 1 + length;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Who may connect; what the verify callback looks at.
struct ClientRule {
  std::set<std::pair<std::string, std::string>> known;  // fingerprint, common name
  std::set<std::string> allowed;
  bool ca = false;

  bool knows(const X509* certificate) const {
    const std::string fingerprint = fingerprint_of(certificate);
    const std::vector<std::string> names = common_names(certificate);
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return known.contains({fingerprint, name}); });
  }
  bool allows(const X509* certificate) const {
    const std::vector<std::string> names = names_of(certificate);
    return allowed.empty() ||
           std::any_of(names.begin(), names.end(), [this](const std::string& name) { return allowed.contains(name); });
  }
  bool judge(X509_STORE_CTX* chain) const {
    const X509* const leaf = X509_STORE_CTX_get0_cert(chain);
    if (leaf != nullptr && knows(leaf)) {
      X509_STORE_CTX_set_error(chain, X509_V_OK);
      return true;
    }
    if (!ca || leaf == nullptr) {
      X509_STORE_CTX_set_error(chain, X509_V_ERR_CERT_UNTRUSTED);
      return false;
    }
    if (X509_verify_cert(chain) != 1) {
      return false;
    }
    if (!allows(leaf)) {
      X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
      return false;
    }
    return true;
  }
};

int verify_client(X509_STORE_CTX* chain, void* rule) noexcept {
  try {
    return static_cast<const ClientRule*>(rule)->judge(chain) ? 1 : 0;
  } catch (const std::bad_alloc&) {
    X509_STORE_CTX_set_error(chain, X509_V_ERR_OUT_OF_MEM);
    return 0;
  }
}

Result<void> set_protocol(SSL_CTX* context, const TlsOptions& options) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT |
                                   SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  const int oldest = options.only_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  if (SSL_CTX_set_min_proto_version(context, oldest) != 1 || SSL_CTX_set_num_tickets(context, 0) != 1 ||
      SSL_CTX_set_cipher_list(context, kSuites12) != 1 || SSL_CTX_set1_groups_list(context, kGroups) != 1) {
    return refused_by_openssl("OpenSSL refuses the TLS settings");
  }
  SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
  return {};
}

Result<void> set_certificate(SSL_CTX* context, const TlsOptions& options, const CertificateChain& chain) {
  CC_ASSIGN(const OpenSslPtr<EVP_PKEY> key, read_private_key(options.key_path, options.key_password));
  ERR_clear_error();
  if (SSL_CTX_use_certificate(context, chain.leaf.get()) != 1) {
    return refused_by_openssl("tls.file.cert_path " + options.certificate_path + " cannot be used");
  }
  if (X509_check_private_key(chain.leaf.get(), key.get()) != 1) {
    ERR_clear_error();
    return fail(ErrorKind::config_invalid, "tls.file.key_path " + options.key_path +
                                               " is not the key of the certificate " + options.certificate_path +
                                               "; if they are being replaced, both change together");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return refused_by_openssl("tls.file.key_path " + options.key_path + " cannot be used");
  }
  for (const OpenSslPtr<X509>& one : chain.rest) {
    if (SSL_CTX_add1_chain_cert(context, one.get()) != 1) {
      return refused_by_openssl("the chain in " + options.certificate_path + " cannot be used");
    }
  }
  return {};
}

Result<void> set_client_rule(SSL_CTX* context, const TlsOptions& options, ClientRule& rule) {
  if (options.clients == ClientCertificates::none) {
    return {};
  }
  if (!options.known_clients_path.empty()) {
    CC_ASSIGN(const std::string text, read_small_file(options.known_clients_path, "tls.client.known_clients_path"));
    auto known = parse_known_clients(text);
    if (!known) {
      return fail(known.error().kind, options.known_clients_path + ": " + known.error().message);
    }
    for (KnownClient& one : *known) {
      rule.known.emplace(std::move(one.fingerprint), std::move(one.name));
    }
  }
  if (!options.client_ca_path.empty()) {
    CC_ASSIGN(CertificateChain authorities, read_certificates(options.client_ca_path, "tls.client.ca_path"));
    authorities.rest.push_back(std::move(authorities.leaf));
    for (const OpenSslPtr<X509>& one : authorities.rest) {
      if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get()) != 1 ||
          SSL_CTX_add_client_CA(context, one.get()) != 1) {
        return refused_by_openssl("tls.client.ca_path " + options.client_ca_path + " cannot be used");
      }
    }
    // An intermediate authority in the file is as good as a root.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    rule.ca = true;
  }
  rule.allowed = {options.allowed_clients.begin(), options.allowed_clients.end()};
  const int must = options.clients == ClientCertificates::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &verify_client, &rule);
  return {};
}

bool valid_at(const TlsFacts& facts, std::int64_t now) { return facts.not_before <= now && now <= facts.not_after; }

}  // namespace

// A session holds its SSL_CTX, whose verify callback looks at the rule: so the rule dies with the SSL_CTX.
struct TlsIdentity::Pair {
  OpenSslPtr<SSL_CTX> context;
  TlsFacts facts;

  static void free_rule(void* /*parent*/, void* rule, CRYPTO_EX_DATA* /*data*/, int /*index*/, long /*arg*/,
                        void* /*pointer*/) noexcept {
    delete static_cast<ClientRule*>(rule);
  }
  static int rule_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_rule);
    return index;
  }
};

TlsIdentity::~TlsIdentity() = default;

Result<std::shared_ptr<const TlsIdentity::Pair>> TlsIdentity::read() const {
  auto pair = std::make_shared<Pair>();
  pair->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = pair->context.get();
  if (context == nullptr) {
    return refused_by_openssl("OpenSSL cannot be set up");
  }
  CC_TRY(set_protocol(context, options_));
  CC_ASSIGN(const CertificateChain chain, read_certificates(options_.certificate_path, "tls.file.cert_path"));
  CC_TRY(set_certificate(context, options_, chain));
  auto rule = std::make_unique<ClientRule>();
  CC_TRY(set_client_rule(context, options_, *rule));
  if (SSL_CTX_set_ex_data(context, Pair::rule_index(), rule.get()) != 1) {
    return refused_by_openssl("OpenSSL is out of memory");
  }
  static_cast<void>(rule.release());
  pair->facts.subject = subject_of(chain.leaf.get());
  pair->facts.fingerprint = fingerprint_of(chain.leaf.get());
  pair->facts.not_before = seconds_of(X509_get0_notBefore(chain.leaf.get()));
  pair->facts.not_after = seconds_of(X509_get0_notAfter(chain.leaf.get()));
  pair->facts.key_path_warning = key_file_warning(options_.key_path);
  return std::shared_ptr<const Pair>(std::move(pair));
}

std::string TlsIdentity::stamps() const {
  return stamp_of(options_.certificate_path) + stamp_of(options_.key_path) + stamp_of(options_.client_ca_path) +
         stamp_of(options_.known_clients_path);
}

Result<std::shared_ptr<TlsIdentity>> TlsIdentity::load(TlsOptions options) {
  if (options.clients != ClientCertificates::none && options.client_ca_path.empty() &&
      options.known_clients_path.empty()) {
    return fail(ErrorKind::config_invalid,
                "client certificates are asked for, but neither tls.client.ca_path nor tls.client.known_clients_path "
                "says whose are good");
  }
  std::shared_ptr<TlsIdentity> out(new TlsIdentity(std::move(options)));
  out->tried_ = out->stamps();
  CC_ASSIGN(out->pair_, out->read());
  return out;
}

bool TlsIdentity::files_changed() const {
  const std::string now = stamps();
  const std::scoped_lock lock(mutex_);
  return now != tried_;
}

Result<void> TlsIdentity::reload(std::int64_t now) {
  const std::string seen = stamps();
  auto fresh = read();
  const std::scoped_lock lock(mutex_);
  tried_ = seen;
  if (!fresh) {
    return fail(std::move(fresh).error());
  }
  if (!valid_at((*fresh)->facts, now) && valid_at(pair_->facts, now)) {
    return fail(ErrorKind::config_invalid,
                "the new certificate in " + options_.certificate_path +
                    ((*fresh)->facts.not_after < now ? " has expired" : " is not valid yet"));
  }
  pair_ = *std::move(fresh);
  return {};
}

TlsFacts TlsIdentity::facts() const {
  const std::scoped_lock lock(mutex_);
  return pair_->facts;
}

SSL* TlsIdentity::new_session() const {
  const std::scoped_lock lock(mutex_);
  return SSL_new(pair_->context.get());
}

}  // namespace cc::http

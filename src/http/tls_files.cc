#include "http/tls_files.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace cc::http {
namespace {

constexpr std::size_t kLargestFile = 1024UL * 1024;

class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> unreadable(const std::string& path, std::string_view what, const std::string& reason) {
  return fail(ErrorKind::config_invalid, std::string(what) + " " + path + " cannot be read: " + reason);
}

Result<SecretBytes> read_file(const std::string& path, std::string_view what) {
  const File file(path);
  if (file.fd() < 0) {
    return unreadable(path, what, std::strerror(errno));
  }
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return unreadable(path, what, "it is not a file");
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0 || size > kLargestFile) {
    return unreadable(path, what, size == 0 ? "it is empty" : "it is larger than 1 MiB");
  }
  SecretBytes out(size);
  const auto into = expose_secret_bytes(out);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file.fd(), into.data() + done, size - done);
    if (got <= 0) {
      return unreadable(path, what, got < 0 ? std::strerror(errno) : "it grew shorter while it was read");
    }
    done += static_cast<std::size_t>(got);
  }
  return out;
}

struct Password {
  const SecretBytes& text;
  bool asked = false;
};

// OpenSSL calls this from C. A password that does not fit is none.
int give_password(char* into, int size, int /*writing*/, void* context) noexcept {
  auto& password = *static_cast<Password*>(context);
  password.asked = true;
  const auto bytes = expose_secret_bytes(password.text);
  if (bytes.empty() || bytes.size() > static_cast<std::size_t>(size)) {
    return -1;
  }
  std::memcpy(into, bytes.data(), bytes.size());
  return static_cast<int>(bytes.size());
}

OpenSslPtr<BIO> bio_over(std::span<const std::uint8_t> bytes) {
  return OpenSslPtr<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

void add_name(std::vector<std::string>& names, const ASN1_STRING* text) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, text);
  if (size > 0 && std::memchr(utf8, 0, static_cast<std::size_t>(size)) == nullptr) {
    names.emplace_back(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  }
  OPENSSL_free(utf8);
}

}  // namespace

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

Result<std::string> read_small_file(const std::string& path, std::string_view what) {
  CC_ASSIGN(const SecretBytes content, read_file(path, what));
  const auto bytes = expose_secret_bytes(content);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<CertificateChain> read_certificates(const std::string& path, std::string_view what) {
  CC_ASSIGN(const SecretBytes content, read_file(path, what));
  const OpenSslPtr<BIO> bio = bio_over(expose_secret_bytes(content));
  CertificateChain out;
  for (;;) {
    OpenSslPtr<X509> one(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!one) {
      break;
    }
    if (!out.leaf) {
      out.leaf = std::move(one);
    } else {
      out.rest.push_back(std::move(one));
    }
  }
  // The usual end is a missing start line; anything else is a damaged certificate.
  const unsigned long code = ERR_peek_last_error();
  const bool damaged = ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE;
  const std::string reason = openssl_reason();
  if (!out.leaf && !damaged) {
    return fail(ErrorKind::config_invalid,
                std::string(what) + " " + path + " holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
  }
  if (damaged) {
    return fail(ErrorKind::config_invalid,
                std::string(what) + " " + path + " holds a damaged certificate (" + reason + ")");
  }
  return out;
}

Result<OpenSslPtr<EVP_PKEY>> read_private_key(const std::string& path, const SecretBytes& password) {
  constexpr std::string_view kWhat = "tls.file.key_path";
  CC_ASSIGN(const SecretBytes content, read_file(path, kWhat));
  const OpenSslPtr<BIO> bio = bio_over(expose_secret_bytes(content));
  Password given{password};
  OpenSslPtr<EVP_PKEY> key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, &give_password, &given) : nullptr);
  const std::string reason = openssl_reason();
  if (key) {
    return key;
  }
  const std::string file = std::string(kWhat) + " " + path;
  if (given.asked && password.empty()) {
    return fail(ErrorKind::config_invalid, file +
                                               " is protected by a password: set tls.file.key_password (env:NAME), or "
                                               "take the protection away with `openssl pkey -in OLD -out NEW`");
  }
  if (given.asked) {
    return fail(ErrorKind::config_invalid, file + " is not opened by tls.file.key_password: wrong password?");
  }
  return fail(ErrorKind::config_invalid,
              file + " holds no private key in PEM form (-----BEGIN PRIVATE KEY-----): " + reason);
}

std::string fingerprint_of(const X509* certificate) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return {};
  }
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out.push_back(kHex[digest.at(i) >> 4]);
    out.push_back(kHex[digest.at(i) & 15]);
  }
  return out;
}

std::string subject_of(const X509* certificate) {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0) {
    return {};
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(::timegm(&parts)) : 0;
}

std::vector<std::string> common_names(const X509* certificate) {
  std::vector<std::string> out;
  X509_NAME* const subject = X509_get_subject_name(certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
    add_name(out, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  }
  return out;
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> out = common_names(certificate);
  auto* const names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* const one = sk_GENERAL_NAME_value(names, i);
    if (one->type == GEN_DNS || one->type == GEN_EMAIL || one->type == GEN_URI) {
      add_name(out, one->d.ia5);
    }
  }
  GENERAL_NAMES_free(names);
  return out;
}

}  // namespace cc::http

#include "adapters/aws/signature.h"

#include <array>
#include <ctime>

#include "crypto/hash.h"

namespace cc::aws {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// Leading and trailing blanks go, runs of blanks become one.
std::string trimmed(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool blank = c == ' ' || c == '\t';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') {
    out.pop_back();
  }
  return out;
}

// key = HMAC(key, part), the old one wiped.
void chain(crypto::Digest& key, std::string_view part) {
  crypto::Digest next = crypto::hmac_sha256(key, {bytes_of(part)});
  key = next;
  wipe(next);
}

crypto::Digest signing_key(const SignatureScope& scope, const SecretBytes& secret_key) {
  constexpr std::string_view kPrefix = "AWS4";
  SecretBytes first(kPrefix.size() + secret_key.size());
  const auto out = expose_secret_bytes(first);
  std::copy(kPrefix.begin(), kPrefix.end(), out.begin());
  const auto secret = expose_secret_bytes(secret_key);
  std::copy(secret.begin(), secret.end(), out.begin() + kPrefix.size());
  crypto::Digest key = crypto::hmac_sha256(out, {bytes_of(std::string_view(scope.date_time).substr(0, 8))});
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")}) {
    chain(key, part);
  }
  return key;
}

}  // namespace

std::string SignatureScope::text() const {
  return date_time.substr(0, 8) + "/" + region + "/" + service + "/aws4_request";
}

std::string hex_sha256(std::string_view body) { return to_hex(crypto::sha256(bytes_of(body))); }

std::string amz_date(std::uint64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return {text.data(), size};
}

std::string signed_header_names(const SignedRequest& request) {
  std::string out;
  for (const auto& [name, value] : request.headers) {
    out += (out.empty() ? "" : ";") + name;
  }
  return out;
}

std::string canonical_request(const SignedRequest& request) {
  std::string out = request.method + "\n" + request.path + "\n" + request.query + "\n";
  for (const auto& [name, value] : request.headers) {
    out += name + ":" + trimmed(value) + "\n";
  }
  return out + "\n" + signed_header_names(request) + "\n" + request.payload_hash;
}

std::string string_to_sign(const SignedRequest& request, const SignatureScope& scope) {
  return std::string(kAlgorithm) + "\n" + scope.date_time + "\n" + scope.text() + "\n" +
         hex_sha256(canonical_request(request));
}

std::string signature(const SignedRequest& request, const SignatureScope& scope, const SecretBytes& secret_key) {
  crypto::Digest key = signing_key(scope, secret_key);
  const crypto::Digest out = crypto::hmac_sha256(key, {bytes_of(string_to_sign(request, scope))});
  wipe(key);
  return to_hex(out);
}

std::string authorization(const SignedRequest& request, const SignatureScope& scope, std::string_view access_key_id,
                          const SecretBytes& secret_key) {
  return std::string(kAlgorithm) + " Credential=" + std::string(access_key_id) + "/" + scope.text() +
         ", SignedHeaders=" + signed_header_names(request) + ", Signature=" + signature(request, scope, secret_key);
}

}  // namespace cc::aws

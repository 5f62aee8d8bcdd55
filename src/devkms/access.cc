#include "devkms/access.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "adapters/aws/profile_file.h"
#include "adapters/aws/signature.h"

namespace cc::devkms {
namespace {

constexpr std::int64_t kToleranceSeconds = 300;

std::vector<std::string> split(std::string_view text, std::string_view by) {
  std::vector<std::string> out;
  for (std::size_t from = 0;;) {
    const std::size_t at = text.find(by, from);
    out.emplace_back(text.substr(from, at - from));
    if (at == std::string_view::npos) {
      return out;
    }
    from = at + by.size();
  }
}

struct Authorization {
  std::string access_key_id, date, region, service;
  std::vector<std::string> signed_headers;
  std::string signature;
};

// "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…"
std::optional<Authorization> parse(std::string_view value) {
  constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256 ";
  if (!value.starts_with(kAlgorithm)) {
    return std::nullopt;
  }
  std::map<std::string, std::string> parts;
  for (const std::string& part : split(value.substr(kAlgorithm.size()), ",")) {
    const std::size_t from = part.find_first_not_of(' ');
    const std::size_t equals = part.find('=');
    if (from == std::string::npos || equals == std::string::npos) {
      return std::nullopt;
    }
    parts.emplace(part.substr(from, equals - from), part.substr(equals + 1));
  }
  const std::vector<std::string> scope = split(parts["Credential"], "/");
  if (parts.size() != 3 || scope.size() != 5 || scope[4] != "aws4_request" || parts["Signature"].size() != 64) {
    return std::nullopt;
  }
  return Authorization{scope[0], scope[1], scope[2], scope[3], split(parts["SignedHeaders"], ";"), parts["Signature"]};
}

std::optional<std::int64_t> parse_amz_date(const std::string& text) {
  std::tm time{};
  const char* const rest = ::strptime(text.c_str(), "%Y%m%dT%H%M%SZ", &time);
  return rest != nullptr && *rest == '\0' && text.size() == 16 ? std::optional<std::int64_t>(::timegm(&time))
                                                               : std::nullopt;
}

std::optional<Refusal> incomplete(const std::string& why) { return Refusal{400, "IncompleteSignatureException", why}; }
std::optional<Refusal> invalid(const std::string& why) { return Refusal{400, "InvalidSignatureException", why}; }

// Host and every x-amz-* header of the request must be signed; what is signed must be there.
std::optional<Refusal> check_headers(const http::Request& request, const Authorization& given) {
  if (!std::ranges::is_sorted(given.signed_headers) ||
      std::ranges::adjacent_find(given.signed_headers) != given.signed_headers.end()) {
    return incomplete("SignedHeaders must be sorted and name each header once");
  }
  for (const std::string& name : given.signed_headers) {
    if (request.headers.find(name) == request.headers.end()) {
      return incomplete("the signed header " + name + " is not in the request");
    }
  }
  for (const auto& [name, value] : request.headers) {
    const bool must = name == "host" || name.starts_with("x-amz-");
    if (must && std::ranges::find(given.signed_headers, name) == given.signed_headers.end()) {
      return incomplete("the header " + name + " must be signed");
    }
  }
  return std::nullopt;
}

Result<void> create(const std::string& file, Random& random) {
  const std::string text = "[default]\naws_access_key_id = AKIADEVKMS" + to_hex(random.array<5>()) +
                           "\naws_secret_access_key = " + to_base64url(random.array<30>()) + "\n";
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = descriptor >= 0 &&
                       ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(descriptor) == 0;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  return written ? Result<void>() : fail(ErrorKind::store_unavailable, file + " cannot be written");
}

}  // namespace

Result<Access> Access::open(const std::string& file, Random& random) {
  CC_ASSIGN(auto text, aws::read_small_file(file));
  if (!text) {
    CC_TRY(create(file, random));
    CC_ASSIGN(text, aws::read_small_file(file));
  }
  Access out;
  const auto profiles = aws::ProfileFile::parse(text.value_or(""), aws::ProfileFileKind::credentials);
  for (const auto& [name, settings] : profiles.profiles()) {
    const auto id = settings.find("aws_access_key_id");
    const auto secret = settings.find("aws_secret_access_key");
    const auto token = settings.find("aws_session_token");
    if (id != settings.end() && secret != settings.end() && !secret->second.empty()) {
      out.accounts_.insert_or_assign(id->second, Account{SecretBytes::copy_of(std::string_view(secret->second)),
                                                         token == settings.end() ? "" : token->second});
    }
  }
  if (out.accounts_.empty()) {
    return fail(ErrorKind::config_invalid, file + " names no profile with aws_access_key_id and aws_secret_access_key");
  }
  return out;
}

std::optional<Refusal> Access::check(const http::Request& request, const Clock& clock, Caller& caller) const {
  const std::string header(request.header("authorization"));
  if (header.empty()) {
    return Refusal{400, "MissingAuthenticationTokenException", "Missing Authentication Token"};
  }
  const auto given = parse(header);
  if (!given) {
    return incomplete("Authorization is not a Signature Version 4 header");
  }
  if (auto refusal = check_headers(request, *given)) {
    return refusal;
  }
  const std::string date_time(request.header("x-amz-date"));
  const auto signed_at = parse_amz_date(date_time);
  if (!signed_at || date_time.substr(0, 8) != given->date) {
    return invalid("X-Amz-Date and the date of the credential scope differ or are malformed");
  }
  const std::int64_t age = static_cast<std::int64_t>(clock.unix_seconds()) - *signed_at;
  if (std::abs(age) > kToleranceSeconds) {
    return invalid(age > 0 ? "Signature expired: " + date_time + " is too old"
                           : "Signature not yet current: " + date_time + " is still later than now");
  }
  const auto account = accounts_.find(given->access_key_id);
  if (account == accounts_.end() || account->second.session_token != request.header("x-amz-security-token")) {
    return Refusal{400, "UnrecognizedClientException", "The security token included in the request is invalid."};
  }
  if (given->service != "kms") {
    return invalid("Credential should be scoped to correct service: 'kms'");
  }
  aws::SignedRequest as_signed;
  as_signed.method = request.method;
  as_signed.payload_hash = aws::hex_sha256(request.body);
  for (const std::string& name : given->signed_headers) {
    as_signed.headers[name] = std::string(request.header(name));
  }
  const std::string hash(request.header("x-amz-content-sha256"));
  const std::string right =
      aws::signature(as_signed, {date_time, given->region, given->service}, account->second.secret_key);
  if ((!hash.empty() && hash != as_signed.payload_hash) ||
      !equal_constant_time(bytes_of(right), bytes_of(given->signature))) {
    return invalid("The request signature we calculated does not match the signature you provided.");
  }
  caller = {given->access_key_id, given->region};
  return std::nullopt;
}

}  // namespace cc::devkms

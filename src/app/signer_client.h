// Talking to a running signer: one request, one JSON reply, and what a refusal means for the exit code.
//
// Secrets that pass: tokens and passphrases on their way to the signer; request bodies are wiped after sending.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "http/client.h"

namespace cc::app {

// A JSON object under construction whose text holds secrets: wiped when it dies.
class SecretJson {
 public:
  SecretJson() { text_.reserve(4096); }
  ~SecretJson();
  SecretJson(const SecretJson&) = delete;
  SecretJson& operator=(const SecretJson&) = delete;
  SecretJson(SecretJson&&) = default;
  SecretJson& operator=(SecretJson&&) = default;

  SecretJson& add(std::string_view name, std::string_view value);
  SecretJson& add_secret(std::string_view name, const SecretBytes& value);
  // A value that is JSON already: a number, a list, an object.
  SecretJson& add_json(std::string_view name, std::string_view json);
  std::string finish() const { return text_.empty() ? "{}" : "{" + text_ + "}"; }

 private:
  void open_member(std::string_view name);
  void append(std::string_view more);
  std::string text_;
};

// A JSON string literal of UTF-8 text.
std::string json_quoted(std::string_view text);

class SignerClient {
 public:
  // Errors: usage (not an http or https URL, a certificate file that cannot be read), plaintext_refused for plain http
  // to another machine without leave.
  static Result<SignerClient> make(std::string url, bool allow_plaintext, http::ClientTls tls = {});

  // `token` empty: no Authorization header. Errors: unreachable; the signer's own refusal under its code; internal for
  // an answer that is not the signer's.
  Result<boost::json::value> call(const std::string& method, const std::string& path, const SecretBytes& token,
                                  std::string body = {}) const;
  const std::string& url() const { return url_; }

 private:
  SignerClient(std::string url, http::ClientTls tls) : url_(std::move(url)), tls_(std::move(tls)) {}
  std::string url_;
  http::ClientTls tls_;
};

}  // namespace cc::app

// HTTP to AWS: one call, one answer. The port lets tests plant answers and faults; CurlWire is the real one.
//
// CurlWire keeps connections open and uses them again, verifies TLS certificates and host names always, follows no
// redirect, reads at most what the call allows, and speaks plain http only where the call allows it (see endpoints.h).
// stop() ends transfers under way within a second and refuses new ones.
//
// Thread-safe. Secrets: credentials and plaintexts in bodies and headers; calls and answers wipe theirs when they die,
// libcurl's own copies are wiped by http/wiping_allocators.h.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"

namespace cc::aws {

inline constexpr std::size_t kAnswerLimit = std::size_t{1024} * 1024;

struct HttpCall {
  std::string method = "POST";
  std::string url;
  std::map<std::string, std::string> headers;
  std::string body;
  Milliseconds connect_timeout{3000};
  Milliseconds timeout{10'000};
  std::size_t answer_limit = kAnswerLimit;

  HttpCall() = default;
  HttpCall(const HttpCall&) = default;
  HttpCall(HttpCall&&) = default;
  HttpCall& operator=(const HttpCall&) = delete;
  HttpCall& operator=(HttpCall&&) = delete;
  ~HttpCall();
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  HttpAnswer() = default;
  HttpAnswer(const HttpAnswer&) = default;
  HttpAnswer(HttpAnswer&&) = default;
  HttpAnswer& operator=(const HttpAnswer&) = delete;
  HttpAnswer& operator=(HttpAnswer&& other) noexcept;
  ~HttpAnswer();
  // Empty when absent.
  std::string header(const std::string& lower_case_name) const;
};

class Wire {
 public:
  virtual ~Wire() = default;
  // Any answer, of whatever status, is a success. Errors: kms_unreachable naming scheme, host, port and reason.
  virtual Result<HttpAnswer> send(const HttpCall& call) = 0;
};

class CurlWire final : public Wire {
 public:
  // ca_file: trust anchors in place of the system's (AWS_CA_BUNDLE); empty: the system's.
  explicit CurlWire(std::string ca_file);
  ~CurlWire() override;
  CurlWire(const CurlWire&) = delete;
  CurlWire& operator=(const CurlWire&) = delete;
  Result<HttpAnswer> send(const HttpCall& call) override;
  void stop() { stopping_ = true; }

 private:
  class Lease;
  struct Idle;
  std::string ca_file_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::unique_ptr<Idle> idle_;  // handles not in use, each with its open connections
};

}  // namespace cc::aws

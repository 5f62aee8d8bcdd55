// What tests of the AWS room share: a wire that answers from a script, a clock that stands, pauses that only count.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "adapters/aws/client.h"
#include "support/seeded_random.h"

namespace cc::aws {

class FakeClock final : public Clock {
 public:
  Milliseconds monotonic() const override { return Milliseconds(now_ms); }
  std::uint64_t unix_seconds() const override { return unix_now; }
  std::int64_t now_ms = 1'000'000;
  std::uint64_t unix_now = 1'795'539'600;  // 2026-11-24T17:00:00Z
};

class CountedPauses final : public Pauses {
 public:
  explicit CountedPauses(FakeClock& clock) : clock_(clock) {}
  bool pause(Milliseconds time) override {
    taken.push_back(time);
    clock_.now_ms += time.count();
    return !stopping;
  }
  std::vector<Milliseconds> taken;
  bool stopping = false;

 private:
  FakeClock& clock_;
};

inline HttpAnswer answer(int status, std::string body) {
  HttpAnswer out;
  out.status = status;
  out.body = std::move(body);
  return out;
}
inline HttpAnswer refusal(const std::string& code, const std::string& message = "m", int status = 400) {
  return answer(status, R"({"__type":"com.amazonaws.kms#)" + code + R"(","message":")" + message + "\"}");
}

class FakeWire final : public Wire {
 public:
  Result<HttpAnswer> send(const HttpCall& call) override {
    calls.push_back(call);
    if (on_call) {
      return on_call(call);
    }
    if (script.empty()) {
      return fail(ErrorKind::kms_unreachable, "no route");
    }
    Result<HttpAnswer> next = std::move(script.front());
    script.erase(script.begin());
    return next;
  }
  std::vector<Result<HttpAnswer>> script;
  std::function<Result<HttpAnswer>(const HttpCall&)> on_call;
  std::vector<HttpCall> calls;
};

class CountedSource final : public CredentialSource {
 public:
  CountedSource() { next(); }
  Result<SharedCredentials> current() override { return held_; }
  void reject(const SharedCredentials& /*refused*/) override {
    ++rejected;
    next();
  }
  unsigned rejected = 0;

 private:
  void next() {
    auto made = std::make_shared<Credentials>();
    made->access_key_id = "AKID" + std::to_string(rejected);
    made->secret_key = SecretBytes::copy_of(std::string_view("secret"));
    held_ = made;
  }
  SharedCredentials held_;
};

struct AwsFixture {
  FakeClock clock;
  CountedPauses pauses{clock};
  FakeWire wire;
  test::SeededRandom random{7};
  Endpoints endpoints = Endpoints::make({}, {}).value();
  Outside outside{wire, pauses, clock, random, endpoints};
  Client client{outside, Patience{}};
};

}  // namespace cc::aws

// POST /api/v1/chamber/sign: one sign request for many keys, or many requests, in one body. Every entry goes through
// the same rules, guard and queue as a request of its own, in the order of the body, and has its own verdict.
//
// Threads: small bodies are read on the I/O thread, others on the queue `Context::many_keys`; signatures arrive on the
// pipeline's workers, and the last of them writes the reply.
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <iterator>
#include <memory>
#include <new>
#include <utility>

#include "api/answer.h"
#include "api/families.h"
#include "api/many_keys_input.h"
#include "api/sign_rules.h"
#include "api/witness.h"
#include "base/bytes.h"

namespace cc::api {
namespace json = boost::json;
namespace {

constexpr std::size_t kMostEntries = 10'000;
constexpr std::size_t kBodyLimit = 10UL * 1024 * 1024;
constexpr std::size_t kReadAtOnce = 64UL * 1024;
constexpr std::size_t kBytesPerEntry = 352;  // of a reply, with a signature

constexpr const char* kJson = "application/json; charset=utf-8";
constexpr const char* kLines = "application/x-ndjson";

ManyKeysForm form_of(const http::Request& request) {
  std::string type(request.header("content-type").substr(0, std::string_view(kLines).size()));
  for (char& c : type) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return type == kLines ? ManyKeysForm::lines : ManyKeysForm::json;
}

class ManyKeysExchange {
 public:
  ManyKeysExchange(Context& context, http::Request request, http::Responder respond)
      : context_(context), request_(std::move(request)), respond_(std::move(respond)), form_(form_of(request_)) {}

  static void start(const std::shared_ptr<ManyKeysExchange>& self) {
    if (self->context_.many_keys == nullptr || self->request_.body.size() <= kReadAtOnce) {
      run(self);
      return;
    }
    // Held by the work alone, so that a dropped one is answered.
    if (!self->context_.many_keys->run(self->request_.peer, [self] { run(self); })) {
      self->respond_(refusal({ErrorKind::overloaded, "too many large bodies wait; try again"}));
    }
  }

 private:
  struct Entry {
    std::optional<BlsPublicKey> key;  // none where the text is no public key
    const std::string* operation = nullptr;
    Result<BlsSignature> outcome = fail(ErrorKind::internal, "not answered");
    std::optional<Canary> canary;
  };

  static void run(const std::shared_ptr<ManyKeysExchange>& self) {
    Result<void> taken;
    try {
      taken = take(self);
    } catch (const std::bad_alloc&) {
      taken = fail(ErrorKind::internal, "not enough memory for this request");
    }
    if (!taken) {
      count_refusal(self->context_, taken.error());
      witness_refused_signature(self->context_, self->asker_, {}, taken.error());
      self->respond_(refusal(taken.error()));
    }
  }

  // Hands every entry that may sign to the pipeline. An error: none was.
  static Result<void> take(const std::shared_ptr<ManyKeysExchange>& self) {
    self->asker_ = asker_of(self->context_, self->request_);
    CC_ASSIGN(const access::Caller caller, admit_signing(self->context_, self->request_));
    self->asker_.policy = caller.policy;
    self->asker_.authenticated = caller.authenticated;
    CC_ASSIGN(const ManyKeysBody body, read_many_keys(self->request_.body, self->form_, kMostEntries));
    self->entries_.resize(body.entries);
    self->operations_.resize(body.items.size());
    std::vector<signing::SignJob> jobs;
    jobs.reserve(body.entries);
    std::size_t place = 0;
    for (std::size_t item = 0; item < body.items.size(); ++item) {
      const Result<SignBody> read = SignBody::read(body.items[item].request, self->context_.network);
      if (read) {
        self->operations_[item] = read->type();
      }
      for (const std::string_view text : body.items[item].keys) {
        Entry& entry = self->entries_[place];
        entry.operation = &self->operations_[item];
        Result<signing::SignJob> job = self->job_of(caller, text, read, entry);
        if (job) {
          job->reply = [self, place](Result<BlsSignature> signature) {
            self->settle(self->entries_[place], std::move(signature));
            self->answered();
          };
          jobs.push_back(*std::move(job));
        } else {
          self->settle(entry, fail(std::move(job).error()));
        }
        ++place;
      }
    }
    self->request_ = http::Request();  // the signatures wait without the body
    self->waiting_ = jobs.size() + 1;
    self->context_.pipeline.submit(std::move(jobs));
    self->answered();
    return {};
  }

  Result<signing::SignJob> job_of(const access::Caller& caller, std::string_view text, const Result<SignBody>& read,
                                  Entry& entry) const {
    CC_ASSIGN(entry.key, public_key_of(text));
    entry.canary = canary_of(context_, *entry.key, caller, request_);
    if (!read) {
      return fail(read.error());
    }
    return read->job_for(context_, caller, *entry.key);
  }

  // Once per entry; no two threads share one.
  void settle(Entry& entry, Result<BlsSignature> outcome) const {
    entry.outcome = std::move(outcome);
    const int status = entry.outcome ? 200 : facts(entry.outcome.error().kind).http_status;
    if (!entry.outcome) {
      count_refusal(context_, entry.outcome.error());
      Asker asker = asker_;
      asker.key = entry.key;
      witness_refused_signature(context_, asker, *entry.operation, entry.outcome.error());
    }
    context_.metrics.signing_request(*entry.operation, status, std::chrono::steady_clock::now() - start_);
    if (entry.canary) {
      raise_alarm(context_, *entry.canary, *entry.operation, status);
    }
  }

  // One part of the work is done; with the last one the reply leaves.
  void answered() {
    if (waiting_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      respond_(reply());
    }
  }

  http::Response reply() const {
    const bool lines = form_ == ManyKeysForm::lines;
    http::Response response;
    response.content_type = lines ? kLines : kJson;
    std::string& out = response.body;
    out.reserve(entries_.size() * kBytesPerEntry + 16);
    out += lines ? "" : R"({"data":[)";
    for (const Entry& entry : entries_) {
      if (!lines && &entry != &entries_.front()) {
        out += ',';
      }
      write(entry, out);
      out += lines ? "\n" : "";
    }
    out += lines ? "" : "]}";
    return response;
  }

  static void write(const Entry& entry, std::string& out) {
    out += R"({"pubkey":)";
    out += entry.key ? '"' + to_0x(*entry.key) + '"' : "null";
    if (entry.outcome) {
      out += R"(,"status":200,"signature":")";
      out += to_0x(*entry.outcome);
      out += "\"}";
      return;
    }
    const Error& error = entry.outcome.error();
    out += R"(,"status":)" + std::to_string(facts(error.kind).http_status) + R"(,"code":")";
    out += facts(error.kind).code;
    out += R"(","message":)" + json::serialize(json::string(error.message)) + "}";
  }

  Context& context_;
  http::Request request_;
  const http::Responder respond_;
  const ManyKeysForm form_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  Asker asker_;                          // without a key
  std::vector<std::string> operations_;  // by item; empty until it is known
  std::vector<Entry> entries_;           // in the order of the body
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace

void add_many_keys_routes(http::Router& router, Context& context) {
  const auto admission =
      std::make_shared<const http::Admission>([&context](const http::Request& head) -> std::optional<http::Response> {
        const Result<access::Caller> caller = admit_signing(context, head);
        if (caller) {
          return std::nullopt;
        }
        witness_refused_signature(context, asker_of(context, head), {}, caller.error());
        context.metrics.signing_request({}, facts(caller.error().kind).http_status, std::chrono::nanoseconds(0));
        return refusal(caller.error());
      });
  router.add(
      "POST", "/api/v1/chamber/sign",
      [&context](http::Request request, http::Responder respond) {
        ManyKeysExchange::start(std::make_shared<ManyKeysExchange>(context, std::move(request), std::move(respond)));
      },
      {.body_limit = kBodyLimit, .admission = admission});
}

}  // namespace cc::api

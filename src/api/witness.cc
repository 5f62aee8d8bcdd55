#include "api/witness.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>

#include "access/scopes.h"
#include "api/witness_said.h"
#include "audit/journal.h"
#include "base/bytes.h"

namespace cc::api {
namespace {

using audit::Author;
using audit::Draft;
using audit::Event;
using audit::Outcome;
using audit::Word;

enum class Watch {
  change,   // asked, and the outcome
  at_once,  // the same, but it waits for nothing
  callers,  // refused callers
  nothing,
};
struct Row {
  std::string_view method, pattern;
  Event event;
  Watch watch = Watch::change;
};
constexpr std::array kRows{
    Row{"POST", "/api/v1/chamber/init", Event::init},
    Row{"POST", "/api/v1/chamber/init/reset", Event::init_reset},
    Row{"POST", "/api/v1/chamber/register", Event::register_operator},
    Row{"POST", "/api/v1/chamber/unseal", Event::unseal},
    Row{"POST", "/api/v1/chamber/unseal/reset", Event::unseal_reset},
    Row{"POST", "/api/v1/chamber/unseal/challenge", Event::access, Watch::callers},
    Row{"POST", "/api/v1/chamber/unseal/credentials", Event::credential_add},
    Row{"DELETE", "/api/v1/chamber/unseal/credentials", Event::credential_remove},
    Row{"POST", "/api/v1/chamber/seal", Event::seal, Watch::at_once},
    Row{"POST", "/api/v1/chamber/resume", Event::resume},
    Row{"POST", "/api/v1/chamber/rotate/kms", Event::rotate_kms},
    Row{"POST", "/api/v1/chamber/rotate/unseal", Event::rotate_unseal},
    Row{"POST", "/api/v1/chamber/rotate/quorum", Event::rotate_unseal},
    Row{"POST", "/api/v1/chamber/rotate/mode", Event::rotate_mode},
    Row{"POST", "/api/v1/chamber/rotate/master", Event::rotate_master},
    Row{"POST", "/api/v1/chamber/rotate/unseal/cancel", Event::rotate_cancel},
    Row{"POST", "/api/v1/chamber/rotate/approve", Event::rotate_approve},
    Row{"POST", "/api/v1/chamber/drill", Event::drill},
    Row{"POST", "/api/v1/chamber/keys", Event::key_import},
    Row{"POST", "/api/v1/chamber/keys/generate", Event::key_generate},
    Row{"POST", "/api/v1/chamber/keys/restore", Event::key_restore},
    // Changes nothing, but what it hands out leaves the signer for good.
    Row{"GET", "/api/v1/chamber/keys/backup", Event::key_backup},
    Row{"PATCH", "/api/v1/chamber/keys", Event::key_status},
    Row{"DELETE", "/api/v1/chamber/keys", Event::key_delete},
    Row{"POST", "/eth/v1/keystores", Event::keystore_import},
    Row{"DELETE", "/eth/v1/keystores", Event::keystore_delete},
    Row{"POST", "/reload", Event::reload, Watch::at_once},
    // Signatures have a witness of their own.
    Row{"POST", "/api/v1/eth2/sign/{identifier}", Event::sign, Watch::nothing},
    Row{"POST", "/api/v1/chamber/sign", Event::sign, Watch::nothing},
    Row{"GET", "/upcheck", Event::access, Watch::nothing},
    Row{"GET", "/healthcheck", Event::access, Watch::nothing},
};

Row row_of(std::string_view method, std::string_view pattern) {
  const auto* const found =
      std::ranges::find_if(kRows, [&](const Row& row) { return row.method == method && row.pattern == pattern; });
  if (found != kRows.end()) {
    return *found;
  }
  // Tezos signatures: /keys/{…}.
  if (method == "GET" || pattern.starts_with("/keys/")) {
    return {method, pattern, Event::access, Watch::callers};
  }
  return {method, pattern, Event::request};
}

std::string header_of(const audit::Journal::Facts& facts) {
  return to_hex(facts.log) + ":" + audit::text_of(facts.durable);
}

// One request from its arrival to its answer.
class Visit final : public http::Companion {
 public:
  Visit(const Context& context, const Row& row, const http::Request& request)
      : context_(context),
        row_(row),
        route_(Word::of(row.pattern)),
        request_(Word::of(request.id)),
        from_(Word::of(request.peer)) {}
  ~Visit() override {
    if (asked_ && !finished_) {
      context_.journal->keep(draft(Outcome::broken_off), nullptr);
    }
  }

  void caller(std::string_view policy, bool authenticated) override {
    const std::lock_guard lock(mutex_);
    policy_ = authenticated ? Author::policy(policy) : Author::anyone();
    let_in_ = authenticated;
  }

  Result<void> begins(const http::Request& request) override {
    if (row_.watch == Watch::callers) {
      return {};
    }
    said_ = read_request(row_.event, request);
    asked_ = true;
    if (row_.watch == Watch::at_once) {
      // Before the log is signed for the last time, but waited for by nobody.
      context_.journal->keep(draft(Outcome::asked), nullptr);
      return {};
    }
    const Result<void> kept = context_.journal->ask(draft(Outcome::asked), let_in());
    asked_ = kept.has_value();
    CC_TRY(kept);
    return {};
  }

  // Hands the answer on when what it ends is written down.
  void finish(http::Response response, const http::Responder& respond) {
    finished_ = true;
    const bool refused = response.status >= 400;
    const bool caller_refused = response.status == 401 || response.status == 403;
    if (row_.watch == Watch::callers && !caller_refused) {
      if (!refused && let_in()) {
        response.headers.emplace_back("X-Audit-Head", header_of(context_.journal->facts()));
      }
      respond(std::move(response));
      return;
    }
    std::vector<Draft> all = outcome(response);
    const auto held = std::make_shared<http::Response>(std::move(response));
    const audit::Journal* const journal = context_.journal;
    const auto then = [held, respond, journal, refused](const Result<void>& kept) {
      if (kept && !refused) {
        held->headers.emplace_back("X-Audit-Head", header_of(journal->facts()));
      }
      respond(std::move(*held));
    };
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      context_.journal->keep(std::move(all[i]), nullptr);
    }
    Draft last = std::move(all.back());
    const bool of_anyone = last.by.kind == audit::AuthorKind::anyone;
    // Only reading key files again may be asked of a signer by strangers without end.
    if (refused || (of_anyone && last.event == Event::reload)) {
      context_.journal->keep_refusal(std::move(last), then);
    } else {
      context_.journal->keep(std::move(last), then);
    }
  }

 private:
  Author author(bool done) const {
    const std::lock_guard lock(mutex_);
    if (let_in_) {
      return policy_;
    }
    const bool known =
        !said_.operator_name.empty() && (done || context_.chamber.credential_ids(said_.operator_name).has_value());
    if (known) {
      return Author::of_operator(said_.operator_name);
    }
    return done && (row_.event == Event::init || row_.event == Event::init_reset) ? Author::setup_token() : policy_;
  }

  Draft draft(Outcome result) const {
    Draft out;
    out.event = row_.event;
    out.outcome = result;
    out.by = author(result == Outcome::done);
    out.request = request_;
    out.from = from_;
    if (row_.event == Event::request || row_.event == Event::access) {
      out.route = route_;
    }
    if (result == Outcome::done || let_in()) {
      out.subject = Word::of(said_.subject);
      out.members = said_.members;
      out.threshold = said_.threshold;
      out.remark = said_.remark;
      if (row_.event == Event::key_backup && !said_.keys.empty() && said_.keys.front()) {
        out.keys = {*said_.keys.front()};
      }
    }
    return out;
  }

  bool let_in() const {
    const std::lock_guard lock(mutex_);
    return let_in_;
  }

  std::vector<Draft> outcome(const http::Response& response) const {
    const bool refused = response.status >= 400;
    Draft base = draft(refused ? Outcome::refused : Outcome::done);
    if (refused) {
      base.status = static_cast<std::uint64_t>(response.status);
      base.code = code_in(response);
      return {std::move(base)};
    }
    if (of_keys(row_.event)) {
      return of_key_answers(base, key_answers(response.body, said_));
    }
    if (row_.event == Event::key_backup) {
      base.subject = Word::of(backup_answer(response.body));
      return {std::move(base)};
    }
    // Not for what answers on an I/O thread: this reads the signer state.
    if (context_.describe && row_.event != Event::request && row_.event != Event::reload) {
      context_.describe(base);
    }
    return {std::move(base)};
  }

  static std::vector<Draft> of_key_answers(const Draft& base, const KeyAnswers& answers) {
    std::vector<Draft> out;
    for (const auto& [status, count] : answers.count) {
      const auto named = answers.changed.find(status);
      const std::vector<BlsPublicKey> none;
      const std::vector<BlsPublicKey>& keys = named == answers.changed.end() ? none : named->second;
      std::size_t at = 0;
      do {
        Draft one = base;
        one.subject = Word::of(status);
        const std::size_t end = std::min(keys.size(), at + audit::kMaxKeys);
        one.keys.assign(keys.begin() + static_cast<std::ptrdiff_t>(at),
                        keys.begin() + static_cast<std::ptrdiff_t>(end));
        one.count = count;
        out.push_back(std::move(one));
        at = end;
      } while (at < keys.size());
    }
    if (answers.failed != 0 || out.empty()) {
      Draft one = base;
      one.failed = answers.failed;
      out.push_back(std::move(one));
    }
    return out;
  }

  const Context& context_;
  const Row row_;
  const std::optional<Word> route_, request_, from_;
  mutable std::mutex mutex_;
  Author policy_ = Author::anyone();
  bool let_in_ = false;
  // Of one thread after the other.
  Said said_;
  bool asked_ = false, finished_ = false;
};

http::Handler watched(const Context& context, const Row& row, http::Handler inner) {
  return [&context, row, inner = std::move(inner)](http::Request request, const http::Responder& respond) {
    auto visit = std::make_shared<Visit>(context, row, request);
    request.companion = visit;
    inner(std::move(request),
          [visit, respond](http::Response response) { visit->finish(std::move(response), respond); });
  };
}

// Callers turned away by the head of their request.
std::shared_ptr<const http::Admission> watched(const Context& context, const Row& row,
                                               const std::shared_ptr<const http::Admission>& inner) {
  if (!inner) {
    return nullptr;
  }
  return std::make_shared<const http::Admission>(
      [&context, row, inner](const http::Request& head) -> std::optional<http::Response> {
        std::optional<http::Response> refused = (*inner)(head);
        if (refused) {
          Visit visit(context, row, head);
          if (const std::optional<std::string> holder = holder_of(context, head)) {
            visit.caller(*holder, true);
          }
          visit.finish(*refused, [](const http::Response&) {});
        }
        return refused;
      });
}

}  // namespace

void add_witness(http::Router& router, Context& context) {
  if (context.journal == nullptr) {
    return;
  }
  router.wrap([&context](std::string_view method, std::string_view pattern, http::Handler& handler,
                         http::RouteOptions& options) {
    const Row row = row_of(method, pattern);
    if (row.watch != Watch::nothing) {
      handler = watched(context, row, std::move(handler));
      options.admission = watched(context, row, options.admission);
    }
  });
}

std::optional<std::string> holder_of(const Context& context, const http::Request& head) {
  for (const access::Scope scope : access::every_scope()) {
    const auto caller = context.policies.allow(scope, head.header("authorization"), head.loopback);
    if (caller && caller->authenticated) {
      return caller->policy;
    }
  }
  return std::nullopt;
}

Asker asker_of(const Context& context, const http::Request& head) {
  std::optional<std::string> holder = holder_of(context, head);
  return {.policy = holder.value_or(""),
          .peer = head.peer,
          .request_id = head.id,
          .authenticated = holder.has_value(),
          .key = std::nullopt};
}

void witness_refused_signature(const Context& context, const Asker& asker, const std::string& operation,
                               const Error& error) {
  const int status = facts(error.kind).http_status;
  if (context.journal == nullptr || (status != 401 && status != 403 && status != 412)) {
    return;
  }
  Draft what;
  what.event = Event::sign;
  what.outcome = Outcome::refused;
  what.by = asker.authenticated ? Author::policy(asker.policy) : Author::anyone();
  what.request = Word::of(asker.request_id);
  what.from = Word::of(asker.peer);
  what.status = static_cast<std::uint64_t>(status);
  what.code = error.kind;
  what.subject = Word::of(operation);
  if (asker.key) {
    what.keys.push_back(*asker.key);
  }
  context.journal->keep_refusal(std::move(what), nullptr);
}

}  // namespace cc::api

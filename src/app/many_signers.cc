#include "app/many_signers.h"

#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <future>
#include <iostream>
#include <map>

#include "base/printable.h"

namespace cc::app {
namespace {

namespace json = boost::json;

struct Answer {
  std::string url;
  Result<json::value> reply;
};

const json::value* at(const json::value& reply, std::string_view pointer) {
  boost::system::error_code absent;
  return reply.find_pointer(pointer, absent);
}

std::string text_at(const json::value& reply, std::string_view pointer) {
  const json::value* const found = at(reply, pointer);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::string number_at(const json::value& reply, std::string_view pointer) {
  const json::value* const found = at(reply, pointer);
  return found != nullptr && found->is_int64() ? std::to_string(found->as_int64()) : std::string();
}

// "[2/3] http://b: unsealed". On a terminal the signer is named while it is waited for.
class Progress {
 public:
  explicit Progress(std::size_t all) : all_(all), live_(::isatty(STDERR_FILENO) == 1) {}
  void asks(const std::string& url) {
    ++now_;
    head_ = "[" + std::to_string(now_) + "/" + std::to_string(all_) + "] " + url + ": ";
    if (live_) {
      std::cerr << head_ << std::flush;
    }
  }
  void tells(const Result<json::value>& reply) const {
    std::cerr << (live_ ? std::string() : head_)
              << (reply ? printable(short_of(*reply)) : "failed, " + std::string(facts(reply.error().kind).code))
              << std::endl;
  }

 private:
  std::size_t all_, now_ = 0;
  bool live_;
  std::string head_;
};

Result<std::vector<SignerClient>> clients_of(const SignerOptions& options) {
  std::vector<SignerClient> out;
  for (const std::string& url : options.urls) {
    CC_ASSIGN(SignerClient client, signer_at(options, url));
    if (std::ranges::any_of(out, [&](const SignerClient& other) { return other.url() == client.url(); })) {
      return fail(ErrorKind::usage, client.url() + " is named twice; nothing was sent");
    }
    out.push_back(std::move(client));
  }
  return out;
}

json::object structure_of(const Answer& answer) {
  json::object out{{"signer_url", answer.url}};
  if (answer.reply) {
    out["reply"] = *answer.reply;
  } else {
    const Error& error = answer.reply.error();
    out["error"] = json::object{{"code", facts(error.kind).code}, {"detail", error.message}};
  }
  return out;
}

void print_all(const std::vector<Answer>& answers, const std::string& output) {
  if (output == "text") {
    for (const Answer& answer : answers) {
      print_reply(structure_of(answer), output);
    }
    return;
  }
  json::array all;
  for (const Answer& answer : answers) {
    all.push_back(structure_of(answer));
  }
  print_reply(json::object{{"signers", std::move(all)}}, output);
}

Result<void> summary_of(const std::vector<Answer>& answers) {
  std::string reasons;
  std::string again;
  const Answer* first = nullptr;
  std::size_t done = 0;
  for (const Answer& answer : answers) {
    if (answer.reply) {
      ++done;
      continue;
    }
    first = first == nullptr ? &answer : first;
    const Error& error = answer.reply.error();
    reasons += "\n  " + answer.url + ": " + std::string(facts(error.kind).code) + ", " + error.message;
    again += " --signer-url " + answer.url;
  }
  const std::string count = std::to_string(done) + " of " + std::to_string(answers.size()) + " signers done";
  if (first == nullptr) {
    advise(count + ".");
    return {};
  }
  advise(count + ". Not done:" + reasons +
         "\nWhen what is named there is mended, run the same command again, with only" + again);
  return fail(first->reply.error().kind, count + "; see above for the others");
}

}  // namespace

Result<void> check_signers(const SignerOptions& options) {
  CC_TRY(clients_of(options));
  return {};
}

std::string short_of(const json::value& reply) {
  const std::string received = number_at(reply, "/shares_received");
  if (!received.empty()) {
    return received + " of " + number_at(reply, "/shares_required") + " shares received";
  }
  if (std::string state = text_at(reply, "/seal/status"); !state.empty()) {
    return state;
  }
  for (const char* const pointer : {"/status", "/state"}) {
    if (std::string state = text_at(reply, pointer); !state.empty()) {
      const std::string loaded = number_at(reply, "/validators_loaded");
      if (!loaded.empty()) {
        state.append(", ").append(loaded).append(" validators");
      }
      return state;
    }
  }
  return "done";
}

Result<void> talk_to_many(const SignerOptions& options, const Dialogue& talk, const AfterReply& after) {
  CC_ASSIGN(const std::vector<SignerClient> clients, clients_of(options));
  Progress progress(clients.size());
  std::vector<Answer> answers;
  for (const SignerClient& client : clients) {
    progress.asks(client.url());
    answers.push_back({client.url(), talk(client)});
    progress.tells(answers.back().reply);
  }
  print_all(answers, options.output);
  for (const Answer& answer : answers) {
    if (after && answer.reply) {
      after(answer.url, *answer.reply);
    }
  }
  return summary_of(answers);
}

Result<void> ask_at_once(const SignerOptions& options, const SignerCall& call) {
  CC_ASSIGN(const std::vector<SignerClient> clients, clients_of(options));
  std::map<std::string, std::future<Result<json::value>>> under_way;  // by address
  for (const SignerClient& client : clients) {
    under_way.emplace(client.url(), std::async(std::launch::async, [&client, &call] {
                        return client.call(call.method, call.path, call.token, call.body());
                      }));
  }
  return talk_to_signers(options, [&](const SignerClient& client) { return under_way.at(client.url()).get(); });
}

}  // namespace cc::app

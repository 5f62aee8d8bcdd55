// What the witness of the audit log reads out of requests and answers: names, members, keys; never a secret.
//
// A body is only looked at; whether it is good is the endpoint's to say. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/entry.h"
#include "base/bytes.h"
#include "base/result.h"
#include "http/message.h"

namespace cc::api {

// Whether the event is a change of keys, answered key by key.
bool of_keys(audit::Event event);

// What a body says that is worth a line, should the request be good.
struct Said {
  std::string operator_name;
  std::string subject;
  std::vector<audit::Word> members;
  std::optional<std::uint64_t> threshold;
  std::optional<audit::Remark> remark;
  std::vector<std::optional<BlsPublicKey>> keys;  // in the order of the answer
};

Said read_request(audit::Event event, const http::Request& request);

// The answers of key endpoints: which keys changed and how, and how many did not.
struct KeyAnswers {
  std::map<std::string, std::vector<BlsPublicKey>, std::less<>> changed;  // by status
  std::map<std::string, std::uint64_t, std::less<>> count;                // also of keys that are not named
  std::uint64_t failed = 0;
};
KeyAnswers key_answers(const std::string& text, const Said& said);

// The code of a refusal, where it is one of ours.
std::optional<ErrorKind> code_in(const http::Response& response);
// Whether a backup was there to hand out: handed_out or no_backup.
std::string_view backup_answer(const std::string& text);

}  // namespace cc::api

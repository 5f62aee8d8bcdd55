#include "api/witness_said.h"

#include <boost/json.hpp>

#include "api/json_body.h"

namespace cc::api {
namespace json = boost::json;
namespace {

using audit::Event;
using audit::Word;

std::optional<BlsPublicKey> key_in(const json::value* text) {
  BlsPublicKey key{};
  if (text == nullptr || !text->is_string() || !from_hex_exact(std::string_view(text->get_string()), key)) {
    return std::nullopt;
  }
  return key;
}

void add_members(const JsonObject& body, std::string_view field, Said& said) {
  const auto texts = body.has(field) ? body.texts(field) : Result<std::vector<std::string>>();
  if (!texts) {
    return;
  }
  for (const std::string& text : *texts) {
    if (auto word = Word::of(text); word && said.members.size() < audit::kMaxMembers) {
      said.members.push_back(*std::move(word));
    }
  }
}

void add_keys(const JsonObject& body, Said& said) {
  constexpr std::size_t kMost = 100'000;
  if (const auto keystores =
          body.has("keystores") ? body.nested_jsons("keystores", kMost) : Result<std::vector<std::string>>()) {
    for (const std::string& text : *keystores) {
      json::error_code error;
      const json::value keystore = json::parse(text, error);
      said.keys.push_back(!error && keystore.is_object() ? key_in(keystore.get_object().if_contains("pubkey"))
                                                         : std::nullopt);
    }
  }
  if (const auto pubkeys = body.has("pubkeys") ? body.texts("pubkeys") : Result<std::vector<std::string>>()) {
    for (const std::string& text : *pubkeys) {
      const json::value value(text);
      said.keys.push_back(key_in(&value));
    }
  }
}

std::string text_or_nothing(const JsonObject& body, std::string_view field) {
  const auto text = body.optional_text(field);
  return text && *text ? **text : std::string();
}

}  // namespace

bool of_keys(Event event) {
  return event == Event::key_generate || event == Event::key_import || event == Event::key_restore ||
         event == Event::key_status || event == Event::key_delete || event == Event::keystore_import ||
         event == Event::keystore_delete;
}

Said read_request(Event event, const http::Request& request) {
  Said out;
  if (event == Event::key_backup) {
    const auto named = request.query.find("pubkey");
    const json::value text(named == request.query.end() ? "" : named->second);
    out.keys.push_back(key_in(&text));
    return out;
  }
  const Result<JsonBody> parsed = JsonBody::look(request.body);
  if (!parsed) {
    return out;
  }
  const JsonObject& body = parsed->root();
  if (of_keys(event)) {
    add_keys(body, out);
    if (body.flag_or("allow_empty_history", false).value_or(false)) {
      out.remark = audit::Remark::of("allow_empty_history");
    }
    return out;
  }
  out.operator_name = text_or_nothing(body, "operator");
  for (const std::string_view field :
       {"credential_id", "new_credential_id", "remove_credential_id", "rotation", "mode"}) {
    if (out.subject.empty()) {
      out.subject = text_or_nothing(body, field);
    }
  }
  for (const std::string_view flag : {"dry_run", "hold", "all"}) {
    if (body.flag_or(flag, false).value_or(false)) {
      out.subject += (out.subject.empty() ? "" : "+") + std::string(flag);
    }
  }
  add_members(body, "kms_key_arns", out);
  add_members(body, "operators", out);
  for (const std::string_view field : {"unseal_threshold", "kms_threshold"}) {
    if (const auto number = body.has(field) ? body.number(field) : Result<std::uint32_t>(0U); number && *number != 0) {
      out.threshold = out.threshold.value_or(*number);
    }
  }
  out.remark = audit::Remark::of(text_or_nothing(body, "reason"));
  return out;
}

std::optional<ErrorKind> code_in(const http::Response& response) {
  json::error_code error;
  const json::value body = response.body.size() <= 64UL * 1024 ? json::parse(response.body, error) : json::value();
  const json::object* object = error ? nullptr : body.if_object();
  const json::value* code = object == nullptr ? nullptr : object->if_contains("code");
  if (code == nullptr || !code->is_string()) {
    return std::nullopt;
  }
  return kind_of(std::string_view(code->get_string()));
}

KeyAnswers key_answers(const std::string& text, const Said& said) {
  KeyAnswers out;
  json::error_code error;
  const json::value body = json::parse(text, error);
  const json::object* object = error ? nullptr : body.if_object();
  const json::value* data = object == nullptr ? nullptr : object->if_contains("data");
  if (data == nullptr || !data->is_array()) {
    return out;
  }
  const json::array& items = data->get_array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const json::object* item = items[i].if_object();
    const json::value* status = item == nullptr ? nullptr : item->if_contains("status");
    if (status == nullptr || !status->is_string()) {
      continue;
    }
    const std::string word(status->get_string());
    if (word == "error" || word == "not_found" || word == "not_active") {
      ++out.failed;
      continue;
    }
    ++out.count[word];
    std::optional<BlsPublicKey> key = key_in(item->if_contains("pubkey"));
    if (!key && i < said.keys.size()) {
      key = said.keys[i];
    }
    if (key) {
      out.changed[word].push_back(*key);
    }
  }
  return out;
}

std::string_view backup_answer(const std::string& text) {
  json::error_code error;
  const json::value body = json::parse(text, error);
  const json::object* object = error ? nullptr : body.if_object();
  const json::value* backup = object == nullptr ? nullptr : object->if_contains("backup");
  return backup != nullptr && backup->is_string() ? "handed_out" : "no_backup";
}

}  // namespace cc::api

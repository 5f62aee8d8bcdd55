#include "app/transcript_file.h"

#include <boost/json/parse.hpp>

namespace cc::app {
namespace {

namespace json = boost::json;

constexpr std::string_view kFormat = "containment-chamber/audit-transcript/v1";

}  // namespace

json::object transcript_json(const audit::Transcript& transcript) {
  json::array hashes;
  for (const crypto::Digest& hash : transcript.hashes) {
    hashes.emplace_back(to_hex(hash));
  }
  return {{"format", kFormat},
          {"log", to_hex(transcript.log)},
          {"before", audit::text_of(transcript.before)},
          {"entries", json::array(transcript.entries.begin(), transcript.entries.end())},
          {"hashes", std::move(hashes)},
          {"checkpoint", transcript.checkpoint}};
}

Result<audit::Transcript> parse_transcript(const std::string& path, const std::string& text) {
  const auto none = [](const std::string& what) {
    return fail(ErrorKind::audit_log_broken, "the transcript is damaged: " + what);
  };
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* object = error ? nullptr : value.if_object();
  const json::value* format = object == nullptr ? nullptr : object->if_contains("format");
  if (format == nullptr || !format->is_string() || std::string_view(format->get_string()) != kFormat) {
    return fail(ErrorKind::audit_log_invalid,
                path + " is no transcript of an audit log, as `audit transcript` makes it");
  }
  const auto text_at = [object](std::string_view name) {
    const json::value* member = object->if_contains(name);
    return member != nullptr && member->is_string() ? std::string(member->get_string()) : std::string();
  };
  audit::Transcript out;
  const auto before = audit::parse_head(text_at("before"));
  if (object->size() != 6 || !before || !from_hex_exact(text_at("log"), out.log)) {
    return none("wrong members, log or before");
  }
  out.before = *before;
  out.checkpoint = text_at("checkpoint");
  for (const char* name : {"entries", "hashes"}) {
    const json::value* list = object->if_contains(name);
    if (list == nullptr || !list->is_array()) {
      return none(std::string(name) + " is no list");
    }
    for (const json::value& item : list->get_array()) {
      crypto::Digest hash{};
      const bool is_hash = std::string_view(name) == "hashes";
      if (!item.is_string() || (is_hash && !from_hex_exact(std::string_view(item.get_string()), hash))) {
        return none(std::string(name) + " holds something else");
      }
      if (is_hash) {
        out.hashes.push_back(hash);
      } else {
        out.entries.emplace_back(item.get_string());
      }
    }
  }
  return out;
}

}  // namespace cc::app

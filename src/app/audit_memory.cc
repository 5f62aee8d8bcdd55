#include "app/audit_memory.h"

#include <algorithm>
#include <boost/json/value.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "adapters/files/new_files.h"
#include "app/command.h"
#include "app/signer_client.h"
#include "base/bytes.h"

namespace cc::app {
namespace {

namespace json = boost::json;

using Memory = std::map<std::string, RememberedHead>;  // by address of the signer

std::string text_of(const RememberedHead& known) { return known.log + ":" + audit::text_of(known.head); }

Memory load(const std::string& path) {
  Memory out;
  std::ifstream in(path);
  for (std::string url, head; in >> url >> head;) {
    if (auto known = parse_remembered(head)) {
      out.insert_or_assign(url, *std::move(known));
    }
  }
  return out;
}

Result<void> store(const std::string& path, const Memory& memory) {
  CC_TRY(files::make_private_dir(std::filesystem::path(path).parent_path().string()));
  std::string text;
  for (const auto& [url, known] : memory) {
    text += (text.empty() ? "" : "\n") + url + " " + text_of(known);
  }
  return files::write_private_line(path, SecretBytes::copy_of(std::string_view(text)));
}

// The hashes behind a head. Errors: the signer's own.
Result<std::vector<crypto::Digest>> hashes_after(const SignerClient& client, const audit::Head& from) {
  CC_ASSIGN(const json::value reply, client.call("GET", "/api/v1/audit/proof?from=" + audit::text_of(from), {}));
  const json::object* object = reply.if_object();
  const json::value* list = object == nullptr ? nullptr : object->if_contains("hashes");
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorKind::internal, "the signer's proof has no hashes");
  }
  std::vector<crypto::Digest> out;
  for (const json::value& item : list->get_array()) {
    crypto::Digest hash{};
    if (!item.is_string() || !from_hex_exact(std::string_view(item.get_string()), hash)) {
      return fail(ErrorKind::internal, "the signer's proof has a hash that is none");
    }
    out.push_back(hash);
  }
  return out;
}

// How long a signer may take to prove that its log grew. One with an endless log must not hold the tool for ever.
constexpr std::chrono::seconds kPatience{30};

// Whether the log that answers grew out of the head remembered. Returns why not; errors: it could not be asked.
Result<std::optional<std::string>> doubt(const SignerClient& client, const RememberedHead& known,
                                         const RememberedHead& now) {
  if (now.log != known.log) {
    return "it is another log (" + now.log + ") than the one remembered (" + known.log + ")";
  }
  audit::Head at = known.head;
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    if (std::chrono::steady_clock::now() > end) {
      return fail(ErrorKind::unreachable, "the signer's proof has no end; it reached entry " +
                                              std::to_string(at.number) + " of " + std::to_string(now.head.number));
    }
    const auto hashes = hashes_after(client, at);
    if (!hashes && (hashes.error().kind == ErrorKind::not_found || hashes.error().kind == ErrorKind::record_conflict)) {
      return hashes.error().message;
    }
    CC_TRY(hashes);
    if (hashes->empty() && at.number < now.head.number) {
      return fail(ErrorKind::internal, "the signer's proof ends too early");
    }
    for (const crypto::Digest& hash : *hashes) {
      at = {at.number + 1, audit::next_head(at.value, hash)};
      if (at.number == now.head.number && at != now.head) {
        return "its entries do not lead from entry " + std::to_string(known.head.number) + " to entry " +
               std::to_string(now.head.number);
      }
    }
  } while (at.number < now.head.number);
  return std::nullopt;
}

void shout(const std::string& url, const RememberedHead& known, const std::string& why, const std::string& path) {
  advise("");
  advise("****************************************************************************************");
  advise("WARNING: the audit log of " + url + " is not the one you saw before.");
  advise("  remembered: entry " + std::to_string(known.head.number) + ", head " + to_hex(known.head.value));
  advise("  now: " + why);
  advise("Entries were cut off, removed or rewritten, or another signer answers. Tell the others, keep the log file");
  advise("as it is, and run `containment-chamber audit verify --expect-head " + audit::text_of(known.head) +
         "` on it.");
  advise("When you know why, delete the signer's line in " + path + ".");
  advise("****************************************************************************************");
}

}  // namespace

std::optional<RememberedHead> parse_remembered(std::string_view text) {
  constexpr std::size_t kLogDigits = 32;
  audit::LogId log{};
  if (text.size() <= kLogDigits || text[kLogDigits] != ':' || !from_hex_exact(text.substr(0, kLogDigits), log)) {
    return std::nullopt;
  }
  const auto head = audit::parse_head(text.substr(kLogDigits + 1));
  return head ? std::optional(RememberedHead{to_hex(log), *head}) : std::nullopt;
}

std::string audit_memory_path() {
  const Environment environment = process_environment();
  const auto folder = [&environment](const char* name, const std::string& below) {
    const auto found = environment.find(name);
    return found == environment.end() || !found->second.starts_with('/') ? std::string() : found->second + below;
  };
  std::string base = folder("XDG_STATE_HOME", "");
  if (base.empty()) {
    base = folder("HOME", "/.local/state");
  }
  return base.empty() ? base : base + "/containment-chamber/audit-heads";
}

std::vector<audit::Head> remembered_of(const audit::LogId& log) {
  std::vector<audit::Head> out;
  for (const auto& [url, known] : load(audit_memory_path())) {
    if (known.log == to_hex(log) && std::ranges::find(out, known.head) == out.end()) {
      out.push_back(known.head);
    }
  }
  return out;
}

void hold_against_memory(const SignerClient& client, std::string_view header) {
  const std::optional<RememberedHead> now = parse_remembered(header);
  const std::string path = audit_memory_path();
  if (!now || path.empty()) {
    return;
  }
  // Signers may answer at the same time (ask_at_once); they share the file.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  Memory memory = load(path);
  const auto known = memory.find(client.url());
  if (known != memory.end()) {
    const auto why = doubt(client, known->second, *now);
    if (!why) {
      advise("The audit log could not be compared with what was seen before: " + why.error().message);
      return;
    }
    if (*why) {
      shout(client.url(), known->second, **why, path);
      return;
    }
    if (now->head.number <= known->second.head.number) {
      return;
    }
  }
  memory.insert_or_assign(client.url(), *now);
  if (const Result<void> kept = store(path, memory); !kept) {
    advise("The head of the audit log cannot be remembered: " + kept.error().message);
  }
}

}  // namespace cc::app

#include "audit/chain.h"

#include <charconv>

namespace cc::audit {

std::string text_of(const Head& head) { return std::to_string(head.number) + ":" + to_hex(head.value); }

Result<Head> parse_head(std::string_view text) {
  Head out;
  const auto colon = text.find(':');
  const auto [end, error] = std::from_chars(text.data(), text.data() + std::min(colon, text.size()), out.number);
  if (colon == std::string_view::npos || error != std::errc() || end != text.data() + colon ||
      !from_hex_exact(text.substr(colon + 1), out.value) || text_of(out) != text) {
    return fail(ErrorKind::usage, "a head of the audit log looks like 12:0123… with 64 hexadecimal digits");
  }
  return out;
}

crypto::Digest entry_hash(std::string_view hashed_part) {
  return crypto::sha256({bytes_of("cc/audit/v1/entry\n"), bytes_of(hashed_part)});
}

crypto::Digest next_head(const crypto::Digest& before, const crypto::Digest& entry) {
  return crypto::sha256({bytes_of("cc/audit/v1/head\n"), before, entry});
}

std::string Chain::append(Draft what, std::uint64_t time, const std::optional<Signed>& checkpoint) {
  Entry entry;
  entry.number = head_.number + 1;
  entry.time = time;
  entry.what = std::move(what);
  entry.checkpoint = checkpoint;
  if (entry.number == 1) {
    entry.log = log_;
  }
  const std::string body = body_of(entry);
  head_ = {entry.number, next_head(head_.value, entry_hash(body))};
  return join_line(body, head_.value);
}

}  // namespace cc::audit

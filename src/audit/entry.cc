#include "audit/entry.h"

#include <algorithm>
#include <charconv>
#include <concepts>

namespace cc::audit {
namespace {

constexpr std::array kEventNames{
#define EVENT(name) std::string_view(#name),
#include "audit/events.inc"
#undef EVENT
};
constexpr std::array<std::string_view, 5> kOutcomeNames{"asked", "done", "refused", "broken_off", "noted"};
constexpr std::string_view kHeadMember = R"(,"head":")";
// `,"head":"` + 64 digits + `"}`
constexpr std::size_t kHeadBytes = kHeadMember.size() + 64 + 2;

class Writer {
 public:
  Writer() { out_.reserve(512); }
  void number(std::string_view name, std::uint64_t value) {
    member(name);
    out_ += std::to_string(value);
  }
  void text(std::string_view name, std::string_view value) {
    member(name);
    quoted(value);
  }
  template <class Items, class Text>
  void list(std::string_view name, const Items& items, Text text) {
    if (items.empty()) {
      return;
    }
    member(name);
    char before = '[';
    for (const auto& item : items) {
      out_ += before;
      quoted(text(item));
      before = ',';
    }
    out_ += ']';
  }
  void maybe(std::string_view name, const std::optional<Word>& value) {
    if (value) {
      text(name, value->text());
    }
  }
  void maybe(std::string_view name, const std::optional<std::uint64_t>& value) {
    if (value) {
      number(name, *value);
    }
  }
  void maybe(std::string_view name, const std::optional<crypto::Digest>& value) {
    if (value) {
      text(name, to_hex(*value));
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void member(std::string_view name) {
    out_ += out_.empty() ? '{' : ',';
    quoted(name);
    out_ += ':';
  }
  void quoted(std::string_view text) {
    out_ += '"';
    out_ += text;
    out_ += '"';
  }
  std::string out_;
};

tl::unexpected<Error> damaged(const std::string& what) { return fail(ErrorKind::audit_log_broken, what); }

// Reads a line member by member, in the writer's order; what it does not understand fails the comparison with the
// re-encoded line at the latest.
class Reader {
 public:
  explicit Reader(std::string_view line) : rest_(line) {}

  bool next_is(std::string_view name) const {
    std::string_view rest = rest_.substr(std::min<std::size_t>(1, rest_.size()));
    return rest.size() > name.size() + 3 && rest[0] == '"' && rest.substr(1, name.size()) == name &&
           rest.substr(1 + name.size(), 2) == "\":";
  }
  void enter(std::string_view name) { rest_.remove_prefix(name.size() + 4); }

  Result<std::uint64_t> number() {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) {
      return damaged("a number is not one");
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  Result<std::string_view> text() {
    if (!rest_.starts_with('"')) {
      return damaged("a text is missing");
    }
    const auto close = rest_.find('"', 1);
    if (close == std::string_view::npos) {
      return damaged("a text has no end");
    }
    const std::string_view out = rest_.substr(1, close - 1);
    rest_.remove_prefix(close + 1);
    return out;
  }
  Result<std::vector<std::string_view>> list(std::size_t most) {
    std::vector<std::string_view> out;
    do {
      if (rest_.empty() || out.size() >= most) {
        return damaged("a list is too long or has no end");
      }
      rest_.remove_prefix(1);  // '[' or ','; the comparison at the end checks which
      CC_ASSIGN(const std::string_view one, text());
      out.push_back(one);
    } while (rest_.starts_with(','));
    rest_.remove_prefix(std::min<std::size_t>(1, rest_.size()));
    return out;
  }

 private:
  std::string_view rest_;
};

template <std::size_t N>
Result<std::array<std::uint8_t, N>> hex(std::string_view text) {
  std::array<std::uint8_t, N> out{};
  if (!from_hex_exact(text, out)) {
    return damaged("not " + std::to_string(2 * N) + " hexadecimal digits");
  }
  return out;
}

Result<Word> word(std::string_view text) {
  std::optional<Word> out = Word::of(text);
  return out ? Result<Word>(*std::move(out)) : Result<Word>(damaged("a word that is never written"));
}

// One optional member.
Result<void> read(Reader& in, std::string_view name, std::optional<std::uint64_t>& out) {
  if (in.next_is(name)) {
    in.enter(name);
    CC_ASSIGN(out, in.number());
  }
  return {};
}
Result<void> read(Reader& in, std::string_view name, std::optional<Word>& out) {
  if (in.next_is(name)) {
    in.enter(name);
    CC_ASSIGN(const std::string_view text, in.text());
    CC_ASSIGN(out, word(text));
  }
  return {};
}
template <std::size_t N>
Result<void> read(Reader& in, std::string_view name, std::optional<std::array<std::uint8_t, N>>& out) {
  if (in.next_is(name)) {
    in.enter(name);
    CC_ASSIGN(const std::string_view text, in.text());
    CC_ASSIGN(out, hex<N>(text));
  }
  return {};
}
template <class Item, class Parse>
Result<void> read_list(Reader& in, std::string_view name, std::size_t most, std::vector<Item>& out, Parse parse) {
  if (in.next_is(name)) {
    in.enter(name);
    CC_ASSIGN(const auto texts, in.list(most));
    for (const std::string_view text : texts) {
      CC_ASSIGN(Item item, parse(text));
      out.push_back(std::move(item));
    }
  }
  return {};
}

Result<std::uint64_t> needed_number(Reader& in, std::string_view name) {
  if (!in.next_is(name)) {
    return damaged("the member " + std::string(name) + " is missing");
  }
  in.enter(name);
  return in.number();
}
Result<std::string_view> needed_text(Reader& in, std::string_view name) {
  if (!in.next_is(name)) {
    return damaged("the member " + std::string(name) + " is missing");
  }
  in.enter(name);
  return in.text();
}

Result<void> read_what(Reader& in, Draft& out) {
  CC_ASSIGN(const std::string_view event, needed_text(in, "event"));
  const std::optional<Event> known = event_named(event);
  CC_ASSIGN(const std::string_view outcome, needed_text(in, "outcome"));
  const auto* const found = std::ranges::find(kOutcomeNames, outcome);
  CC_ASSIGN(const std::string_view by, needed_text(in, "by"));
  std::optional<Author> author = Author::parse(by);
  if (!known || found == kOutcomeNames.end() || !author) {
    return damaged("an event, an outcome or an author that is not known");
  }
  out.event = *known;
  out.outcome = static_cast<Outcome>(found - kOutcomeNames.begin());
  out.by = *std::move(author);
  return {};
}

Result<void> read_circumstances(Reader& in, Draft& out) {
  CC_TRY(read(in, "request", out.request));
  CC_TRY(read(in, "from", out.from));
  CC_TRY(read(in, "route", out.route));
  CC_TRY(read(in, "status", out.status));
  if (in.next_is("code")) {
    in.enter("code");
    CC_ASSIGN(const std::string_view code, in.text());
    out.code = kind_of(code);
  }
  CC_TRY(read(in, "state", out.state));
  CC_TRY(read(in, "epoch", out.epoch));
  CC_TRY(read(in, "revision", out.revision));
  CC_TRY(read(in, "record", out.record));
  CC_TRY(read(in, "subject", out.subject));
  CC_TRY(read_list(in, "members", kMaxMembers, out.members, word));
  CC_TRY(read(in, "threshold", out.threshold));
  CC_TRY(read_list(in, "keys", kMaxKeys, out.keys, hex<48>));
  CC_TRY(read(in, "count", out.count));
  CC_TRY(read(in, "failed", out.failed));
  CC_TRY(read(in, "digest", out.digest));
  if (in.next_is("remark")) {
    in.enter("remark");
    CC_ASSIGN(const std::string_view remark, in.text());
    out.remark = Remark::written(remark);
  }
  return {};
}

}  // namespace

std::string_view name(Event event) { return kEventNames.at(static_cast<std::size_t>(event)); }
std::optional<Event> event_named(std::string_view text) {
  const auto* const found = std::ranges::find(kEventNames, text);
  return found == kEventNames.end() ? std::nullopt : std::optional(static_cast<Event>(found - kEventNames.begin()));
}
std::string_view name(Outcome outcome) { return kOutcomeNames.at(static_cast<std::size_t>(outcome)); }

std::string body_of(const Entry& entry) {
  const Draft& what = entry.what;
  Writer out;
  out.number("n", entry.number);
  out.number("time", entry.time);
  out.text("event", name(what.event));
  out.text("outcome", name(what.outcome));
  out.text("by", what.by.text());
  out.maybe("request", what.request);
  out.maybe("from", what.from);
  out.maybe("route", what.route);
  out.maybe("status", what.status);
  if (what.code) {
    out.text("code", facts(*what.code).code);
  }
  out.maybe("state", what.state);
  out.maybe("epoch", what.epoch);
  out.maybe("revision", what.revision);
  out.maybe("record", what.record);
  out.maybe("subject", what.subject);
  out.list("members", what.members, [](const Word& word) { return word.text(); });
  out.maybe("threshold", what.threshold);
  out.list("keys", what.keys, [](const BlsPublicKey& key) { return to_0x(key); });
  out.maybe("count", what.count);
  out.maybe("failed", what.failed);
  out.maybe("digest", what.digest);
  if (what.remark) {
    out.text("remark", what.remark->text());
  }
  if (entry.log) {
    out.text("log", to_hex(*entry.log));
  }
  if (entry.checkpoint) {
    out.text("key", to_hex(entry.checkpoint->key));
    out.text("signature", to_hex(entry.checkpoint->signature));
  }
  return out.take();
}

std::string join_line(std::string_view body, const crypto::Digest& head) {
  std::string out;
  out.reserve(body.size() + kHeadBytes);
  out += body;
  out += kHeadMember;
  out += to_hex(head);
  out += "\"}";
  return out;
}

std::string encode(const Entry& entry) { return join_line(body_of(entry), entry.head); }

std::string_view hashed_part(std::string_view line) {
  return line.substr(0, line.size() - std::min(line.size(), kHeadBytes));
}

Result<Entry> decode(std::string_view line) {
  if (line.size() > kMaxLineBytes) {
    return damaged("the line is too long");
  }
  Reader in(line);
  Entry out;
  CC_ASSIGN(out.number, needed_number(in, "n"));
  CC_ASSIGN(out.time, needed_number(in, "time"));
  CC_TRY(read_what(in, out.what));
  CC_TRY(read_circumstances(in, out.what));
  CC_TRY(read(in, "log", out.log));
  if (in.next_is("key")) {
    in.enter("key");
    Signed sign;
    CC_ASSIGN(const std::string_view key, in.text());
    CC_ASSIGN(sign.key, hex<32>(key));
    CC_ASSIGN(const std::string_view signature, needed_text(in, "signature"));
    CC_ASSIGN(sign.signature, hex<64>(signature));
    out.checkpoint = sign;
  }
  CC_ASSIGN(const std::string_view head, needed_text(in, "head"));
  CC_ASSIGN(out.head, hex<32>(head));
  if (encode(out) != line) {
    return damaged("the line is not in the one form in which entries are written");
  }
  if ((out.number == 1) != (out.what.event == Event::log_started) || (out.number == 1) != out.log.has_value() ||
      (out.what.event == Event::checkpoint) != out.checkpoint.has_value()) {
    return damaged("the first entry alone starts a log, and checkpoints alone are signed");
  }
  return out;
}

}  // namespace cc::audit

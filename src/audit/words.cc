#include "audit/words.h"

#include <algorithm>
#include <array>

namespace cc::audit {
namespace {

constexpr std::array<std::string_view, 4> kNeverWritten{"cc-setup-", "cc-reg-", "cc-admin-", "pin-value"};
constexpr std::string_view kLeftOut = "(left out: it held a token)";

bool plain(char c) { return c >= 0x20 && c <= 0x7e && c != '"' && c != '\\'; }

bool may_hide_a_secret(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::ranges::any_of(kNeverWritten,
                             [&lower](std::string_view mark) { return lower.find(mark) != std::string::npos; });
}

Author named(AuthorKind kind, std::string_view text) {
  Author out{kind, Word::of(text)};
  return out.name ? out : Author::anyone();
}

}  // namespace

std::optional<Word> Word::of(std::string_view text) {
  if (text.empty() || text.size() > kMaxWordBytes ||
      !std::ranges::all_of(text, [](char c) { return plain(c) && c != ' '; }) || may_hide_a_secret(text)) {
    return std::nullopt;
  }
  return Word(text);
}

std::optional<Remark> Remark::of(std::string_view text) {
  if (text.empty()) {
    return std::nullopt;
  }
  if (may_hide_a_secret(text)) {
    return Remark(std::string(kLeftOut));
  }
  std::string out(text.substr(0, kMaxRemarkBytes));
  std::ranges::replace_if(out, [](char c) { return !plain(c); }, '?');
  return Remark(std::move(out));
}

std::optional<Remark> Remark::written(std::string_view text) {
  std::optional<Remark> out = of(text);
  return out && out->text() == text ? out : std::nullopt;
}

std::string_view name(AuthorKind kind) {
  switch (kind) {
    case AuthorKind::system:
      return "system";
    case AuthorKind::policy:
      return "policy";
    case AuthorKind::operator_name:
      return "operator";
    case AuthorKind::setup_token:
      return "setup-token";
    case AuthorKind::local:
      return "local";
    case AuthorKind::anyone:
      return "anyone";
  }
  return "?";
}

Author Author::policy(std::string_view name) { return named(AuthorKind::policy, name); }
Author Author::of_operator(std::string_view name) { return named(AuthorKind::operator_name, name); }
Author Author::local(unsigned user_id) { return named(AuthorKind::local, "uid-" + std::to_string(user_id)); }

std::string Author::text() const {
  std::string out(audit::name(kind));
  return name ? out + ":" + name->text() : out;
}

std::optional<Author> Author::parse(std::string_view text) {
  const auto colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  for (const AuthorKind one : {AuthorKind::system, AuthorKind::policy, AuthorKind::operator_name,
                               AuthorKind::setup_token, AuthorKind::local, AuthorKind::anyone}) {
    if (kind != audit::name(one)) {
      continue;
    }
    Author out{one, std::nullopt};
    const bool bare = one == AuthorKind::system || one == AuthorKind::setup_token || one == AuthorKind::anyone;
    if (colon != std::string_view::npos) {
      out.name = Word::of(text.substr(colon + 1));
    }
    return bare == (colon == std::string_view::npos) && (bare || out.name) ? std::optional(std::move(out))
                                                                           : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace cc::audit

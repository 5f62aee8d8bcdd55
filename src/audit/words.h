// What an audit entry may say of people, places and things. Built from enums, numbers, public keys, digests and these
// words; there is no way from a secret's type to any of them, and text that came from outside is taken only where it
// cannot hide one: names are of the alphabet of names, and what looks like one of our tokens is refused.
//
// Pure values; thread-safe as such.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace cc::audit {

inline constexpr std::size_t kMaxWordBytes = 512;
inline constexpr std::size_t kMaxRemarkBytes = 200;

// A name or an address: 1 to 512 characters of printable ASCII, without blank, quotation mark and backslash. Nothing
// with a token of ours or a PIN (RFC 7512 pin-value) in it.
class Word {
 public:
  static std::optional<Word> of(std::string_view text);
  Word(const SecretBytes&) = delete;
  const std::string& text() const { return text_; }
  friend bool operator==(const Word&, const Word&) = default;

 private:
  explicit Word(std::string_view text) : text_(text) {}
  std::string text_;
};

// A sentence that a person gave as a reason: cut to 200 characters of printable ASCII, others become '?'. One that
// holds a token of ours is left out, and the remark says so.
class Remark {
 public:
  static std::optional<Remark> of(std::string_view text);
  // As it stands in the log. Nothing when of() would not have written it so.
  static std::optional<Remark> written(std::string_view text);
  Remark(const SecretBytes&) = delete;
  const std::string& text() const { return text_; }
  friend bool operator==(const Remark&, const Remark&) = default;

 private:
  explicit Remark(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// Who is behind an entry.
enum class AuthorKind {
  system,         // the signer itself
  policy,         // a token of this access policy
  operator_name,  // an operator; proven where the outcome is done, else only named
  setup_token,    // whoever held the one-time setup token
  local,          // a command on the signer's own machine, by this user id
  anyone,         // a caller who showed nothing
};
std::string_view name(AuthorKind kind);

struct Author {
  AuthorKind kind = AuthorKind::system;
  std::optional<Word> name;  // of policy, operator and local

  static Author policy(std::string_view name);
  static Author of_operator(std::string_view name);
  static Author local(unsigned user_id);
  static Author setup_token() { return {AuthorKind::setup_token, std::nullopt}; }
  static Author anyone() { return {AuthorKind::anyone, std::nullopt}; }
  // "system", "policy:ops-team"
  std::string text() const;
  static std::optional<Author> parse(std::string_view text);
  friend bool operator==(const Author&, const Author&) = default;
};

}  // namespace cc::audit

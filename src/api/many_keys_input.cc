#include "api/many_keys_input.h"

#include <string>
#include <utility>

namespace cc::api {
namespace {

// Walks over one text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) {
      ++at_;
    }
  }
  // The next character behind white space is this one; then it is taken.
  bool take(char wanted) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != wanted) {
      return false;
    }
    ++at_;
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }

  // What stands between two quotes, escapes as they are.
  Result<std::string_view> text(const char* what) {
    if (!take('"')) {
      return wrong(what);
    }
    const std::size_t begin = at_;
    skip_text();
    if (at_ == text_.size()) {
      return wrong("the end of a text");
    }
    return text_.substr(begin, at_++ - begin);
  }

  // An object, up to the brace that closes it.
  Result<std::string_view> object() {
    skip_space();
    const std::size_t begin = at_;
    if (begin == text_.size() || text_[begin] != '{') {
      return wrong("an object under \"request\"");
    }
    std::size_t depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        skip_text();
        if (at_ == text_.size()) {
          break;
        }
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        ++at_;
        return text_.substr(begin, at_ - begin);
      }
    }
    return wrong("the end of \"request\"");
  }

  tl::unexpected<Error> wrong(const std::string& wanted) const {
    return fail(ErrorKind::malformed_request, "expected " + wanted + " at byte " + std::to_string(at_));
  }

 private:
  static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  // To the quote that ends the text, or to the end.
  void skip_text() {
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        ++at_;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

class Reader {
 public:
  explicit Reader(std::size_t most_entries) : most_(most_entries) {}

  Result<void> read_document(std::string_view text) {
    Cursor cursor(text);
    if (cursor.take('[')) {
      do {
        CC_TRY(read_item(cursor));
      } while (cursor.take(','));
      if (!cursor.take(']')) {
        return cursor.wrong("',' or ']' behind an item");
      }
    } else {
      CC_TRY(read_item(cursor));
    }
    return cursor.at_end() ? Result<void>() : cursor.wrong("nothing more behind the items");
  }

  Result<void> read_lines(std::string_view text) {
    std::size_t number = 0;
    while (!text.empty()) {
      ++number;
      const std::size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      Cursor cursor(line);
      if (cursor.at_end()) {
        continue;
      }
      Result<void> read = read_item(cursor);
      if (read && !cursor.at_end()) {
        read = cursor.wrong("nothing more behind the item");
      }
      if (!read) {
        return fail(read.error().kind, "line " + std::to_string(number) + ": " + read.error().message);
      }
    }
    return body_.items.empty() ? fail(ErrorKind::malformed_request, "there is no line with an item") : Result<void>();
  }

  ManyKeysBody take() { return std::move(body_); }

 private:
  Result<void> read_item(Cursor& cursor) {
    if (!cursor.take('{')) {
      return cursor.wrong(R"(an item, {"pubkeys":[…],"request":{…}})");
    }
    ManyKeysItem item;
    do {
      CC_ASSIGN(const std::string_view field, cursor.text("a field of an item"));
      if (!cursor.take(':')) {
        return cursor.wrong("':' behind a field");
      }
      CC_TRY(read_field(cursor, field, item));
    } while (cursor.take(','));
    if (!cursor.take('}')) {
      return cursor.wrong("',' or '}' in an item");
    }
    if (item.keys.empty() || item.request.empty()) {
      return fail(ErrorKind::malformed_request,
                  R"(an item needs "request", and "pubkeys" with at least one key or "pubkey")");
    }
    body_.items.push_back(std::move(item));
    return {};
  }

  Result<void> read_field(Cursor& cursor, std::string_view field, ManyKeysItem& item) {
    if (field == "request") {
      if (!item.request.empty()) {
        return fail(ErrorKind::malformed_request, R"(an item has "request" twice)");
      }
      CC_ASSIGN(item.request, cursor.object());
      return {};
    }
    if (field != "pubkey" && field != "pubkeys") {
      return fail(ErrorKind::malformed_request, "unknown field \"" + std::string(field.substr(0, 64)) +
                                                    R"(": an item has "pubkeys" or "pubkey", and "request")");
    }
    if (!item.keys.empty()) {
      return fail(ErrorKind::malformed_request, R"(an item has more than one of "pubkeys" and "pubkey")");
    }
    if (field == "pubkey") {
      return read_key(cursor, item);
    }
    if (!cursor.take('[')) {
      return cursor.wrong("a list under \"pubkeys\"");
    }
    do {
      CC_TRY(read_key(cursor, item));
    } while (cursor.take(','));
    return cursor.take(']') ? Result<void>() : cursor.wrong("',' or ']' in \"pubkeys\"");
  }

  Result<void> read_key(Cursor& cursor, ManyKeysItem& item) {
    CC_ASSIGN(const std::string_view key, cursor.text("a public key as a text"));
    if (body_.entries == most_) {
      return fail(ErrorKind::malformed_request,
                  "more than " + std::to_string(most_) + " signatures in one body; send several");
    }
    ++body_.entries;
    item.keys.push_back(key);
    return {};
  }

  const std::size_t most_;
  ManyKeysBody body_;
};

}  // namespace

Result<ManyKeysBody> read_many_keys(std::string_view body, ManyKeysForm form, std::size_t most_entries) {
  Reader reader(most_entries);
  CC_TRY(form == ManyKeysForm::lines ? reader.read_lines(body) : reader.read_document(body));
  return reader.take();
}

}  // namespace cc::api

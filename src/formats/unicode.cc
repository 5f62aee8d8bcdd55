#include "formats/unicode.h"

#include <utf8proc.h>

#include <bit>

namespace cc::unicode {
namespace {

constexpr std::size_t kLargest = std::size_t{16} << 20;

tl::unexpected<Error> not_text() {
  return fail(ErrorKind::passphrase_invalid, "the passphrase is not valid UTF-8 text: check the encoding of the input");
}

// Calls visit(code point) for each; false when the bytes are not UTF-8.
template <class Visit>
bool each_code_point(std::span<const std::uint8_t> bytes, Visit visit) {
  if (bytes.size() > kLargest) {
    return false;
  }
  std::size_t at = 0;
  while (at < bytes.size()) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t used =
        utf8proc_iterate(bytes.data() + at, static_cast<utf8proc_ssize_t>(bytes.size() - at), &code_point);
    if (used <= 0) {
      return false;
    }
    visit(code_point);
    at += static_cast<std::size_t>(used);
  }
  return true;
}

bool is_control(utf8proc_int32_t c) { return (c >= 0 && c <= 0x1f) || (c >= 0x7f && c <= 0x9f); }

// One normal form, wholly in locked memory: utf8proc's own allocating call would leave the text on the ordinary heap.
Result<SecretBytes> normalize(const SecretBytes& text, unsigned form, bool drop_controls) {
  const auto input = expose_secret_bytes(text);
  if (!each_code_point(input, [](utf8proc_int32_t) {})) {
    return not_text();
  }
  if (input.empty()) {
    return SecretBytes();
  }
  const auto options = std::bit_cast<utf8proc_option_t>(UTF8PROC_STABLE | form);
  const auto size = static_cast<utf8proc_ssize_t>(input.size());
  const utf8proc_ssize_t wanted = utf8proc_decompose(input.data(), size, nullptr, 0, options);
  if (wanted < 0) {
    return not_text();
  }
  // utf8proc_reencode writes UTF-8 over its own code points and one terminating byte behind them.
  SecretBytes work((static_cast<std::size_t>(wanted) + 1) * sizeof(utf8proc_int32_t));
  auto* const points = reinterpret_cast<utf8proc_int32_t*>(expose_secret_bytes(work).data());
  utf8proc_ssize_t count = utf8proc_decompose(input.data(), size, points, wanted, options);
  if (count != wanted) {
    return not_text();
  }
  if (drop_controls) {
    utf8proc_ssize_t kept = 0;
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      if (!is_control(points[i])) {
        points[kept++] = points[i];
      }
    }
    count = kept;
  }
  const utf8proc_ssize_t bytes = utf8proc_reencode(points, count, options);
  if (bytes < 0) {
    return not_text();
  }
  return SecretBytes::copy_of(expose_secret_bytes(std::as_const(work)).first(static_cast<std::size_t>(bytes)));
}

}  // namespace

bool is_utf8(std::string_view text) {
  return each_code_point({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, [](utf8proc_int32_t) {});
}

Result<SecretBytes> nfc(const SecretBytes& text) { return normalize(text, UTF8PROC_COMPOSE, false); }

Result<SecretBytes> nfkd(const SecretBytes& text) {
  return normalize(text, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, false);
}

Result<SecretBytes> eip2335_password(const SecretBytes& text) {
  return normalize(text, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, true);
}

Result<std::size_t> code_points(const SecretBytes& text) {
  std::size_t count = 0;
  if (!each_code_point(expose_secret_bytes(text), [&count](utf8proc_int32_t) { ++count; })) {
    return not_text();
  }
  return count;
}

}  // namespace cc::unicode

#include "base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

namespace cc::log {
namespace {

std::atomic<Level> g_level{Level::info};
std::atomic<Format> g_format{Format::text};

constexpr std::array<std::string_view, 5> kNames{"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};

// The length of the UTF-8 character that begins here; 0 when none does (RFC 3629).
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xc2 ? 0
                             : first < 0xe0 ? 2
                             : first < 0xf0 ? 3
                             : first < 0xf5 ? 4
                                            : 0;
  if (length == 0 || length > text.size()) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) {
      return 0;
    }
  }
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool out_of_range = (first == 0xed && byte(1) > 0x9f) || (first == 0xf4 && byte(1) > 0x8f);
  return overlong || out_of_range ? 0 : length;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0, length = 0; i < text.size(); i += std::max<std::size_t>(length, 1)) {
    length = character_length(text.substr(i));
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (length != 1) {
      out += length == 0 ? std::string_view("\\ufffd") : text.substr(i, length);
      continue;
    }
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

// A field's value in text form: bare when it is one plain word, else quoted and escaped.
std::string text_value(const std::string& value) {
  const bool plain =
      !value.empty() && value.find_first_of(" \"\\=\n\r\t") == std::string::npos && escaped(value) == value;
  return plain ? value : '"' + escaped(value) + '"';
}

std::string line(Level level, std::string_view message, Fields fields) {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::string time =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                  now.time_since_epoch().count() % 1000);
  const std::string_view name = kNames.at(static_cast<std::size_t>(level));
  std::string out;
  if (g_format == Format::json) {
    out = fmt::format(R"({{"time":"{}","level":"{}","message":"{}")", time, name, escaped(message));
    for (const Field& field : fields) {
      out += fmt::format(R"(,"{}":"{}")", escaped(field.name), escaped(field.value));
    }
    return out + "}";
  }
  out = fmt::format("{} {:5} {}", time, name, escaped(message));
  for (const Field& field : fields) {
    out += fmt::format(" {}={}", field.name, text_value(field.value));
  }
  return out;
}

spdlog::logger& sink() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("cc", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

}  // namespace

void configure(Level level, Format format) {
  g_level = level;
  g_format = format;
}

Level parse_level(std::string_view text) {
  if (const auto at = text.rfind('='); at != std::string_view::npos) {
    text = text.substr(at + 1);
  }
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    std::string lower;
    for (const char c : kNames.at(i)) {
      lower.push_back(static_cast<char>(c - 'A' + 'a'));
    }
    if (text == lower) {
      return static_cast<Level>(i);
    }
  }
  return Level::info;
}

bool enabled(Level level) { return level >= g_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view message, Fields fields) {
  if (level >= g_level) {
    sink().info("{}", line(level, message, fields));
  }
}

void always(std::string_view message, Fields fields) { sink().info("{}", line(Level::warn, message, fields)); }

}  // namespace cc::log

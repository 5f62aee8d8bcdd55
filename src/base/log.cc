#include "base/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

#include "base/printable.h"

namespace cc::log {
namespace {

std::atomic<Level> g_level{Level::info};
std::atomic<Format> g_format{Format::text};

constexpr std::array<std::string_view, 5> kNames{"TRACE", "DEBUG", "INFO", "WARN", "ERROR"};

std::string escaped(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted.push_back('\\');
    }
    quoted.push_back(c);
  }
  return printable(quoted);
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

// Structured log lines: a message and named fields. Text for people or JSON for machines, on stderr. Control characters
// are escaped and what is not UTF-8 is replaced, so that no caller can forge or break a line.
// Never log a secret; the setup token of a first boot is the one exception the operations guide asks for.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace cc::log {

enum class Level { trace, debug, info, warn, error };
enum class Format { text, json };

struct Field {
  std::string_view name;
  std::string value;
  Field(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(v) {}
  Field(std::string_view n, std::uint64_t v) : name(n), value(std::to_string(v)) {}
};
using Fields = std::initializer_list<Field>;

// Sets level and format of the process; call once at start. Lines before that are text at level info.
void configure(Level level, Format format);
// Reads "debug" as well as RUST_LOG's "containment_chamber=debug"; info when it says nothing we know.
Level parse_level(std::string_view text);

// Whether lines of this level are written, for callers whose fields cost something.
bool enabled(Level level);
void write(Level level, std::string_view message, Fields fields = {});
inline void debug(std::string_view message, Fields fields = {}) { write(Level::debug, message, fields); }
inline void info(std::string_view message, Fields fields = {}) { write(Level::info, message, fields); }
inline void warn(std::string_view message, Fields fields = {}) { write(Level::warn, message, fields); }
inline void error(std::string_view message, Fields fields = {}) { write(Level::error, message, fields); }
// Written whatever the level is, and flushed before the call returns.
void always(std::string_view message, Fields fields = {});

}  // namespace cc::log

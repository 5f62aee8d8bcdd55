#include "adapters/postgres/options.h"

#include <libpq-fe.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

namespace cc::postgres {
namespace {

constexpr const char* kSystemRoots = "/etc/ssl/certs/ca-certificates.crt";

using Keywords = std::map<std::string, std::string>;

tl::unexpected<Error> wrong(std::string message) { return fail(ErrorKind::config_invalid, std::move(message)); }

bool only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}
constexpr std::string_view kWord = "abcdefghijklmnopqrstuvwxyz0123456789_";
constexpr std::string_view kDigits = "0123456789";

// libpq's own words on a bad URL may quote a piece of the password, so they are not passed on.
Result<Keywords> parse_url(const SecretBytes& url) {
  const auto raw = expose_secret_bytes(url);
  std::string text(raw.begin(), raw.end());
  char* reason = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(PQconninfoParse(text.c_str(), &reason),
                                                                            &PQconninfoFree);
  wipe(text);
  if (reason != nullptr) {
    wipe({reinterpret_cast<std::uint8_t*>(reason), std::char_traits<char>::length(reason)});
    PQfreemem(reason);
  }
  if (!parsed) {
    return wrong(
        "anti_slashing.postgres.url is no PostgreSQL URL: postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…, "
        "with "
        "special characters of the password percent-encoded");
  }
  Keywords out;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) {
      out[option->keyword] = option->val;
    }
  }
  return out;
}

Result<SecretBytes> read_password(const std::string& path) {
  constexpr std::size_t kMost = 4096;
  std::ifstream in(path, std::ios::binary);
  std::string line;
  line.reserve(kMost);
  for (char c = 0; line.size() < kMost && in.get(c) && c != '\n' && c != '\r';) {
    line.push_back(c);
  }
  if (line.empty() || line.size() == kMost) {
    wipe(line);
    return wrong("anti_slashing.postgres.password_file " + path +
                 " cannot be read, or holds no password in its first line");
  }
  SecretBytes out = SecretBytes::copy_of(std::string_view(line));
  wipe(line);
  return out;
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (true) {
    const std::size_t comma = list.find(',', from);
    out.push_back(list.substr(from, comma - from));
    if (comma == std::string::npos) {
      return out;
    }
    from = comma + 1;
  }
}

bool is_here(const std::string& host) {
  return host.starts_with('/') || host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && only(host, "0123456789."));
}

// A URL whose password was not percent-encoded is read askew: pieces of it come out as host, port or database, and
// would stand in error texts.
Result<void> check_address(const Keywords& words) {
  for (const char* needed : {"host", "dbname", "user"}) {
    if (!words.contains(needed)) {
      return wrong("anti_slashing.postgres needs a host, a database and a user (or a url that names all three)");
    }
  }
  for (const auto& [word, value] : words) {
    const bool bad = (word == "host" && (value.empty() || value.find_first_of("@ ?#'\"\\") != std::string::npos)) ||
                     (word == "port" && !only(value, "0123456789,")) ||
                     ((word == "dbname" || word == "user") && value.find_first_of("@=/'\"\\") != std::string::npos);
    if (bad) {
      return wrong("anti_slashing.postgres: the " + (word == "dbname" ? std::string("database") : word) +
                   " holds a character that does not belong there; percent-encode the special characters of a "
                   "password in a url");
    }
  }
  return {};
}

Result<void> settle_tls(Keywords& words, Options& out) {
  std::string& mode = words["sslmode"];
  if (mode.empty()) {
    mode = "verify-full";
  }
  if (mode == "disable") {
    for (const std::string& host : split(words["host"])) {
      if (!is_here(host)) {
        return wrong("anti_slashing.postgres: sslmode disable is for a Unix socket or a loopback address only, and " +
                     host + " is neither: use verify-full with sslrootcert");
      }
    }
    return {};
  }
  if (mode != "verify-full" && mode != "verify-ca" && mode != "require") {
    return wrong(
        "anti_slashing.postgres: sslmode must be verify-full, verify-ca, require or disable; the modes that fall "
        "back to plain text are not allowed");
  }
  out.unauthenticated_server = mode == "require" && words["sslrootcert"].empty();
  std::error_code error;
  if (mode != "require" && words["sslrootcert"].empty() && std::filesystem::exists(kSystemRoots, error)) {
    words["sslrootcert"] = kSystemRoots;
  }
  for (const char* file : {"sslrootcert", "sslcert", "sslkey"}) {
    if (!words[file].empty() && !std::filesystem::exists(words[file], error)) {
      return wrong(std::string("anti_slashing.postgres.") + file + ": " + words[file] + " does not exist");
    }
  }
  return {};
}

Result<void> check_schema(const std::string& schema) {
  const bool good = !schema.empty() && schema.size() <= 63 && only(schema, kWord) &&
                    !only(schema.substr(0, 1), kDigits) && !schema.starts_with("pg_");
  return good ? Result<void>()
              : wrong(
                    "anti_slashing.postgres.schema must be lower-case letters, digits and _, at most 63, not starting "
                    "with a digit or pg_");
}

}  // namespace

Result<Options> check(Settings settings) {
  Keywords words;
  if (!settings.url.empty()) {
    CC_ASSIGN(words, parse_url(settings.url));
  }
  const std::pair<const char*, std::string*> single[] = {
      {"host", &settings.host},       {"port", &settings.port},       {"dbname", &settings.database},
      {"user", &settings.user},       {"sslmode", &settings.sslmode}, {"sslrootcert", &settings.sslrootcert},
      {"sslcert", &settings.sslcert}, {"sslkey", &settings.sslkey}};
  for (const auto& [word, value] : single) {
    if (!value->empty()) {
      words[word] = *value;
    }
  }
  Options out;
  if (const auto password = words.find("password"); password != words.end()) {
    out.password = SecretBytes::copy_of(std::string_view(password->second));
    wipe(password->second);
    words.erase(password);
  }
  if (!settings.password_file.empty()) {
    CC_ASSIGN(out.password, read_password(settings.password_file));
  } else if (!settings.password.empty()) {
    out.password = std::move(settings.password);
  }
  CC_TRY(check_address(words));
  CC_TRY(settle_tls(words, out));
  CC_TRY(check_schema(settings.schema));
  words.try_emplace("port", "5432");
  // Nothing is left to the environment or to chance.
  words.try_emplace("application_name", "containment-chamber");
  words["gssencmode"] = "disable";
  words["client_encoding"] = "UTF8";
  words.try_emplace("target_session_attrs", words["host"].find(',') == std::string::npos ? "any" : "read-write");
  words["connect_timeout"] = std::to_string(settings.connect_timeout_seconds);
  out.place = "PostgreSQL database " + words["dbname"] + " on " + words["host"] + ":" + words["port"] + ", schema " +
              settings.schema;
  out.schema = std::move(settings.schema);
  out.pool_size = settings.pool_size;
  out.connect_timeout = std::chrono::seconds(settings.connect_timeout_seconds);
  out.timeout = std::chrono::seconds(settings.timeout_seconds);
  out.keywords.assign(words.begin(), words.end());
  std::erase_if(out.keywords, [](const auto& word) { return word.second.empty(); });
  return out;
}

}  // namespace cc::postgres

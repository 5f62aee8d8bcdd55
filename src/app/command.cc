#include "app/command.h"

#include <CLI/Validators.hpp>
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <iostream>

#include "app/many_signers.h"
#include "base/printable.h"

namespace cc::app {
namespace {

namespace json = boost::json;

void write_indented(const json::value& value, const std::string& indent, std::string& out);

// One line in the guide's spelling, `{"a": 1, "b": [2]}`.
void write_line(const json::value& value, std::string& out) {
  const char* separator = "";
  if (const json::object* object = value.if_object()) {
    out += "{";
    for (const auto& [name, member] : *object) {
      out += separator + json_quoted(name) + ": ";
      write_line(member, out);
      separator = ", ";
    }
    out += "}";
  } else if (const json::array* array = value.if_array()) {
    out += "[";
    for (const json::value& item : *array) {
      out += separator;
      write_line(item, out);
      separator = ", ";
    }
    out += "]";
  } else {
    out += json::serialize(value);
  }
}

void write_value(const json::value& value, const std::string& indent, std::string& out) {
  constexpr std::size_t kLine = 100;
  std::string line;
  write_line(value, line);
  if (line.size() + indent.size() <= kLine || !(value.is_object() || value.is_array())) {
    out += line;
  } else {
    write_indented(value, indent, out);
  }
}

void write_indented(const json::value& value, const std::string& indent, std::string& out) {
  const std::string inner = indent + "  ";
  const char* separator = "\n";
  const json::object* object = value.if_object();
  out += object != nullptr ? "{" : "[";
  if (object != nullptr) {
    for (const auto& [name, member] : *object) {
      out += separator + inner + json_quoted(name) + ": ";
      write_value(member, inner, out);
      separator = ",\n";
    }
  } else {
    for (const json::value& item : value.as_array()) {
      out += separator + inner;
      write_value(item, inner, out);
      separator = ",\n";
    }
  }
  out += "\n" + indent + (object != nullptr ? "}" : "]");
}

// The one text of several lines in a reply; nobody can read an armored file with its line ends escaped.
constexpr std::string_view kArmoredFile = "backup";

// "seal.status: unsealed", one line per value.
void write_text(const json::value& value, const std::string& path, std::string& out) {
  const auto below = [&path](std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  };
  if (const json::object* object = value.if_object()) {
    for (const auto& [name, member] : *object) {
      write_text(member, below(name), out);
    }
  } else if (const json::array* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      write_text((*array)[i], below(std::to_string(i)), out);
    }
  } else {
    const std::string text = value.is_string() ? std::string(value.as_string()) : json::serialize(value);
    out +=
        printable(path) + ": " + printable(text, path == kArmoredFile ? LineBreaks::kept : LineBreaks::escaped) + "\n";
  }
}

}  // namespace

void print_reply(const json::value& reply, const std::string& output) {
  std::string out;
  if (output == "text") {
    write_text(reply, "", out);
  } else {
    write_value(reply, "", out);
    out += "\n";
  }
  // Strings in JSON have their line ends escaped already.
  std::string shown = printable(out, LineBreaks::kept);
  std::cout << shown << std::flush;
  wipe(shown);
  wipe(out);
}

void advise(const std::string& text) { std::cerr << printable(text, LineBreaks::kept) << std::endl; }

void add_output_option(CLI::App& command, std::string& output) {
  command.add_option("--output", output, "json for machines, text for people")
      ->check(CLI::IsMember({"json", "text"}))
      ->capture_default_str();
}

void add_signer_options(CLI::App& command, SignerOptions& options) {
  command.add_option("--signer-url", options.urls, "Address of the signer; several may be given")
      ->expected(1)
      ->take_all()
      ->default_str("http://localhost:9000");
  command.add_flag("--allow-plaintext-signer", options.allow_plaintext,
                   "Send secrets over plain HTTP to another machine");
  command.add_option(
      "--ca-cert", options.tls.ca_path,
      "PEM file of the authority that the signer's certificate must come from, in place of the system's");
  command.add_option("--client-cert", options.tls.certificate_path, "PEM file of a certificate to show to the signer");
  command.add_option("--client-key", options.tls.key_path, "PEM file of its key, when it is not in the same file");
  add_output_option(command, options.output);
}

void add_auth_option(CLI::App& command, SignerOptions& options) {
  command.add_option("--auth-token", options.auth_token, "Token of an auth policy, or env:NAME");
}

Result<SecretBytes> token_of(const std::string& flag_value, const std::string& flag_name) {
  auto token = resolve_secret(flag_value, process_environment(), flag_name);
  if (!token) {
    return fail(ErrorKind::usage, token.error().message);
  }
  return token;
}

Result<SignerClient> signer_at(const SignerOptions& options, const std::string& url) {
  return SignerClient::make(url, options.allow_plaintext, options.tls);
}

Result<SignerClient> single_signer(const SignerOptions& options) {
  if (options.urls.size() != 1) {
    return fail(ErrorKind::usage, "this command talks to one signer: give --signer-url once");
  }
  return signer_at(options, options.urls.front());
}

Result<json::value> talk_to_one(const SignerOptions& options, const Dialogue& dialogue) {
  CC_ASSIGN(const SignerClient client, single_signer(options));
  CC_ASSIGN(json::value reply, dialogue(client));
  print_reply(reply, options.output);
  return reply;
}

Result<void> talk_to_signers(const SignerOptions& options, const Dialogue& dialogue, const AfterReply& after) {
  if (options.urls.size() != 1) {
    return talk_to_many(options, dialogue, after);
  }
  CC_ASSIGN(const SignerClient client, single_signer(options));
  CC_ASSIGN(const json::value reply, dialogue(client));
  print_reply(reply, options.output);
  if (after) {
    after(client.url(), reply);
  }
  return {};
}

Result<json::value> ask_one(const SignerOptions& options, const SignerCall& call) {
  return talk_to_one(options, [&call](const SignerClient& client) {
    return client.call(call.method, call.path, call.token, call.body());
  });
}

Result<void> ask_signers(const SignerOptions& options, const SignerCall& call, const AfterReply& after) {
  return talk_to_signers(
      options,
      [&call](const SignerClient& client) { return client.call(call.method, call.path, call.token, call.body()); },
      after);
}

Result<std::vector<std::string>> split_list(const std::string& text, const std::string& flag_name) {
  std::vector<std::string> out;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    std::string item = text.substr(start, comma - start);
    item.erase(0, item.find_first_not_of(' '));
    item.erase(item.find_last_not_of(' ') + 1);
    if (item.empty()) {
      return fail(ErrorKind::usage, flag_name + " holds an empty name");
    }
    out.push_back(std::move(item));
    start = comma + 1;
  }
  return out;
}

Result<std::uint64_t> parse_count(const std::string& text, const std::string& flag_name, std::uint64_t maximum) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text.front() == '0') ||
      value > maximum) {
    return fail(ErrorKind::usage, flag_name + " must be a whole number up to " + std::to_string(maximum));
  }
  return value;
}

std::string json_list(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) {
    out += (out.size() == 1 ? "" : ",") + json_quoted(item);
  }
  return out + "]";
}

void add_store_options(CLI::App& command, StoreOptions& options) {
  command.add_option("-c,--config", options.config, "Configuration file (YAML) of the signer whose stores are meant");
  command.add_option("--data-dir", options.data_dir, "Data directory of that signer");
  add_output_option(command, options.output);
}

Result<Config> load_store_config(const StoreOptions& options) {
  ConfigSources sources{std::nullopt, process_environment(), {}};
  if (!options.config.empty()) {
    sources.file = options.config;
  }
  if (!options.data_dir.empty()) {
    sources.flags.push_back({"data_dir", options.data_dir});
  }
  return load_config(sources);
}

}  // namespace cc::app

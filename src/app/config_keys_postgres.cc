// The rows of the configuration table for the PostgreSQL slashing store.
#include "app/config_table.h"

namespace cc::app {
namespace {

#define CC_AT(type, member)                                                                            \
  AnySlot {                                                                                            \
    Slot<type> {                                                                                       \
      [](Config& config, const std::string&) -> type& { return config.anti_slashing.postgres.member; } \
    }                                                                                                  \
  }

std::vector<ConfigKey> address_keys() {
  return {
      {.path = "anti_slashing.postgres.url",
       .slot = CC_AT(SecretBytes, url),
       .standard = "",
       .help =
           "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=…; env:NAME reads it from the environment. The keys "
           "below count before it.",
       .standard_note = "the keys below",
       .old_paths_list = "anti_slashing.url,antislashing.url"},
      {.path = "anti_slashing.postgres.host",
       .slot = CC_AT(std::string, host),
       .standard = "",
       .help = "Host name, address, or the folder of a Unix socket.",
       .standard_note = "of the url"},
      {.path = "anti_slashing.postgres.port",
       .slot = CC_AT(std::string, port),
       .standard = "",
       .help = "Port of the server.",
       .standard_note = "of the url, else 5432"},
      {.path = "anti_slashing.postgres.database",
       .slot = CC_AT(std::string, database),
       .standard = "",
       .help = "Name of the database.",
       .standard_note = "of the url"},
      {.path = "anti_slashing.postgres.user",
       .slot = CC_AT(std::string, user),
       .standard = "",
       .help = "Who connects.",
       .standard_note = "of the url"},
      {.path = "anti_slashing.postgres.password",
       .slot = CC_AT(SecretBytes, password),
       .standard = "",
       .help = "The user's password; env:NAME reads it from the environment.",
       .standard_note = "of the url"},
      {.path = "anti_slashing.postgres.password_file",
       .slot = CC_AT(std::string, password_file),
       .standard = "",
       .help = "File whose first line is the password.",
       .standard_note = "none"},
      {.path = "anti_slashing.postgres.schema",
       .slot = CC_AT(std::string, schema),
       .standard = "containment_chamber",
       .help = "Schema of the tables; made when it is missing. Each network needs one of its own."},
  };
}

std::vector<ConfigKey> transport_keys() {
  return {
      {.path = "anti_slashing.postgres.sslmode",
       .slot = CC_AT(std::string, sslmode),
       .standard = "",
       .help = "verify-full checks the server's certificate and name; verify-ca and require check less; disable is "
               "taken for a Unix socket or a loopback address only.",
       .standard_note = "of the url, else verify-full"},
      {.path = "anti_slashing.postgres.sslrootcert",
       .slot = CC_AT(std::string, sslrootcert),
       .standard = "",
       .help = "PEM file of the authorities that may vouch for the server.",
       .standard_note = "of the url, else the system's"},
      {.path = "anti_slashing.postgres.sslcert",
       .slot = CC_AT(std::string, sslcert),
       .standard = "",
       .help = "PEM file of the client certificate.",
       .standard_note = "none"},
      {.path = "anti_slashing.postgres.sslkey",
       .slot = CC_AT(std::string, sslkey),
       .standard = "",
       .help = "PEM file of the client certificate's key.",
       .standard_note = "none"},
      {.path = "anti_slashing.postgres.pool_size",
       .slot = CC_AT(std::uint64_t, pool_size),
       .standard = "4",
       .help = "Most connections at once. Signatures share transactions, so few are enough.",
       .minimum = 1,
       .maximum = 64,
       .old_paths_list = "anti_slashing.pool_size,antislashing.pool_size"},
      {.path = "anti_slashing.postgres.connect_timeout_seconds",
       .slot = CC_AT(std::uint64_t, connect_timeout_seconds),
       .standard = "5",
       .help = "How long one attempt to connect may take.",
       .minimum = 1,
       .maximum = 20},
      {.path = "anti_slashing.postgres.timeout_seconds",
       .slot = CC_AT(std::uint64_t, timeout_seconds),
       .standard = "10",
       .help = "How long a transaction may take, waiting for other signers included; then 503.",
       .minimum = 1,
       .maximum = 25},
  };
}
#undef CC_AT

}  // namespace

std::vector<ConfigKey> postgres_keys() {
  std::vector<ConfigKey> out = address_keys();
  for (ConfigKey& key : transport_keys()) {
    out.push_back(key);
  }
  return out;
}

}  // namespace cc::app

// The rows of the configuration table for TLS and for what browsers may ask.
#include "app/config_slots.h"

namespace cc::app {
namespace {

constexpr std::uint64_t kDay = 86'400;

}  // namespace

std::vector<ConfigKey> tls_keys() {
  return {
      {.path = "tls.mode",
       .slot = CC_AT(std::string, tls.mode),
       .standard = "disabled",
       .help = "file serves the API over TLS too, on a listener of its own, with a certificate and key from PEM files.",
       .choices_list = "disabled,file"},
      {.path = "tls.listen_address",
       .slot = CC_AT(std::string, tls.listen_address),
       .standard = "",
       .help = "Address of the TLS listener.",
       .standard_note = "that of the API listener"},
      {.path = "tls.listen_port",
       .slot = CC_AT(std::uint64_t, tls.listen_port),
       .standard = "9443",
       .help = "Port of the TLS listener; 0 takes any free port and logs it.",
       .maximum = 65535},
      {.path = "tls.minimum_version",
       .slot = CC_AT(std::string, tls.minimum_version),
       .standard = "1.2",
       .help = "Oldest TLS version taken.",
       .choices_list = "1.2,1.3"},
      {.path = "tls.handshake_timeout_seconds",
       .slot = CC_AT(std::uint64_t, tls.handshake_timeout_seconds),
       .standard = "10",
       .help = "How long a TLS handshake may take.",
       .minimum = 1,
       .maximum = kDay},
      {.path = "tls.file.cert_path",
       .slot = CC_AT(std::string, tls.file.cert_path),
       .standard = "",
       .help = "PEM file with the certificate, then its chain.",
       .standard_note = "required with tls.mode: file"},
      {.path = "tls.file.key_path",
       .slot = CC_AT(std::string, tls.file.key_path),
       .standard = "",
       .help = "PEM file with the certificate's private key; keep it 0600.",
       .standard_note = "required with tls.mode: file"},
      {.path = "tls.file.key_password",
       .slot = CC_AT(SecretBytes, tls.file.key_password),
       .standard = "",
       .help = "Password of that key, when it has one; env:NAME reads it from the environment.",
       .standard_note = "none"},
      {.path = "tls.file.reload_interval_seconds",
       .slot = CC_AT(std::uint64_t, tls.file.reload_interval_seconds),
       .standard = "60",
       .help = "How often the files are looked at for a new pair; 0 leaves that to SIGHUP.",
       .maximum = kDay},
      {.path = "tls.client.mode",
       .slot = CC_AT(std::string, tls.client.mode),
       .standard = "none",
       .help = "Client certificates: none are asked for; optional checks one that is shown; required refuses callers "
               "without.",
       .choices_list = "none,optional,required"},
      {.path = "tls.client.ca_path",
       .slot = CC_AT(std::string, tls.client.ca_path),
       .standard = "",
       .help = "PEM file of the authorities that vouch for clients.",
       .standard_note = "none"},
      {.path = "tls.client.allowed",
       .slot = CC_AT(TextList, tls.client.allowed),
       .standard = "",
       .help =
           "Common names or alternative names (DNS, mail, URI) of the clients let in, of those the authorities vouch "
           "for.",
       .standard_note = "all of them"},
      {.path = "tls.client.known_clients_path",
       .slot = CC_AT(std::string, tls.client.known_clients_path),
       .standard = "",
       .help = "Web3Signer's known-clients file: lines of a common name and a SHA-256 fingerprint, let in without an "
               "authority.",
       .standard_note = "none"},
      {.path = "http.host_allowlist",
       .slot = CC_AT(TextList, http.host_allowlist),
       .standard = "",
       .help = "Names (without port) by which clients may call the API in their Host header; * takes all. Old client "
               "set-ups without auth_policies need theirs here.",
       .standard_note = "all with auth_policies or over TLS; else IP addresses, localhost and names without a dot"},
      {.path = "http.origin_allowlist",
       .slot = CC_AT(TextList, http.origin_allowlist),
       .standard = "",
       .help = "Origins (https://host) of web pages that may call the API; * takes all.",
       .standard_note = "none but the signer's own"},
  };
}

}  // namespace cc::app

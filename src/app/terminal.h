// Reading secrets from the person at the terminal or from stdin. The text goes straight into locked memory.
#pragma once

#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace cc::app {

inline constexpr std::size_t kMaxSecretLine = 64UL * 1024;

// One line without its ending (LF or CR LF), read byte by byte so that what follows stays for the next reader.
// Errors: usage when there is nothing to read, or more than kMaxSecretLine.
Result<SecretBytes> read_secret_line(int descriptor, const std::string& what);

// Asks on the controlling terminal without echo; an interrupt restores the terminal first. Errors: usage without one,
// naming the flag that reads stdin instead, and for a line so long that the terminal may have cut it.
Result<SecretBytes> prompt_secret(const std::string& question, const std::string& stdin_flag = "--passphrase-stdin");
// Asks twice and compares. Errors: passphrase_too_short after the first answer, usage when the answers differ.
Result<SecretBytes> prompt_new_secret(const std::string& question);

// The whole of a file, at most `limit` bytes, for files that hold secrets. Errors: usage naming the file.
Result<SecretBytes> read_secret_file(const std::string& path, std::size_t limit);

}  // namespace cc::app

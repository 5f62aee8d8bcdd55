// Reads a vector file of tests/vectors: one case per line, fields separated by one space, `-` for an empty field, lines
// that begin with # explain.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace cc::test {

using VectorRow = std::vector<std::string>;

// `path` lies under tests/vectors. Every row has `fields` fields, and there is at least one row.
inline std::vector<VectorRow> read_vectors(const std::string& path, std::size_t fields) {
  std::ifstream file(std::string(CC_SOURCE_DIR) + "/tests/vectors/" + path);
  std::vector<VectorRow> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') {
      continue;
    }
    std::istringstream words(line);
    VectorRow row;
    for (std::string word; words >> word;) {
      row.push_back(word == "-" ? "" : word);
    }
    if (row.size() != fields) {
      std::string message = path;
      message.append(": a row has ").append(std::to_string(row.size())).append(" fields: ").append(line);
      throw std::runtime_error(message);
    }
    rows.push_back(row);
  }
  if (rows.empty()) {
    throw std::runtime_error(path + ": no rows");
  }
  return rows;
}

inline Bytes hex(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes) {
    throw std::runtime_error("not hexadecimal: " + std::string(text));
  }
  return *bytes;
}

}  // namespace cc::test

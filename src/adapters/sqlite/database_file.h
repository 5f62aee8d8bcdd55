// The file under a database: made privately, flushed with its folder.
#pragma once

#include <string>

#include "adapters/sqlite/database.h"
#include "base/result.h"

namespace cc::sqlite {

// Makes the folder (0700) and an empty file (0600) when they are missing, both flushed; takes rights on an existing
// file away from group and others. Errors: store_unavailable; not_found with OpenMode::existing_only.
Result<void> make_private_file(const std::string& path, OpenMode mode);
// Flushes the folder of a file, so that the file's name survives a power cut. Errors: store_unavailable.
Result<void> flush_folder_of(const std::string& path);
// The path with symbolic links resolved, so that one file has one lock.
std::string resolved(const std::string& path);

}  // namespace cc::sqlite

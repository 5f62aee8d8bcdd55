// Text of strangers made fit for a terminal, a log line and JSON: whatever is no visible character stands as \u001b.
// Control characters of both sets (C0, DEL, C1), line separators and marks that turn the direction of writing are
// escaped; what is not UTF-8 becomes \ufffd. A text without any of them comes back as it is.
#pragma once

#include <string>
#include <string_view>

namespace cc {

enum class LineBreaks { escaped, kept };

std::string printable(std::string_view text, LineBreaks breaks = LineBreaks::escaped);

}  // namespace cc

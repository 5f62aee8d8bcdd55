// "Did you mean": the word of a list that takes the fewest edits to reach.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cc::app {

// Insertions, deletions, replacements and swaps of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b);
// Empty when the list is empty.
std::string nearest(std::string_view word, std::span<const std::string> words);

}  // namespace cc::app

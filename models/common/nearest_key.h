#pragma once

#include <string>
#include <vector>

namespace imssa {

/// The known key that `key` is most likely a misspelling of: the one with the fewest insertions, deletions,
/// substitutions and swaps of neighbours, at most a third of the key's length (or 2) and half of its own. "" when none
/// is near.
std::string nearest_key(const std::vector<std::string>& known, const std::string& key);

}  // namespace imssa

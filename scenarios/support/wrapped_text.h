#pragma once

#include <cstdio>
#include <string>

namespace imssa {

/// Prints words in lines of at most `width` columns; lines after the first are indented by `indent` spaces.
inline void print_wrapped(std::FILE* out, const std::string& text, int indent, std::size_t width = 118) {
    std::string line;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t next = text.find(' ', at);
        const std::string word = text.substr(at, next == std::string::npos ? next : next - at);
        if (!line.empty() && line.size() + 1 + word.size() > width) {
            std::fprintf(out, "%s\n", line.c_str());
            line = std::string(static_cast<std::size_t>(indent), ' ') + word;
        } else {
            line += (at == 0 ? "" : " ") + word;
        }
        at = next == std::string::npos ? text.size() : next + 1;
    }
    std::fprintf(out, "%s\n", line.c_str());
}

}  // namespace imssa

#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace imssa::testing {

struct Change {
    long time_ps = 0;
    long value = 0;
};

/// Changes of every variable by its full name. Vectors are two's complement; shorter ones are filled up with zeros.
inline std::map<std::string, std::vector<Change>> parse_vcd(const std::string& path) {
    std::ifstream file(path);
    std::map<std::string, std::string> names;   // by identifier
    std::map<std::string, std::size_t> widths;  // by identifier
    std::map<std::string, std::vector<Change>> changes;
    std::vector<std::string> scopes;
    std::string line;
    long time = 0;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string word, kind, width, id, name;
        words >> word;
        if (word == "$scope") {
            words >> kind >> name;
            scopes.push_back(name);
        } else if (word == "$upscope") {
            scopes.pop_back();
        } else if (word == "$var") {
            words >> kind >> width >> id >> name;
            std::string full;
            for (const std::string& scope : scopes) {
                full += scope + ".";
            }
            names[id] = full + name;
            widths[id] = std::stoul(width);
        } else if (!word.empty() && word[0] == '#') {
            time = std::stol(word.substr(1));
        } else if (!word.empty() && word[0] == 'b') {
            words >> id;
            const std::string bits = word.substr(1);
            long value = bits[0] == '1' && bits.size() == widths.at(id) ? -1 : 0;
            for (const char bit : bits) {
                value = value * 2 + (bit - '0');
            }
            changes[names.at(id)].push_back({time, value});
        } else if (!word.empty() && (word[0] == '0' || word[0] == '1') && names.count(word.substr(1)) > 0) {
            changes[names.at(word.substr(1))].push_back({time, word[0] - '0'});
        }
    }
    return changes;
}

/// Width of every variable by its full name.
inline std::map<std::string, std::size_t> vcd_widths(const std::string& path) {
    std::ifstream file(path);
    std::map<std::string, std::size_t> widths;
    std::string scope, line;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        std::string word, kind, width, id, name;
        words >> word >> kind >> width >> id >> name;
        if (word == "$scope") {
            scope += width + ".";
        } else if (word == "$upscope") {
            scope.pop_back();
            scope.erase(scope.find_last_of('.') + 1);
        } else if (word == "$var") {
            widths[scope + name] = std::stoul(width);
        }
    }
    return widths;
}

}  // namespace imssa::testing

#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

/// What a configuration is before structs read it: a tree of values that know where they stood. Only
/// config.cpp needs this.
namespace imssa {

/// One value of a configuration, whatever it was read from, and where it stood.
struct ConfigNode {
    enum class Kind { kTable, kArray, kBool, kInteger, kUnsigned, kFloat, kString, kDate, kNull };

    Kind kind = Kind::kTable;
    std::string where;  ///< "x.toml:3", "--set a.b=c" or the name of the source
    bool boolean = false;
    std::int64_t integer = 0;
    std::uint64_t unsigned_integer = 0;  ///< kUnsigned: an integer above the signed range (JSON only)
    double number = 0.0;
    std::string text;
    std::vector<std::string> keys;   ///< of a table, in the order of the source
    std::vector<ConfigNode> values;  ///< of a table or an array
    bool from_override = false;
    bool json = false;                            ///< JSON writes infinities as strings
    mutable std::vector<std::string> known_keys;  ///< what structs have asked this table for

    const ConfigNode* child(const std::string& key) const {
        const auto found = std::find(keys.begin(), keys.end(), key);
        return found == keys.end() ? nullptr : &values[found - keys.begin()];
    }
    ConfigNode* child(const std::string& key) {
        return const_cast<ConfigNode*>(static_cast<const ConfigNode*>(this)->child(key));
    }
    void add(const std::string& key, ConfigNode value) {
        keys.push_back(key);
        values.push_back(std::move(value));
    }
};

/// Parses TOML text and applies overrides of the form "a.b.c=value" in their order. Throws UserError.
ConfigNode parse_config(const std::string& text, const std::string& source_name,
                        const std::vector<std::string>& overrides);

/// The same tree from JSON. Throws UserError unless json is an object.
ConfigNode config_from_json(const nlohmann::ordered_json& json, const std::string& source_name);

/// The node at a dotted path (a number picks an entry of an array), or null.
const ConfigNode* find_node(const ConfigNode& root, const std::string& dotted_key);

/// "integer", "table" and so on.
const char* kind_name(ConfigNode::Kind kind);

inline std::string in_quotes(const std::string& text) {
    return "'" + text + "'";
}

/// Throws UserError "where: what" on one line.
[[noreturn]] void fail_config(const std::string& where, const std::string& what);
/// Throws UserError "where: key 'path' must be <expected>, got <type>".
[[noreturn]] void fail_type(const ConfigNode& node, const std::string& path, const char* expected);

}  // namespace imssa

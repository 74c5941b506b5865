#include "models/common/config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "models/common/config_tree.h"
#include "models/common/nearest_key.h"

namespace imssa {

using Kind = ConfigNode::Kind;

namespace {

std::string joined(const std::string& path, const std::string& key) {
    return path.empty() ? key : path + "." + key;
}

/// The dotted path of a table below node that knows the key, or "".
std::string find_known(const ConfigNode& node, const std::string& path, const std::string& key) {
    const auto& known = node.known_keys;
    if (std::find(known.begin(), known.end(), key) != known.end()) {
        return path + key;
    }
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
        std::string found = find_known(node.values[i], path + node.keys[i] + ".", key);
        if (!found.empty()) {
            return found;
        }
    }
    return "";
}

void reject_unknown(const ConfigNode& root, const ConfigNode& node, const std::string& path) {
    for (std::size_t i = 0; i < node.values.size(); ++i) {
        const ConfigNode& value = node.values[i];
        if (node.kind == Kind::kArray) {
            if (!value.known_keys.empty()) {
                reject_unknown(root, value, path + "[" + std::to_string(i) + "]");
            }
            continue;
        }
        const std::string& key = node.keys[i];
        const std::string full = joined(path, key);
        const auto& known = node.known_keys;
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            std::string suggestion = nearest_key(known, key);
            if (suggestion.empty()) {
                suggestion = find_known(root, "", key);
            }
            fail_config(value.where, "unknown key " + in_quotes(full) +
                                         (suggestion.empty() ? "" : " (did you mean " + in_quotes(suggestion) + "?)"));
        }
        reject_unknown(root, value, full);
    }
}

void collect_overrides(const ConfigNode& node, std::vector<std::string>& names) {
    if (node.from_override && std::find(names.begin(), names.end(), node.where) == names.end()) {
        names.push_back(node.where);
    }
    for (const ConfigNode& value : node.values) {
        collect_overrides(value, names);
    }
}

}  // namespace

ConfigReader::ConfigReader(std::unique_ptr<ConfigNode> root, std::string source_name)
    : root_(std::move(root)), source_name_(std::move(source_name)), position_{root_.get(), ""} {}
ConfigReader::ConfigReader(ConfigReader&&) noexcept = default;
ConfigReader& ConfigReader::operator=(ConfigReader&&) noexcept = default;
ConfigReader::~ConfigReader() = default;

ConfigReader ConfigReader::from_file(const std::string& path, const std::vector<std::string>& overrides) {
    if (std::filesystem::is_directory(path)) {
        fail_config(path, "is a folder, not a TOML file; name a file in it");
    }
    std::error_code error;
    if (std::filesystem::is_character_file(path, error) || std::filesystem::is_block_file(path, error)) {
        fail_config(path, "is a device, not a TOML file");
    }
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (!file || (file.peek() != std::ifstream::traits_type::eof() && !(text << file.rdbuf()))) {
        fail_config(path, "cannot be read; check that the file exists and that you may read it");
    }
    return from_string(text.str(), path, overrides);
}

ConfigReader ConfigReader::from_string(const std::string& text, const std::string& source_name,
                                       const std::vector<std::string>& overrides) {
    auto root = std::make_unique<ConfigNode>(parse_config(text, source_name, overrides));
    return ConfigReader(std::move(root), source_name);
}

ConfigReader ConfigReader::from_json(const nlohmann::ordered_json& json, const std::string& source_name) {
    return ConfigReader(std::make_unique<ConfigNode>(config_from_json(json, source_name)), source_name);
}

bool ConfigReader::has(const std::string& dotted_key) const {
    return find_node(*root_, dotted_key) != nullptr;
}

void ConfigReader::reject_unknown_keys() const {
    reject_unknown(*root_, *root_, "");
}

const ConfigNode* ConfigReader::find(const char* key) {
    if (position_.node == nullptr) {
        return nullptr;
    }
    position_.node->known_keys.emplace_back(key);
    return position_.node->child(key);
}

std::string ConfigReader::path_of(const char* key) const {
    return joined(position_.path, key);
}

ConfigReader::Position ConfigReader::enter_table(const char* key) {
    const ConfigNode* node = find(key);
    if (node != nullptr && node->kind != Kind::kTable) {
        fail_type(*node, path_of(key), "a table");
    }
    return std::exchange(position_, Position{node, path_of(key)});
}

ConfigReader::Position ConfigReader::enter_entry(const ConfigNode& list, const char* key, std::size_t index) {
    return std::exchange(position_, Position{&list.values[index], path_of(key) + "[" + std::to_string(index) + "]"});
}

std::size_t ConfigReader::count_tables(const ConfigNode& node, const std::string& path) {
    if (node.kind != Kind::kArray) {
        fail_type(node, path, "an array of tables");
    }
    for (std::size_t i = 0; i < node.values.size(); ++i) {
        if (node.values[i].kind != Kind::kTable) {
            fail_type(node.values[i], path + "[" + std::to_string(i) + "]", "a table");
        }
    }
    return node.values.size();
}

const std::vector<ConfigNode>& ConfigReader::entries(const ConfigNode& node, const std::string& path) {
    if (node.kind != Kind::kArray) {
        fail_type(node, path, "an array");
    }
    return node.values;
}

const ConfigNode& ConfigReader::entry(const std::vector<ConfigNode>& entries, std::size_t index) {
    return entries[index];
}

std::size_t ConfigReader::entry_count(const std::vector<ConfigNode>& entries) {
    return entries.size();
}

void ConfigReader::fail_enum(const ConfigNode& node, const std::string& path, const std::string& text,
                             const std::vector<std::string>& allowed) {
    std::string list;
    for (const std::string& name : allowed) {
        list += (list.empty() ? "" : ", ") + in_quotes(name);
    }
    const std::string nearest = nearest_key(allowed, text);
    fail_config(node.where, "key " + in_quotes(path) + " must be one of " + list + ", got " + in_quotes(text) +
                                (nearest.empty() ? "" : " (did you mean " + in_quotes(nearest) + "?)"));
}

void ConfigReader::fail_validation(const std::string& message) const {
    std::string where = source_name_;
    if (position_.node != nullptr) {
        std::vector<std::string> overrides;
        collect_overrides(*position_.node, overrides);
        where = position_.node->from_override ? source_name_ : position_.node->where;
        for (std::size_t i = 0; i < overrides.size(); ++i) {
            where += (i == 0 ? " with " : " ") + overrides[i];
        }
    }
    fail_config(where, position_.path.empty() ? message : "in [" + position_.path + "]: " + message);
}

void ConfigReader::read_scalar(const ConfigNode& node, const std::string& path, bool& value) {
    if (node.kind != Kind::kBool) {
        fail_type(node, path, "true or false");
    }
    value = node.boolean;
}

void ConfigReader::read_scalar(const ConfigNode& node, const std::string& path, std::int64_t& value) {
    if (node.kind == Kind::kUnsigned) {
        fail_config(node.where,
                    "key " + in_quotes(path) + " must be below 2^63, got " + std::to_string(node.unsigned_integer));
    }
    if (node.kind != Kind::kInteger) {
        fail_type(node, path, "an integer");
    }
    value = node.integer;
}

void ConfigReader::read_scalar(const ConfigNode& node, const std::string& path, int& value) {
    std::int64_t wide = 0;
    read_scalar(node, path, wide);
    if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()) {
        fail_config(node.where,
                    "key " + in_quotes(path) + " must be an integer of 32 bits, got " + std::to_string(wide));
    }
    value = static_cast<int>(wide);
}

void ConfigReader::read_scalar(const ConfigNode& node, const std::string& path, std::uint64_t& value) {
    if (node.kind == Kind::kUnsigned) {
        value = node.unsigned_integer;
        return;
    }
    std::int64_t wide = 0;
    read_scalar(node, path, wide);
    if (wide < 0) {
        fail_config(node.where, "key " + in_quotes(path) + " must not be negative, got " + std::to_string(wide));
    }
    value = static_cast<std::uint64_t>(wide);
}

void ConfigReader::read_scalar(const ConfigNode& node, const std::string& path, double& value) {
    if (node.kind == Kind::kInteger) {
        value = static_cast<double>(node.integer);
    } else if (node.kind == Kind::kUnsigned) {
        value = static_cast<double>(node.unsigned_integer);
    } else if (node.kind == Kind::kFloat && !std::isnan(node.number)) {
        value = node.number;
    } else if (node.kind == Kind::kFloat) {
        fail_config(node.where, "key " + in_quotes(path) + " must be a number, got nan");
    } else if (node.json && node.kind == Kind::kString && (node.text == "inf" || node.text == "-inf")) {
        value = (node.text == "inf" ? 1.0 : -1.0) * std::numeric_limits<double>::infinity();
    } else {
        fail_type(node, path, "a number");
    }
}

void ConfigReader::read_scalar(const ConfigNode& node, const std::string& path, float& value) {
    double wide = 0.0;
    read_scalar(node, path, wide);
    if (std::isfinite(wide) && std::abs(wide) > static_cast<double>(std::numeric_limits<float>::max())) {
        fail_config(node.where, "key " + in_quotes(path) + " is too large for a number of 32 bits");
    }
    value = static_cast<float>(wide);
}

void ConfigReader::read_scalar(const ConfigNode& node, const std::string& path, std::string& value) {
    if (node.kind != Kind::kString) {
        fail_type(node, path, "a string");
    }
    value = node.text;
}

nlohmann::ordered_json ConfigWriter::number(double value) {
    if (std::isinf(value)) {
        return value > 0.0 ? "inf" : "-inf";
    }
    return value;
}

nlohmann::ordered_json ConfigWriter::number(float value) {
    if (!std::isfinite(value)) {
        return number(static_cast<double>(value));
    }
    // The shortest decimal of the float, as a double: 0.1F is written 0.1, not 0.10000000149011612.
    std::array<char, 64> text{};
    std::to_chars(text.data(), text.data() + text.size() - 1, value);
    return std::strtod(text.data(), nullptr);
}

}  // namespace imssa

#include "models/common/config_tree.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "models/common/error.h"

namespace imssa {

using Kind = ConfigNode::Kind;

const char* kind_name(Kind kind) {
    switch (kind) {
        case Kind::kTable:
            return "table";
        case Kind::kArray:
            return "array";
        case Kind::kBool:
            return "boolean";
        case Kind::kInteger:
        case Kind::kUnsigned:
            return "integer";
        case Kind::kFloat:
            return "float";
        case Kind::kString:
            return "string";
        case Kind::kDate:
            return "date or time";
        case Kind::kNull:
            return "null";
    }
    return "?";
}

namespace {

std::string one_line(std::string text) {
    for (char& c : text) {
        if (std::iscntrl(static_cast<unsigned char>(c)) != 0) {
            c = ' ';
        }
    }
    return text;
}

}  // namespace

void fail_config(const std::string& where, const std::string& what) {
    throw UserError(one_line(where + ": " + what));
}

void fail_type(const ConfigNode& node, const std::string& path, const char* expected) {
    fail_config(node.where, "key " + in_quotes(path) + " must be " + expected + ", got " + kind_name(node.kind));
}

namespace {

ConfigNode from_toml(const toml::node& source, const std::string& source_name, const std::string& override_name) {
    ConfigNode node;
    node.from_override = !override_name.empty();
    node.where = node.from_override ? override_name : source_name + ":" + std::to_string(source.source().begin.line);
    if (const toml::table* table = source.as_table()) {
        node.kind = Kind::kTable;
        for (const auto& [key, value] : *table) {
            node.add(std::string(key.str()), from_toml(value, source_name, override_name));
        }
    } else if (const toml::array* array = source.as_array()) {
        node.kind = Kind::kArray;
        for (const toml::node& value : *array) {
            node.values.push_back(from_toml(value, source_name, override_name));
        }
    } else if (const auto* boolean = source.as_boolean()) {
        node.kind = Kind::kBool;
        node.boolean = boolean->get();
    } else if (const auto* integer = source.as_integer()) {
        node.kind = Kind::kInteger;
        node.integer = integer->get();
    } else if (const auto* number = source.as_floating_point()) {
        node.kind = Kind::kFloat;
        node.number = number->get();
    } else if (const auto* text = source.as_string()) {
        node.kind = Kind::kString;
        node.text = text->get();
    } else {
        node.kind = Kind::kDate;
    }
    return node;
}

ConfigNode from_json_value(const nlohmann::ordered_json& source, const std::string& source_name) {
    ConfigNode node;
    node.where = source_name;
    node.json = true;
    if (source.is_object()) {
        for (const auto& [key, value] : source.items()) {
            node.add(key, from_json_value(value, source_name));
        }
    } else if (source.is_array()) {
        node.kind = Kind::kArray;
        for (const auto& value : source) {
            node.values.push_back(from_json_value(value, source_name));
        }
    } else if (source.is_boolean()) {
        node.kind = Kind::kBool;
        node.boolean = source.get<bool>();
    } else if (source.is_number_unsigned() &&
               source.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        node.kind = Kind::kUnsigned;
        node.unsigned_integer = source.get<std::uint64_t>();
    } else if (source.is_number_integer()) {
        node.kind = Kind::kInteger;
        node.integer = source.get<std::int64_t>();
    } else if (source.is_number_float()) {
        node.kind = Kind::kFloat;
        node.number = source.get<double>();
    } else if (source.is_string()) {
        node.kind = Kind::kString;
        node.text = source.get<std::string>();
    } else {
        node.kind = Kind::kNull;
    }
    return node;
}

/// The value of an override: TOML, or else a bare word.
ConfigNode override_value(const std::string& text, const std::string& name) {
    std::string why = "it holds more than one value";
    if (text.find('\n') == std::string::npos) {
        try {
            const toml::table parsed = toml::parse("value = " + text);
            if (parsed.size() == 1 && parsed.contains("value")) {
                return from_toml(*parsed.get("value"), "", name);
            }
        } catch (const toml::parse_error& error) {
            why = std::string(error.description());
        }
    }
    if (!text.empty() && std::string("\"'[{").find(text.front()) != std::string::npos) {
        fail_config(name, "the value is no valid TOML (" + why + ")");
    }
    ConfigNode node;
    node.kind = Kind::kString;
    node.where = name;
    node.text = text;
    node.from_override = true;
    return node;
}

std::vector<std::string> split_path(const std::string& path) {
    std::vector<std::string> parts(1);
    for (const char c : path) {
        if (c == '.') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

/// The entry of an array that "2" names, or null.
const ConfigNode* array_entry(const ConfigNode& node, const std::string& part) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool valid = error == std::errc() && end == part.data() + part.size() && index < node.values.size();
    return valid ? &node.values[index] : nullptr;
}

const ConfigNode* descend(const ConfigNode& node, const std::string& part) {
    return node.kind == Kind::kArray ? array_entry(node, part) : node.child(part);
}

void apply_override(ConfigNode& root, const std::string& text) {
    const std::string name = "--set " + text;
    const std::size_t equals = text.find('=');
    const std::vector<std::string> parts = split_path(text.substr(0, equals));
    if (equals == std::string::npos || std::find(parts.begin(), parts.end(), "") != parts.end()) {
        fail_config(name, "must have the form key=value, with a dotted key such as model.layers=4");
    }
    ConfigNode* node = &root;
    std::string path;
    for (const std::string& part : parts) {
        if (node->kind != Kind::kTable && node->kind != Kind::kArray) {
            fail_config(name, "key " + in_quotes(path) + " is no table but has type " + kind_name(node->kind));
        }
        auto* next = const_cast<ConfigNode*>(descend(*node, part));
        if (next == nullptr && node->kind == Kind::kArray) {
            fail_config(name, "the array " + in_quotes(path) + " has " + std::to_string(node->values.size()) +
                                  " entries, and none is called " + in_quotes(part) + " (count from 0)");
        }
        if (next == nullptr) {
            ConfigNode created;
            created.where = name;
            created.from_override = true;
            node->add(part, std::move(created));
            next = &node->values.back();
        }
        path.append(path.empty() ? "" : ".").append(part);
        node = next;
    }
    *node = override_value(text.substr(equals + 1), name);
}

}  // namespace

ConfigNode parse_config(const std::string& text, const std::string& source_name,
                        const std::vector<std::string>& overrides) {
    ConfigNode root;
    try {
        root = from_toml(toml::parse(text), source_name, "");
    } catch (const toml::parse_error& error) {
        fail_config(source_name + ":" + std::to_string(error.source().begin.line), std::string(error.description()));
    }
    root.where = source_name;
    for (const std::string& override_text : overrides) {
        apply_override(root, override_text);
    }
    return root;
}

ConfigNode config_from_json(const nlohmann::ordered_json& json, const std::string& source_name) {
    if (!json.is_object()) {
        fail_config(source_name, "must be a JSON object");
    }
    return from_json_value(json, source_name);
}

const ConfigNode* find_node(const ConfigNode& root, const std::string& dotted_key) {
    const ConfigNode* node = &root;
    for (const std::string& part : split_path(dotted_key)) {
        node = descend(*node, part);
        if (node == nullptr) {
            return nullptr;
        }
    }
    return node;
}

}  // namespace imssa

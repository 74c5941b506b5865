#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "models/common/error.h"

/// Configuration: TOML files, `--set` overrides and stored JSON, read into plain structs with defaults.
///
/// A struct names its fields once, beside its definition and without including this header:
///
///     template <class Visitor>
///     void visit_fields(Visitor& visit, TileConfig& c) {
///         visit("rows", c.rows);            // bool, integers, floats, std::string, enums, std::vector of
///         those visit.table("adc", c.adc);        // a nested struct: [tile.adc] visit.tables("faults",
///         c.faults); // a std::vector of structs: [[tile.faults]]
///     }
///
/// and may have `void validate() const`, which throws UserError. An enum is named by
/// `constexpr auto enum_names(Rounding)`, which returns a std::array of std::pair<const char*, Rounding>.
namespace imssa {

struct ConfigNode;

namespace config_detail {

template <class T, class = void>
struct HasValidate : std::false_type {};
template <class T>
struct HasValidate<T, std::void_t<decltype(std::declval<const T&>().validate())>> : std::true_type {};

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

}  // namespace config_detail

/// The name of an enumerator in configuration files; "?" for a value without one.
template <class Enum>
const char* enum_to_string(Enum value) {
    for (const auto& [name, candidate] : enum_names(value)) {
        if (candidate == value) {
            return name;
        }
    }
    return "?";
}

/// Reads structs from one source. Keys that are missing keep the struct's values. Every error is a UserError
/// of one line that names the file and line, or the override, and the key.
class ConfigReader {
public:
    /// Reads a TOML file. Each override is "a.b.c=value": the value is TOML, and a word that is no TOML is a
    /// string; a number in the path picks an entry of an array ("layers.0.bits=4").
    static ConfigReader from_file(const std::string& path, const std::vector<std::string>& overrides = {});
    /// The same for TOML text; errors speak of source_name.
    static ConfigReader from_string(const std::string& text, const std::string& source_name,
                                    const std::vector<std::string>& overrides = {});
    /// The same for JSON as config_to_json writes it.
    static ConfigReader from_json(const nlohmann::ordered_json& json, const std::string& source_name);

    ConfigReader(ConfigReader&&) noexcept;
    ConfigReader& operator=(ConfigReader&&) noexcept;
    ~ConfigReader();

    /// Reads the fields of a struct from the top level and validates it.
    template <class Struct>
    void read(Struct& s) {
        visit_fields(*this, s);
        validate(s);
    }
    /// Reads a struct from one table of the top level: read("chip", c) reads [chip].
    template <class Struct>
    void read(const std::string& key, Struct& s) {
        table(key.c_str(), s);
    }

    /// Whether the source or an override gives this dotted key, counted from the top level.
    bool has(const std::string& dotted_key) const;

    /// Throws UserError for the first key that no struct has asked for, with the nearest known key.
    void reject_unknown_keys() const;

    template <class T>
    void operator()(const char* key, T& value) {
        if (const ConfigNode* node = find(key)) {
            read_value(*node, path_of(key), value);
        }
    }

    template <class Struct>
    void table(const char* key, Struct& s) {
        const Position outer = enter_table(key);
        visit_fields(*this, s);
        validate(s);
        leave(outer);
    }

    template <class Struct>
    void tables(const char* key, std::vector<Struct>& list) {
        const ConfigNode* node = find(key);
        if (node == nullptr) {
            return;
        }
        const std::size_t count = count_tables(*node, path_of(key));
        list.assign(count, Struct{});
        for (std::size_t i = 0; i < count; ++i) {
            const Position outer = enter_entry(*node, key, i);
            visit_fields(*this, list[i]);
            validate(list[i]);
            leave(outer);
        }
    }

private:
    struct Position {
        const ConfigNode* node;  ///< null: the table is not in the source, its struct keeps its defaults
        std::string path;
    };

    ConfigReader(std::unique_ptr<ConfigNode> root, std::string source_name);

    const ConfigNode* find(const char* key);
    std::string path_of(const char* key) const;
    Position enter_table(const char* key);
    Position enter_entry(const ConfigNode& list, const char* key, std::size_t index);
    void leave(const Position& outer) { position_ = outer; }

    static std::size_t count_tables(const ConfigNode& node, const std::string& path);
    static const std::vector<ConfigNode>& entries(const ConfigNode& node, const std::string& path);
    static const ConfigNode& entry(const std::vector<ConfigNode>& entries, std::size_t index);
    static std::size_t entry_count(const std::vector<ConfigNode>& entries);
    [[noreturn]] static void fail_enum(const ConfigNode& node, const std::string& path, const std::string& text,
                                       const std::vector<std::string>& allowed);
    [[noreturn]] void fail_validation(const std::string& message) const;

    static void read_scalar(const ConfigNode& node, const std::string& path, bool& value);
    static void read_scalar(const ConfigNode& node, const std::string& path, int& value);
    static void read_scalar(const ConfigNode& node, const std::string& path, std::int64_t& value);
    static void read_scalar(const ConfigNode& node, const std::string& path, std::uint64_t& value);
    static void read_scalar(const ConfigNode& node, const std::string& path, float& value);
    static void read_scalar(const ConfigNode& node, const std::string& path, double& value);
    static void read_scalar(const ConfigNode& node, const std::string& path, std::string& value);

    template <class Enum>
    static void read_enum(const ConfigNode& node, const std::string& path, Enum& value) {
        std::string text;
        read_scalar(node, path, text);
        std::vector<std::string> allowed;
        for (const auto& [name, candidate] : enum_names(Enum{})) {
            if (text == name) {
                value = candidate;
                return;
            }
            allowed.emplace_back(name);
        }
        fail_enum(node, path, text, allowed);
    }

    template <class T>
    static void read_value(const ConfigNode& node, const std::string& path, T& value) {
        if constexpr (config_detail::IsVector<T>::value) {
            const std::vector<ConfigNode>& list = entries(node, path);
            T read;
            for (std::size_t i = 0; i < entry_count(list); ++i) {
                typename T::value_type item{};
                read_value(entry(list, i), path + "[" + std::to_string(i) + "]", item);
                read.push_back(std::move(item));
            }
            value = std::move(read);
        } else if constexpr (std::is_enum_v<T>) {
            read_enum(node, path, value);
        } else {
            read_scalar(node, path, value);
        }
    }

    template <class Struct>
    void validate(const Struct& s) const {
        if constexpr (config_detail::HasValidate<Struct>::value) {
            try {
                s.validate();
            } catch (const UserError& error) {
                fail_validation(error.what());
            }
        }
    }

    std::unique_ptr<ConfigNode> root_;
    std::string source_name_;
    Position position_;
};

/// Writes structs as JSON, with the same visitor. Floats are written with the fewest digits that read back
/// the same; infinities, which JSON lacks, as the strings "inf" and "-inf".
class ConfigWriter {
public:
    template <class T>
    void operator()(const char* key, const T& value) {
        json_[key] = to_json_value(value);
    }
    template <class Struct>
    void table(const char* key, Struct& s) {
        json_[key] = written(s);
    }
    template <class Struct>
    void tables(const char* key, std::vector<Struct>& list) {
        nlohmann::ordered_json entries = nlohmann::ordered_json::array();
        for (Struct& s : list) {
            entries.push_back(written(s));
        }
        json_[key] = std::move(entries);
    }

    const nlohmann::ordered_json& json() const { return json_; }

private:
    template <class Struct>
    static nlohmann::ordered_json written(Struct& s) {
        ConfigWriter writer;
        visit_fields(writer, s);
        return writer.json_;
    }

    static nlohmann::ordered_json number(float value);
    static nlohmann::ordered_json number(double value);

    template <class T>
    static nlohmann::ordered_json to_json_value(const T& value) {
        if constexpr (config_detail::IsVector<T>::value) {
            nlohmann::ordered_json list = nlohmann::ordered_json::array();
            for (std::size_t i = 0; i < value.size(); ++i) {
                list.push_back(to_json_value<typename T::value_type>(value[i]));
            }
            return list;
        } else if constexpr (std::is_enum_v<T>) {
            return enum_to_string(value);
        } else if constexpr (std::is_floating_point_v<T>) {
            return number(value);
        } else {
            return value;
        }
    }

    nlohmann::ordered_json json_ = nlohmann::ordered_json::object();
};

/// The fields of a struct as a JSON object, in the order in which visit_fields names them.
template <class Struct>
nlohmann::ordered_json config_to_json(const Struct& s) {
    Struct copy = s;
    ConfigWriter writer;
    visit_fields(writer, copy);
    return writer.json();
}

/// The inverse of config_to_json. Missing keys keep the struct's values; unknown ones are errors, which speak
/// of source_name.
template <class Struct>
void read_config_json(const nlohmann::ordered_json& json, Struct& s,
                      const std::string& source_name = "stored configuration") {
    ConfigReader reader = ConfigReader::from_json(json, source_name);
    reader.read(s);
    reader.reject_unknown_keys();
}

}  // namespace imssa

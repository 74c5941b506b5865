#include "models/common/config.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace example {

enum class Rounding { kNearest, kDithered };

constexpr auto enum_names(Rounding /*unused*/) {
    return std::array<std::pair<const char*, Rounding>, 2>{
        {{"nearest", Rounding::kNearest}, {"dithered", Rounding::kDithered}}};
}

struct Adc {
    int bits = 8;
    float full_scale_v = 0.1F;

    void validate() const {
        if (bits < 1) {
            throw imssa::UserError("bits must be at least 1, got " + std::to_string(bits));
        }
    }
};

template <class Visitor>
void visit_fields(Visitor& visit, Adc& c) {
    visit("bits", c.bits);
    visit("full_scale_v", c.full_scale_v);
}

struct Layer {
    int h = 1;
    std::vector<float> scales;
};

template <class Visitor>
void visit_fields(Visitor& visit, Layer& c) {
    visit("h", c.h);
    visit("scales", c.scales);
}

struct Example {
    bool fast = false;
    int steps = 784;
    std::int64_t cycles = 0;
    std::uint64_t seed = 1;
    double learning_rate = 1e-3;
    std::string name = "mnist";
    Rounding rounding = Rounding::kNearest;
    std::vector<std::string> tags = {"default"};
    std::vector<Rounding> roundings;
    std::vector<bool> flags;
    Adc adc;
    std::vector<Layer> layers;
};

template <class Visitor>
void visit_fields(Visitor& visit, Example& c) {
    visit("fast", c.fast);
    visit("steps", c.steps);
    visit("cycles", c.cycles);
    visit("seed", c.seed);
    visit("learning_rate", c.learning_rate);
    visit("name", c.name);
    visit("rounding", c.rounding);
    visit("tags", c.tags);
    visit("roundings", c.roundings);
    visit("flags", c.flags);
    visit.table("adc", c.adc);
    visit.tables("layers", c.layers);
}

}  // namespace example

namespace imssa {
namespace {

using example::Example;
using example::Rounding;

Example read_text(const std::string& text, const std::vector<std::string>& overrides = {}) {
    ConfigReader reader = ConfigReader::from_string(text, "x.toml", overrides);
    Example example;
    reader.read(example);
    reader.reject_unknown_keys();
    return example;
}

/// The message of the UserError that reading ends with.
std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
    try {
        read_text(text, overrides);
    } catch (const UserError& error) {
        return error.what();
    }
    return "no error";
}

TEST(ConfigTest, KeepsDefaultsForMissingKeys) {
    const Example example = read_text("");
    EXPECT_EQ(example.steps, 784);
    EXPECT_EQ(example.tags, std::vector<std::string>{"default"});
    EXPECT_EQ(example.adc.bits, 8);
}

TEST(ConfigTest, ReadsEveryKindOfField) {
    const Example example = read_text(R"(
fast = true
steps = -3
cycles = 9000000000
seed = 42
learning_rate = 1
name = "glyphs"
rounding = "dithered"
tags = ["a", "b"]
roundings = ["nearest", "dithered"]
flags = [true, false]
[adc]
bits = 6
full_scale_v = 0.25
[[layers]]
h = 2
scales = [1, 0.5]
[[layers]]
)");
    EXPECT_TRUE(example.fast);
    EXPECT_EQ(example.steps, -3);
    EXPECT_EQ(example.cycles, 9000000000);
    EXPECT_EQ(example.seed, 42U);
    EXPECT_EQ(example.learning_rate, 1.0);
    EXPECT_EQ(example.name, "glyphs");
    EXPECT_EQ(example.rounding, Rounding::kDithered);
    EXPECT_EQ(example.tags, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(example.roundings, (std::vector<Rounding>{Rounding::kNearest, Rounding::kDithered}));
    EXPECT_EQ(example.flags, (std::vector<bool>{true, false}));
    EXPECT_EQ(example.adc.bits, 6);
    EXPECT_EQ(example.adc.full_scale_v, 0.25F);
    ASSERT_EQ(example.layers.size(), 2U);
    EXPECT_EQ(example.layers[0].h, 2);
    EXPECT_EQ(example.layers[0].scales, (std::vector<float>{1.0F, 0.5F}));
    EXPECT_EQ(example.layers[1].h, 1);
}

TEST(ConfigTest, NamesLineAndNearestKeyOfAnUnknownKey) {
    EXPECT_EQ(error_of("steps = 1\n\n[adc]\nbitz = 3\n"), "x.toml:4: unknown key 'adc.bitz' (did you mean 'bits'?)");
    EXPECT_EQ(error_of("setps = 1\n"), "x.toml:1: unknown key 'setps' (did you mean 'steps'?)");
    EXPECT_EQ(error_of("zzzzzzzzz = 1\n"), "x.toml:1: unknown key 'zzzzzzzzz'");
    EXPECT_EQ(error_of("[[layers]]\nh = 1\n[[layers]]\nscale = [1]\n"),
              "x.toml:4: unknown key 'layers[1].scale' (did you mean 'scales'?)");
    EXPECT_EQ(error_of("[chip]\n"), "x.toml:1: unknown key 'chip'");
}

TEST(ConfigTest, NamesTheTableThatKnowsAMisplacedKey) {
    EXPECT_EQ(error_of("full_scale_v = 1\n[adc]\n"),
              "x.toml:1: unknown key 'full_scale_v' (did you mean 'adc.full_scale_v'?)");
}

TEST(ConfigTest, NamesLineAndTypesOfAWrongType) {
    EXPECT_EQ(error_of("\nsteps = 'a'"), "x.toml:2: key 'steps' must be an integer, got string");
    EXPECT_EQ(error_of("steps = 1.0"), "x.toml:1: key 'steps' must be an integer, got float");
    EXPECT_EQ(error_of("[adc]\nbits = true"), "x.toml:2: key 'adc.bits' must be an integer, got boolean");
    EXPECT_EQ(error_of("fast = 1"), "x.toml:1: key 'fast' must be true or false, got integer");
    EXPECT_EQ(error_of("name = 1979-05-27"), "x.toml:1: key 'name' must be a string, got date or time");
    EXPECT_EQ(error_of("learning_rate = []"), "x.toml:1: key 'learning_rate' must be a number, got array");
    EXPECT_EQ(error_of("adc = 3"), "x.toml:1: key 'adc' must be a table, got integer");
    EXPECT_EQ(error_of("[layers]"), "x.toml:1: key 'layers' must be an array of tables, got table");
    EXPECT_EQ(error_of("layers = [1]"), "x.toml:1: key 'layers[0]' must be a table, got integer");
    EXPECT_EQ(error_of("tags = 'a'"), "x.toml:1: key 'tags' must be an array, got string");
    EXPECT_EQ(error_of("tags = ['a',\n 2]"), "x.toml:2: key 'tags[1]' must be a string, got integer");
}

TEST(ConfigTest, RejectsNumbersThatDoNotFit) {
    EXPECT_EQ(error_of("steps = 3000000000"), "x.toml:1: key 'steps' must be an integer of 32 bits, got 3000000000");
    EXPECT_EQ(error_of("seed = -1"), "x.toml:1: key 'seed' must not be negative, got -1");
    EXPECT_EQ(error_of("learning_rate = nan"), "x.toml:1: key 'learning_rate' must be a number, got nan");
    EXPECT_EQ(error_of("[adc]\nfull_scale_v = 1e300"),
              "x.toml:2: key 'adc.full_scale_v' is too large for a number of 32 bits");
}

TEST(ConfigTest, ListsTheNamesOfAnEnum) {
    EXPECT_EQ(error_of("rounding = 'ditherd'"),
              "x.toml:1: key 'rounding' must be one of 'nearest', 'dithered', got 'ditherd' "
              "(did you mean 'dithered'?)");
    EXPECT_EQ(error_of("rounding = 1"), "x.toml:1: key 'rounding' must be a string, got integer");
}

TEST(ConfigTest, NamesFileAndTableOfAFailedValidation) {
    EXPECT_EQ(error_of("\n[adc]\nbits = 0"), "x.toml:2: in [adc]: bits must be at least 1, got 0");
    EXPECT_EQ(error_of("", {"adc.bits=0"}), "x.toml with --set adc.bits=0: in [adc]: bits must be at least 1, got 0");
    EXPECT_EQ(error_of("[adc]\nbits = 3", {"adc.bits=0"}),
              "x.toml:1 with --set adc.bits=0: in [adc]: bits must be at least 1, got 0");
}

TEST(ConfigTest, ConvertsParseErrorsToOneLineWithFileAndLine) {
    const std::string message = error_of("steps = 1\nsteps = = 2\n");
    EXPECT_EQ(message.rfind("x.toml:2: ", 0), 0U) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
    EXPECT_EQ(error_of("steps = 1\nsteps = 2\n").rfind("x.toml:2: ", 0), 0U);
}

TEST(ConfigTest, OverridesReplaceAndCreateKeys) {
    const Example example = read_text("steps = 1\n[[layers]]\nh = 4\n",
                                      {"steps=2", "name=glyphs", "adc.full_scale_v=0.5", "tags=['x', 'y']",
                                       "layers.0.h=7", "rounding=dithered", "steps=3"});
    EXPECT_EQ(example.steps, 3);
    EXPECT_EQ(example.name, "glyphs");
    EXPECT_EQ(example.adc.full_scale_v, 0.5F);
    EXPECT_EQ(example.tags, (std::vector<std::string>{"x", "y"}));
    EXPECT_EQ(example.layers[0].h, 7);
    EXPECT_EQ(example.rounding, Rounding::kDithered);
}

TEST(ConfigTest, ErrorsInOverridesNameTheOverride) {
    EXPECT_EQ(error_of("steps = 1", {"steps=many"}), "--set steps=many: key 'steps' must be an integer, got string");
    EXPECT_EQ(error_of("", {"adc.bitz=3"}), "--set adc.bitz=3: unknown key 'adc.bitz' (did you mean 'bits'?)");
    EXPECT_EQ(error_of("steps = 1", {"steps.x=3"}), "--set steps.x=3: key 'steps' is no table but has type integer");
    EXPECT_EQ(error_of("", {"steps"}),
              "--set steps: must have the form key=value, with a dotted key such as model.layers=4");
    EXPECT_EQ(error_of("", {"a..b=1"}),
              "--set a..b=1: must have the form key=value, with a dotted key such as model.layers=4");
    EXPECT_EQ(error_of("[[layers]]", {"layers.1.h=2"}),
              "--set layers.1.h=2: the array 'layers' has 1 entries, and none is called '1' (count from 0)");
    EXPECT_EQ(error_of("", {"tags=['a'"}).rfind("--set tags=['a': the value is no valid TOML (", 0), 0U);
}

TEST(ConfigTest, OverridesCannotSmuggleInOtherKeys) {
    EXPECT_EQ(read_text("", {"name=1\nsteps = 2"}).name, "1\nsteps = 2");
    EXPECT_EQ(read_text("", {"name="}).name, "");
    EXPECT_EQ(read_text("", {"name=out/a=b.h5"}).name, "out/a=b.h5");
}

TEST(ConfigTest, KnowsWhichKeysAreGiven) {
    const ConfigReader reader = ConfigReader::from_string("[adc]\nbits = 1\n[[layers]]\nh = 1", "x.toml", {"a.b=1"});
    EXPECT_TRUE(reader.has("adc"));
    EXPECT_TRUE(reader.has("adc.bits"));
    EXPECT_TRUE(reader.has("layers.0.h"));
    EXPECT_TRUE(reader.has("a.b"));
    EXPECT_FALSE(reader.has("adc.full_scale_v"));
    EXPECT_FALSE(reader.has("adc.bits.x"));
    EXPECT_FALSE(reader.has("layers.1"));
}

TEST(ConfigTest, ReadsOneTableByName) {
    ConfigReader reader = ConfigReader::from_string("[adc]\nbits = 5", "x.toml");
    example::Adc adc;
    reader.read("adc", adc);
    reader.reject_unknown_keys();
    EXPECT_EQ(adc.bits, 5);
}

TEST(ConfigTest, ReadsFilesAndNamesThoseItCannotRead) {
    const std::string path = testing::TempDir() + "config_test_reads_files.toml";
    std::ofstream(path) << "steps = 5\n";
    Example example;
    ConfigReader::from_file(path).read(example);
    EXPECT_EQ(example.steps, 5);
    std::ofstream(path, std::ios::trunc).close();
    EXPECT_NO_THROW(ConfigReader::from_file(path).read(example));
    try {
        ConfigReader::from_file("no/such.toml");
        FAIL();
    } catch (const UserError& error) {
        EXPECT_STREQ(error.what(), "no/such.toml: cannot be read; check that the file exists and that you may read it");
    }
    EXPECT_THROW(ConfigReader::from_file(testing::TempDir()), UserError);
}

TEST(ConfigJsonTest, WritesFieldsInOrderWithTheFewestDigits) {
    EXPECT_EQ(config_to_json(example::Adc{}).dump(), R"({"bits":8,"full_scale_v":0.1})");
    Example example;
    example.learning_rate = std::numeric_limits<double>::infinity();
    example.layers.resize(1);
    EXPECT_EQ(config_to_json(example).dump(),
              R"({"fast":false,"steps":784,"cycles":0,"seed":1,"learning_rate":"inf","name":"mnist",)"
              R"("rounding":"nearest","tags":["default"],"roundings":[],"flags":[],)"
              R"("adc":{"bits":8,"full_scale_v":0.1},"layers":[{"h":1,"scales":[]}]})");
}

TEST(ConfigJsonTest, RestoresWhatItWrote) {
    Example example;
    example.seed = std::numeric_limits<std::uint64_t>::max();
    example.cycles = std::numeric_limits<std::int64_t>::min();
    example.learning_rate = -std::numeric_limits<double>::infinity();
    example.rounding = Rounding::kDithered;
    example.flags = {true, false};
    example.adc.full_scale_v = std::nextafter(0.3F, 1.0F);
    example.layers.resize(2);
    example.layers[1].scales = {1.0F / 3.0F, std::numeric_limits<float>::infinity(), 1e-45F};
    const std::string text = config_to_json(example).dump();
    Example restored;
    read_config_json(nlohmann::ordered_json::parse(text), restored);
    EXPECT_EQ(restored.seed, example.seed);
    EXPECT_EQ(restored.cycles, example.cycles);
    EXPECT_EQ(restored.layers[1].scales, example.layers[1].scales);
    EXPECT_EQ(restored.adc.full_scale_v, example.adc.full_scale_v);
    EXPECT_EQ(config_to_json(restored).dump(), text);
}

TEST(ConfigJsonTest, NamesTheSourceOfAnError) {
    Example example;
    try {
        read_config_json(nlohmann::ordered_json::parse(R"({"adc":{"bitz":1}})"), example, "model.h5");
        FAIL();
    } catch (const UserError& error) {
        EXPECT_STREQ(error.what(), "model.h5: unknown key 'adc.bitz' (did you mean 'bits'?)");
    }
    EXPECT_THROW(read_config_json(nlohmann::ordered_json::array(), example), UserError);
    EXPECT_THROW(read_config_json(nlohmann::ordered_json::parse(R"({"steps":null})"), example), UserError);
}

}  // namespace
}  // namespace imssa

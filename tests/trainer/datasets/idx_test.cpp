#include "trainer/datasets/idx.h"

#include <gmock/gmock.h>

#include "tests/trainer/datasets/idx_files.h"

namespace imssa {
namespace {

using testing::HasSubstr;

const IdxArray kSmall{{2, 3, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255}};

std::string parse_error_of(const Bytes& bytes) {
    return error_of([&] { parse_idx(bytes, "x.gz"); });
}

TEST(IdxTest, ReadsWhatWasWritten) {
    for (const IdxArray& array : {kSmall, IdxArray{{5}, {1, 2, 3, 4, 5}}, IdxArray{{0}, {}}}) {
        for (const Bytes& bytes : {idx_bytes(array), gzip(idx_bytes(array))}) {
            const IdxArray read = parse_idx(bytes, "x");
            EXPECT_EQ(read.dimensions, array.dimensions);
            EXPECT_EQ(read.values, array.values);
        }
    }
}

TEST(IdxTest, RejectsTruncationAtEveryByte) {
    for (const Bytes& whole : {idx_bytes(kSmall), gzip(idx_bytes(kSmall))}) {
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            EXPECT_THAT(parse_error_of(part), HasSubstr("truncated")) << "after " << length << " bytes";
        }
    }
}

TEST(IdxTest, RejectsBytesThatFollow) {
    Bytes plain = idx_bytes(kSmall);
    plain.push_back(0);
    EXPECT_THAT(parse_error_of(plain), HasSubstr("bytes follow the values: 13 bytes after the header"));
    EXPECT_THAT(parse_error_of(gzip(plain)), HasSubstr("which announces 12; download the file again"));
    Bytes packed = gzip(idx_bytes(kSmall));
    packed.insert(packed.end(), {1, 2, 3});
    EXPECT_EQ(parse_error_of(packed), "x.gz: 3 bytes follow the gzip stream; download the file again");
}

TEST(IdxTest, RejectsDamageAnywhereInAGzipStream) {
    const Bytes whole = gzip(idx_bytes(kSmall));
    constexpr std::size_t kHeader = 10;  // time stamp and system may be anything
    for (std::size_t at = kHeader; at < whole.size(); ++at) {
        Bytes damaged = whole;
        damaged[at] ^= 0x10;
        try {
            // The padding bits at the end of the stream mean nothing.
            EXPECT_EQ(parse_idx(damaged, "x.gz").values, kSmall.values) << "byte " << at;
        } catch (const UserError&) {
        }
    }
}

TEST(IdxTest, RejectsAWrongMagicTypeOrShape) {
    Bytes bytes = idx_bytes(kSmall);
    bytes[0] = '<';
    EXPECT_EQ(parse_error_of(bytes), "x.gz: is no idx file: it starts with 0x3c000803, not with two zero bytes");
    bytes = idx_bytes(kSmall);
    bytes[2] = 0x0d;
    EXPECT_EQ(parse_error_of(bytes), "x.gz: the idx type is 0x0d; only 0x08 (unsigned bytes) is supported");
    bytes = idx_bytes(kSmall);
    bytes[3] = 0;
    EXPECT_EQ(parse_error_of(bytes), "x.gz: the idx array has 0 dimensions; 1 to 3 are supported");
}

TEST(IdxTest, SurvivesDimensionsWhoseProductOverflows) {
    const IdxArray huge{{0xffffffff, 0xffffffff, 0xffffffff}, {1}};
    EXPECT_THAT(parse_error_of(idx_bytes(huge)), HasSubstr("which announces more than 2 GiB"));
}

TEST(IdxTest, NamesFilesThatCannotBeRead) {
    const TestFolder folder;
    EXPECT_EQ(error_of([] { read_file_bytes("no/such"); }), "no/such: does not exist; check --data");
    EXPECT_THAT(error_of([&] { read_file_bytes(folder.path()); }), HasSubstr("is no file"));
    write_bytes(folder.path() + "/empty", {});
    EXPECT_THAT(error_of([&] { read_file_bytes(folder.path() + "/empty"); }), HasSubstr("/empty: is empty; download"));
}

TEST(IdxPairTest, RejectsImagesAndLabelsThatDoNotFit) {
    const IdxArray labels{{2}, {0, 9}};
    const auto pair_error = [](const IdxArray& images, const IdxArray& of) {
        return error_of([&] { pair_images_with_labels(images, "i", of, "l", 10); });
    };
    EXPECT_EQ(pair_error(kSmall, labels), "no error");
    EXPECT_EQ(pair_error(kSmall, {{3}, {0, 1, 2}}),
              "i: holds 2 images, but l holds 3 labels; the two belong to different sets");
    EXPECT_EQ(pair_error(kSmall, {{2}, {0, 10}}), "l: label 1 is 10; labels go from 0 to 9");
    EXPECT_EQ(pair_error(labels, labels), "i: holds an array of 1 dimensions; images have 3 (is it the label file?)");
    EXPECT_EQ(pair_error(kSmall, kSmall), "l: holds an array of 3 dimensions; labels have 1 (is it the image file?)");
    EXPECT_EQ(pair_error({{0, 28, 28}, {}}, {{0}, {}}), "i: holds no images; download the file again");
}

}  // namespace
}  // namespace imssa

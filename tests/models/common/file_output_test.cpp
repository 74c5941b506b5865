#include "models/common/file_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "models/common/error.h"

namespace imssa {
namespace {

using testing::HasSubstr;

class FileOutput : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("imssa_file_output_" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        std::ofstream(folder_ / "file") << "old";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    template <class Call>
    std::string message(const Call& call) {
        try {
            call();
        } catch (const UserError& error) {
            return error.what();
        }
        return "";
    }
    std::string text_of_file() {
        std::ifstream stream(folder_ / "file");
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    std::filesystem::path folder_;
};

TEST_F(FileOutput, WritesThroughATemporaryFileThatIsGoneAfterwards) {
    write_file_atomically((folder_ / "new/deep/file").string(), "text");
    write_file_atomically((folder_ / "file").string(), "new");
    EXPECT_EQ(text_of_file(), "new");
    int entries = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
        EXPECT_THAT(entry.path().string(), testing::Not(HasSubstr(".tmp")));
        ++entries;
    }
    EXPECT_EQ(entries, 4);
}

TEST_F(FileOutput, NamesFoldersThatCannotBeMade) {
    const std::string file = (folder_ / "file").string();
    EXPECT_EQ(message([&] { create_output_folder(file); }),
              "cannot create the output folder '" + file + "': Not a directory; name another folder");
    EXPECT_THAT(message([&] { create_output_folder(file + "/below"); }), HasSubstr("Not a directory"));
    EXPECT_THAT(message([&] { check_output_file(file + "/below/result.json"); }), HasSubstr("name another folder"));
    EXPECT_EQ(text_of_file(), "old");
}

TEST_F(FileOutput, RefusesFoldersInThePlaceOfFiles) {
    const std::string folder = folder_.string();
    EXPECT_THAT(message([&] { check_output_file(folder); }), HasSubstr("it is a folder"));
    EXPECT_THAT(message([&] { write_file_atomically(folder, "text"); }), HasSubstr("it is a folder"));
}

}  // namespace
}  // namespace imssa

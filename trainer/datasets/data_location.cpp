#include "trainer/datasets/data_location.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "models/common/error.h"

namespace imssa {
namespace {

namespace fs = std::filesystem;

const char* const kDefaultFolder = "../shared/data";
const char* const kHowToMend =
    "scripts/check_mnist.sh says where MNIST is found; generated digits need no files (train: --set data.name=glyphs; "
    "infer: "
    "scenarios/checkpoints/glyphs_small_8bit.h5)";

bool is_file(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error);
}

/// The path of "train-images-idx3-ubyte" in one of the places and forms in which people keep it, or "".
std::string find_file(const std::string& folder, const std::string& name) {
    std::string dotted = name;  // some unpackers write train-images.idx3-ubyte
    dotted[dotted.find("-idx")] = '.';
    for (const fs::path& place : {fs::path(folder) / "mnist", fs::path(folder)}) {
        for (const std::string& candidate : {name + ".gz", name, dotted + ".gz", dotted}) {
            if (is_file(place / candidate)) {
                return (place / candidate).string();
            }
        }
    }
    return "";
}

std::string require_file(const std::string& folder, const std::string& name) {
    std::string found = find_file(folder, name);
    if (found.empty()) {
        throw UserError("MNIST: " + name + ".gz (or unpacked) is neither in " + (fs::path(folder) / "mnist").string() +
                        " nor in " + folder + "; " + kHowToMend);
    }
    return found;
}

}  // namespace

std::string find_data_folder(const std::optional<std::string>& requested) {
    const char* from_environment = std::getenv("IMSSA_DATA");
    const bool environment_set = from_environment != nullptr && *from_environment != '\0';
    std::string folder = requested ? *requested : environment_set ? from_environment : kDefaultFolder;
    std::error_code error;
    if (fs::is_directory(folder, error)) {
        return folder;
    }
    std::string searched;
    if (requested) {
        searched = "--data " + folder;
    } else if (environment_set) {
        searched = "$IMSSA_DATA (" + folder + "), as --data is not given";
    } else {
        searched = folder + ", as --data is not given and $IMSSA_DATA is not set";
    }
    throw UserError("no data folder: searched " + searched + "; " + kHowToMend);
}

ImageFiles find_mnist_files(const std::string& folder, Split split) {
    const std::string stem = split == Split::kTest ? "t10k" : "train";
    return {require_file(folder, stem + "-images-idx3-ubyte"), require_file(folder, stem + "-labels-idx1-ubyte")};
}

}  // namespace imssa

#pragma once

#include <optional>
#include <string>

#include "trainer/datasets/dataset.h"

namespace imssa {

/// An image file and its label file.
struct ImageFiles {
    std::string images;
    std::string labels;
};

/// The folder that holds data sets: `requested` (--data DIR) if given, else $IMSSA_DATA if set, else ../shared/data.
/// Throws UserError, which names every place that was searched, if that folder does not exist.
std::string find_data_folder(const std::optional<std::string>& requested = std::nullopt);

/// MNIST's files of a split (validation: the training files) in folder/mnist or in folder itself, as .gz or unpacked.
/// Throws UserError, which names the places that were searched and how to mend it.
ImageFiles find_mnist_files(const std::string& folder, Split split);

}  // namespace imssa

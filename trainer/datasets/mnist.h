#pragma once

#include <string>

#include "trainer/datasets/dataset.h"

namespace imssa {

struct MnistOptions {
    int first = 0;       ///< index of the first image in the file
    int count = 0;       ///< images to read; 0: to the end
    bool verify = true;  ///< compare the content with the official files' (sha256), packed or not
};

/// MNIST as sequences of 784 steps and one channel, rows one after the other. `folder` is a data folder
/// (find_mnist_files); kValidation reads the training files. Throws UserError for files that are missing, damaged or
/// not the official ones, and for a range outside the file.
Dataset load_mnist(const std::string& folder, Split split, const MnistOptions& options = {});

}  // namespace imssa

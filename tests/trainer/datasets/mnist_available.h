#pragma once

#include <optional>
#include <string>

#include "models/common/error.h"
#include "trainer/datasets/data_location.h"

namespace imssa {

/// Whether all four files are where find_mnist_files looks for them.
inline bool mnist_available(const std::optional<std::string>& requested) {
    try {
        const std::string folder = find_data_folder(requested);
        find_mnist_files(folder, Split::kTrain);
        find_mnist_files(folder, Split::kTest);
        return true;
    } catch (const UserError&) {
        return false;
    }
}

}  // namespace imssa

#include "models/chip/design_estimator.h"

#include <type_traits>
#include <vector>

namespace imssa {

namespace {

/// All fields of a configuration as bytes: equal for equal fields.
class FieldBytes {
public:
    template <class T>
    void operator()(const char* /*key*/, const T& value) {
        add(value);
    }
    template <class Struct>
    void table(const char* /*key*/, Struct& fields) {
        visit_fields(*this, fields);
    }
    template <class Struct>
    void tables(const char* /*key*/, std::vector<Struct>& list) {
        add(list.size());
        for (Struct& fields : list) {
            visit_fields(*this, fields);
        }
    }
    const std::string& bytes() const { return bytes_; }

private:
    template <class T>
    void add(const T& value) {
        static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
        bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    void add(const std::string& text) {
        add(text.size());
        bytes_ += text;
    }
    template <class T>
    void add(const std::vector<T>& list) {
        add(list.size());
        for (const T& value : list) {
            add(value);
        }
    }

    std::string bytes_;
};

/// A sweep over cells as over anything else must not fill the memory.
constexpr std::size_t kMostCells = 10000;

}  // namespace

const CellResponse& DesignEstimator::response_of(const DeviceConfig& device) {
    DeviceConfig copy = device;  // visiting may change a configuration
    FieldBytes key;
    visit_fields(key, copy);
    const auto known = responses_.find(key.bytes());
    if (known != responses_.end()) {
        return known->second;
    }
    if (responses_.size() >= kMostCells) {
        responses_.clear();
    }
    return responses_.emplace(key.bytes(), cell_response(device)).first->second;
}

DesignEstimate DesignEstimator::estimate(const ModelConfig& model, const DeploymentOptions& options,
                                         const ChipConfig& config, int steps, const ActivityStatistics& activity) {
    return estimate_design(model, options, config, steps, activity, response_of(config.device), prices_);
}

}  // namespace imssa

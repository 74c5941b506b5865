#include "models/cost/action.h"

namespace imssa {

const char* to_string(Action action) {
    for (const auto& [name, candidate] : enum_names(action)) {
        if (candidate == action) {
            return name;
        }
    }
    return "?";
}

}  // namespace imssa

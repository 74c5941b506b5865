#include "scenarios/support/converter_models.h"

#include <algorithm>
#include <utility>

namespace imssa {

namespace {

/// Macros that name a model, each once.
struct ModelUsers {
    std::string model;
    std::vector<std::string> macros;
};

template <class Parts>
void add_users(const Parts& parts, const Macro& macro, std::vector<ModelUsers>& all) {
    for (const auto& part : parts) {
        if (part.use.model.rfind("adc_", 0) != 0) {
            continue;
        }
        auto at = std::find_if(all.begin(), all.end(),
                               [&part](const ModelUsers& users) { return users.model == part.use.model; });
        if (at == all.end()) {
            all.push_back({part.use.model, {}});
            at = all.end() - 1;
        }
        if (at->macros.empty() || at->macros.back() != macro.shown_name()) {
            at->macros.push_back(macro.shown_name());
        }
    }
}

std::string lines(const char* what, const std::vector<ModelUsers>& all) {
    std::string text;
    for (const ModelUsers& users : all) {
        text += std::string(what) + " of converters by `" + users.model + "`: ";
        for (std::size_t index = 0; index < users.macros.size(); ++index) {
            text += (index > 0 ? "; " : "") + users.macros[index];
        }
        text += ".\n";
    }
    return text;
}

}  // namespace

std::string converter_models(const std::vector<Macro>& macros) {
    std::vector<ModelUsers> energies, areas;
    for (const Macro& macro : macros) {
        add_users(macro.components, macro, energies);
        add_users(macro.areas, macro, areas);
    }
    return lines("Energies", energies) + lines("Areas", areas);
}

}  // namespace imssa

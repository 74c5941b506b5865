#include "trainer/checkpoint.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "models/common/config.h"
#include "models/common/error.h"
#include "trainer/checkpoint_file.h"
#include "trainer/hdf5_file.h"

namespace imssa {

namespace {

struct HistoryColumn {
    const char* name;
    double EpochMetrics::*field;
};
constexpr HistoryColumn kHistoryColumns[] = {
    {"train_loss", &EpochMetrics::train_loss},
    {"train_accuracy", &EpochMetrics::train_accuracy},
    {"test_loss", &EpochMetrics::test_loss},
    {"test_accuracy", &EpochMetrics::test_accuracy},
    {"learning_rate", &EpochMetrics::learning_rate},
    {"gradient_norm", &EpochMetrics::gradient_norm},
    {"wall_s", &EpochMetrics::wall_s},
    {"cpu_s", &EpochMetrics::cpu_s},
};

/// Rows of a tensor that is a matrix, 0 for a vector.
int matrix_rows(const ModelConfig& model, const std::string& name) {
    const std::string last = name.substr(name.rfind('.') == std::string::npos ? 0 : name.rfind('.') + 1);
    if (last == "decoder") {
        return model.classes;
    }
    if (last == "mixing") {
        return model.mixing_outputs();
    }
    for (const char* matrix :
         {"encoder", "log_neg_re", "im", "b_re", "b_im", "c_re", "c_im", "state", "increment", "folded_state"}) {
        if (last == matrix) {
            return model.heads;
        }
    }
    return 0;
}

std::vector<hsize_t> shape_of(const ModelConfig& model, const std::string& name, Eigen::Index size) {
    const int rows = matrix_rows(model, name);
    // A range may share its name with a matrix (the encoder's is one number).
    if (rows == 0 || size < rows) {
        return {static_cast<hsize_t>(size)};
    }
    return {static_cast<hsize_t>(rows), static_cast<hsize_t>(size / rows)};
}

void write_parameters(Hdf5Writer& file, const ModelConfig& model, const std::string& group,
                      const NetworkParameters& parameters) {
    file.group(group);
    for_each_tensor(parameters, [&](const std::string& name, const float* data, Eigen::Index size) {
        file.floats(group + "/" + name, data, shape_of(model, name, size));
    });
}

NetworkParameters read_parameters(const Hdf5Reader& file, const ModelConfig& model, const std::string& group) {
    NetworkParameters parameters = zero_parameters(model);
    for_each_tensor(parameters, [&](const std::string& name, float* data, Eigen::Index size) {
        file.floats(group + "/" + name, data, static_cast<std::size_t>(size));
    });
    return parameters;
}

std::string file_image(const Checkpoint& checkpoint) {
    const ModelConfig& model = checkpoint.config.model;
    Hdf5Writer file(kUserBlockBytes);
    file.text("format", "imssa-checkpoint");
    file.integer("version", kCheckpointVersion);
    file.text("config", config_to_json(checkpoint.config).dump());
    file.text("dataset", checkpoint.config.data.name);
    file.integer("seed", static_cast<long long>(checkpoint.config.seed));
    file.integer("steps", checkpoint.steps);
    file.integer("phase", checkpoint.phase);
    file.integer("epochs_done", checkpoint.epochs_done);
    if (!checkpoint.init_checksum.empty()) {
        file.text("init_checksum", checkpoint.init_checksum);
    }
    write_parameters(file, model, "parameters", checkpoint.parameters);
    if (checkpoint.ranges) {
        file.group("ranges");
        for_each_range(*checkpoint.ranges, [&](const std::string& name, const float* data, Eigen::Index size) {
            file.floats("ranges/" + name, data, shape_of(model, name, size));
        });
    }
    if (checkpoint.bounds) {
        std::vector<float> values;
        for (int place = 0; place < checkpoint.bounds->count(); ++place) {
            values.push_back((*checkpoint.bounds)[place].low);
            values.push_back((*checkpoint.bounds)[place].high);
        }
        file.floats("bounds", values.data(), {values.size()});
    }
    if (checkpoint.optimizer) {
        file.group("optimizer");
        write_parameters(file, model, "optimizer/first", checkpoint.optimizer->first);
        write_parameters(file, model, "optimizer/second", checkpoint.optimizer->second);
        file.integer("optimizer_steps", checkpoint.optimizer->steps);
    }
    file.group("history");
    const auto column = [&](const std::string& name, auto value) {
        std::vector<double> values;
        for (const EpochMetrics& row : checkpoint.history) {
            values.push_back(static_cast<double>(value(row)));
        }
        file.doubles("history/" + name, values);
    };
    column("phase", [](const EpochMetrics& row) { return row.phase; });
    column("epoch", [](const EpochMetrics& row) { return row.epoch; });
    for (const HistoryColumn& metric : kHistoryColumns) {
        column(metric.name, [&metric](const EpochMetrics& row) { return row.*metric.field; });
    }
    return file.image();
}

std::vector<EpochMetrics> read_history(const Hdf5Reader& file) {
    const std::vector<double> phases = file.doubles("history/phase");
    const std::vector<double> epochs = file.doubles("history/epoch");
    std::vector<EpochMetrics> history(phases.size());
    for (std::size_t row = 0; row < history.size(); ++row) {
        history[row].phase = static_cast<int>(phases[row]);
        history[row].epoch = static_cast<int>(epochs.at(row));
    }
    for (const HistoryColumn& metric : kHistoryColumns) {
        const std::vector<double> values = file.doubles(std::string("history/") + metric.name);
        for (std::size_t row = 0; row < history.size(); ++row) {
            history[row].*metric.field = values.at(row);
        }
    }
    return history;
}

}  // namespace

std::string parameters_checksum(const NetworkParameters& parameters) {
    std::string content;
    for_each_tensor(parameters, [&content](const std::string& name, const float* data, Eigen::Index size) {
        content += name;
        content.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size) * sizeof(float));
    });
    return hexadecimal_digest(content);
}

void save_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
    const QuietHdf5 quiet;
    write_sealed_file(file_image(checkpoint), kCheckpointVersion, path);
}

Checkpoint load_checkpoint(const std::string& path) {
    const QuietHdf5 quiet;
    const Hdf5Reader file(path, read_sealed_file(path, kCheckpointVersion));
    Checkpoint checkpoint;
    const nlohmann::ordered_json config = nlohmann::ordered_json::parse(file.text("config"), nullptr, false);
    if (config.is_discarded()) {
        throw UserError("checkpoint '" + path + "': its configuration is not JSON; train again");
    }
    read_config_json(config, checkpoint.config, "checkpoint '" + path + "'");
    checkpoint.steps = static_cast<int>(file.integer("steps"));
    checkpoint.phase = static_cast<int>(file.integer("phase"));
    checkpoint.epochs_done = static_cast<int>(file.integer("epochs_done"));
    if (file.has_attribute("init_checksum")) {
        checkpoint.init_checksum = file.text("init_checksum");
    }
    const ModelConfig& model = checkpoint.config.model;
    checkpoint.parameters = read_parameters(file, model, "parameters");
    if (file.has("ranges")) {
        checkpoint.ranges = zero_ranges(model);
        for_each_range(*checkpoint.ranges, [&](const std::string& name, float* data, Eigen::Index size) {
            file.floats("ranges/" + name, data, static_cast<std::size_t>(size));
        });
    }
    if (file.has("bounds")) {
        checkpoint.bounds.emplace(model);
        std::vector<float> values(2 * static_cast<std::size_t>(checkpoint.bounds->count()));
        file.floats("bounds", values.data(), values.size());
        for (int place = 0; place < checkpoint.bounds->count(); ++place) {
            const std::size_t at = 2 * static_cast<std::size_t>(place);
            (*checkpoint.bounds)[place] = {values[at], values[at + 1]};
        }
    }
    if (file.has("optimizer")) {
        AdamWState state;
        state.first = read_parameters(file, model, "optimizer/first");
        state.second = read_parameters(file, model, "optimizer/second");
        state.steps = file.integer("optimizer_steps");
        checkpoint.optimizer = std::move(state);
    }
    checkpoint.history = read_history(file);
    return checkpoint;
}

}  // namespace imssa

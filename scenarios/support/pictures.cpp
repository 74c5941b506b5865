#include "scenarios/support/pictures.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "models/common/error.h"
#include "models/common/file_output.h"

namespace imssa {

namespace {

std::string data_path(const std::string& path) {
    return std::filesystem::path(path).replace_extension(".dat").string();
}

/// A string literal of gnuplot.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char letter : text) {
        result += letter == '\'' ? std::string("''") : std::string(1, letter);
    }
    return result + "'";
}

/// While it lives, a pipe whose reader has gone is a failed write instead of the end of the program.
class BrokenPipesAreErrors {
public:
    BrokenPipesAreErrors() : before_(std::signal(SIGPIPE, SIG_IGN)) {}
    ~BrokenPipesAreErrors() { std::signal(SIGPIPE, before_); }
    BrokenPipesAreErrors(const BrokenPipesAreErrors&) = delete;
    BrokenPipesAreErrors& operator=(const BrokenPipesAreErrors&) = delete;

private:
    void (*before_)(int);
};

void run_gnuplot(const std::string& path, const std::string& title, int width, int height,
                 const std::string& commands) {
    const BrokenPipesAreErrors guard;
    std::FILE* pipe = ::popen("gnuplot >/dev/null 2>&1", "w");
    if (pipe == nullptr) {
        throw UserError("cannot start gnuplot for '" + path + "'; install the package gnuplot-nox");
    }
    const std::string temporary = path + ".tmp" + std::to_string(::getpid());
    std::ostringstream script;
    script << "set terminal pngcairo noenhanced font 'sans,11' size " << width << ',' << height << "\nset output "
           << quoted(temporary) << "\nset title " << quoted(title) << "\n"
           << commands << "\nset output\n";
    const std::string text = script.str();
    std::fwrite(text.data(), 1, text.size(), pipe);
    const int status = ::pclose(pipe);
    std::error_code code;
    std::filesystem::rename(temporary, path, code);
    if (status != 0 || code) {
        std::remove(temporary.c_str());
        throw UserError("gnuplot could not draw '" + path +
                        "'; is the package gnuplot-nox installed and the folder writable?");
    }
}

}  // namespace

void confusion_picture(const std::string& path, const std::string& title, const std::vector<std::vector<int>>& counts) {
    std::ostringstream data;
    data << "# label answer count share_of_label\n";
    for (std::size_t label = 0; label < counts.size(); ++label) {
        int total = 0;
        for (const int count : counts[label]) {
            total += count;
        }
        for (std::size_t answer = 0; answer < counts[label].size(); ++answer) {
            data << label << ' ' << answer << ' ' << counts[label][answer] << ' '
                 << (total == 0 ? 0.0 : static_cast<double>(counts[label][answer]) / total) << '\n';
        }
        data << '\n';
    }
    write_file_atomically(data_path(path), data.str());
    const std::size_t last = counts.empty() ? 0 : counts.size() - 1;
    std::ostringstream commands;
    commands << "set xlabel 'answer'\nset ylabel 'label'\nset cblabel 'share of the label'\nset cbrange [0:1]\n"
             << "set palette defined (0 'white', 0.05 '#c6dbef', 0.5 '#4292c6', 1 '#08306b')\n"
             << "set xrange [-0.5:" << last << ".5]\nset yrange [" << last
             << ".5:-0.5]\nset xtics 1\nset ytics 1\nunset key\n"
             << "plot " << quoted(data_path(path))
             << " using 2:1:4 with image, '' using 2:1:($3 > 0 ? sprintf('%d', $3) : ''):"
             << "($4 > 0.5 ? 0xffffff : 0x303030) with labels textcolor rgb variable font 'sans,9'";
    run_gnuplot(path, title, 760, 660, commands.str());
}

void energy_picture(const std::string& path, const std::string& title, const std::vector<EnergyBar>& bars) {
    std::ostringstream data;
    data << "# index component nominal_nj low_nj high_nj\n";
    for (std::size_t index = 0; index < bars.size(); ++index) {
        constexpr double kNano = 1e9;
        data << index << " \"" << bars[index].component << "\" " << bars[index].nominal_j * kNano << ' '
             << bars[index].low_j * kNano << ' ' << bars[index].high_j * kNano << '\n';
    }
    write_file_atomically(data_path(path), data.str());
    std::ostringstream commands;
    commands << "set ylabel 'energy per sequence (nJ), bars: low to high'\nset style fill solid 0.8\nset boxwidth "
                "0.7\nunset key\n"
             << "set grid ytics\nset xtics rotate by -30\nset yrange [0:*]\nset bmargin 6\nset rmargin 8\n"
             << "plot " << quoted(data_path(path))
             << " using 1:3:xtic(2) with boxes linecolor rgb '#4292c6', '' using 1:3:4:5 with "
             << "yerrorbars linecolor rgb '#303030' pointtype 0";
    run_gnuplot(path, title, 900, 560, commands.str());
}

void trajectory_picture(const std::string& path, const std::string& title, const std::vector<double>& chip,
                        const std::vector<double>& reference) {
    std::ostringstream data;
    data << "# step chip reference difference\n";
    for (std::size_t step = 0; step < std::min(chip.size(), reference.size()); ++step) {
        data << step << ' ' << chip[step] << ' ' << reference[step] << ' ' << chip[step] - reference[step] << '\n';
    }
    write_file_atomically(data_path(path), data.str());
    const std::string file = quoted(data_path(path));
    std::ostringstream commands;
    commands << "set multiplot layout 2,1\nset xlabel 'step'\nset grid\nset ylabel 'Re(x), real units'\n"
             << "plot " << file
             << " using 1:3 with lines linewidth 3 linecolor rgb '#9ecae1' title 'reference', '' using 1:2 with "
             << "lines linecolor rgb '#08306b' title 'chip'\nset title 'difference'\nset ylabel 'chip - reference'\n"
             << "plot " << file << " using 1:4 with lines linecolor rgb '#cb181d' notitle\nunset multiplot";
    run_gnuplot(path, title, 1000, 700, commands.str());
}

void pole_picture(const std::string& path, const std::string& title, const std::vector<PolePair>& poles) {
    std::ostringstream data;
    data.precision(9);
    data << "# layer head mode deployed_re deployed_im programmed_re programmed_im\n";
    for (const PolePair& pole : poles) {
        data << pole.layer << ' ' << pole.head << ' ' << pole.mode << ' ' << pole.deployed.real() << ' '
             << pole.deployed.imag() << ' ' << pole.programmed.real() << ' ' << pole.programmed.imag() << '\n';
    }
    write_file_atomically(data_path(path), data.str());
    const std::string file = quoted(data_path(path));
    const std::string plot =
        "plot [0:2*pi] cos(t), sin(t) with lines linewidth 2 linecolor rgb '#969696' title 'unit circle', " + file +
        " using 6:7 with points pointtype 7 pointsize 0.6 linecolor rgb '#cb181d' title 'programmed', " + file +
        " using 4:5 with points pointtype 7 pointsize 0.5 linecolor rgb '#08306b' title 'deployed'\n";
    std::ostringstream commands;
    commands << "set parametric\nset samples 2000\nset multiplot layout 1,2\nset size square\nset grid\n"
             << "set xlabel 'Re'\nset ylabel 'Im'\nset key bottom left\nset xrange [-1.3:1.3]\nset yrange [-1.3:1.3]\n"
             << plot << "set title 'slow modes'\nset xrange [0.8:1.1]\nset yrange [-0.05:0.25]\n"
             << plot << "unset multiplot";
    run_gnuplot(path, title, 1200, 640, commands.str());
}

void conductance_picture(const std::string& path, const std::string& title, const Eigen::MatrixXd& conductances) {
    constexpr double kMicro = 1e6;
    std::ostringstream data;
    data << "# row column microsiemens\n";
    for (Eigen::Index row = 0; row < conductances.rows(); ++row) {
        for (Eigen::Index column = 0; column < conductances.cols(); ++column) {
            data << row << ' ' << column << ' ' << conductances(row, column) * kMicro << '\n';
        }
        data << '\n';
    }
    write_file_atomically(data_path(path), data.str());
    std::ostringstream commands;
    commands << "set xlabel 'column'\nset ylabel 'row'\nset cblabel 'conductance (uS)'\nunset key\n"
             << "set palette defined (0 'white', 0.05 '#c6dbef', 0.5 '#4292c6', 1 '#08306b')\n"
             << "set xrange [-0.5:" << conductances.cols() - 1 << ".5]\nset yrange [" << conductances.rows() - 1
             << ".5:-0.5]\nplot " << quoted(data_path(path)) << " using 2:1:3 with image";
    run_gnuplot(path, title, 820, 700, commands.str());
}

}  // namespace imssa

#include "trainer/datasets/glyphs.h"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <vector>

namespace imssa {
namespace {

constexpr float kPi = 3.14159265F;
constexpr int kPixels = kGlyphSide * kGlyphSide;

/// Random numbers of one sample: a counter-based stream keyed by seed, split, index and purpose.
class Stream {
public:
    enum class Purpose : std::uint32_t { kLabel, kShape, kNoise };

    Stream(std::uint64_t seed, Split split, std::uint32_t index, Purpose purpose)
        : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
          counter_{{0, index, static_cast<std::uint32_t>(split), static_cast<std::uint32_t>(purpose)}} {}

    std::uint32_t next() {
        if (used_ == 4) {
            block_ = r123::Philox4x32()(counter_, key_);
            ++counter_[0];
            used_ = 0;
        }
        return block_[used_++];
    }
    /// In [0, 1).
    float uniform() { return static_cast<float>(next() >> 8) * 0x1p-24F; }
    float uniform(float low, float high) { return low + (high - low) * uniform(); }
    /// Nearly normal, of mean 0 and deviation 1: the sum of the four bytes of a word.
    float bell() {
        constexpr float kDeviation = 147.8F;  // sqrt(4 * (256^2 - 1) / 12)
        const std::uint32_t word = next();
        const std::uint32_t sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24);
        return (static_cast<float>(sum) - 510.0F) / kDeviation;
    }

private:
    r123::Philox4x32::key_type key_;
    r123::Philox4x32::ctr_type counter_;
    r123::Philox4x32::ctr_type block_{};
    std::size_t used_ = 4;
};

struct Point {
    float x;
    float y;
};
using Stroke = std::vector<Point>;

/// Part of an ellipse, from one angle to another in degrees; 0 is right, 90 is down.
void append_arc(Stroke& stroke, Point centre, Point radius, float from, float to) {
    const int pieces = std::max(3, static_cast<int>(std::abs(to - from) / 30.0F));
    for (int i = 0; i <= pieces; ++i) {
        const float angle = (from + (to - from) * static_cast<float>(i) / static_cast<float>(pieces)) * kPi / 180.0F;
        stroke.push_back({centre.x + radius.x * std::cos(angle), centre.y + radius.y * std::sin(angle)});
    }
}

Stroke arc(Point centre, Point radius, float from, float to, std::initializer_list<Point> tail = {}) {
    Stroke stroke;
    append_arc(stroke, centre, radius, from, to);
    stroke.insert(stroke.end(), tail);
    return stroke;
}

/// The strokes of a digit in a box of x -0.5 to 0.5 and y -1 to 1 (down). Some digits have two forms.
std::vector<Stroke> skeleton(int digit, bool second_form) {
    switch (digit) {
        case 0:
            return {arc({0.0F, 0.0F}, {second_form ? 0.42F : 0.55F, 1.0F}, 0.0F, 360.0F)};
        case 1:
            if (second_form) {
                return {{{-0.3F, -0.65F}, {0.05F, -1.0F}, {0.05F, 1.0F}}, {{-0.3F, 1.0F}, {0.4F, 1.0F}}};
            }
            return {{{0.0F, -1.0F}, {0.0F, 1.0F}}};
        case 2:
            return {arc({0.0F, -0.5F}, {0.5F, 0.5F}, -170.0F, 40.0F, {{-0.5F, 1.0F}, {0.55F, 1.0F}})};
        case 3: {
            Stroke stroke = arc({0.0F, -0.5F}, {0.45F, 0.48F}, -160.0F, 90.0F);
            append_arc(stroke, {0.0F, 0.5F}, {0.52F, 0.52F}, -90.0F, 155.0F);
            return {stroke};
        }
        case 4:
            if (second_form) {
                return {{{-0.45F, -1.0F}, {-0.5F, 0.1F}, {0.5F, 0.1F}}, {{0.3F, -1.0F}, {0.3F, 1.0F}}};
            }
            return {{{0.25F, 1.0F}, {0.25F, -1.0F}, {-0.55F, 0.35F}, {0.6F, 0.35F}}};
        case 5: {
            Stroke stroke{{0.45F, -1.0F}, {-0.4F, -1.0F}, {-0.45F, -0.15F}};
            append_arc(stroke, {-0.02F, 0.4F}, {0.52F, 0.58F}, -130.0F, 150.0F);
            return {stroke};
        }
        case 6: {
            Stroke stroke{{0.35F, -1.0F}, {-0.2F, -0.5F}, {-0.5F, 0.15F}};
            append_arc(stroke, {0.0F, 0.48F}, {0.5F, 0.5F}, -180.0F, 180.0F);
            return {stroke};
        }
        case 7: {
            std::vector<Stroke> strokes{{{-0.5F, -1.0F}, {0.5F, -1.0F}, {-0.15F, 1.0F}}};
            if (second_form) {
                strokes.push_back({{-0.25F, 0.0F}, {0.45F, 0.0F}});
            }
            return strokes;
        }
        case 8:
            return {arc({0.0F, -0.5F}, {0.42F, 0.48F}, 90.0F, 450.0F), arc({0.0F, 0.5F}, {0.5F, 0.5F}, -90.0F, 270.0F)};
        default:
            if (second_form) {
                return {arc({0.0F, -0.45F}, {0.48F, 0.5F}, 0.0F, 360.0F, {{0.42F, 0.3F}, {0.3F, 1.0F}})};
            }
            return {arc({0.0F, -0.45F}, {0.48F, 0.5F}, 0.0F, 360.0F, {{0.4F, 0.5F}, {0.0F, 1.0F}, {-0.35F, 0.85F}})};
    }
}

/// Moves the strokes to pixel coordinates: per-point jitter, then scale, shear, rotation and shift.
void distort(std::vector<Stroke>& strokes, Stream& random) {
    const float height = random.uniform(7.0F, 10.0F);
    const float width = height * random.uniform(0.75F, 1.25F);
    const float shear = random.uniform(-0.3F, 0.3F);
    const float angle = random.uniform(-0.3F, 0.3F);
    const Point shift{13.5F + random.uniform(-2.5F, 2.5F), 13.5F + random.uniform(-2.5F, 2.5F)};
    const float cosine = std::cos(angle);
    const float sine = std::sin(angle);
    for (Stroke& stroke : strokes) {
        for (Point& point : stroke) {
            const float y = (point.y + 0.05F * random.bell()) * height;
            const float x = (point.x + 0.05F * random.bell()) * width + shear * y;
            point = {shift.x + cosine * x - sine * y, shift.y + sine * x + cosine * y};
        }
    }
}

float squared_distance(float x, float y, Point a, Point b) {
    const float dx = b.x - a.x;
    const float dy = b.y - a.y;
    const float length = dx * dx + dy * dy;
    const float along =
        length > 0.0F ? std::min(1.0F, std::max(0.0F, ((x - a.x) * dx + (y - a.y) * dy) / length)) : 0.0F;
    const float ex = x - a.x - along * dx;
    const float ey = y - a.y - along * dy;
    return ex * ex + ey * ey;
}

/// Ink of each pixel, 0 to 1: full inside the stroke, falling over one pixel at its edge.
std::array<float, kPixels> render(const std::vector<Stroke>& strokes, float radius) {
    std::array<float, kPixels> nearest{};
    nearest.fill(std::numeric_limits<float>::max());
    const auto low = [radius](float a, float b) {
        return std::max(0, static_cast<int>(std::floor(std::min(a, b) - radius - 1.0F)));
    };
    const auto high = [radius](float a, float b) {
        return std::min(kGlyphSide - 1, static_cast<int>(std::ceil(std::max(a, b) + radius + 1.0F)));
    };
    for (const Stroke& stroke : strokes) {
        for (std::size_t i = 0; i + 1 < stroke.size(); ++i) {
            const Point a = stroke[i];
            const Point b = stroke[i + 1];
            for (int y = low(a.y, b.y); y <= high(a.y, b.y); ++y) {
                for (int x = low(a.x, b.x); x <= high(a.x, b.x); ++x) {
                    float& distance = nearest[y * kGlyphSide + x];
                    distance = std::min(distance, squared_distance(static_cast<float>(x), static_cast<float>(y), a, b));
                }
            }
        }
    }
    std::array<float, kPixels> ink{};
    for (int i = 0; i < kPixels; ++i) {
        ink[i] = std::min(1.0F, std::max(0.0F, radius + 0.5F - std::sqrt(nearest[i])));
    }
    return ink;
}

int label_of(std::uint64_t seed, Split split, int index) {
    Stream random(seed, split, static_cast<std::uint32_t>(index / 10), Stream::Purpose::kLabel);
    std::array<int, 10> order{};
    std::iota(order.begin(), order.end(), 0);
    for (std::uint32_t i = 9; i > 0; --i) {
        std::swap(order[i], order[random.next() % (i + 1)]);
    }
    return order[index % 10];
}

}  // namespace

Glyph make_glyph(std::uint64_t seed, Split split, int index) {
    Glyph glyph;
    glyph.label = label_of(seed, split, index);
    Stream random(seed, split, static_cast<std::uint32_t>(index), Stream::Purpose::kShape);
    std::vector<Stroke> strokes = skeleton(glyph.label, random.uniform() < 0.5F);
    distort(strokes, random);
    const float radius = random.uniform(0.6F, 1.6F);
    const float brightness = random.uniform(0.7F, 1.0F);
    const std::array<float, kPixels> ink = render(strokes, radius);
    Stream noise(seed, split, static_cast<std::uint32_t>(index), Stream::Purpose::kNoise);
    for (int i = 0; i < kPixels; ++i) {
        constexpr float kNoise = 0.06F;
        const float level = brightness * ink[i] + kNoise * noise.bell();
        glyph.pixels[i] = static_cast<std::uint8_t>(std::lround(255.0F * std::min(1.0F, std::max(0.0F, level))));
    }
    return glyph;
}

Dataset make_glyphs(std::uint64_t seed, Split split, int count) {
    Dataset dataset;
    dataset.name = "glyphs";
    dataset.steps = kPixels;
    dataset.classes = 10;
    dataset.values.reserve(static_cast<std::size_t>(count) * kPixels);
    dataset.labels.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        const Glyph glyph = make_glyph(seed, split, i);
        dataset.labels.push_back(glyph.label);
        for (const std::uint8_t pixel : glyph.pixels) {
            dataset.values.push_back(pixel_value(pixel));
        }
    }
    return dataset;
}

}  // namespace imssa

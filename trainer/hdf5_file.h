#pragma once

#include <hdf5.h>

#include <string>
#include <utility>
#include <vector>

namespace imssa {

/// An HDF5 identifier that is closed at the end of its scope.
class Hdf5Handle {
public:
    using Close = herr_t (*)(hid_t);
    Hdf5Handle() = default;
    Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
    ~Hdf5Handle() { reset(); }
    Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
        reset();
        id_ = std::exchange(other.id_, -1);
        close_ = other.close_;
        return *this;
    }
    hid_t id() const { return id_; }
    bool valid() const { return id_ >= 0; }
    void reset() {
        if (id_ >= 0) {
            close_(id_);
            id_ = -1;
        }
    }

private:
    hid_t id_ = -1;
    Close close_ = nullptr;
};

/// Keeps HDF5 from printing its error stack while it lives.
class QuietHdf5 {
public:
    QuietHdf5();
    ~QuietHdf5();
    QuietHdf5(const QuietHdf5&) = delete;
    QuietHdf5& operator=(const QuietHdf5&) = delete;

private:
    H5E_auto2_t function_ = nullptr;
    void* data_ = nullptr;
};

/// Writing of named arrays and attributes into the image of a file in memory: HDF5 does not survive a full disk under
/// an open file. Times are not recorded: equal content gives equal bytes.
class Hdf5Writer {
public:
    /// A file with a user block of zeros ahead of it.
    explicit Hdf5Writer(int user_block_bytes);
    void group(const std::string& name);
    void floats(const std::string& name, const float* data, const std::vector<hsize_t>& shape);
    void doubles(const std::string& name, const std::vector<double>& values);
    void integer(const std::string& attribute, long long value);
    void text(const std::string& attribute, const std::string& value);
    /// The bytes of the file, user block included. Nothing can be added any more.
    std::string image();

private:
    void array(const std::string& name, const void* data, const std::vector<hsize_t>& shape, hid_t memory_type,
               hid_t file_type);
    std::size_t user_block_bytes_;
    Hdf5Handle file_;
};

/// Reading of the same. Failures are UserErrors that name the file and the object.
class Hdf5Reader {
public:
    /// Opens the image of a file in memory.
    Hdf5Reader(const std::string& path, std::string image);
    bool has(const std::string& name) const;
    bool has_attribute(const std::string& attribute) const;
    /// All numbers must be finite.
    void floats(const std::string& name, float* data, std::size_t size) const;
    std::vector<double> doubles(const std::string& name) const;
    long long integer(const std::string& attribute) const;
    std::string text(const std::string& attribute) const;

private:
    [[noreturn]] void fail(const std::string& what) const;
    std::string path_;
    std::string image_;
    Hdf5Handle file_;
};

}  // namespace imssa

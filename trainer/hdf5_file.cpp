#include "trainer/hdf5_file.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/common/error.h"

namespace imssa {

namespace {

[[noreturn]] void fail_write(const std::string& name) {
    throw std::runtime_error("HDF5 cannot hold '" + name + "'");
}

}  // namespace

QuietHdf5::QuietHdf5() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

QuietHdf5::~QuietHdf5() {
    H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

Hdf5Writer::Hdf5Writer(int user_block_bytes) : user_block_bytes_(static_cast<std::size_t>(user_block_bytes)) {
    constexpr std::size_t kGrowthBytes = 1 << 16;
    const Hdf5Handle properties(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_userblock(properties.id(), static_cast<hsize_t>(user_block_bytes));
    H5Pset_obj_track_times(properties.id(), false);
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_core(access.id(), kGrowthBytes, false);
    file_ = Hdf5Handle(H5Fcreate("checkpoint in memory", H5F_ACC_TRUNC, properties.id(), access.id()), H5Fclose);
    if (!file_.valid()) {
        fail_write("a file");
    }
}

void Hdf5Writer::group(const std::string& name) {
    const Hdf5Handle properties(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    H5Pset_obj_track_times(properties.id(), false);
    const Hdf5Handle created(H5Gcreate2(file_.id(), name.c_str(), H5P_DEFAULT, properties.id(), H5P_DEFAULT), H5Gclose);
    if (!created.valid()) {
        fail_write(name);
    }
}

void Hdf5Writer::array(const std::string& name, const void* data, const std::vector<hsize_t>& shape, hid_t memory_type,
                       hid_t file_type) {
    const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
    const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_obj_track_times(properties.id(), false);
    const Hdf5Handle created(
        H5Dcreate2(file_.id(), name.c_str(), file_type, space.id(), H5P_DEFAULT, properties.id(), H5P_DEFAULT),
        H5Dclose);
    if (!created.valid() || H5Dwrite(created.id(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        fail_write(name);
    }
}

void Hdf5Writer::floats(const std::string& name, const float* data, const std::vector<hsize_t>& shape) {
    array(name, data, shape, H5T_NATIVE_FLOAT, H5T_IEEE_F32LE);
}

void Hdf5Writer::doubles(const std::string& name, const std::vector<double>& values) {
    array(name, values.data(), {values.size()}, H5T_NATIVE_DOUBLE, H5T_IEEE_F64LE);
}

void Hdf5Writer::integer(const std::string& attribute, long long value) {
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle created(
        H5Acreate2(file_.id(), attribute.c_str(), H5T_STD_I64LE, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    if (!created.valid() || H5Awrite(created.id(), H5T_NATIVE_LLONG, &value) < 0) {
        fail_write(attribute);
    }
}

void Hdf5Writer::text(const std::string& attribute, const std::string& value) {
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.id(), value.size() + 1);
    H5Tset_cset(type.id(), H5T_CSET_UTF8);
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle created(H5Acreate2(file_.id(), attribute.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT),
                             H5Aclose);
    if (!created.valid() || H5Awrite(created.id(), type.id(), value.c_str()) < 0) {
        fail_write(attribute);
    }
}

std::string Hdf5Writer::image() {
    const ssize_t bytes = H5Fflush(file_.id(), H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file_.id(), nullptr, 0);
    // The image of the library leaves the user block out.
    std::string content(user_block_bytes_ + static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)), '\0');
    if (bytes < 0 ||
        H5Fget_file_image(file_.id(), content.data() + user_block_bytes_, static_cast<std::size_t>(bytes)) != bytes) {
        fail_write("a file");
    }
    file_.reset();
    return content;
}

Hdf5Reader::Hdf5Reader(const std::string& path, std::string image) : path_(path), image_(std::move(image)) {
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_core(access.id(), 1 << 16, false);
    H5Pset_file_image(access.id(), image_.data(), image_.size());
    // The core driver refuses an image under the name of a file that exists.
    const std::string image_name = path + " in memory";
    file_ = Hdf5Handle(H5Fopen(image_name.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
    if (!file_.valid()) {
        fail("HDF5 cannot read it");
    }
}

bool Hdf5Reader::has(const std::string& name) const {
    return H5Lexists(file_.id(), name.c_str(), H5P_DEFAULT) > 0;
}

bool Hdf5Reader::has_attribute(const std::string& attribute) const {
    return H5Aexists(file_.id(), attribute.c_str()) > 0;
}

void Hdf5Reader::floats(const std::string& name, float* data, std::size_t size) const {
    const Hdf5Handle dataset(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) {
        fail("it lacks '" + name + "'");
    }
    const Hdf5Handle space(H5Dget_space(dataset.id()), H5Sclose);
    const hssize_t stored = H5Sget_simple_extent_npoints(space.id());
    if (stored != static_cast<hssize_t>(size)) {
        fail("'" + name + "' has " + std::to_string(stored) + " values, but the model in it needs " +
             std::to_string(size));
    }
    if (size > 0 && H5Dread(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
        fail("'" + name + "' cannot be read");
    }
    for (std::size_t index = 0; index < size; ++index) {
        if (!std::isfinite(data[index])) {
            fail("'" + name + "' holds " + std::to_string(data[index]) + " at place " + std::to_string(index));
        }
    }
}

std::vector<double> Hdf5Reader::doubles(const std::string& name) const {
    const Hdf5Handle dataset(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset.valid()) {
        fail("it lacks '" + name + "'");
    }
    const Hdf5Handle space(H5Dget_space(dataset.id()), H5Sclose);
    std::vector<double> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.id())));
    if (!values.empty() && H5Dread(dataset.id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
        fail("'" + name + "' cannot be read");
    }
    return values;
}

long long Hdf5Reader::integer(const std::string& name) const {
    const Hdf5Handle attribute(H5Aopen(file_.id(), name.c_str(), H5P_DEFAULT), H5Aclose);
    long long value = 0;
    if (!attribute.valid() || H5Aread(attribute.id(), H5T_NATIVE_LLONG, &value) < 0) {
        fail("it lacks the attribute '" + name + "'");
    }
    return value;
}

std::string Hdf5Reader::text(const std::string& name) const {
    const Hdf5Handle attribute(H5Aopen(file_.id(), name.c_str(), H5P_DEFAULT), H5Aclose);
    if (!attribute.valid()) {
        fail("it lacks the attribute '" + name + "'");
    }
    const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
    std::string value(H5Tget_size(type.id()), '\0');
    if (H5Aread(attribute.id(), type.id(), value.data()) < 0) {
        fail("the attribute '" + name + "' cannot be read");
    }
    return value.substr(0, value.find('\0'));
}

void Hdf5Reader::fail(const std::string& what) const {
    throw UserError("checkpoint '" + path_ + "': " + what + "; train again");
}

}  // namespace imssa

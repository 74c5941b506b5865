#pragma once

#include <string>

namespace imssa {

/// Writes text to a file through a temporary file beside it, so that nothing half-written is left (to devices and pipes
/// directly). Creates folders.
/// Throws UserError when the place cannot be written.
void write_file_atomically(const std::string& path, const std::string& text);

/// Renames a file that a library has written without reporting errors, after a check that the disk was not full. Throws
/// UserError and removes the temporary file otherwise.
void commit_streamed_file(const std::string& temporary, const std::string& path);

/// Throws UserError at once when a file could not be written there later. Creates folders.
void check_output_file(const std::string& path);

/// Creates a folder for output; throws UserError when that fails.
void create_output_folder(const std::string& path);

}  // namespace imssa

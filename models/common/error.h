#pragma once

#include <stdexcept>
#include <string>

namespace imssa {

/// A mistake of the user: one line that says what is wrong, where, and how to mend it.
/// Executables print it and end with exit status 2. Faults of our own are other exceptions or assertions.
class UserError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A number that cannot be (NaN, infinity, an overflowing sum), named with the step where it appeared.
class NumericalError : public UserError {
public:
    using UserError::UserError;
};

}  // namespace imssa

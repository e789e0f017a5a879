#pragma once

#include <cstddef>
#include <random>
#include <string>

namespace archway::test {

/// Requests that no server should serve, one like no other, in an order that the seed fixes: cut
/// short, too long, with bodies that could hide a second request, with broken line ends, foreign
/// bytes, bad escapes, wrong names, methods that write, and plain noise. All of them ask for images
/// that are there, so that whoever takes one for good goes and gets it.
class MalformedRequests {
 public:
  explicit MalformedRequests(unsigned seed) : random_(seed) {}

  struct One {
    const char* kind;
    std::string bytes;
    bool whole = true;   ///< false: nobody can tell yet that it is bad, so no answer is due
    bool closes = true;  ///< the connection must end with the answer
  };
  One next();

 private:
  One truncated();
  One too_long();
  One smuggling();
  One line_ends();
  One foreign_byte();
  One bad_escape();
  One wrong_name();
  One wrong_method();
  One wrong_version();
  One noise();

  std::size_t below(std::size_t bound);
  std::string one_of(std::initializer_list<const char*> words);
  std::string path();
  std::string lines();
  /// With these further lines behind the usual ones.
  std::string head(const std::string& target, const std::string& more = "");

  std::mt19937 random_;
};

}  // namespace archway::test

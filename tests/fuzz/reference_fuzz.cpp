// Any text as what people call an image, and as its parts: what parses prints back to itself.

#include "resolver/image_reference.hpp"
#include "resolver/model/name.hpp"
#include "tests/fuzz/fuzz.hpp"

using archway::fuzz::must;

namespace {

/// What is refused is told in a sentence that can be shown, whatever the text was.
template <class T>
const archway::Result<T>& told(const archway::Result<T>& result) {
  must(result.has_value() || archway::fuzz::printable(result.error().message),
       "a refusal can be shown");
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = archway::fuzz::text_of(data, size);
  if (const auto image = told(archway::resolver::parse_image(text))) {
    const auto again = archway::resolver::parse_image(image->str());
    must(again && again->str() == image->str(), "an image prints back to itself");
    must(archway::fuzz::printable(image->str()), "an image can be shown");
  }
  if (const auto reference = told(archway::parse_reference(text))) {
    must(archway::str(*reference) == text, "a reference is what was written");
  }
  if (const auto repository = told(archway::Repository::parse(text))) {
    must(repository->str() == text && text.size() <= 255, "a repository is what was written");
    must(text.find("..") == std::string_view::npos && !text.starts_with('/') &&
             text.find("//") == std::string_view::npos,
         "a repository is no path to somewhere else");
  }
  if (const auto digest = told(archway::Digest::parse(text))) {
    must(digest->str() == text, "a digest is what was written");
    const auto of = archway::Digest::of(digest->algorithm(), digest->bytes());
    must(of && *of == *digest, "a digest is its bytes");
  }
  return 0;
}

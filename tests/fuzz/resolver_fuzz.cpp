// Foreign bytes to every parser of the resolver: none may crash, and what parses must print back to
// something that parses to the same.

#include "resolver/byte_range.hpp"
#include "resolver/challenge.hpp"
#include "resolver/manifest.hpp"
#include "resolver/model/name.hpp"
#include "resolver/model/platform.hpp"
#include "resolver/route.hpp"
#include "resolver/url.hpp"
#include "resolver/user_agent.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using archway::Platform;
namespace resolver = archway::resolver;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "resolver: %s\n", what);
  std::abort();
}

void platform(std::string_view text) {
  const auto parsed = Platform::parse(text);
  if (!parsed) return;
  const auto again = Platform::parse(parsed->str());
  must(again.has_value() && again->str() == parsed->str(), "a platform does not print back");
}

void url(std::string_view text) {
  const auto parsed = resolver::Url::parse(text);
  if (!parsed) return;
  const auto again = resolver::Url::parse(parsed->str());
  must(again.has_value() && again->str() == parsed->str(), "a URL does not print back");
}

void range(std::string_view text) {
  constexpr std::uint64_t size = 1000;
  const auto read = resolver::read_range(text, size);
  if (read.kind != resolver::RangeRequest::Kind::part) return;
  must(read.range.length > 0 && read.range.offset < size &&
           read.range.length <= size - read.range.offset,
       "a range leaves the object");
}

void manifest(std::string_view text) {
  for (const auto type : {archway::media_type::oci_index, archway::media_type::oci_manifest}) {
    const auto read = resolver::parse_manifest(text, type);
    must(read.interpretable || read.manifests.empty(), "what is not interpretable has entries");
  }
  (void)resolver::parse_config_platform(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 8) {
    case 0: platform(text); break;
    case 1: url(text); break;
    case 2: range(text); break;
    case 3: manifest(text); break;
    case 4: (void)resolver::parse_route(text).has_value(); break;
    case 5: (void)resolver::read_challenges({text}); break;
    case 6: (void)resolver::parse_user_agent(text); break;
    default: (void)archway::parse_reference(text).has_value(); break;
  }
  return 0;
}

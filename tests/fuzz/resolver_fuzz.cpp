// Foreign bytes to every parser of the resolver: none may crash, and what parses must print back to
// something that parses to the same.

#include "resolver/byte_range.hpp"
#include "resolver/challenge.hpp"
#include "resolver/image_reference.hpp"
#include "resolver/index_bytes.hpp"
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

void image(std::string_view text) {
  const auto parsed = resolver::parse_image(text);
  if (!parsed) return;
  const auto again = resolver::parse_image(parsed->str());
  must(again.has_value() && again->str() == parsed->str(), "an image does not print back");
}

/// Every other entry of an index taken out: what is left reads back and is what was written.
void filtered(const std::string& text) {
  const auto type = archway::media_type::oci_index;
  const auto entries = resolver::raw_entries(text);
  const auto read = resolver::parse_manifest(text, type);
  must(entries.has_value() || !read.interpretable, "an index that is read has no entries");
  if (!entries || !read.interpretable) return;  // or a list of the other family
  must(entries->size() == read.manifests.size(), "entries are missing");
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < entries->size(); i += 2) kept.push_back(i);
  const auto bytes = resolver::filtered_index(text, kept);
  must(bytes.has_value(), "an index cannot be filtered");
  const auto again = resolver::parse_manifest(*bytes, type);
  must(again.interpretable && again.manifests.size() == kept.size(), "a filter loses entries");
  const auto left = resolver::raw_entries(*bytes);
  must(left.has_value(), "a filtered index cannot be filtered");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    must((*left)[i] == (*entries)[kept[i]], "an entry was altered");
    must(again.manifests[i].digest == read.manifests[kept[i]].digest, "an entry is another");
  }
}

/// Foreign text as it is, and as a member in the places where one may stand: chance alone would
/// hardly write an index.
void index(std::string_view text) {
  filtered(std::string(text));
  const std::string entry = R"({"size":1,"digest":"sha256:)" + std::string(64, 'a') + "\"";
  const std::string member = "," + std::string(text);
  const std::string entries = entry + "}, " + entry + member + "}\t," + entry + "}";
  filtered(R"({"manifests":[)" + entries + "]" + member + "}");
  filtered(R"({"x":)" + std::string(text) + R"(,"manifests":[)" + entry + R"(,"y":)" +
           std::string(text) + "}]}");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 10) {
    case 0: platform(text); break;
    case 1: url(text); break;
    case 2: range(text); break;
    case 3: manifest(text); break;
    case 4: (void)resolver::parse_route(text).has_value(); break;
    case 5: (void)resolver::read_challenges({text}); break;
    case 6: (void)resolver::parse_user_agent(text); break;
    case 7: image(text); break;
    case 8: index(text); break;
    default: (void)archway::parse_reference(text).has_value(); break;
  }
  return 0;
}

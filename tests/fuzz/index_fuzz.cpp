// Every other entry of an index taken out: what is left reads back and is what was written.

#include "resolver/index_bytes.hpp"
#include "resolver/manifest.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <string>
#include <vector>

using archway::fuzz::must;
namespace resolver = archway::resolver;

namespace {

void filtered(const std::string& text) {
  const auto type = archway::media_type::oci_index;
  const auto entries = resolver::raw_entries(text);
  const auto read = resolver::parse_manifest(text, type);
  must(entries.has_value() || !read.interpretable, "an index that is read has entries");
  if (!entries || !read.interpretable) return;  // or a list of the other family
  must(entries->size() == read.manifests.size(), "no entry is missing");
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < entries->size(); i += 2) kept.push_back(i);
  const auto bytes = resolver::filtered_index(text, kept);
  must(bytes.has_value(), "an index can be filtered");
  const auto again = resolver::parse_manifest(*bytes, type);
  must(again.interpretable && again.manifests.size() == kept.size(), "a filter loses no entry");
  const auto left = resolver::raw_entries(*bytes);
  must(left.has_value(), "a filtered index can be filtered");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    must((*left)[i] == (*entries)[kept[i]], "no entry is altered");
    must(again.manifests[i].digest == read.manifests[kept[i]].digest, "no entry is another");
  }
}

}  // namespace

/// Foreign text as it is, and as a member in the places where one may stand: chance alone would
/// hardly write an index.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(archway::fuzz::text_of(data, size));
  filtered(text);
  const std::string entry = R"({"size":1,"digest":"sha256:)" + std::string(64, 'a') + "\"";
  const std::string member = "," + text;
  const std::string entries = entry + "}, " + entry + member + "}\t," + entry + "}";
  filtered(R"({"manifests":[)" + entries + "]" + member + "}");
  filtered(R"({"x":)" + text + R"(,"manifests":[)" + entry + R"(,"y":)" + text + "}]}");
  return 0;
}

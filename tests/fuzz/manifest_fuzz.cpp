// Any bytes as an index, a manifest or a config: what is decided upon is what every other reader
// sees. The second reader takes the last of two equal members, ours the first.

#include "resolver/manifest.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <vector>

using archway::Descriptor;
using archway::fuzz::must;

namespace {

namespace json = boost::json;

std::optional<json::value> second_reading(std::string_view text) {
  json::error_code error;
  json::parse_options options;
  options.max_depth = 1000;
  auto read = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return std::nullopt;
  return read;
}

void same(const Descriptor& ours, const json::value& theirs) {
  const auto& object = theirs.as_object();
  must(ours.digest.str() == std::string_view(object.at("digest").as_string()),
       "two readers see one digest");
  must(ours.size == object.at("size").to_number<std::uint64_t>(), "two readers see one size");
}

void same(const std::vector<Descriptor>& ours, const json::object& object, const char* key) {
  const auto* theirs = object.if_contains(key);
  const auto* array = theirs ? theirs->if_array() : nullptr;
  must(ours.size() == (array ? array->size() : 0), "two readers see as many entries");
  for (std::size_t i = 0; i < ours.size(); ++i) same(ours[i], array->at(i));
}

void check(std::string_view text, std::string_view type) {
  const auto read = archway::resolver::parse_manifest(text, type);
  if (!read.interpretable) {
    must(!read.why.empty(), "what is not interpretable says why");
    must(read.manifests.empty() && read.layers.empty() && !read.config,
         "what is not interpretable has no parts");
    return;
  }
  must(read.manifests.empty() || (read.layers.empty() && !read.config), "an index is no manifest");
  must(read.manifests.size() + read.layers.size() <= archway::resolver::manifest_entries_max,
       "entries have a bound");
  const auto second = second_reading(text);
  must(second.has_value() && second->is_object(), "another reader can read it");
  const auto& object = second->get_object();
  same(read.manifests, object, "manifests");
  same(read.layers, object, "layers");
  if (read.config) same(*read.config, object.at("config"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = archway::fuzz::text_of(data, size);
  for (const auto type : {archway::media_type::oci_index, archway::media_type::oci_manifest,
                          archway::media_type::docker_list, archway::media_type::docker_manifest}) {
    check(text, type);
  }
  const auto platform = archway::resolver::parse_config_platform(text);
  must(!platform || platform->normalised() == *platform, "a config's platform is normal");
  return 0;
}

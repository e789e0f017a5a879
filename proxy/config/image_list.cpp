#include "proxy/config/image_list.hpp"

#include "resolver/model/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <unordered_set>
#include <utility>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/yaml.h>

namespace archway::proxy {
namespace {

constexpr std::array<std::string_view, 3> container_lists{"containers", "initContainers",
                                                          "ephemeralContainers"};
// An alias shares what it stands for: a small text can be a tree without end.
constexpr std::size_t nodes_max = 1'000'000;
constexpr int depth_max = 64;

Error unusable(const std::string& file, int line, const std::string& why) {
  const auto where = line > 0 ? file + ":" + std::to_string(line) : file;
  return {.code = Errc::request_invalid, .message = where + ": " + why};
}

/// A name and the line it stands on.
struct Found {
  std::string image;
  int line = 0;
};

/// Looks through YAML documents.
class Search {
 public:
  explicit Search(const std::string& file) : file_(file) {}

  Result<void> look(const YAML::Node& node, int depth = 0) {
    if (++nodes_ > nodes_max || depth > depth_max) {
      return unusable(file_, line_of(node), "this is nested too deeply, or has too many parts");
    }
    if (node.IsSequence()) {
      for (const auto& item : node) {
        const auto looked = look(item, depth + 1);
        if (!looked) return looked;
      }
    }
    if (!node.IsMap()) return {};
    for (const auto& pair : node) {
      if (pair.first.IsScalar()) take(pair.first.Scalar(), pair.second);
      const auto looked = look(pair.second, depth + 1);
      if (!looked) return looked;
    }
    return {};
  }

  std::vector<Found> found;

 private:
  static int line_of(const YAML::Node& node) { return node.Mark().line + 1; }

  void take(const std::string& key, const YAML::Node& value) {
    if (key == "services" && value.IsMap()) {
      for (const auto& service : value) take_image_of(service.second);
    }
    const bool list =
        std::find(container_lists.begin(), container_lists.end(), key) != container_lists.end();
    if (!list || !value.IsSequence()) return;
    for (const auto& container : value) take_image_of(container);
  }

  void take_image_of(const YAML::Node& container) {
    if (!container.IsMap()) return;
    const YAML::Node image = container["image"];
    if (image.IsDefined() && image.IsScalar()) found.push_back({image.Scalar(), line_of(image)});
  }

  const std::string& file_;
  std::size_t nodes_ = 0;
};

Result<std::vector<Found>> search_yaml(std::string_view text, const std::string& file) {
  try {
    Search search(file);
    for (const auto& document : YAML::LoadAll(std::string(text))) {
      const auto looked = search.look(document);
      if (!looked) return looked.error();
    }
    return std::move(search.found);
  } catch (const YAML::Exception& error) {
    const int line = error.mark.is_null() ? 0 : error.mark.line + 1;
    return unusable(file, line, "this is not valid YAML: " + error.msg);
  }
}

/// One word a line is a list; no YAML with an image in it looks so.
std::optional<std::vector<Found>> search_list(std::string_view text) {
  std::vector<Found> found;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    auto word = std::string_view(line);
    const auto comment = word.find('#');
    word = trimmed(word.substr(0, comment), " \t\r");
    if (word.empty()) continue;
    const bool is_name = word.find_first_of(" \t[]{}\"'") == std::string_view::npos &&
                         !word.ends_with(':') && !word.starts_with('-');
    if (!is_name) return std::nullopt;
    found.push_back({std::string(word), number});
  }
  return found;
}

}  // namespace

Result<std::vector<std::string>> read_image_list(std::string_view text, const std::string& file) {
  auto list = search_list(text);
  auto found = list ? Result<std::vector<Found>>(*std::move(list)) : search_yaml(text, file);
  if (!found) return found.error();
  std::vector<std::string> images;
  std::unordered_set<std::string> known;
  for (const Found& each : *found) {
    if (each.image.find('$') != std::string::npos) {
      return unusable(file, each.line,
                      "found \"" + each.image +
                          "\"; variables are not filled in here; allowed: an image's name");
    }
    if (known.insert(each.image).second) images.push_back(each.image);
  }
  if (images.empty()) {
    return unusable(file, 0,
                    "there is no image in it; allowed: one image a line, a compose file, or "
                    "Kubernetes manifests");
  }
  if (images.size() > image_list_images_max) {
    return unusable(file, 0,
                    "there are " + std::to_string(images.size()) +
                        " images in it; allowed: " + std::to_string(image_list_images_max));
  }
  return images;
}

}  // namespace archway::proxy

#include "proxy/command/manifest_cached.hpp"

#include "proxy/command/admin_client.hpp"
#include "proxy/command/json_text.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace archway::proxy {
namespace {

constexpr std::size_t asked_at_once = 64;  // digests in one request

std::string cached_target(const std::string& image, const std::vector<Digest>& digests) {
  auto target = "/api/v1/cached?image=" + query_value(image);
  for (const auto& digest : digests) target += "&digest=" + query_value(digest.str());
  return target;
}

}  // namespace

std::optional<std::vector<bool>> read_cached(const AdminAnswer& answer,
                                             const std::vector<Digest>& digests) {
  const auto said = read_admin_json(answer);
  if (!said) return std::nullopt;
  std::vector<bool> there;
  for (const auto& digest : digests) {
    const auto& object = object_in(*said, digest.str());
    there.push_back(flag_in(object, "manifest") || flag_in(object, "blob"));
  }
  return there;
}

AskCached ask_cached_at(std::string endpoint) {
  auto place = std::make_shared<std::string>(std::move(endpoint));
  return [place](const std::string& image,
                 const std::vector<Digest>& digests) -> std::optional<std::vector<bool>> {
    std::vector<bool> all;
    for (std::size_t at = 0; at < digests.size() && !place->empty(); at += asked_at_once) {
      const auto end = std::min(digests.size(), at + asked_at_once);
      const std::vector<Digest> some(digests.begin() + static_cast<std::ptrdiff_t>(at),
                                     digests.begin() + static_cast<std::ptrdiff_t>(end));
      const auto answer = ask_admin(*place, Method::get, cached_target(image, some));
      const auto there = answer ? read_cached(*answer, some) : std::nullopt;
      if (!there) {
        place->clear();
        break;
      }
      all.insert(all.end(), there->begin(), there->end());
    }
    if (place->empty()) return std::nullopt;
    return all;
  };
}

}  // namespace archway::proxy

#include "proxy/admin/cached.hpp"

#include "proxy/admin/answer.hpp"
#include "proxy/admin/image_name.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <utility>

namespace archway::proxy {

namespace net = boost::asio;

namespace {

/// The names under which objects of this one are held.
std::vector<ImageName> names_held(const PullShared& shared, const ImageName& image) {
  auto looked_for = shared.rewriter.apply(image, std::nullopt).image;
  auto names = shared.virtual_images.members_of(looked_for);
  names.push_back(std::move(looked_for));
  return names;
}

boost::json::object look(const PullShared& shared, const std::vector<ImageName>& names,
                         const Digest& digest) {
  boost::json::object found{{"manifest", false}, {"blob", false}, {"size", nullptr}};
  const bool held = std::any_of(names.begin(), names.end(), [&](const ImageName& name) {
    return granted(shared, name, digest);
  });
  if (!held) return found;
  if (const auto manifest = shared.cache->index().find_manifest(digest)) {
    found["manifest"] = true;
    found["size"] = manifest->bytes.size();
  }
  if (const auto blob = shared.cache->open_blob(digest)) {
    found["blob"] = true;
    found["size"] = blob->size;
  }
  return found;
}

Result<std::vector<Digest>> digests_of(const Query& query) {
  std::vector<Digest> digests;
  const auto texts = query.all("digest");
  if (texts.empty() || texts.size() > cached_digests_max) {
    return bad_parameter("digest", "it is there " + std::to_string(texts.size()) +
                                       " times; allowed: 1 to " +
                                       std::to_string(cached_digests_max));
  }
  for (const auto& text : texts) {
    const auto digest = Digest::parse(text);
    if (!digest) return bad_parameter("digest", digest.error().message);
    digests.push_back(*digest);
  }
  return digests;
}

}  // namespace

std::vector<Parameter> cached_parameters() {
  return {{"image"}, {"digest", true}};
}

net::awaitable<Response> answer_cached(AdminParts* parts, Query query) {
  const auto text = query.need("image", "docker.io/library/golang");
  if (!text) co_return error_answer(text.error());
  const auto named = read_known_image(*text, parts->names());
  if (!named) co_return error_answer(named.error());
  const auto digests = digests_of(query);
  if (!digests) co_return error_answer(digests.error());
  // Files are opened and manifests read: a disk's work.
  const std::function<boost::json::object()> work =
      [shared = parts->pull.shared, digests = *digests,
       names = names_held(*parts->pull.shared, named->image)] {
        boost::json::object document;
        for (const auto& digest : digests) document[digest.str()] = look(*shared, names, digest);
        return document;
      };
  auto document = co_await parts->pull.shared->disk->run<boost::json::object>(work);
  co_return json_answer(200, boost::json::value(std::move(document)));
}

}  // namespace archway::proxy
